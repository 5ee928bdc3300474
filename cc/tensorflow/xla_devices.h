// Connects the ops inside XLA to devices: the target names of the calls' handlers, and the
// registrations. The tests use other targets and registrations than the op library.
#ifndef FLATNOISE_CC_TENSORFLOW_XLA_DEVICES_H_
#define FLATNOISE_CC_TENSORFLOW_XLA_DEVICES_H_

#include "xla/ffi/api/c_api.h"

namespace xla::ffi {

// Declared as in xla/ffi/ffi_api.h, which can't be included because it needs headers that
// TensorFlow's wheels don't contain.
const XLA_FFI_Api* GetXlaFfiApi();

}  // namespace xla::ffi

namespace flatnoise {

// The targets of the kernels' calls. Defined next to the handlers' registrations.
extern const char kNoiseTarget[];
extern const char kNoiseGradTarget[];

// Registers the ops' kernels for an XLA device. Kernels with an empty label are used by default.
void RegisterXlaKernels(const char* device, const char* label);

// Likewise for the op on uint8 inputs, which only CPUs support.
void RegisterXlaKernelOfBytes(const char* device);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_XLA_DEVICES_H_
