// What the ops ask of their inputs' shapes, whoever runs them.
#ifndef FLATNOISE_CC_TENSORFLOW_NOISE_ARGUMENTS_H_
#define FLATNOISE_CC_TENSORFLOW_NOISE_ARGUMENTS_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "core/noise.h"
#include "core/parameter.h"
#include "core/stream.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/noise_attributes.h"

namespace flatnoise {

// The inputs of all ops. After the parameters come bounds, if there are any; the gradient op has
// the op's input there. An op without an input has its output's shape in place of it.
inline constexpr int kTensor = 0, kSeed = 1, kOffset = 2, kFirstParameter = 3;

struct InputShapes {
  tensorflow::TensorShape tensor, seed, offset;
  absl::InlinedVector<tensorflow::TensorShape, kMostParameters> parameters;
  std::optional<tensorflow::TensorShape> bounds;
  bool seed_is_int64;
};

using BroadcastPatterns = std::array<BroadcastPattern, kMostParameters>;

// Whether a seed may have so many values.
constexpr bool IsSeedSize(int64_t values, bool is_int64) {
  return values == kPairSize || (values == kStateSize && is_int64);
}

// What a seed of such a size is.
constexpr SeedType SeedTypeOf(int64_t values, bool is_int64) {
  if (values == kStateSize) return SeedType::kState;
  return is_int64 ? SeedType::kInt64Pair : SeedType::kInt32Pair;
}

// The error for a seed of another shape.
absl::Status WrongSeed(const std::string& shape, bool is_int64);

// Whether there is such a noise, with so many parameters.
absl::Status CheckNoise(const Noise& noise, int64_t parameters);

// Likewise for FlattenNoiseGrad, which knows the noises that are linear in their parameters.
absl::Status CheckNoiseOfGradient(const Noise& noise, int64_t parameters);

// Whether the noise's z can be had beside the output.
absl::Status CheckReturnsNoise(const Noise& noise);

// Checks the shapes of FlattenNoise, and tells that of its output and how parameters broadcast.
absl::Status CheckForwardShapes(const NoiseAttributes& attributes, const InputShapes& shapes,
                                tensorflow::TensorShape* output, BroadcastPatterns* patterns);

// Likewise of FlattenNoiseGrad, where `input` is the shape of the op's input.
absl::Status CheckGradientShapes(const NoiseAttributes& attributes, const InputShapes& shapes,
                                 const tensorflow::TensorShape& input, BroadcastPatterns* patterns);

// How one parameter broadcasts over a tensor of these sizes; an error names it.
absl::Status BroadcastParameter(const Noise& noise, int index, Dimensions parameter,
                                Dimensions tensor, BroadcastPattern* pattern);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_NOISE_ARGUMENTS_H_
