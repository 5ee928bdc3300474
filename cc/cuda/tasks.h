// What a kernel is asked to do, in plain pointers and sizes. Every pointer is to the device's
// memory: seed, offset, loc and scale are read there, so nobody waits for them.
#ifndef FLATNOISE_CC_CUDA_TASKS_H_
#define FLATNOISE_CC_CUDA_TASKS_H_

#include <cstdint>

#include "core/combination.h"
#include "core/distributions.h"
#include "core/number_types.h"
#include "core/parameter.h"

namespace flatnoise::cuda {

// Where a stream begins. The seed is two integers of 64 bits, or of 32; a negative offset, which a
// device can't refuse, turns every result to NaN.
struct StreamStart {
  const void* seed;
  bool seed_is_int64;
  const int64_t* offset;
};

// output[i] = input[i] combined with loc + scale z[offset + i]; output may be input. With
// `validate_args`, elements whose loc is not finite, or whose scale is negative or not finite,
// become NaN.
struct ApplyNoiseTask {
  ElementType type;
  Distribution distribution;
  Combination combination;
  const void* input;
  void* output;
  int64_t elements;
  int64_t features;
  StreamStart start;
  Parameter loc;
  Parameter scale;
  bool validate_args;
};

// Where a gradient goes: one value, or one per feature, in the compute type.
struct GradientResult {
  void* values;
  int64_t count;
};

// loc = sums of gradient[i], scale = sums of gradient[i] z[offset + i]: each over all elements, or
// over those of each feature.
struct SumGradientsTask {
  ElementType type;
  Distribution distribution;
  const void* gradient;
  int64_t elements;
  int64_t features;
  StreamStart start;
  GradientResult loc;
  GradientResult scale;
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_TASKS_H_
