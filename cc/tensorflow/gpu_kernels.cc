// The ops on NVIDIA GPUs. Every input is read on the device and nothing is waited for, so arguments
// that the processor's kernels refuse turn the results to NaN here.
#include <cuda_runtime_api.h>

#include "cuda/apply_noise.h"
#include "cuda/sum_gradients.h"
#include "tensorflow/arguments.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/register_types.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/cuda_status.h"
#include "tensorflow/cuda_tasks.h"
#include "tensorflow/op_inputs.h"
#include "xla/stream_executor/stream.h"

namespace flatnoise {
namespace {

using ::tensorflow::OpKernel;
using ::tensorflow::OpKernelConstruction;
using ::tensorflow::OpKernelContext;
using ::tensorflow::Tensor;

cudaStream_t StreamOf(OpKernelContext* context) {
  return static_cast<cudaStream_t>(
      context->op_device_context()->stream()->platform_specific_handle().stream);
}

class FlattenNoiseGpuOp : public OpKernel {
 public:
  explicit FlattenNoiseGpuOp(OpKernelConstruction* construction)
      : OpKernel(construction), combination_(CombinationOf(construction)) {
    OP_REQUIRES_OK(construction, ReadAttributes(construction, &distribution_));
    OP_REQUIRES_OK(construction, construction->GetAttr("flatten", &flatten_));
    OP_REQUIRES_OK(construction, construction->GetAttr("validate_args", &validate_args_));
  }

  void Compute(OpKernelContext* context) override {
    OP_REQUIRES_OK(context, CheckShapes(ShapesOf(context), "input"));
    const OpInputs inputs = InputsOf(context);
    const auto input_shape = context->input(kTensor).shape();
    Tensor* output = nullptr;
    OP_REQUIRES_OK(
        context, context->forward_input_or_allocate_output(
                     {kTensor}, 0, flatten_ ? FlattenedShape(input_shape) : input_shape, &output));
    const auto task =
        CudaApplyNoiseTask(inputs, distribution_, combination_, validate_args_, output->data());
    OP_REQUIRES_OK(context, ToStatus(cuda::ApplyNoise(task, StreamOf(context))));
  }

 private:
  Combination combination_;
  Distribution distribution_;
  bool flatten_;
  bool validate_args_;
};

class FlattenNoiseGradGpuOp : public OpKernel {
 public:
  explicit FlattenNoiseGradGpuOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadAttributes(construction, &distribution_));
  }

  void Compute(OpKernelContext* context) override {
    OP_REQUIRES_OK(context, CheckShapes(ShapesOf(context), "grad"));
    Tensor* loc_gradient = nullptr;
    Tensor* scale_gradient = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, context->input(kLoc).shape(), &loc_gradient));
    OP_REQUIRES_OK(context,
                   context->allocate_output(1, context->input(kScale).shape(), &scale_gradient));
    const auto task = CudaSumGradientsTask(InputsOf(context), distribution_, loc_gradient->data(),
                                           scale_gradient->data());
    // Freed in stream order: what comes next on the stream may use the memory again.
    Tensor workspace;
    const auto bytes = static_cast<int64_t>(cuda::SumGradientsWorkspaceBytes(task));
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_UINT8, {bytes}, &workspace));
    OP_REQUIRES_OK(context,
                   ToStatus(cuda::SumGradients(task, workspace.data(), StreamOf(context))));
  }

 private:
  Distribution distribution_;
};

#define FLATNOISE_REGISTER_OP(NAME, T, KERNEL) \
  REGISTER_KERNEL_BUILDER(Name(NAME).Device(tensorflow::DEVICE_GPU).TypeConstraint<T>("T"), KERNEL)
#define FLATNOISE_REGISTER(T)                                                    \
  FLATNOISE_REGISTER_OP("Flatnoise>FlattenAddNoise", T, FlattenNoiseGpuOp);      \
  FLATNOISE_REGISTER_OP("Flatnoise>FlattenMultiplyNoise", T, FlattenNoiseGpuOp); \
  FLATNOISE_REGISTER_OP("Flatnoise>FlattenAddNoiseGrad", T, FlattenNoiseGradGpuOp)

FLATNOISE_REGISTER(Eigen::half);
FLATNOISE_REGISTER(Eigen::bfloat16);
FLATNOISE_REGISTER(float);
FLATNOISE_REGISTER(double);
#undef FLATNOISE_REGISTER
#undef FLATNOISE_REGISTER_OP

}  // namespace
}  // namespace flatnoise
