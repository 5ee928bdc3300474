#include "tensorflow/noise_kernels.h"

#include <cstdint>

#include "tensorflow/core/framework/tensor.h"
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

InputShapes ShapesOf(OpKernelContext* context, int parameters) {
  InputShapes shapes = {context->input(kTensor).shape(),
                        context->input(kSeed).shape(),
                        context->input(kOffset).shape(),
                        {},
                        IsInt64(context->input(kSeed))};
  for (int k = 0; k < parameters; ++k) {
    shapes.parameters.push_back(context->input(kFirstParameter + k).shape());
  }
  return shapes;
}

NoiseInputs InputsOf(OpKernelContext* context, int parameters, const BroadcastPatterns& patterns) {
  const Tensor& tensor = context->input(kTensor);
  const Tensor& seed = context->input(kSeed);
  NoiseInputs inputs = {};
  inputs.tensor = tensor.data();
  inputs.elements = tensor.NumElements();
  inputs.seed = seed.data();
  inputs.seed_type = SeedTypeOf(seed.NumElements(), IsInt64(seed));
  inputs.offset = context->input(kOffset).scalar<int64_t>().data();
  for (int k = 0; k < parameters; ++k) {
    inputs.parameters[k] = {context->input(kFirstParameter + k).data(),
                            patterns[static_cast<size_t>(k)]};
  }
  return inputs;
}

}  // namespace

FlattenNoiseKernel::FlattenNoiseKernel(OpKernelConstruction* construction)
    : OpKernel(construction) {
  OP_REQUIRES_OK(construction, ReadAttributes(construction, &attributes_));
}

void FlattenNoiseKernel::Compute(OpKernelContext* context) {
  const int parameters = ParametersOf(attributes_);
  TensorShape shape;
  BroadcastPatterns patterns;
  OP_REQUIRES_OK(context,
                 CheckForwardShapes(attributes_, ShapesOf(context, parameters), &shape, &patterns));
  // Before the input's memory may become the output's.
  const NoiseInputs inputs = InputsOf(context, parameters, patterns);
  Tensor* output = nullptr;
  OP_REQUIRES_OK(context, context->forward_input_or_allocate_output({kTensor}, 0, shape, &output));
  OP_REQUIRES_OK(context, Run(context, attributes_, inputs, output->data()));
}

FlattenNoiseGradKernel::FlattenNoiseGradKernel(OpKernelConstruction* construction)
    : OpKernel(construction) {
  OP_REQUIRES_OK(construction, ReadAttributes(construction, &attributes_));
}

void FlattenNoiseGradKernel::Compute(OpKernelContext* context) {
  const int parameters = ParametersOf(attributes_);
  const Tensor& input = context->input(kFirstParameter + parameters);
  BroadcastPatterns patterns;
  OP_REQUIRES_OK(context, CheckGradientShapes(attributes_, ShapesOf(context, parameters),
                                              input.shape(), &patterns));
  NoiseInputs inputs = InputsOf(context, parameters, patterns);
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
