// Compiled once for each instruction set, with its compiler flags; called only where the processor
// has it.
#ifndef FLATNOISE_INSTRUCTION_SET
#define FLATNOISE_INSTRUCTION_SET sse2
#endif

#define FLATNOISE_TEXT_OF(x) #x
#define FLATNOISE_TEXT(x) FLATNOISE_TEXT_OF(x)
#define FLATNOISE_JOIN_OF(a, b) a##b
#define FLATNOISE_JOIN(a, b) FLATNOISE_JOIN_OF(a, b)
#define FLATNOISE_INCLUDE(name) FLATNOISE_TEXT(cpu / FLATNOISE_JOIN(simd_, name).h)

#include FLATNOISE_INCLUDE(FLATNOISE_INSTRUCTION_SET)

#include "cpu/kernels.h"

namespace flatnoise::cpu::FLATNOISE_INSTRUCTION_SET {

extern const Kernels kKernels;
const Kernels kKernels = {FLATNOISE_TEXT(FLATNOISE_INSTRUCTION_SET), KernelsOf<Simd>::ApplyNoise,
                          KernelsOf<Simd>::SumGradients};

}  // namespace flatnoise::cpu::FLATNOISE_INSTRUCTION_SET
