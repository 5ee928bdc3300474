#include "tensorflow/noise_arguments.h"

#include <string>

#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "tensorflow/core/util/overflow.h"
#include "tensorflow/invalid_argument.h"

namespace flatnoise {
namespace {

using ::tensorflow::TensorShape;
using ::tensorflow::TensorShapeUtils;

// The product of all sizes except the first, or -1 if it overflows, which can happen for empty
// tensors.
int64_t CountFeatures(const TensorShape& shape) {
  int64_t features = 1;
  for (int i = 1; i < shape.dims() && features >= 0; ++i) {
    features = tensorflow::MultiplyWithoutOverflow(features, shape.dim_size(i));
  }
  return features;
}

absl::Status CheckSharedShapes(const InputShapes& shapes, const char* tensor_name) {
  if (shapes.tensor.dims() == 0) {
    return InvalidArgument(tensor_name,
                           " must have a batch dimension (rank 1 or more), got a scalar");
  }
  if (shapes.seed.dims() != 1 || !IsSeedSize(shapes.seed.dim_size(0), shapes.seed_is_int64)) {
    return WrongSeed(shapes.seed.DebugString(), shapes.seed_is_int64);
  }
  if (!TensorShapeUtils::IsScalar(shapes.offset)) {
    return InvalidArgument("offset must be a scalar, got shape ", shapes.offset.DebugString());
  }
  if (CountFeatures(shapes.tensor) < 0) {
    return InvalidArgument(tensor_name, " must have at most 2**63 - 1 features, got shape ",
                           shapes.tensor.DebugString());
  }
  return absl::Status();
}

Dimensions DimensionsOf(const absl::InlinedVector<int64_t, 4UL>& sizes) {
  return {sizes.data(), static_cast<int>(sizes.size())};
}

std::string Show(Dimensions dimensions) {
  const auto sizes = absl::MakeSpan(dimensions.sizes, static_cast<size_t>(dimensions.rank));
  return absl::StrCat("[", absl::StrJoin(sizes, ","), "]");
}

absl::Status BroadcastParameters(const Noise& noise, const InputShapes& shapes,
                                 const TensorShape& tensor, BroadcastPatterns* patterns) {
  const auto sizes = tensor.dim_sizes();
  for (size_t k = 0; k < shapes.parameters.size(); ++k) {
    TF_RETURN_IF_ERROR(BroadcastParameter(noise, static_cast<int>(k),
                                          DimensionsOf(shapes.parameters[k].dim_sizes()),
                                          DimensionsOf(sizes), &(*patterns)[k]));
  }
  return absl::Status();
}

}  // namespace

absl::Status WrongSeed(const std::string& shape, bool is_int64) {
  return InvalidArgument("seed must have shape [", kPairSize, "], or shape [", kStateSize,
                         "] and type int64, got shape ", shape, " and type ",
                         is_int64 ? "int64" : "int32");
}

absl::Status CheckNoise(const Noise& noise, int64_t parameters) {
  if (!IsIn<Noises>(noise)) {
    return InvalidArgument("combination '", NameOf(noise.combination),
                           "' must go with another distribution, got '", NameOf(noise.distribution),
                           "'");
  }
  const CombinationInfo info = InfoOf(noise.combination);
  if (parameters == info.parameter_count) return absl::Status();
  return InvalidArgument("parameters must be ", info.parameter_count, " tensors for combination '",
                         NameOf(noise.combination), "', got ", parameters);
}

absl::Status CheckNoiseOfGradient(const Noise& noise, int64_t parameters) {
  TF_RETURN_IF_ERROR(CheckNoise(noise, parameters));
  if (IsIn<LinearNoises>(noise)) return absl::Status();
  return InvalidArgument(
      "combination must be linear in its parameters, as 'add' is, for their gradients, got '",
      NameOf(noise.combination), "'");
}

absl::Status CheckReturnsNoise(const Noise& noise) {
  if (InfoOf(noise.combination).returns_noise) return absl::Status();
  return InvalidArgument("combination must be one that returns its noise, as 'diffuse' does, got '",
                         NameOf(noise.combination), "'");
}

absl::Status BroadcastParameter(const Noise& noise, int index, Dimensions parameter,
                                Dimensions tensor, BroadcastPattern* pattern) {
  const BroadcastStatus status = Broadcast(parameter, tensor, pattern);
  if (status == BroadcastStatus::kOk) return absl::Status();
  const std::string label =
      LabelOf(noise.distribution, InfoOf(noise.combination).parameters[index]);
  if (status == BroadcastStatus::kDoesNotFit) {
    return InvalidArgument(label, " must have a shape that broadcasts to the output's shape ",
                           Show(tensor), ", got shape ", Show(parameter));
  }
  return InvalidArgument(label,
                         " must vary over dimensions that lie side by side (tf.broadcast_to fills "
                         "the gap), got shape ",
                         Show(parameter), " for the output's shape ", Show(tensor));
}

absl::Status CheckForwardShapes(const NoiseAttributes& attributes, const InputShapes& shapes,
                                TensorShape* output, BroadcastPatterns* patterns) {
  const bool has_input = attributes.input_type != kStoredType<Nothing>;
  TF_RETURN_IF_ERROR(CheckSharedShapes(shapes, has_input ? "input" : "shape"));
  if (shapes.bounds && *shapes.bounds != TensorShape({2})) {
    return InvalidArgument("bounds must have shape [2], got ", shapes.bounds->DebugString());
  }
  *output = shapes.tensor;
  if (attributes.flatten) {
    *output = TensorShape({shapes.tensor.dim_size(0), CountFeatures(shapes.tensor)});
  }
  return BroadcastParameters(attributes.noise, shapes, *output, patterns);
}

absl::Status CheckGradientShapes(const NoiseAttributes& attributes, const InputShapes& shapes,
                                 const TensorShape& input, BroadcastPatterns* patterns) {
  TF_RETURN_IF_ERROR(CheckSharedShapes(shapes, "grad"));
  if (GradientReadsInput(attributes.noise) &&
      input.num_elements() != shapes.tensor.num_elements()) {
    return InvalidArgument("input must have as many elements as grad, got shape ",
                           input.DebugString(), " for grad's ", shapes.tensor.DebugString());
  }
  return BroadcastParameters(attributes.noise, shapes, shapes.tensor, patterns);
}

}  // namespace flatnoise
