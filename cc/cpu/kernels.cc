// Compiled once per instruction set, with its compiler flags. Called only if the CPU supports it.
#include "cpu/base_set.h"

#ifndef FLATNOISE_INSTRUCTION_SET
#define FLATNOISE_INSTRUCTION_SET FLATNOISE_BASE_SET
#endif

#define FLATNOISE_TEXT_OF(x) #x
#define FLATNOISE_TEXT(x) FLATNOISE_TEXT_OF(x)
// clang-format off: it would insert a space, which would become part of the name.
#define FLATNOISE_HEADER_OF(name) FLATNOISE_TEXT_OF(cpu/simd_##name.h)
// clang-format on
#define FLATNOISE_HEADER(name) FLATNOISE_HEADER_OF(name)

#include FLATNOISE_HEADER(FLATNOISE_INSTRUCTION_SET)

#include "cpu/kernels.h"

namespace flatnoise::cpu::FLATNOISE_INSTRUCTION_SET {

extern const Kernels kKernels;
const Kernels kKernels = {FLATNOISE_TEXT(FLATNOISE_INSTRUCTION_SET), KernelsOf<Simd>::ApplyNoise,
                          KernelsOf<Simd>::SumGradients};

}  // namespace flatnoise::cpu::FLATNOISE_INSTRUCTION_SET
