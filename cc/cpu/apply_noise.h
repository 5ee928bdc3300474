// The forward pass on the CPU.
#ifndef FLATNOISE_CC_CPU_APPLY_NOISE_H_
#define FLATNOISE_CC_CPU_APPLY_NOISE_H_

#include <cstdint>

#include "cpu/dispatch.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

// How elements are best shared out: shard i holds those whose position in the stream, offset +
// index, lies in [i, i + 1) times kShardElements, counted from the shard of the first element. The
// result does not depend on how shards are grouped, nor on which thread runs them.
inline constexpr int64_t kShardElements = 8192;
int64_t CountShards(const ApplyNoiseTask& task, int64_t elements);

// About how many nanoseconds a shard takes: what a scheduler wants to know.
int64_t ShardNanoseconds(const Noise& noise);

// Runs shards first to last (exclusive) of a task of so many elements.
void ApplyNoiseShards(const ApplyNoiseTask& task, int64_t elements, int64_t first, int64_t last,
                      const Kernels& kernels = ActiveKernels());

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_APPLY_NOISE_H_
