// What the library has for NVIDIA GPUs, and whether the machine's GPUs and driver can run it.
#ifndef FLATNOISE_CC_TENSORFLOW_CUDA_FACTS_H_
#define FLATNOISE_CC_TENSORFLOW_CUDA_FACTS_H_

#include "absl/status/status.h"

#define FLATNOISE_EXPORTED extern "C" __attribute__((visibility("default")))

// Three questions that Python asks through ctypes; no C++ type crosses that border.

// The toolkit's version as CUDA writes it, 13000 for 13.0; 0 in a library without CUDA kernels.
FLATNOISE_EXPORTED int FlatnoiseCudaVersion();

// The architectures that the library has code for, as CMake names them: "75-real,90,100-real". One
// without "-real" has PTX too, from which drivers make code for newer GPUs.
FLATNOISE_EXPORTED const char* FlatnoiseCudaArchitectures();

// Why the kernels can't run on the device of this number; an empty string where they can. The
// string lives until the thread asks again.
FLATNOISE_EXPORTED const char* FlatnoiseCudaProblem(int device);

#undef FLATNOISE_EXPORTED

#endif  // FLATNOISE_CC_TENSORFLOW_CUDA_FACTS_H_
