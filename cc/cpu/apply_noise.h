// The forward pass on the CPU.
#ifndef FLATNOISE_CC_CPU_APPLY_NOISE_H_
#define FLATNOISE_CC_CPU_APPLY_NOISE_H_

#include <cstdint>

#include "core/export.h"
#include "cpu/dispatch.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

// The recommended sharding: shard i has the elements whose position in the stream, offset + index,
// is in [i, i + 1) times kShardElements, counted from the shard of the first element. Results don't
// depend on how shards are grouped or which thread runs them.
inline constexpr int64_t kShardElements = 8192;
FLATNOISE_EXPORT int64_t CountShards(const ApplyNoiseTask& task, int64_t elements);

// The approximate time per shard in nanoseconds, as a cost estimate for schedulers.
FLATNOISE_EXPORT int64_t ShardNanoseconds(const Noise& noise);

// Runs shards first to last (exclusive) of a task with `elements` elements.
FLATNOISE_EXPORT void ApplyNoiseShards(const ApplyNoiseTask& task, int64_t elements, int64_t first,
                                       int64_t last, const Kernels& kernels = ActiveKernels());

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_APPLY_NOISE_H_
