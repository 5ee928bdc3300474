// What a kernel is asked to do, in plain pointers and sizes. Every pointer is to the device's
// memory: seed, offset and parameters are read there, so nobody waits for them.
#ifndef FLATNOISE_CC_CUDA_TASKS_H_
#define FLATNOISE_CC_CUDA_TASKS_H_

#include <cstdint>

#include "core/combinations.h"
#include "core/noise.h"
#include "core/number_types.h"
#include "core/parameter.h"
#include "core/stream.h"

namespace flatnoise::cuda {

// Where a stream begins. A negative offset, which a device can't refuse, turns every result to NaN.
struct StreamStart {
  const void* seed;
  SeedType seed_type;
  const int64_t* offset;
};

// output[i] = input[i] with noise z[offset + i]; output may be input, and where there is no input
// its elements are -0, which leaves what is added as it is. With `validate_args`, the elements
// whose parameters are not among their allowed values become NaN.
struct ApplyNoiseTask {
  ElementType type;
  Noise noise;
  const void* input;
  void* output;
  int64_t elements;
  StreamStart start;
  Parameter parameters[kMostParameters];
  bool validate_args;
  // Two numbers of the parameters' type that results stay between, if they are to.
  const void* bounds = nullptr;
  // Where z goes too, if anywhere: a combination's that returns noise.
  void* noise_output = nullptr;
};

// The gradients of the parameters: for each of a parameter's values the sum of its elements'
// shares, in the compute type. `input` is read only where the combination's gradient reads it.
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
