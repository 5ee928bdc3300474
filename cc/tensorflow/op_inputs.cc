#include "tensorflow/op_inputs.h"

#include "tensorflow/core/framework/tensor.h"

namespace flatnoise {
namespace {

using ::tensorflow::OpKernelContext;
using ::tensorflow::Tensor;

ElementType ElementTypeOf(tensorflow::DataType type) {
  switch (type) {
    case tensorflow::DT_HALF:
      return ElementType::kHalf;
    case tensorflow::DT_BFLOAT16:
      return ElementType::kBFloat16;
    case tensorflow::DT_DOUBLE:
      return ElementType::kDouble;
    default:
      return ElementType::kFloat;
  }
}

}  // namespace

InputShapes ShapesOf(OpKernelContext* context) {
  return {context->input(kTensor).shape(), context->input(kSeed).shape(),
          context->input(kLoc).shape(), context->input(kScale).shape(),
          context->input(kOffset).shape()};
}

OpInputs InputsOf(OpKernelContext* context) {
  const Tensor& tensor = context->input(kTensor);
  const Tensor& seed = context->input(kSeed);
  const Tensor& loc = context->input(kLoc);
  const Tensor& scale = context->input(kScale);
  return {ElementTypeOf(tensor.dtype()),
          tensor.data(),
          tensor.NumElements(),
          CountFeatures(tensor.shape()),
          seed.data(),
          seed.dtype() == tensorflow::DT_INT64,
          {loc.data(), loc.NumElements()},
          {scale.data(), scale.NumElements()},
          context->input(kOffset).scalar<int64_t>().data()};
}

int64_t GradientFeatures(const OpInputs& inputs) {
  const bool per_feature = inputs.loc.count != 1 || inputs.scale.count != 1;
  return per_feature ? inputs.features : 1;
}

}  // namespace flatnoise
