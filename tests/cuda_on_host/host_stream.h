// A fake CUDA stream, whose launches run immediately on the host. The GPU op classes get it in
// place of the stream of a GPU device.
#ifndef FLATNOISE_TESTS_CUDA_ON_HOST_HOST_STREAM_H_
#define FLATNOISE_TESTS_CUDA_ON_HOST_HOST_STREAM_H_

#include <cuda_runtime_api.h>

#include <functional>

#include "core/export.h"

// Tests call these functions through ctypes.

// Sets the error that every launch returns from now on, or 0 for none.
extern "C" FLATNOISE_EXPORT void FlatnoiseFailLaunches(int error);

// The number of launches so far.
extern "C" FLATNOISE_EXPORT int FlatnoiseLaunchesSoFar();

namespace flatnoise::cuda {

// The only stream.
cudaStream_t HostStream();

// Runs a launch, unless it should fail or has the wrong stream.
cudaError_t LaunchOnHost(cudaStream_t stream, const std::function<void()>& run);

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_TESTS_CUDA_ON_HOST_HOST_STREAM_H_
