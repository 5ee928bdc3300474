#include "cuda/device.h"

#include "cuda/apply_noise.h"

namespace flatnoise::cuda {

const char* Architectures() { return FLATNOISE_CUDA_ARCHITECTURES; }

int ToolkitVersion() { return CUDART_VERSION; }

int DriverVersion() {
  int version = 0;
  return cudaDriverGetVersion(&version) == cudaSuccess ? version : 0;
}

ComputeCapability CurrentComputeCapability() {
  int device = 0, major = 0, minor = 0;
  const bool known =
      cudaGetDevice(&device) == cudaSuccess &&
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
      cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) == cudaSuccess;
  if (!known) return {0, 0};
  return {major, minor};
}

cudaError_t CheckDevice(int device) {
  int before = 0;
  cudaError_t error = cudaGetDevice(&before);
  if (error == cudaSuccess) error = cudaSetDevice(device);
  if (error != cudaSuccess) return Reported(error);
  error = CheckDevice();
  cudaSetDevice(before);
  return error;
}

const char* Describe(cudaError_t error) { return cudaGetErrorString(error); }

}  // namespace flatnoise::cuda
