#include "tensorflow/cuda_facts.h"

#ifndef FLATNOISE_WITH_CUDA

int FlatnoiseCudaVersion() { return 0; }

const char* FlatnoiseCudaArchitectures() { return ""; }

const char* FlatnoiseCudaProblem(int) { return "this library was built without CUDA kernels"; }

#else

#include <cuda_runtime_api.h>

#include <string>

#include "cuda/apply_noise.h"
#include "tensorflow/cuda_status.h"

namespace {

cudaError_t TryDevice(int device) {
  int before = 0;
  cudaError_t error = cudaGetDevice(&before);
  if (error != cudaSuccess) return error;
  error = cudaSetDevice(device);
  if (error != cudaSuccess) return error;
  error = flatnoise::cuda::CheckDevice();
  cudaSetDevice(before);
  return error;
}

}  // namespace

int FlatnoiseCudaVersion() { return CUDART_VERSION; }

const char* FlatnoiseCudaArchitectures() { return FLATNOISE_CUDA_ARCHITECTURES; }

const char* FlatnoiseCudaProblem(int device) {
  thread_local std::string problem;
  const cudaError_t error = TryDevice(device);
  if (error != cudaSuccess) cudaGetLastError();
  problem = error == cudaSuccess ? "" : flatnoise::ExplainCudaError(error);
  return problem.c_str();
}

#endif  // FLATNOISE_WITH_CUDA
