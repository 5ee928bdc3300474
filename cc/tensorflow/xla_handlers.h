// Entry points that XLA's compiled code calls, in XLA's foreign function interface: defined in the
// op library, registered by the library of XLA kernels.
#ifndef FLATNOISE_CC_TENSORFLOW_XLA_HANDLERS_H_
#define FLATNOISE_CC_TENSORFLOW_XLA_HANDLERS_H_

#include "xla/ffi/api/c_api.h"

#define FLATNOISE_EXPORTED extern "C" __attribute__((visibility("default")))

// Inputs 0 to 4 of FlattenAddNoise and FlattenMultiplyNoise; the output. Attributes distribution,
// features, combination, validate_args.
FLATNOISE_EXPORTED XLA_FFI_Error* FlatnoiseApplyNoiseHost(XLA_FFI_CallFrame* call_frame);

// Inputs 0 to 4 of FlattenAddNoiseGrad; both gradients. Attributes distribution, features.
FLATNOISE_EXPORTED XLA_FFI_Error* FlatnoiseSumGradientsHost(XLA_FFI_CallFrame* call_frame);

#ifdef FLATNOISE_WITH_CUDA
// The same on NVIDIA GPUs, with every buffer in the device's memory.
FLATNOISE_EXPORTED XLA_FFI_Error* FlatnoiseApplyNoiseCuda(XLA_FFI_CallFrame* call_frame);
FLATNOISE_EXPORTED XLA_FFI_Error* FlatnoiseSumGradientsCuda(XLA_FFI_CallFrame* call_frame);
#endif

#undef FLATNOISE_EXPORTED

#endif  // FLATNOISE_CC_TENSORFLOW_XLA_HANDLERS_H_
