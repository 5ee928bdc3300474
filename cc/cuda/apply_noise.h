// The forward pass on an NVIDIA GPU.
#ifndef FLATNOISE_CC_CUDA_APPLY_NOISE_H_
#define FLATNOISE_CC_CUDA_APPLY_NOISE_H_

#include <cuda_runtime_api.h>

#include "core/export.h"
#include "cuda/tasks.h"

namespace flatnoise::cuda {

// Launches the kernel on `stream`, a stream of the current device, and returns the status of the
// launch: cudaErrorInvalidValue if sizes are inconsistent, cudaErrorNoKernelImageForDevice if the
// library has no code for the device. Never waits, so it can be captured in a graph.
FLATNOISE_EXPORT cudaError_t ApplyNoise(const ApplyNoiseTask& task, cudaStream_t stream);

// Whether the current device can run the library's kernels. Returns cudaErrorNoKernelImageForDevice
// if there is no code for the device, or the driver's error.
cudaError_t CheckDevice();

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_APPLY_NOISE_H_
