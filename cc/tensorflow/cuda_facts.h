// The library's support for NVIDIA GPUs, and whether the machine's GPUs and driver can run its
// kernels.
#ifndef FLATNOISE_CC_TENSORFLOW_CUDA_FACTS_H_
#define FLATNOISE_CC_TENSORFLOW_CUDA_FACTS_H_

#include "core/export.h"

// Python calls these functions through ctypes, so they use only C types.

// The toolkit's version in CUDA's format, such as 13000 for 13.0, or 0 without CUDA kernels.
extern "C" FLATNOISE_EXPORT int FlatnoiseCudaVersion();

// The kernels' architectures in CMake's notation, such as "75-real,90,100-real", or "".
extern "C" FLATNOISE_EXPORT const char* FlatnoiseCudaArchitectures();

// Why the kernels can't run on this device, or an empty string if they can. The string is valid
// until the thread's next call.
extern "C" FLATNOISE_EXPORT const char* FlatnoiseCudaProblem(int device);

#endif  // FLATNOISE_CC_TENSORFLOW_CUDA_FACTS_H_
