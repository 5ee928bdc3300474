// The ops inside XLA: calls into the op library's own loops, so that a compiled function gives the
// same bits as one that is not compiled.
#include <cstdint>
#include <string>
#include <vector>

#include "tensorflow/arguments.h"
#include "tensorflow/compiler/tf2xla/type_util.h"
#include "tensorflow/compiler/tf2xla/xla_op_kernel.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/xla_handlers.h"
#include "xla/ffi/api/ffi.h"
#include "xla/hlo/builder/xla_builder.h"
#include "xla/layout_util.h"
#include "xla/shape_util.h"

namespace xla::ffi {

// As xla/ffi/ffi_api.h declares it, which can't be included: it wants headers that TensorFlow's
// wheels do not carry.
const XLA_FFI_Api* GetXlaFfiApi();

}  // namespace xla::ffi

namespace flatnoise {
namespace {

using ::tensorflow::OpKernelConstruction;
using ::tensorflow::TensorShape;
using ::tensorflow::XlaOpKernel;
using ::tensorflow::XlaOpKernelContext;

constexpr char kApplyNoiseTarget[] = "flatnoise_apply_noise";
constexpr char kSumGradientsTarget[] = "flatnoise_sum_gradients";

XLA_FFI_REGISTER_HANDLER(::xla::ffi::GetXlaFfiApi(), kApplyNoiseTarget, "Host",
                         FlatnoiseApplyNoiseHost);
XLA_FFI_REGISTER_HANDLER(::xla::ffi::GetXlaFfiApi(), kSumGradientsTarget, "Host",
                         FlatnoiseSumGradientsHost);
#ifdef FLATNOISE_WITH_CUDA
XLA_FFI_REGISTER_HANDLER(::xla::ffi::GetXlaFfiApi(), kApplyNoiseTarget, "CUDA",
                         FlatnoiseApplyNoiseCuda);
XLA_FFI_REGISTER_HANDLER(::xla::ffi::GetXlaFfiApi(), kSumGradientsTarget, "CUDA",
                         FlatnoiseSumGradientsCuda);
#endif

InputShapes ShapesOf(XlaOpKernelContext* context) {
  return {context->InputShape(kTensor), context->InputShape(kSeed), context->InputShape(kLoc),
          context->InputShape(kScale), context->InputShape(kOffset)};
}

xla::Shape RowMajor(xla::PrimitiveType type, const TensorShape& shape) {
  const auto sizes = shape.dim_sizes();
  return xla::ShapeUtil::MakeShapeWithDescendingLayout(
      type, std::vector<int64_t>(sizes.begin(), sizes.end()));
}

xla::XlaOp CallKernel(XlaOpKernelContext* context, const std::string& target,
                      const xla::Shape& result, const std::string& attributes) {
  std::vector<xla::XlaOp> operands;
  std::vector<xla::Shape> shapes;
  for (int i = kTensor; i <= kOffset; ++i) {
    operands.push_back(context->Input(i));
    shapes.push_back(RowMajor(context->input_xla_type(i), context->InputShape(i)));
  }
  return xla::CustomCallWithLayout(
      context->builder(), target, operands, result, shapes, "{" + attributes + "}",
      /*has_side_effect=*/false, /*output_operand_aliasing=*/{}, /*literal=*/nullptr,
      xla::CustomCallSchedule::SCHEDULE_NONE, xla::CustomCallApiVersion::API_VERSION_TYPED_FFI);
}

std::string Attribute(const std::string& name, int64_t value) {
  return name + " = " + std::to_string(value) + " : i64";
}

std::string SharedAttributes(Distribution distribution, const TensorShape& tensor) {
  return Attribute("distribution", static_cast<int64_t>(distribution)) + ", " +
         Attribute("features", CountFeatures(tensor));
}

class FlattenNoiseXlaOp : public XlaOpKernel {
 public:
  explicit FlattenNoiseXlaOp(OpKernelConstruction* construction)
      : XlaOpKernel(construction), combination_(CombinationOf(construction)) {
    OP_REQUIRES_OK(construction, ReadAttributes(construction, &distribution_));
    OP_REQUIRES_OK(construction, construction->GetAttr("flatten", &flatten_));
    OP_REQUIRES_OK(construction, construction->GetAttr("validate_args", &validate_args_));
  }

  void Compile(XlaOpKernelContext* context) override {
    const InputShapes shapes = ShapesOf(context);
    OP_REQUIRES_OK(context, CheckShapes(shapes, "input"));
    const xla::Shape result = RowMajor(context->input_xla_type(kTensor),
                                       flatten_ ? FlattenedShape(shapes.tensor) : shapes.tensor);
    context->SetOutput(
        0, CallKernel(context, kApplyNoiseTarget, result,
                      SharedAttributes(distribution_, shapes.tensor) + ", " +
                          Attribute("combination", static_cast<int64_t>(combination_)) + ", " +
                          Attribute("validate_args", validate_args_ ? 1 : 0)));
  }

 private:
  Combination combination_;
  Distribution distribution_;
  bool flatten_;
  bool validate_args_;
};

class FlattenNoiseGradXlaOp : public XlaOpKernel {
 public:
  explicit FlattenNoiseGradXlaOp(OpKernelConstruction* construction) : XlaOpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadAttributes(construction, &distribution_));
  }

  void Compile(XlaOpKernelContext* context) override {
    const InputShapes shapes = ShapesOf(context);
    OP_REQUIRES_OK(context, CheckShapes(shapes, "grad"));
    const auto type = context->input_xla_type(kLoc);
    const xla::Shape result =
        xla::ShapeUtil::MakeTupleShape({RowMajor(type, shapes.loc), RowMajor(type, shapes.scale)});
    const xla::XlaOp gradients = CallKernel(context, kSumGradientsTarget, result,
                                            SharedAttributes(distribution_, shapes.tensor));
    context->SetOutput(0, xla::GetTupleElement(gradients, 0));
    context->SetOutput(1, xla::GetTupleElement(gradients, 1));
  }

 private:
  Distribution distribution_;
};

// As plain kernels of XLA's device and not by REGISTER_XLA_OP, whose registry is read once: a
// library loaded after something was compiled would come too late.
#define FLATNOISE_REGISTER(DEVICE)                                                              \
  REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenAddNoise").Device(DEVICE), FlattenNoiseXlaOp); \
  REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenMultiplyNoise").Device(DEVICE),                \
                          FlattenNoiseXlaOp);                                                   \
  REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenAddNoiseGrad").Device(DEVICE),                 \
                          FlattenNoiseGradXlaOp)

FLATNOISE_REGISTER("XLA_CPU_JIT");
#ifdef FLATNOISE_WITH_CUDA
FLATNOISE_REGISTER("XLA_GPU_JIT");
#endif
#undef FLATNOISE_REGISTER

}  // namespace
}  // namespace flatnoise
