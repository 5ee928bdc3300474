// Built for AVX2, FMA and F16C; called only where the processor has it.
#include "cpu/kernels_of.h"
#include "cpu/simd_avx2.h"

namespace flatnoise::cpu {

extern const Kernels kAvx2Kernels;
const Kernels kAvx2Kernels = {"avx2", KernelsOf<Avx2>::ApplyNoise, KernelsOf<Avx2>::SumGradients};

}  // namespace flatnoise::cpu
