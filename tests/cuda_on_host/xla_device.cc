// Replaces xla_devices.cc. Registers XLA's handlers for CUDA as host handlers, and kernels under a
// label that call them. The handlers request a stream and scratch memory from XLA, which provides
// them only on GPUs. Therefore, this file answers these requests through a copy of XLA's API table.
#include <atomic>
#include <cstddef>
#include <cstdlib>

#include "core/export.h"
#include "host_stream.h"
#include "tensorflow/xla_devices.h"
#include "tensorflow/xla_handlers.h"
#include "xla/ffi/api/ffi.h"

namespace {

// The alignment of XLA's GPU buffers.
constexpr size_t kAlignment = 256;

std::atomic<bool> has_memory = true;
std::atomic<int> blocks_in_use = 0;

XLA_FFI_Error* GetStream(XLA_FFI_Stream_Get_Args* args) {
  args->stream = flatnoise::cuda::HostStream();
  return nullptr;
}

XLA_FFI_Error* Allocate(XLA_FFI_DeviceMemory_Allocate_Args* args) {
  const size_t rounded = (args->size + kAlignment - 1) / kAlignment * kAlignment;
  args->data = nullptr;
  if (has_memory && rounded == 0) return nullptr;
  if (has_memory) args->data = std::aligned_alloc(kAlignment, rounded);
  if (args->data != nullptr) {
    ++blocks_in_use;
    return nullptr;
  }
  XLA_FFI_Error_Create_Args error = {};
  error.struct_size = XLA_FFI_Error_Create_Args_STRUCT_SIZE;
  error.message = "out of memory";
  error.errc = XLA_FFI_Error_Code_RESOURCE_EXHAUSTED;
  return xla::ffi::GetXlaFfiApi()->XLA_FFI_Error_Create(&error);
}

XLA_FFI_Error* Free(XLA_FFI_DeviceMemory_Free_Args* args) {
  if (args->data != nullptr) --blocks_in_use;
  std::free(args->data);
  return nullptr;
}

XLA_FFI_Error* CallOnHost(XLA_FFI_Handler* handler, XLA_FFI_CallFrame* frame) {
  XLA_FFI_Api api = *frame->api;
  api.XLA_FFI_Stream_Get = GetStream;
  api.XLA_FFI_DeviceMemory_Allocate = Allocate;
  api.XLA_FFI_DeviceMemory_Free = Free;
  XLA_FFI_CallFrame host_frame = *frame;
  host_frame.api = &api;
  return handler(&host_frame);
}

XLA_FFI_Error* NoiseOnHost(XLA_FFI_CallFrame* frame) {
  return CallOnHost(FlatnoiseNoiseCuda, frame);
}

XLA_FFI_Error* NoiseGradOnHost(XLA_FFI_CallFrame* frame) {
  return CallOnHost(FlatnoiseNoiseGradCuda, frame);
}

}  // namespace

// Sets whether requests for scratch memory succeed.
extern "C" FLATNOISE_EXPORT void FlatnoiseHaveScratchMemory(bool have) { has_memory = have; }

// The number of blocks of scratch memory that aren't freed.
extern "C" FLATNOISE_EXPORT int FlatnoiseScratchBlocksInUse() { return blocks_in_use; }

namespace flatnoise {

const char kNoiseTarget[] = "flatnoise_noise_cuda_on_host";
const char kNoiseGradTarget[] = "flatnoise_noise_grad_cuda_on_host";

namespace {

XLA_FFI_REGISTER_HANDLER(::xla::ffi::GetXlaFfiApi(), kNoiseTarget, "Host", NoiseOnHost);
XLA_FFI_REGISTER_HANDLER(::xla::ffi::GetXlaFfiApi(), kNoiseGradTarget, "Host", NoiseGradOnHost);

[[maybe_unused]] const bool kernels_registered =
    (RegisterXlaKernels("XLA_CPU_JIT", "cuda_on_host"), true);

}  // namespace
}  // namespace flatnoise
