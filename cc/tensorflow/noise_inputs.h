// The ops' inputs as plain pointers, whoever runs the op and wherever its memory lies.
#ifndef FLATNOISE_CC_TENSORFLOW_NOISE_INPUTS_H_
#define FLATNOISE_CC_TENSORFLOW_NOISE_INPUTS_H_

#include <cstdint>

#include "core/noise.h"
#include "core/parameter.h"
#include "core/stream.h"

namespace flatnoise {

struct NoiseInputs {
  const void* tensor;  // the input, if there is one, or the gradient of the output
  int64_t elements;
  const void* seed;
  SeedType seed_type;
  const int64_t* offset;
  Parameter parameters[kMostParameters];
  const void* bounds;  // null where there are none
  const void* input;   // of the op, in its gradient
};

struct NoiseOutputs {
  void* tensor;
  void* noise;  // null where it isn't returned
};

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_NOISE_INPUTS_H_
