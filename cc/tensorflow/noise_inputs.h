// The ops' inputs as plain pointers, for any caller and any device.
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
  const void* bounds;  // null if there are none
  const void* input;   // the forward op's input, in the gradient op
};

struct NoiseOutputs {
  void* tensor;
  void* noise;  // null if it isn't returned
};

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_NOISE_INPUTS_H_
