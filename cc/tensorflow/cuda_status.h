// Conversion of CUDA errors to TensorFlow statuses.
#ifndef FLATNOISE_CC_TENSORFLOW_CUDA_STATUS_H_
#define FLATNOISE_CC_TENSORFLOW_CUDA_STATUS_H_

#include <cuda_runtime_api.h>

#include <string>

#include "absl/status/status.h"

namespace flatnoise {

// Describes an error, with advice if the driver is too old or the GPU isn't supported.
std::string ExplainCudaError(cudaError_t error);

// The status of a launch.
absl::Status ToStatus(cudaError_t error);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_CUDA_STATUS_H_
