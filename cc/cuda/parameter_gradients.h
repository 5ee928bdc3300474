// The gradients of the parameters on an NVIDIA GPU: sums of every element's share, with the noise
// made again from the seed, in an order that depends on the sizes alone. No atomic operations: the
// same bits on every run, launch and device. An infinity among the shares makes a sum NaN.
#ifndef FLATNOISE_CC_CUDA_PARAMETER_GRADIENTS_H_
#define FLATNOISE_CC_CUDA_PARAMETER_GRADIENTS_H_

#include <cuda_runtime_api.h>

#include <cstddef>

#include "cuda/tasks.h"

namespace flatnoise::cuda {

// Bytes of device memory that ParameterGradients wants for a task: known from its type, noise,
// elements and patterns alone.
size_t ParameterGradientsWorkspaceBytes(const ParameterGradientsTask& task);

// Starts the kernels on `stream`, of the current device, and returns what the launches returned, as
// ApplyNoise does. `workspace`, aligned to 16 bytes and not initialised, is free again when they
// have run. Never waits.
cudaError_t ParameterGradients(const ParameterGradientsTask& task, void* workspace,
                               cudaStream_t stream);

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_PARAMETER_GRADIENTS_H_
