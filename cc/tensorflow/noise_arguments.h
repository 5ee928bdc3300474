// Checks of the ops' input shapes, independent of the device.
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

// The input indices of all ops. The bounds, if any, follow the parameters. In the gradient op, the
// forward op's input follows them. In an op without an input, the output's shape takes its place.
inline constexpr int kTensor = 0, kSeed = 1, kOffset = 2, kFirstParameter = 3;

struct InputShapes {
  tensorflow::TensorShape tensor, seed, offset;
  absl::InlinedVector<tensorflow::TensorShape, kMostParameters> parameters;
  std::optional<tensorflow::TensorShape> bounds;
  bool seed_is_int64;
};

using BroadcastPatterns = std::array<BroadcastPattern, kMostParameters>;

// Whether a seed may have this number of values.
constexpr bool IsSeedSize(int64_t values, bool is_int64) {
  return values == kPairSize || (values == kStateSize && is_int64);
}

// The type of a seed with this number of values.
constexpr SeedType SeedTypeOf(int64_t values, bool is_int64) {
  if (values == kStateSize) return SeedType::kState;
  return is_int64 ? SeedType::kInt64Pair : SeedType::kInt32Pair;
}

// The error for a seed with an invalid shape.
absl::Status WrongSeed(const std::string& shape, bool is_int64);

// Checks that the noise exists and has this number of parameters.
absl::Status CheckNoise(const Noise& noise, int64_t parameters);

// Likewise for FlattenNoiseGrad, which supports only noises that are linear in their parameters.
absl::Status CheckNoiseOfGradient(const Noise& noise, int64_t parameters);

// Checks that the op can return the noise's z.
absl::Status CheckReturnsNoise(const Noise& noise);

// Checks the shapes of FlattenNoise. Sets the output's shape and the parameters' broadcast
// patterns.
absl::Status CheckForwardShapes(const NoiseAttributes& attributes, const InputShapes& shapes,
                                tensorflow::TensorShape* output, BroadcastPatterns* patterns);

// Likewise for FlattenNoiseGrad, where `input` is the shape of the forward op's input.
absl::Status CheckGradientShapes(const NoiseAttributes& attributes, const InputShapes& shapes,
                                 const tensorflow::TensorShape& input, BroadcastPatterns* patterns);

// How a parameter broadcasts over a tensor with these sizes. Errors name the parameter.
absl::Status BroadcastParameter(const Noise& noise, int index, Dimensions parameter,
                                Dimensions tensor, BroadcastPattern* pattern);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_NOISE_ARGUMENTS_H_
