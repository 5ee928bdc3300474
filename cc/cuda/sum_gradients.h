// The gradients of loc and scale on an NVIDIA GPU: sums of dy and of dy z, with z made again from
// the seed, in an order that depends on the sizes alone. No atomic operations: the same bits on
// every run, launch and device. An infinity among dy makes a sum NaN.
#ifndef FLATNOISE_CC_CUDA_SUM_GRADIENTS_H_
#define FLATNOISE_CC_CUDA_SUM_GRADIENTS_H_

#include <cuda_runtime_api.h>

#include <cstddef>

#include "cuda/tasks.h"

namespace flatnoise::cuda {

// Bytes of device memory that SumGradients wants for a task: known from sizes and types alone.
size_t SumGradientsWorkspaceBytes(const SumGradientsTask& task);

// Starts the kernels on `stream`, of the current device, and returns what the launches returned, as
// ApplyNoise does. `workspace`, aligned to 16 bytes and not initialised, is free again when they
// have run. Never waits.
cudaError_t SumGradients(const SumGradientsTask& task, void* workspace, cudaStream_t stream);

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_SUM_GRADIENTS_H_
