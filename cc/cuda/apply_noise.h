// The forward pass on an NVIDIA GPU.
#ifndef FLATNOISE_CC_CUDA_APPLY_NOISE_H_
#define FLATNOISE_CC_CUDA_APPLY_NOISE_H_

#include <cuda_runtime_api.h>

#include "cuda/tasks.h"

namespace flatnoise::cuda {

// Starts the kernel on `stream`, of the current device, and returns what the launch returned:
// cudaErrorInvalidValue where sizes contradict each other, cudaErrorNoKernelImageForDevice where
// the library holds no code for the device. Never waits, so it can be captured in a graph.
cudaError_t ApplyNoise(const ApplyNoiseTask& task, cudaStream_t stream);

// Whether the current device can run the library's kernels: cudaErrorNoKernelImageForDevice where
// there is no code for it, or what is wrong with the driver.
cudaError_t CheckDevice();

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_APPLY_NOISE_H_
