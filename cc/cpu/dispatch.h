// The kernels for this CPU.
#ifndef FLATNOISE_CC_CPU_DISPATCH_H_
#define FLATNOISE_CC_CPU_DISPATCH_H_

#include <string>
#include <vector>

#include "cpu/tasks.h"

namespace flatnoise::cpu {

// The environment variable that names the instruction set to use, such as "avx2" or "neon".
inline constexpr char kInstructionSetVariable[] = "FLATNOISE_INSTRUCTION_SET";

// The kernels this CPU can run, the fastest first.
std::vector<const Kernels*> SupportedKernels();

// The kernels named `name`, or null where this CPU has none of that name.
const Kernels* FindKernels(const std::string& name);

// The kernels in use: those that the environment variable names, where the CPU has them, else
// the fastest. Decided at the first call.
const Kernels& ActiveKernels();

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_DISPATCH_H_
