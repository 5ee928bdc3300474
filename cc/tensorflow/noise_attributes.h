// The ops' attributes, read once and passed whole.
#ifndef FLATNOISE_CC_TENSORFLOW_NOISE_ATTRIBUTES_H_
#define FLATNOISE_CC_TENSORFLOW_NOISE_ATTRIBUTES_H_

#include "absl/status/status.h"
#include "core/noise.h"
#include "core/noise_info.h"
#include "core/number_types.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace flatnoise {

struct NoiseAttributes {
  ElementType type;
  Noise noise;
  bool flatten;        // of FlattenNoise alone
  bool validate_args;  // of FlattenNoise alone

  CombinationInfo combination() const { return InfoOf(noise.combination); }
};

// Also checks the parameters' number and type against the noise and the tensor.
absl::Status ReadAttributes(const tensorflow::OpKernelConstruction* construction,
                            NoiseAttributes* attributes);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_NOISE_ATTRIBUTES_H_
