// The ops on NVIDIA GPUs. Every input is read on the device and nothing is waited for, so arguments
// that the CPU's kernels refuse turn the results to NaN here.
#include <cuda_runtime_api.h>

#include "cuda/apply_noise.h"
#include "cuda/parameter_gradients.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/cuda_status.h"
#include "tensorflow/cuda_tasks.h"
#include "tensorflow/noise_kernels.h"
#include "xla/stream_executor/stream.h"

namespace flatnoise {
namespace {

using ::tensorflow::OpKernelContext;
using ::tensorflow::Tensor;

cudaStream_t StreamOf(OpKernelContext* context) {
  return static_cast<cudaStream_t>(
      context->op_device_context()->stream()->platform_specific_handle().stream);
}

class FlattenNoiseGpuOp : public FlattenNoiseKernel {
 public:
  using FlattenNoiseKernel::FlattenNoiseKernel;

 protected:
  absl::Status Run(OpKernelContext* context, const NoiseAttributes& attributes,
                   const NoiseInputs& inputs, void* output) const override {
    return ToStatus(
        cuda::ApplyNoise(CudaApplyNoiseTask(attributes, inputs, output), StreamOf(context)));
  }
};

class FlattenNoiseGradGpuOp : public FlattenNoiseGradKernel {
 public:
  using FlattenNoiseGradKernel::FlattenNoiseGradKernel;

 protected:
  absl::Status Run(OpKernelContext* context, const NoiseAttributes& attributes,
                   const NoiseInputs& inputs, void* const* gradients) const override {
    const auto task = CudaParameterGradientsTask(attributes, inputs, gradients);
    // Freed in stream order: what comes next on the stream may use the memory again.
    Tensor workspace;
    const auto bytes = static_cast<int64_t>(cuda::ParameterGradientsWorkspaceBytes(task));
    TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_UINT8, {bytes}, &workspace));
    return ToStatus(cuda::ParameterGradients(task, workspace.data(), StreamOf(context)));
  }
};

REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenNoise").Device(tensorflow::DEVICE_GPU),
                        FlattenNoiseGpuOp);
REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenNoiseGrad").Device(tensorflow::DEVICE_GPU),
                        FlattenNoiseGradGpuOp);

}  // namespace
}  // namespace flatnoise
