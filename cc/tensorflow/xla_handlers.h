// Entry points for XLA's compiled code, in XLA's foreign function interface. Defined in the op
// library and registered by the library of XLA kernels.
#ifndef FLATNOISE_CC_TENSORFLOW_XLA_HANDLERS_H_
#define FLATNOISE_CC_TENSORFLOW_XLA_HANDLERS_H_

#include "xla/ffi/api/c_api.h"

#define FLATNOISE_EXPORTED extern "C" __attribute__((visibility("default")))

// FlattenNoise and FlattenNoiseGrad. See xla_calls.h for the contents of a call.
FLATNOISE_EXPORTED XLA_FFI_Error* FlatnoiseNoiseHost(XLA_FFI_CallFrame* call_frame);
FLATNOISE_EXPORTED XLA_FFI_Error* FlatnoiseNoiseGradHost(XLA_FFI_CallFrame* call_frame);

#ifdef FLATNOISE_WITH_CUDA
// The same for NVIDIA GPUs, with all buffers in device memory.
FLATNOISE_EXPORTED XLA_FFI_Error* FlatnoiseNoiseCuda(XLA_FFI_CallFrame* call_frame);
FLATNOISE_EXPORTED XLA_FFI_Error* FlatnoiseNoiseGradCuda(XLA_FFI_CallFrame* call_frame);
#endif

#undef FLATNOISE_EXPORTED

#endif  // FLATNOISE_CC_TENSORFLOW_XLA_HANDLERS_H_
