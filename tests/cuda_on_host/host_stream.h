// A fake CUDA stream, whose launches run immediately on the host. The GPU op classes get it in
// place of the stream of a GPU device.
#ifndef FLATNOISE_TESTS_CUDA_ON_HOST_HOST_STREAM_H_
#define FLATNOISE_TESTS_CUDA_ON_HOST_HOST_STREAM_H_

#include <cuda_runtime_api.h>

#include <functional>

#define FLATNOISE_EXPORTED extern "C" __attribute__((visibility("default")))

// Tests call these functions through ctypes.

// Sets the error that every launch returns from now on, or 0 for none.
FLATNOISE_EXPORTED void FlatnoiseFailLaunches(int error);

// The number of launches so far.
FLATNOISE_EXPORTED int FlatnoiseLaunchesSoFar();

#undef FLATNOISE_EXPORTED

namespace flatnoise::cuda {

// The only stream.
cudaStream_t HostStream();

// Runs a launch, unless it should fail or has the wrong stream.
cudaError_t LaunchOnHost(cudaStream_t stream, const std::function<void()>& run);

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_TESTS_CUDA_ON_HOST_HOST_STREAM_H_
