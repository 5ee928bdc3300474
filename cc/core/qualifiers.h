// How a core function is marked, so that one definition serves the host compiler and CUDA.
//
// Always inlined: a translation unit built for AVX-512 must never leave an out-of-line copy that
// the linker could pick for an older processor.
#ifndef FLATNOISE_CC_CORE_QUALIFIERS_H_
#define FLATNOISE_CC_CORE_QUALIFIERS_H_

#ifdef __CUDACC__
#define FLATNOISE_INLINE __host__ __device__ __forceinline__
#else
#define FLATNOISE_INLINE inline __attribute__((always_inline))
#endif

#endif  // FLATNOISE_CC_CORE_QUALIFIERS_H_
