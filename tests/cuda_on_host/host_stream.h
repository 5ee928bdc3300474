// A stand-in for a CUDA stream, whose launches run at once and on the host: what the GPU op classes
// get where TensorFlow's device has no stream.
#ifndef FLATNOISE_TESTS_CUDA_ON_HOST_HOST_STREAM_H_
#define FLATNOISE_TESTS_CUDA_ON_HOST_HOST_STREAM_H_

#include <cuda_runtime_api.h>

#include <functional>

#define FLATNOISE_EXPORTED extern "C" __attribute__((visibility("default")))

// What the tests ask for and are told, through ctypes.

// The error that every launch returns from now on; 0 for none.
FLATNOISE_EXPORTED void FlatnoiseFailLaunches(int error);

// How many launches have run.
FLATNOISE_EXPORTED int FlatnoiseLaunchesSoFar();

#undef FLATNOISE_EXPORTED

namespace flatnoise::cuda {

// The only stream there is.
cudaStream_t HostStream();

// Runs a launch, unless it is to fail or was not meant for the stream.
cudaError_t LaunchOnHost(cudaStream_t stream, const std::function<void()>& run);

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_TESTS_CUDA_ON_HOST_HOST_STREAM_H_
