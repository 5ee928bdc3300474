// The ops inside XLA, as custom calls of the op library's loops, so that results are bit-identical
// with and without XLA.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/lanes.h"
#include "tensorflow/compiler/tf2xla/type_util.h"
#include "tensorflow/compiler/tf2xla/xla_op_kernel.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/noise_arguments.h"
#include "tensorflow/noise_attributes.h"
#include "tensorflow/xla_devices.h"
#include "xla/hlo/builder/xla_builder.h"
#include "xla/layout_util.h"
#include "xla/shape_util.h"

namespace flatnoise {
namespace {

using ::tensorflow::OpKernelConstruction;
using ::tensorflow::TensorShape;
using ::tensorflow::XlaOpKernel;
using ::tensorflow::XlaOpKernelContext;

absl::Status ReadShapes(XlaOpKernelContext* context, const NoiseAttributes& attributes,
                        InputShapes* shapes) {
  const int parameters = attributes.combination().parameter_count;
  shapes->tensor = context->InputShape(kTensor);
  shapes->seed = context->InputShape(kSeed);
  shapes->offset = context->InputShape(kOffset);
  shapes->seed_is_int64 = context->input_type(kSeed) == tensorflow::DT_INT64;
  for (int k = 0; k < parameters; ++k) {
    shapes->parameters.push_back(context->InputShape(kFirstParameter + k));
  }
  if (attributes.clips) shapes->bounds = context->InputShape(kFirstParameter + parameters);
  if (attributes.input_type != kStoredType<Nothing>) return absl::Status();
  return context->ConstantInputAsShape(kTensor, &shapes->tensor);
}

xla::Shape RowMajor(xla::PrimitiveType type, const TensorShape& shape) {
  const auto sizes = shape.dim_sizes();
  return xla::ShapeUtil::MakeShapeWithDescendingLayout(
      type, std::vector<int64_t>(sizes.begin(), sizes.end()));
}

std::string Quoted(std::string_view text) { return absl::StrCat("\"", text, "\""); }

// Formats a number in MLIR's hexadecimal notation, which preserves all bits.
std::string Hexadecimal(float number) {
  return absl::StrCat("0x", absl::Hex(BitCast<uint32_t>(number), absl::kZeroPad8));
}

// Writes the attributes that the struct CallAttributes is decoded from.
std::string Write(const NoiseAttributes& attributes) {
  return absl::StrCat("{input_type = ", Quoted(NameOf(attributes.input_type)),
                      ", output_type = ", Quoted(NameOf(attributes.output_type)),
                      ", distribution = ", Quoted(NameOf(attributes.noise.distribution)),
                      ", combination = ", Quoted(NameOf(attributes.noise.combination)),
                      ", validate_args = ", attributes.validate_args ? "true" : "false",
                      ", byte_scale = ", Hexadecimal(attributes.byte_scale), " : f32}");
}

xla::XlaOp Call(XlaOpKernelContext* context, const std::string& target,
                const NoiseAttributes& attributes, const xla::Shape& result) {
  std::vector<xla::XlaOp> operands;
  std::vector<xla::Shape> shapes;
  // The `shape` input of the Noise op is a compile-time constant. The call has a placeholder in its
  // place, which the handlers don't read.
  const bool has_input = attributes.input_type != kStoredType<Nothing>;
  for (int place = 0; place < context->num_inputs(); ++place) {
    const int i = place == kTensor && !has_input ? kSeed : place;
    operands.push_back(context->Input(i));
    shapes.push_back(RowMajor(context->input_xla_type(i), context->InputShape(i)));
  }
  return xla::CustomCallWithLayout(
      context->builder(), target, operands, result, shapes, Write(attributes),
      /*has_side_effect=*/false, /*output_operand_aliasing=*/{}, /*literal=*/nullptr,
      xla::CustomCallSchedule::SCHEDULE_NONE, xla::CustomCallApiVersion::API_VERSION_TYPED_FFI);
}

class FlattenNoiseXlaOp : public XlaOpKernel {
 public:
  explicit FlattenNoiseXlaOp(OpKernelConstruction* construction) : XlaOpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadAttributes(construction, &attributes_));
  }

  void Compile(XlaOpKernelContext* context) override {
    InputShapes shapes;
    TensorShape output;
    BroadcastPatterns patterns;
    OP_REQUIRES_OK(context, ReadShapes(context, attributes_, &shapes));
    OP_REQUIRES_OK(context, CheckForwardShapes(attributes_, shapes, &output, &patterns));
    xla::PrimitiveType type;
    OP_REQUIRES_OK(context,
                   tensorflow::DataTypeToPrimitiveType(context->expected_output_dtype(0), &type));
    const xla::Shape result = RowMajor(type, output);
    if (!attributes_.returns_noise) {
      context->SetOutput(0, Call(context, kNoiseTarget, attributes_, result));
      return;
    }
    const xla::XlaOp results =
        Call(context, kNoiseTarget, attributes_, xla::ShapeUtil::MakeTupleShape({result, result}));
    for (int i = 0; i < 2; ++i) context->SetOutput(i, xla::GetTupleElement(results, i));
  }

 private:
  NoiseAttributes attributes_;
};

class FlattenNoiseGradXlaOp : public XlaOpKernel {
 public:
  explicit FlattenNoiseGradXlaOp(OpKernelConstruction* construction) : XlaOpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadAttributes(construction, &attributes_));
  }

  void Compile(XlaOpKernelContext* context) override {
    const int parameters = attributes_.combination().parameter_count;
    InputShapes shapes;
    BroadcastPatterns patterns;
    OP_REQUIRES_OK(context, ReadShapes(context, attributes_, &shapes));
    OP_REQUIRES_OK(
        context, CheckGradientShapes(attributes_, shapes,
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

 private:
  NoiseAttributes attributes_;
};

// Registers plain kernels for the XLA device instead of using REGISTER_XLA_OP. XLA reads that
// registry once, so a library that is loaded after the first compilation would be too late.
template <class Kernel>
void Register(const char* op, const char* device, const char* label) {
  const auto create = [](OpKernelConstruction* construction) -> tensorflow::OpKernel* {
    return new Kernel(construction);
  };
  tensorflow::kernel_factory::OpKernelRegistrar(
      tensorflow::register_kernel::Name(op).Device(device).Label(label).Build(), op, create);
}

}  // namespace

void RegisterXlaKernels(const char* device, const char* label) {
  for (const char* op :
       {"Flatnoise>FlattenNoise", "Flatnoise>FlattenNoiseWithZ", "Flatnoise>Noise"}) {
    Register<FlattenNoiseXlaOp>(op, device, label);
  }
  Register<FlattenNoiseGradXlaOp>("Flatnoise>FlattenNoiseGrad", device, label);
}

void RegisterXlaKernelOfBytes(const char* device) {
  Register<FlattenNoiseXlaOp>("Flatnoise>FlattenNoiseOfBytes", device, /*label=*/"");
}

}  // namespace flatnoise
