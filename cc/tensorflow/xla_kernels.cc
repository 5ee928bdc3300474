#include "tensorflow/xla_kernels.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tensorflow/compiler/tf2xla/type_util.h"
#include "tensorflow/noise_arguments.h"
#include "xla/hlo/builder/xla_builder.h"
#include "xla/layout_util.h"
#include "xla/shape_util.h"

namespace flatnoise {
namespace {

using ::tensorflow::OpKernelConstruction;
using ::tensorflow::TensorShape;
using ::tensorflow::XlaOpKernel;
using ::tensorflow::XlaOpKernelContext;

InputShapes ShapesOf(XlaOpKernelContext* context, int parameters) {
  InputShapes shapes = {
      context->InputShape(kTensor), context->InputShape(kSeed), context->InputShape(kOffset), {}};
  for (int k = 0; k < parameters; ++k) {
    shapes.parameters.push_back(context->InputShape(kFirstParameter + k));
  }
  return shapes;
}

xla::Shape RowMajor(xla::PrimitiveType type, const TensorShape& shape) {
  const auto sizes = shape.dim_sizes();
  return xla::ShapeUtil::MakeShapeWithDescendingLayout(
      type, std::vector<int64_t>(sizes.begin(), sizes.end()));
}

std::string Quoted(std::string_view text) { return absl::StrCat("\"", text, "\""); }

// As the struct CallAttributes is decoded from it.
std::string Write(const NoiseAttributes& attributes) {
  return absl::StrCat("{type = ", Quoted(NameOf(attributes.type)),
                      ", distribution = ", Quoted(NameOf(attributes.noise.distribution)),
                      ", combination = ", Quoted(NameOf(attributes.noise.combination)),
                      ", validate_args = ", attributes.validate_args ? "true" : "false", "}");
}

xla::XlaOp Call(XlaOpKernelContext* context, const std::string& target,
                const NoiseAttributes& attributes, const xla::Shape& result) {
  std::vector<xla::XlaOp> operands;
  std::vector<xla::Shape> shapes;
  for (int i = 0; i < context->num_inputs(); ++i) {
    operands.push_back(context->Input(i));
    shapes.push_back(RowMajor(context->input_xla_type(i), context->InputShape(i)));
  }
  return xla::CustomCallWithLayout(
      context->builder(), target, operands, result, shapes, Write(attributes),
      /*has_side_effect=*/false, /*output_operand_aliasing=*/{}, /*literal=*/nullptr,
      xla::CustomCallSchedule::SCHEDULE_NONE, xla::CustomCallApiVersion::API_VERSION_TYPED_FFI);
}

}  // namespace

FlattenNoiseXlaOp::FlattenNoiseXlaOp(OpKernelConstruction* construction)
    : XlaOpKernel(construction) {
  OP_REQUIRES_OK(construction, ReadAttributes(construction, &attributes_));
}

void FlattenNoiseXlaOp::Compile(XlaOpKernelContext* context) {
  const int parameters = attributes_.combination().parameter_count;
  TensorShape output;
  BroadcastPatterns patterns;
  OP_REQUIRES_OK(
      context, CheckForwardShapes(attributes_, ShapesOf(context, parameters), &output, &patterns));
  const xla::Shape result = RowMajor(context->input_xla_type(kTensor), output);
  context->SetOutput(0, Call(context, kNoiseTarget, attributes_, result));
}

FlattenNoiseGradXlaOp::FlattenNoiseGradXlaOp(OpKernelConstruction* construction)
    : XlaOpKernel(construction) {
  OP_REQUIRES_OK(construction, ReadAttributes(construction, &attributes_));
}

void FlattenNoiseGradXlaOp::Compile(XlaOpKernelContext* context) {
  const int parameters = attributes_.combination().parameter_count;
  const InputShapes shapes = ShapesOf(context, parameters);
  BroadcastPatterns patterns;
  OP_REQUIRES_OK(context,
                 CheckGradientShapes(attributes_, shapes,
                                     context->InputShape(kFirstParameter + parameters), &patterns));
  std::vector<xla::Shape> results;
  for (const TensorShape& shape : shapes.parameters) {
    results.push_back(RowMajor(context->input_xla_type(kFirstParameter), shape));
  }
  const xla::XlaOp gradients =
      Call(context, kNoiseGradTarget, attributes_, xla::ShapeUtil::MakeTupleShape(results));
  for (int k = 0; k < parameters; ++k) {
    context->SetOutput(k, xla::GetTupleElement(gradients, k));
  }
}

}  // namespace flatnoise
