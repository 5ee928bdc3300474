#include <cuda_runtime_api.h>

#include <optional>

#include "cuda/apply_noise.h"
#include "cuda/parameter_gradients.h"
#include "tensorflow/cuda_status.h"
#include "tensorflow/cuda_tasks.h"
#include "tensorflow/xla_calls.h"
#include "tensorflow/xla_handlers.h"
#include "xla/ffi/api/ffi.h"

namespace flatnoise {
namespace {

namespace ffi = ::xla::ffi;

ffi::Error HandleNoise(cudaStream_t stream, ffi::RemainingArgs operands, ffi::RemainingRets results,
                       CallAttributes attributes) {
  NoiseCall call;
  absl::Status status = ReadCall(operands, results, attributes, /*is_gradient=*/false, &call);
  if (!status.ok()) return ToError(status);
  const auto task = CudaApplyNoiseTask(call.attributes, call.inputs, call.noise_outputs());
  return ToError(ToStatus(cuda::ApplyNoise(task, stream)));
}

ffi::Error HandleGradient(cudaStream_t stream, ffi::ScratchAllocator scratch,
                          ffi::RemainingArgs operands, ffi::RemainingRets results,
                          CallAttributes attributes) {
  NoiseCall call;
  absl::Status status = ReadCall(operands, results, attributes, /*is_gradient=*/true, &call);
  if (!status.ok()) return ToError(status);
  const auto task = CudaParameterGradientsTask(call.attributes, call.inputs, call.outputs);
  // XLA frees the workspace in stream order.
  const std::optional<void*> workspace =
      scratch.Allocate(cuda::ParameterGradientsWorkspaceBytes(task));
  if (!workspace) {
    return ToError(absl::ResourceExhaustedError("no memory for the gradients' sums"));
  }
  return ToError(ToStatus(cuda::ParameterGradients(task, *workspace, stream)));
}

}  // namespace
}  // namespace flatnoise

namespace ffi = ::xla::ffi;

// The handler only launches a kernel, so XLA may capture it in a CUDA graph.
XLA_FFI_DEFINE_HANDLER_SYMBOL(
    FlatnoiseNoiseCuda, flatnoise::HandleNoise,
    flatnoise::BindCall(ffi::Ffi::Bind().Ctx<ffi::PlatformStream<cudaStream_t>>()),
    {ffi::Traits::kCmdBufferCompatible});

XLA_FFI_DEFINE_HANDLER_SYMBOL(FlatnoiseNoiseGradCuda, flatnoise::HandleGradient,
                              flatnoise::BindCall(ffi::Ffi::Bind()
                                                      .Ctx<ffi::PlatformStream<cudaStream_t>>()
                                                      .Ctx<ffi::ScratchAllocator>()));
