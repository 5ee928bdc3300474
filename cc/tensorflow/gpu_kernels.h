// The ops' kernels for NVIDIA GPUs. All inputs are read on the device and nothing waits for it.
// Arguments that the CPU kernels reject turn the results into NaN here.
#ifndef FLATNOISE_CC_TENSORFLOW_GPU_KERNELS_H_
#define FLATNOISE_CC_TENSORFLOW_GPU_KERNELS_H_

#include <cuda_runtime_api.h>

#include "absl/status/status.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/noise_kernels.h"

namespace flatnoise {

class FlattenNoiseGpuOp : public FlattenNoiseKernel {
 public:
  using FlattenNoiseKernel::FlattenNoiseKernel;

 protected:
  absl::Status Run(tensorflow::OpKernelContext* context, const NoiseAttributes& attributes,
                   const NoiseInputs& inputs, const NoiseOutputs& outputs) const override;
};

class FlattenNoiseGradGpuOp : public FlattenNoiseGradKernel {
 public:
  using FlattenNoiseGradKernel::FlattenNoiseGradKernel;

 protected:
  absl::Status Run(tensorflow::OpKernelContext* context, const NoiseAttributes& attributes,
                   const NoiseInputs& inputs, void* const* gradients) const override;
};

// The stream for a kernel's work. Defined next to the registrations, because it depends on their
// device. The tests register the kernels for a different device.
cudaStream_t StreamOf(tensorflow::OpKernelContext* context);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_GPU_KERNELS_H_
