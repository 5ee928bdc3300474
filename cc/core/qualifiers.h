// How a core function is marked, so that one definition serves the host compiler and CUDA.
//
// Always inlined: a translation unit built for AVX-512 must never leave an out-of-line copy that
// the linker could pick for an older processor.
#ifndef FLATNOISE_CC_CORE_QUALIFIERS_H_
#define FLATNOISE_CC_CORE_QUALIFIERS_H_

// For the host alone: code that chooses kernels.
#define FLATNOISE_HOST_INLINE inline __attribute__((always_inline))

#ifdef __CUDACC__
#define FLATNOISE_INLINE __host__ __device__ __forceinline__
#else
#define FLATNOISE_INLINE FLATNOISE_HOST_INLINE
#endif

#endif  // FLATNOISE_CC_CORE_QUALIFIERS_H_
