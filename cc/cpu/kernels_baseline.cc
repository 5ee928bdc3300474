// Built for SSE2; called only where the processor has it.
#include "cpu/kernels_of.h"
#include "cpu/simd_baseline.h"

namespace flatnoise::cpu {

extern const Kernels kBaselineKernels;
const Kernels kBaselineKernels = {"baseline", KernelsOf<Baseline>::ApplyNoise,
                                  KernelsOf<Baseline>::SumGradients};

}  // namespace flatnoise::cpu
