// The inner part of the forward loop between llvm-mca's marks, for tools/loop_cycles.py.
#include "cpu/base_set.h"

#ifndef FLATNOISE_INSTRUCTION_SET
#define FLATNOISE_INSTRUCTION_SET FLATNOISE_BASE_SET
#endif
#define FLATNOISE_TEXT_OF(x) #x
// clang-format off: it would insert a space, which would become part of the name.
#define FLATNOISE_HEADER_OF(name) FLATNOISE_TEXT_OF(cpu/simd_##name.h)
// clang-format on
#define FLATNOISE_HEADER(name) FLATNOISE_HEADER_OF(name)

#include FLATNOISE_HEADER(FLATNOISE_INSTRUCTION_SET)

#include "core/combinations.h"
#include "core/distributions.h"
#include "cpu/noise_group.h"

namespace flatnoise::cpu {

using Isa = FLATNOISE_INSTRUCTION_SET::Simd;

template <class T, class Distribution>
[[gnu::noinline]] void AddNoise(const Stream& stream, const float* parameters, const T* input,
                                T* output, uint64_t groups) {
  using L = VectorLanes<Isa, float>;
  using Shape = GroupShape<Isa, float>;
  GroupNoise<Isa, float, Distribution> noise(stream);
  const L::Real p[2] = {L::Broadcast(parameters[0]), L::Broadcast(parameters[1])};
  for (uint64_t group = 0; group < groups; ++group) {
    asm volatile("# LLVM-MCA-BEGIN %c0" : : "i"(Shape::kElements));
    L::Real z[Shape::kVectors];
    noise.Make(group * Shape::kBlocks, z);
    for (int i = 0; i < Shape::kVectors; i += 2) {
      const auto first = Add::Apply<L>(Isa::Load(input + i * L::kLanes), p, z[i]);
      const auto second = Add::Apply<L>(Isa::Load(input + (i + 1) * L::kLanes), p, z[i + 1]);
      Isa::Store(output + i * L::kLanes, first, second);
    }
    input += Shape::kElements;
    output += Shape::kElements;
    asm volatile("# LLVM-MCA-END" : :);
  }
}

template void AddNoise<FLATNOISE_ELEMENT, FLATNOISE_DISTRIBUTION>(const Stream&, const float*,
                                                                  const FLATNOISE_ELEMENT*,
                                                                  FLATNOISE_ELEMENT*, uint64_t);

}  // namespace flatnoise::cpu
