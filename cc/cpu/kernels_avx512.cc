// Built for AVX-512; called only where the processor has it.
#include "cpu/kernels_of.h"
#include "cpu/simd_avx512.h"

namespace flatnoise::cpu {

extern const Kernels kAvx512Kernels;
const Kernels kAvx512Kernels = {"avx512", KernelsOf<Avx512>::ApplyNoise,
                                KernelsOf<Avx512>::SumGradients};

}  // namespace flatnoise::cpu
