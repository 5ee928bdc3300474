#include "host_stream.h"

#include <atomic>

namespace {

std::atomic<int> launch_error = cudaSuccess;
std::atomic<int> launches = 0;

}  // namespace

void FlatnoiseFailLaunches(int error) { launch_error = error; }

int FlatnoiseLaunchesSoFar() { return launches; }

namespace flatnoise::cuda {

cudaStream_t HostStream() {
  static char stream;
  return reinterpret_cast<cudaStream_t>(&stream);
}

cudaError_t LaunchOnHost(cudaStream_t stream, const std::function<void()>& run) {
  if (stream != HostStream()) return cudaErrorInvalidResourceHandle;
  const auto error = static_cast<cudaError_t>(launch_error.load());
  if (error != cudaSuccess) return error;
  run();
  ++launches;
  return cudaSuccess;
}

}  // namespace flatnoise::cuda
