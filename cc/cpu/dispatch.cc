#include "cpu/dispatch.h"

#include <cstdio>
#include <cstdlib>

namespace flatnoise::cpu {

extern const Kernels kBaselineKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

namespace {

bool HasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

bool HasAvx512() {
  return HasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

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
  if (HasAvx512()) kernels.push_back(&kAvx512Kernels);
  if (HasAvx2()) kernels.push_back(&kAvx2Kernels);
  kernels.push_back(&kBaselineKernels);
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
