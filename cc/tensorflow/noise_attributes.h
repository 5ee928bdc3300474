// The ops' attributes, read once and passed whole.
#ifndef FLATNOISE_CC_TENSORFLOW_NOISE_ATTRIBUTES_H_
#define FLATNOISE_CC_TENSORFLOW_NOISE_ATTRIBUTES_H_

#include "absl/status/status.h"
#include "core/noise.h"
#include "core/noise_info.h"
#include "core/number_types.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace flatnoise {

// Those that an op does not have are as they are here.
struct NoiseAttributes {
  StoredType input_type = kStoredType<float>;
  StoredType output_type = kStoredType<float>;
  Noise noise = kNoise<Normal, Add>;
  bool flatten = false;
  bool validate_args = false;
  bool clips = false;
  bool returns_noise = false;
  float byte_scale = 1;

  CombinationInfo combination() const { return InfoOf(noise.combination); }
  // Of tensors of one type.
  ElementType type() const { return {output_type.index}; }
};

// Also checks the parameters' number and type against the noise and the tensor.
absl::Status ReadAttributes(const tensorflow::OpKernelConstruction* construction,
                            NoiseAttributes* attributes);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_NOISE_ATTRIBUTES_H_
