#include "tensorflow/arguments.h"

#include <string>

#include "tensorflow/core/util/overflow.h"
#include "tensorflow/invalid_argument.h"

namespace flatnoise {
namespace {

using ::tensorflow::TensorShape;
using ::tensorflow::TensorShapeUtils;

absl::Status CheckParameterType(tensorflow::DataType tensor, tensorflow::DataType parameter) {
  const auto expected =
      tensor == tensorflow::DT_DOUBLE ? tensorflow::DT_DOUBLE : tensorflow::DT_FLOAT;
  if (parameter == expected) return absl::Status();
  return InvalidArgument("loc and scale must be ", tensorflow::DataTypeString(expected), " for a ",
                         tensorflow::DataTypeString(tensor), " tensor, got ",
                         tensorflow::DataTypeString(parameter));
}

// An empty tensor may have more features than can be counted.
absl::Status CheckFeatures(const char* tensor_name, const TensorShape& shape) {
  int64_t features = 1;
  for (int i = 1; i < shape.dims() && features >= 0; ++i) {
    features = tensorflow::MultiplyWithoutOverflow(features, shape.dim_size(i));
  }
  if (features >= 0) return absl::Status();
  return InvalidArgument(tensor_name, " must have at most 2**63 - 1 features, got shape ",
                         shape.DebugString());
}

absl::Status CheckParameterShape(const char* name, const TensorShape& shape, int64_t features) {
  if (TensorShapeUtils::IsScalar(shape)) return absl::Status();
  if (TensorShapeUtils::IsVector(shape) && shape.dim_size(0) == features) return absl::Status();
  return InvalidArgument(name, " must be a scalar or a vector of one value per feature (", features,
                         " features), got shape ", shape.DebugString());
}

}  // namespace

absl::Status ReadAttributes(const tensorflow::OpKernelConstruction* construction,
                            Distribution* distribution) {
  std::string name;
  tensorflow::DataType parameter;
  TF_RETURN_IF_ERROR(construction->GetAttr("distribution", &name));
  TF_RETURN_IF_ERROR(construction->GetAttr("U", &parameter));
  *distribution = name == "normal" ? Distribution::kNormal : Distribution::kUniform;
  return CheckParameterType(construction->input_type(kTensor), parameter);
}

Combination CombinationOf(const tensorflow::OpKernelConstruction* construction) {
  return construction->def().op() == "Flatnoise>FlattenMultiplyNoise" ? Combination::kMultiply
                                                                      : Combination::kAdd;
}

int64_t CountFeatures(const TensorShape& shape) {
  int64_t features = 1;
  for (int i = 1; i < shape.dims(); ++i) features *= shape.dim_size(i);
  return features;
}

TensorShape FlattenedShape(const TensorShape& shape) {
  return TensorShape({shape.dim_size(0), CountFeatures(shape)});
}

absl::Status CheckShapes(const InputShapes& shapes, const char* tensor_name) {
  if (shapes.tensor.dims() == 0) {
    return InvalidArgument(tensor_name,
                           " must have a batch dimension (rank 1 or more), got a scalar");
  }
  if (shapes.seed != TensorShape({2})) {
    return InvalidArgument("seed must have shape [2], got ", shapes.seed.DebugString());
  }
  if (!TensorShapeUtils::IsScalar(shapes.offset)) {
    return InvalidArgument("offset must be a scalar, got shape ", shapes.offset.DebugString());
  }
  TF_RETURN_IF_ERROR(CheckFeatures(tensor_name, shapes.tensor));
  const int64_t features = CountFeatures(shapes.tensor);
  TF_RETURN_IF_ERROR(CheckParameterShape("loc", shapes.loc, features));
  return CheckParameterShape("scale", shapes.scale, features);
}

}  // namespace flatnoise
