// The kernels for this CPU.
#ifndef FLATNOISE_CC_CPU_DISPATCH_H_
#define FLATNOISE_CC_CPU_DISPATCH_H_

#include <string>
#include <vector>

#include "core/export.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

// The environment variable for the instruction set to use, such as "avx2" or "neon".
inline constexpr char kInstructionSetVariable[] = "FLATNOISE_INSTRUCTION_SET";

// The kernels that this CPU can run, fastest first.
FLATNOISE_EXPORT std::vector<const Kernels*> SupportedKernels();

// The kernels with this name, or null if this CPU can't run them or they don't exist.
FLATNOISE_EXPORT const Kernels* FindKernels(const std::string& name);

// The kernels in use: those named by the environment variable if this CPU can run them, else the
// fastest. The first call decides.
FLATNOISE_EXPORT const Kernels& ActiveKernels();

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_DISPATCH_H_
