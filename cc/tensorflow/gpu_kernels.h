// The ops' kernels for NVIDIA GPUs. Every input is read on the device and nothing is waited for, so
// arguments that the CPU's kernels refuse turn the results to NaN here.
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

// The stream that a kernel's work goes to. Defined beside the registrations, for the device that
// they name: the tests register the kernels for another.
cudaStream_t StreamOf(tensorflow::OpKernelContext* context);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_GPU_KERNELS_H_
