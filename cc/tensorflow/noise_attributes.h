// The ops' attributes, read once and passed on together.
#ifndef FLATNOISE_CC_TENSORFLOW_NOISE_ATTRIBUTES_H_
#define FLATNOISE_CC_TENSORFLOW_NOISE_ATTRIBUTES_H_

#include "absl/status/status.h"
#include "core/noise.h"
#include "core/noise_info.h"
#include "core/number_types.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace flatnoise {

// Attributes that an op doesn't have keep these defaults.
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
  // Only if input and output have the same type.
  ElementType type() const { return {output_type.index}; }
};

// Also checks that the number and type of the parameters match the noise and the tensor.
absl::Status ReadAttributes(const tensorflow::OpKernelConstruction* construction,
                            NoiseAttributes* attributes);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_NOISE_ATTRIBUTES_H_
