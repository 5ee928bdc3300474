#include "tensorflow/gpu_kernels.h"

#include <cstdint>

#include "cuda/apply_noise.h"
#include "cuda/parameter_gradients.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/cuda_status.h"
#include "tensorflow/cuda_tasks.h"

namespace flatnoise {

using ::tensorflow::OpKernelContext;
using ::tensorflow::Tensor;

absl::Status FlattenNoiseGpuOp::Run(OpKernelContext* context, const NoiseAttributes& attributes,
                                    const NoiseInputs& inputs, const NoiseOutputs& outputs) const {
  return ToStatus(
      cuda::ApplyNoise(CudaApplyNoiseTask(attributes, inputs, outputs), StreamOf(context)));
}

absl::Status FlattenNoiseGradGpuOp::Run(OpKernelContext* context, const NoiseAttributes& attributes,
                                        const NoiseInputs& inputs, void* const* gradients) const {
  const auto task = CudaParameterGradientsTask(attributes, inputs, gradients);
  // Freed in stream order: later work on the stream may reuse the memory.
  Tensor workspace;
  const auto bytes = static_cast<int64_t>(cuda::ParameterGradientsWorkspaceBytes(task));
  TF_RETURN_IF_ERROR(context->allocate_temp(tensorflow::DT_UINT8, {bytes}, &workspace));
  return ToStatus(cuda::ParameterGradients(task, workspace.data(), StreamOf(context)));
}

}  // namespace flatnoise
