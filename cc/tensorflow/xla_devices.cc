#include "tensorflow/xla_devices.h"

#include "tensorflow/xla_handlers.h"
#include "xla/ffi/api/ffi.h"

namespace flatnoise {

const char kNoiseTarget[] = "flatnoise_noise";
const char kNoiseGradTarget[] = "flatnoise_noise_grad";

namespace {

XLA_FFI_REGISTER_HANDLER(::xla::ffi::GetXlaFfiApi(), kNoiseTarget, "Host", FlatnoiseNoiseHost);
XLA_FFI_REGISTER_HANDLER(::xla::ffi::GetXlaFfiApi(), kNoiseGradTarget, "Host",
                         FlatnoiseNoiseGradHost);
#ifdef FLATNOISE_WITH_CUDA
XLA_FFI_REGISTER_HANDLER(::xla::ffi::GetXlaFfiApi(), kNoiseTarget, "CUDA", FlatnoiseNoiseCuda);
XLA_FFI_REGISTER_HANDLER(::xla::ffi::GetXlaFfiApi(), kNoiseGradTarget, "CUDA",
                         FlatnoiseNoiseGradCuda);
#endif

[[maybe_unused]] const bool kernels_registered = [] {
  RegisterXlaKernels("XLA_CPU_JIT", /*label=*/"");
  RegisterXlaKernelOfBytes("XLA_CPU_JIT");
#ifdef FLATNOISE_WITH_CUDA
  RegisterXlaKernels("XLA_GPU_JIT", /*label=*/"");
#endif
  return true;
}();

}  // namespace
}  // namespace flatnoise
