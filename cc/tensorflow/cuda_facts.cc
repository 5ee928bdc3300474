#include "tensorflow/cuda_facts.h"

#ifndef FLATNOISE_WITH_CUDA

int FlatnoiseCudaVersion() { return 0; }

const char* FlatnoiseCudaArchitectures() { return ""; }

const char* FlatnoiseCudaProblem(int) { return "this library was built without CUDA kernels"; }

#else

#include <string>

#include "cuda/device.h"
#include "tensorflow/cuda_status.h"

int FlatnoiseCudaVersion() { return flatnoise::cuda::ToolkitVersion(); }

const char* FlatnoiseCudaArchitectures() { return flatnoise::cuda::Architectures(); }

const char* FlatnoiseCudaProblem(int device) {
  thread_local std::string problem;
  const cudaError_t error = flatnoise::cuda::CheckDevice(device);
  problem = error == cudaSuccess ? "" : flatnoise::ExplainCudaError(error);
  return problem.c_str();
}

#endif  // FLATNOISE_WITH_CUDA
