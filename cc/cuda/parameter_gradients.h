// The gradients of the parameters on an NVIDIA GPU: sums of every element's contribution, with the
// noise recomputed from the seed. The summation order depends only on the sizes, and there are no
// atomic operations, so results are bit-identical across runs, launches and devices. A sum with an
// infinite term is NaN.
#ifndef FLATNOISE_CC_CUDA_PARAMETER_GRADIENTS_H_
#define FLATNOISE_CC_CUDA_PARAMETER_GRADIENTS_H_

#include <cuda_runtime_api.h>

#include <cstddef>

#include "core/export.h"
#include "cuda/tasks.h"

namespace flatnoise::cuda {

// The bytes of device memory that ParameterGradients needs for a task. Depends only on the task's
// type, noise, elements and patterns.
FLATNOISE_EXPORT size_t ParameterGradientsWorkspaceBytes(const ParameterGradientsTask& task);

// Launches the kernels on `stream`, a stream of the current device, and returns the status of the
// launches, like ApplyNoise. `workspace` must be aligned to 16 bytes and can be uninitialized. It
// must stay allocated until the kernels have run. Never waits.
FLATNOISE_EXPORT cudaError_t ParameterGradients(const ParameterGradientsTask& task, void* workspace,
                                                cudaStream_t stream);

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_PARAMETER_GRADIENTS_H_
