// What binds the ops inside XLA to the devices that it compiles for: targets by which XLA finds the
// calls' handlers, and registrations. The tests have others than the op library.
#ifndef FLATNOISE_CC_TENSORFLOW_XLA_DEVICES_H_
#define FLATNOISE_CC_TENSORFLOW_XLA_DEVICES_H_

#include "xla/ffi/api/c_api.h"

namespace xla::ffi {

// As xla/ffi/ffi_api.h declares it, which can't be included: it wants headers that TensorFlow's
// wheels do not carry.
const XLA_FFI_Api* GetXlaFfiApi();

}  // namespace xla::ffi

namespace flatnoise {

// Of the calls that the kernels make. Defined beside the handlers' registrations.
extern const char kNoiseTarget[];
extern const char kNoiseGradTarget[];

// Registers the ops' kernels for a device of XLA's; an empty label is that of kernels that are
// taken unasked.
void RegisterXlaKernels(const char* device, const char* label);

// Likewise of the op on bytes, for which CPUs alone have loops.
void RegisterXlaKernelOfBytes(const char* device);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_XLA_DEVICES_H_
