// The CUDA toolkit, the driver and the devices, for checks and error messages.
#ifndef FLATNOISE_CC_CUDA_DEVICE_H_
#define FLATNOISE_CC_CUDA_DEVICE_H_

#include <cuda_runtime_api.h>

#include "core/export.h"

namespace flatnoise::cuda {

// Clears an error that is reported to the caller, so that the next call doesn't see it.
inline cudaError_t Reported(cudaError_t error) {
  if (error != cudaSuccess) cudaGetLastError();
  return error;
}

// The library's architectures in CMake's notation, such as "75-real,90,100-real". An architecture
// without "-real" includes PTX, which drivers can compile for newer GPUs.
FLATNOISE_EXPORT const char* Architectures();

// The version of the toolkit in CUDA's format, such as 13000 for 13.0.
FLATNOISE_EXPORT int ToolkitVersion();

// The CUDA version that the driver supports, or 0 without a driver.
FLATNOISE_EXPORT int DriverVersion();

struct ComputeCapability {
  int major, minor;
};

// The current device's compute capability, or 0.0 if it's unknown.
FLATNOISE_EXPORT ComputeCapability CurrentComputeCapability();

// Whether a device can run the library's kernels, like CheckDevice() for the current device, which
// stays the current one.
FLATNOISE_EXPORT cudaError_t CheckDevice(int device);

// CUDA's description of an error.
FLATNOISE_EXPORT const char* Describe(cudaError_t error);

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_DEVICE_H_
