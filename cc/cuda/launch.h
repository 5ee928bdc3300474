// Kernel launches and the number of blocks that fill the current device.
#ifndef FLATNOISE_CC_CUDA_LAUNCH_H_
#define FLATNOISE_CC_CUDA_LAUNCH_H_

#include <cuda_runtime.h>

#include <atomic>

#include "cuda/device.h"
#include "cuda/thread_index.h"

namespace flatnoise::cuda {

// Returns the error of this launch, not an earlier error.
template <class... Parameters, class... Arguments>
cudaError_t Start(void (*kernel)(Parameters...), dim3 blocks, cudaStream_t stream,
                  const Arguments&... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = blocks;
  config.blockDim = dim3(kThreads);
  config.stream = stream;
  return Reported(cudaLaunchKernelEx(&config, kernel, arguments...));
}

// Queries the device once per kernel. Thread-safe.
template <auto kernel>
cudaError_t ResidentBlocks(int* blocks) {
  constexpr int kCachedDevices = 64;
  static std::atomic<int> cache[kCachedDevices];
  int device = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error != cudaSuccess) return Reported(error);
  if (device < kCachedDevices) {
    *blocks = cache[device].load(std::memory_order_relaxed);
    if (*blocks > 0) return cudaSuccess;
  }
  int multiprocessors = 0, per_multiprocessor = 0;
  error = cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device);
  if (error != cudaSuccess) return Reported(error);
  error = cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_multiprocessor, kernel, kThreads, 0);
  if (error != cudaSuccess) return Reported(error);
  *blocks = multiprocessors * (per_multiprocessor > 0 ? per_multiprocessor : 1);
  if (device < kCachedDevices) cache[device].store(*blocks, std::memory_order_relaxed);
  return cudaSuccess;
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_LAUNCH_H_
