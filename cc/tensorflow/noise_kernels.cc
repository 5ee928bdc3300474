#include "tensorflow/noise_kernels.h"

#include <cstdint>

#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor_shape.h"
#include "tensorflow/invalid_argument.h"
#include "tensorflow/noise_arguments.h"

namespace flatnoise {
namespace {

using ::tensorflow::OpKernelConstruction;
using ::tensorflow::OpKernelContext;
using ::tensorflow::Tensor;
using ::tensorflow::TensorShape;

int ParametersOf(const NoiseAttributes& attributes) {
  return attributes.combination().parameter_count;
}

bool IsInt64(const Tensor& tensor) { return tensor.dtype() == tensorflow::DT_INT64; }

// Reads the shape in input 0.
absl::Status ReadShape(const Tensor& sizes, TensorShape* shape) {
  if (!tensorflow::TensorShapeUtils::IsVector(sizes.shape())) {
    return InvalidArgument("shape must be a vector, got shape ", sizes.shape().DebugString());
  }
  if (IsInt64(sizes)) {
    return tensorflow::TensorShapeUtils::MakeShape(sizes.vec<int64_t>(), shape);
  }
  return tensorflow::TensorShapeUtils::MakeShape(sizes.vec<int32_t>(), shape);
}

absl::Status ReadShapes(OpKernelContext* context, const NoiseAttributes& attributes,
                        InputShapes* shapes) {
  const int parameters = ParametersOf(attributes);
  shapes->tensor = context->input(kTensor).shape();
  shapes->seed = context->input(kSeed).shape();
  shapes->offset = context->input(kOffset).shape();
  shapes->seed_is_int64 = IsInt64(context->input(kSeed));
  for (int k = 0; k < parameters; ++k) {
    shapes->parameters.push_back(context->input(kFirstParameter + k).shape());
  }
  if (attributes.clips) shapes->bounds = context->input(kFirstParameter + parameters).shape();
  if (attributes.input_type != kStoredType<Nothing>) return absl::Status();
  return ReadShape(context->input(kTensor), &shapes->tensor);
}

NoiseInputs InputsOf(OpKernelContext* context, const NoiseAttributes& attributes,
                     const BroadcastPatterns& patterns) {
  const int parameters = ParametersOf(attributes);
  const Tensor& tensor = context->input(kTensor);
  const Tensor& seed = context->input(kSeed);
  NoiseInputs inputs = {};
  inputs.tensor = attributes.input_type == kStoredType<Nothing> ? nullptr : tensor.data();
  inputs.elements = tensor.NumElements();
  inputs.seed = seed.data();
  inputs.seed_type = SeedTypeOf(seed.NumElements(), IsInt64(seed));
  inputs.offset = context->input(kOffset).scalar<int64_t>().data();
  for (int k = 0; k < parameters; ++k) {
    inputs.parameters[k] = {context->input(kFirstParameter + k).data(),
                            patterns[static_cast<size_t>(k)]};
  }
  if (attributes.clips) inputs.bounds = context->input(kFirstParameter + parameters).data();
  return inputs;
}

// Reuses the input's memory if nothing else needs it and its elements have the same size.
absl::Status AllocateOutput(OpKernelContext* context, const NoiseAttributes& attributes,
                            const TensorShape& shape, Tensor** output) {
  if (attributes.input_type == attributes.output_type) {
    return context->forward_input_or_allocate_output({kTensor}, 0, shape, output);
  }
  return context->allocate_output(0, shape, output);
}

}  // namespace

FlattenNoiseKernel::FlattenNoiseKernel(OpKernelConstruction* construction)
    : OpKernel(construction) {
  OP_REQUIRES_OK(construction, ReadAttributes(construction, &attributes_));
}

void FlattenNoiseKernel::Compute(OpKernelContext* context) {
  InputShapes shapes;
  TensorShape shape;
  BroadcastPatterns patterns;
  OP_REQUIRES_OK(context, ReadShapes(context, attributes_, &shapes));
  OP_REQUIRES_OK(context, CheckForwardShapes(attributes_, shapes, &shape, &patterns));
  // Must happen before the output can take over the input's memory.
  NoiseInputs inputs = InputsOf(context, attributes_, patterns);
  inputs.elements = shape.num_elements();
  Tensor *output = nullptr, *noise = nullptr;
  OP_REQUIRES_OK(context, AllocateOutput(context, attributes_, shape, &output));
  if (attributes_.returns_noise) {
    OP_REQUIRES_OK(context, context->allocate_output(1, shape, &noise));
  }
  const NoiseOutputs outputs = {output->data(), noise == nullptr ? nullptr : noise->data()};
  OP_REQUIRES_OK(context, Run(context, attributes_, inputs, outputs));
}

FlattenNoiseGradKernel::FlattenNoiseGradKernel(OpKernelConstruction* construction)
    : OpKernel(construction) {
  OP_REQUIRES_OK(construction, ReadAttributes(construction, &attributes_));
}

void FlattenNoiseGradKernel::Compute(OpKernelContext* context) {
  const int parameters = ParametersOf(attributes_);
  const Tensor& input = context->input(kFirstParameter + parameters);
  InputShapes shapes;
  BroadcastPatterns patterns;
  OP_REQUIRES_OK(context, ReadShapes(context, attributes_, &shapes));
  OP_REQUIRES_OK(context, CheckGradientShapes(attributes_, shapes, input.shape(), &patterns));
  NoiseInputs inputs = InputsOf(context, attributes_, patterns);
  inputs.input = input.data();
  void* gradients[kMostParameters];
  for (int k = 0; k < parameters; ++k) {
    Tensor* gradient = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(k, context->input(kFirstParameter + k).shape(),
                                                     &gradient));
    gradients[k] = gradient->data();
  }
  OP_REQUIRES_OK(context, Run(context, attributes_, inputs, gradients));
}

}  // namespace flatnoise
