// The library's support for NVIDIA GPUs, and whether the machine's GPUs and driver can run its
// kernels.
#ifndef FLATNOISE_CC_TENSORFLOW_CUDA_FACTS_H_
#define FLATNOISE_CC_TENSORFLOW_CUDA_FACTS_H_

#include "absl/status/status.h"

#define FLATNOISE_EXPORTED extern "C" __attribute__((visibility("default")))

// Python calls these functions through ctypes, so they use only C types.

// The toolkit's version in CUDA's format, such as 13000 for 13.0, or 0 without CUDA kernels.
FLATNOISE_EXPORTED int FlatnoiseCudaVersion();

// The library's architectures in CMake's notation, such as "75-real,90,100-real". An architecture
// without "-real" includes PTX, which drivers can compile for newer GPUs.
FLATNOISE_EXPORTED const char* FlatnoiseCudaArchitectures();

// Why the kernels can't run on this device, or an empty string if they can. The string is valid
// until the thread's next call.
FLATNOISE_EXPORTED const char* FlatnoiseCudaProblem(int device);

#undef FLATNOISE_EXPORTED

#endif  // FLATNOISE_CC_TENSORFLOW_CUDA_FACTS_H_
