#include "tensorflow/arguments.h"

#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/invalid_argument.h"

namespace flatnoise {
namespace {

using ::tensorflow::OpKernelContext;
using ::tensorflow::TensorShape;
using ::tensorflow::TensorShapeUtils;

absl::Status CheckParameterShape(const char* name, const TensorShape& shape, int64_t features) {
  if (TensorShapeUtils::IsScalar(shape)) return absl::Status();
  if (TensorShapeUtils::IsVector(shape) && shape.dim_size(0) == features) return absl::Status();
  return InvalidArgument(name, " must be a scalar or a vector of one value per feature (", features,
                         " features), got shape ", shape.DebugString());
}

}  // namespace

absl::Status ParseDistribution(const std::string& name, Distribution* distribution) {
  if (name != "normal" && name != "uniform") {
    return InvalidArgument("distribution must be \"normal\" or \"uniform\", got \"", name, "\"");
  }
  *distribution = name == "normal" ? Distribution::kNormal : Distribution::kUniform;
  return absl::Status();
}

absl::Status CheckParameterType(tensorflow::DataType tensor, tensorflow::DataType parameter) {
  const auto expected =
      tensor == tensorflow::DT_DOUBLE ? tensorflow::DT_DOUBLE : tensorflow::DT_FLOAT;
  if (parameter == expected) return absl::Status();
  return InvalidArgument("loc and scale must be ", tensorflow::DataTypeString(expected), " for a ",
                         tensorflow::DataTypeString(tensor), " tensor, got ",
                         tensorflow::DataTypeString(parameter));
}

int64_t CountFeatures(const TensorShape& shape) {
  int64_t features = 1;
  for (int i = 1; i < shape.dims(); ++i) features *= shape.dim_size(i);
  return features;
}

TensorShape FlattenedShape(const TensorShape& shape) {
  return TensorShape({shape.dim_size(0), CountFeatures(shape)});
}

absl::Status CheckShapes(OpKernelContext* context, const char* tensor_name) {
  const TensorShape& tensor = context->input(kTensor).shape();
  if (tensor.dims() == 0) {
    return InvalidArgument(tensor_name,
                           " must have a batch dimension (rank 1 or more), got a scalar");
  }
  const TensorShape& seed = context->input(kSeed).shape();
  if (seed != TensorShape({2})) {
    return InvalidArgument("seed must have shape [2], got ", seed.DebugString());
  }
  const TensorShape& offset = context->input(kOffset).shape();
  if (!TensorShapeUtils::IsScalar(offset)) {
    return InvalidArgument("offset must be a scalar, got shape ", offset.DebugString());
  }
  const int64_t features = CountFeatures(tensor);
  TF_RETURN_IF_ERROR(CheckParameterShape("loc", context->input(kLoc).shape(), features));
  return CheckParameterShape("scale", context->input(kScale).shape(), features);
}

}  // namespace flatnoise
