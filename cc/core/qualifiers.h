// Function qualifiers that let the host compiler and CUDA share definitions.
//
// Always inlined: otherwise, the linker could pick an out-of-line copy from a translation unit
// built for AVX-512 and run it on an older CPU.
#ifndef FLATNOISE_CC_CORE_QUALIFIERS_H_
#define FLATNOISE_CC_CORE_QUALIFIERS_H_

// For host-only code, which selects kernels.
#define FLATNOISE_HOST_INLINE inline __attribute__((always_inline))

#ifdef __CUDACC__
#define FLATNOISE_INLINE __host__ __device__ __forceinline__
#else
#define FLATNOISE_INLINE FLATNOISE_HOST_INLINE
#endif

// For device code. On the host, only tests run it, and inlining everything would take the compiler
// minutes.
#ifdef __CUDACC__
#define FLATNOISE_DEVICE_INLINE FLATNOISE_INLINE
#else
#define FLATNOISE_DEVICE_INLINE inline
#endif

#endif  // FLATNOISE_CC_CORE_QUALIFIERS_H_
