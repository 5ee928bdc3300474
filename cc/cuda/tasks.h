// The tasks of kernels, in plain pointers and sizes. All pointers are to device memory. Kernels
// read the seed, offset and parameters there, so the host never waits for them.
#ifndef FLATNOISE_CC_CUDA_TASKS_H_
#define FLATNOISE_CC_CUDA_TASKS_H_

#include <cstdint>

#include "core/combinations.h"
#include "core/noise.h"
#include "core/number_types.h"
#include "core/parameter.h"
#include "core/stream.h"

namespace flatnoise::cuda {

// The start of a stream. A negative offset turns every result into NaN, because kernels can't raise
// errors.
struct StreamStart {
  const void* seed;
  SeedType seed_type;
  const int64_t* offset;
};

// output[i] = input[i] with noise z[offset + i]. The output may alias the input. Without an input,
// its elements are -0, the additive identity. With `validate_args`, elements with invalid
// parameters become NaN.
struct ApplyNoiseTask {
  ElementType type;
  Noise noise;
  const void* input;
  void* output;
  int64_t elements;
  StreamStart start;
  Parameter parameters[kMostParameters];
  bool validate_args;
  // The two numbers to clip results to, in the parameters' type, or null.
  const void* bounds = nullptr;
  // Where to write z, or null. Only for combinations that return noise.
  void* noise_output = nullptr;
};

// The gradients of the parameters: for each value of a parameter, the sum of its elements'
// contributions, in the compute type. `input` is read only if the combination's gradient depends on
// it.
struct ParameterGradientsTask {
  ElementType type;
  Noise noise;
  const void* gradient;
  const void* input;
  int64_t elements;
  StreamStart start;
  BroadcastPattern patterns[kMostGradients];
  void* gradients[kMostGradients];
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_TASKS_H_
