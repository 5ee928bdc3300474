// What binds the ops' kernels and calls inside XLA to the devices that it compiles for.
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/xla_handlers.h"
#include "tensorflow/xla_kernels.h"
#include "xla/ffi/api/ffi.h"

namespace xla::ffi {

// As xla/ffi/ffi_api.h declares it, which can't be included: it wants headers that TensorFlow's
// wheels do not carry.
const XLA_FFI_Api* GetXlaFfiApi();

}  // namespace xla::ffi

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

// As plain kernels of XLA's device and not by REGISTER_XLA_OP, whose registry is read once: a
// library loaded after something was compiled would come too late.
#define FLATNOISE_REGISTER(DEVICE)                                                           \
  REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenNoise").Device(DEVICE), FlattenNoiseXlaOp); \
  REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenNoiseGrad").Device(DEVICE), FlattenNoiseGradXlaOp)

FLATNOISE_REGISTER("XLA_CPU_JIT");
#ifdef FLATNOISE_WITH_CUDA
FLATNOISE_REGISTER("XLA_GPU_JIT");
#endif
#undef FLATNOISE_REGISTER

}  // namespace
}  // namespace flatnoise
