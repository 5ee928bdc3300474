#include <cuda_runtime_api.h>

#include <cstdint>
#include <optional>

#include "cuda/apply_noise.h"
#include "cuda/sum_gradients.h"
#include "tensorflow/cuda_status.h"
#include "tensorflow/cuda_tasks.h"
#include "tensorflow/xla_handlers.h"
#include "tensorflow/xla_inputs.h"
#include "xla/ffi/api/ffi.h"

namespace flatnoise {
namespace {

namespace ffi = ::xla::ffi;

ffi::Error ApplyNoise(cudaStream_t stream, ffi::AnyBuffer tensor, ffi::AnyBuffer seed,
                      ffi::AnyBuffer loc, ffi::AnyBuffer scale, ffi::AnyBuffer offset,
                      ffi::Result<ffi::AnyBuffer> output, int64_t distribution, int64_t features,
                      int64_t combination, int64_t validate_args) {
  const OpInputs inputs = InputsOf(tensor, seed, loc, scale, offset, features);
  return ToError(ToStatus(cuda::ApplyNoise(
      CudaApplyNoiseTask(inputs, DistributionOf(distribution), CombinationOf(combination),
                         validate_args != 0, output->untyped_data()),
      stream)));
}

ffi::Error SumGradients(cudaStream_t stream, ffi::ScratchAllocator scratch, ffi::AnyBuffer tensor,
                        ffi::AnyBuffer seed, ffi::AnyBuffer loc, ffi::AnyBuffer scale,
                        ffi::AnyBuffer offset, ffi::Result<ffi::AnyBuffer> loc_gradient,
                        ffi::Result<ffi::AnyBuffer> scale_gradient, int64_t distribution,
                        int64_t features) {
  const OpInputs inputs = InputsOf(tensor, seed, loc, scale, offset, features);
  const auto task =
      CudaSumGradientsTask(inputs, DistributionOf(distribution), loc_gradient->untyped_data(),
                           scale_gradient->untyped_data());
  // XLA frees it in stream order.
  const std::optional<void*> workspace = scratch.Allocate(cuda::SumGradientsWorkspaceBytes(task));
  if (!workspace) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, "no memory for the gradients' sums");
  }
  return ToError(ToStatus(cuda::SumGradients(task, *workspace, stream)));
}

}  // namespace
}  // namespace flatnoise

namespace ffi = ::xla::ffi;

// XLA may record it in a CUDA graph: it only starts a kernel.
XLA_FFI_DEFINE_HANDLER_SYMBOL(FlatnoiseApplyNoiseCuda, flatnoise::ApplyNoise,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::PlatformStream<cudaStream_t>>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("distribution")
                                  .Attr<int64_t>("features")
                                  .Attr<int64_t>("combination")
                                  .Attr<int64_t>("validate_args"),
                              {ffi::Traits::kCmdBufferCompatible});

XLA_FFI_DEFINE_HANDLER_SYMBOL(FlatnoiseSumGradientsCuda, flatnoise::SumGradients,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::PlatformStream<cudaStream_t>>()
                                  .Ctx<ffi::ScratchAllocator>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("distribution")
                                  .Attr<int64_t>("features"));
