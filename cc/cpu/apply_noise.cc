#include "cpu/apply_noise.h"

#include <algorithm>

#include "cpu/float_environment.h"

namespace flatnoise::cpu {
namespace {

int64_t PastShard(const ApplyNoiseTask& task) {
  return static_cast<int64_t>(task.offset % kShardElements);
}

}  // namespace

int64_t CountShards(const ApplyNoiseTask& task, int64_t elements) {
  if (elements == 0) return 0;
  return (PastShard(task) + elements + kShardElements - 1) / kShardElements;
}

int64_t ShardNanoseconds(const Noise& noise) {
  return Visit(noise.distribution, [](auto distribution) -> int64_t {
    return kShardElements * decltype(distribution)::type::kPicosecondsPerElement / 1000;
  });
}

void ApplyNoiseShards(const ApplyNoiseTask& task, int64_t elements, int64_t first, int64_t last,
                      const Kernels& kernels) {
  const IeeeArithmetic guard;
  const int64_t shift = PastShard(task);
  const int64_t begin = std::max<int64_t>(first * kShardElements - shift, 0);
  const int64_t end = std::min(last * kShardElements - shift, elements);
  if (begin < end) kernels.apply_noise(task, begin, end);
}

}  // namespace flatnoise::cpu
