#include "cpu/dispatch.h"

#include <cstdio>
#include <cstdlib>

#include "cpu/base_set.h"

// The instruction sets that the build compiles kernels for, fastest first, each as SET(name,
// HAS(feature) HAS(feature) ...). Without a list, there is only the base set.
#ifndef FLATNOISE_INSTRUCTION_SETS
#define FLATNOISE_INSTRUCTION_SETS SET(FLATNOISE_BASE_SET, )
#endif

namespace flatnoise::cpu {

#define SET(name, features)      \
  namespace name {               \
  extern const Kernels kKernels; \
  }
FLATNOISE_INSTRUCTION_SETS
#undef SET

namespace {

const Kernels& ChooseKernels() {
  const Kernels& fastest = *SupportedKernels().front();
  const char* wanted = std::getenv(kInstructionSetVariable);
  if (wanted == nullptr || *wanted == '\0') return fastest;
  const Kernels* kernels = FindKernels(wanted);
  if (kernels != nullptr) return *kernels;
  std::fprintf(stderr, "flatnoise: %s=%s names no instruction set of this processor; using %s\n",
               kInstructionSetVariable, wanted, fastest.name);
  return fastest;
}

}  // namespace

std::vector<const Kernels*> SupportedKernels() {
  std::vector<const Kernels*> kernels;
#define HAS(feature) &&__builtin_cpu_supports(#feature)
#define SET(name, features) \
  if (true features) kernels.push_back(&name::kKernels);
  FLATNOISE_INSTRUCTION_SETS
#undef SET
#undef HAS
  return kernels;
}

const Kernels* FindKernels(const std::string& name) {
  for (const Kernels* kernels : SupportedKernels()) {
    if (name == kernels->name) return kernels;
  }
  return nullptr;
}

const Kernels& ActiveKernels() {
  static const Kernels& kernels = ChooseKernels();
  return kernels;
}

}  // namespace flatnoise::cpu
