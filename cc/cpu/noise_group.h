// A group: the noise of as many consecutive elements as keeps the vectors full.
#ifndef FLATNOISE_CC_CPU_NOISE_GROUP_H_
#define FLATNOISE_CC_CPU_NOISE_GROUP_H_

#include <cstdint>

#include "core/philox.h"
#include "core/stream.h"
#include "core/stream_values.h"
#include "cpu/simd_lanes.h"

namespace flatnoise::cpu {

// One vector for every value of a block.
template <class Isa, class Scalar>
struct GroupShape {
  static constexpr int kVectors = kValuesPerBlock<Scalar>;
  static constexpr int kLanes = VectorLanes<Isa, Scalar>::kLanes;
  static constexpr int kElements = kVectors * kLanes;
  static constexpr int kBlocks = kElements / kValuesPerBlock<Scalar>;
};

// Makes groups of a stream. Every 64-bit lane of a vector computes one block; which one is chosen
// so that a transpose within 128-bit lanes leaves the values in the stream's order.
template <class Isa, class Scalar, class Distribution>
class GroupNoise {
 public:
  using L = VectorLanes<Isa, Scalar>;
  using Real = typename L::Real;
  using Shape = GroupShape<Isa, Scalar>;

  FLATNOISE_INLINE explicit GroupNoise(const Stream& stream)
      : keys_(ScheduleKey(stream.key)),
        high0_(Isa::BroadcastWord(stream.high[0])),
        high1_(Isa::BroadcastWord(stream.high[1])) {}

  // The noise of the group that begins with this block.
  FLATNOISE_INLINE void Make(uint64_t first_block, Real (&values)[Shape::kVectors]) const {
    Make(first_block, values, Scalar{});
  }

 private:
  using U64 = typename Isa::U64;
  static constexpr int kPieces = Isa::kBytes / 16;  // 128-bit lanes of a vector

  FLATNOISE_INLINE void Make(uint64_t first_block, Real (&values)[4], float) const {
    const auto even = Words(first_block, 2 * kPieces);
    const auto odd = Words(first_block + kPieces, 2 * kPieces);
    typename L::Bits bits[4];
    for (int i = 0; i < 4; ++i) bits[i] = Isa::Interleave(even.word[i], odd.word[i]);
    Distribution::template Values<L>(bits, values, 4);
    Isa::Transpose(values);
  }

  FLATNOISE_INLINE void Make(uint64_t first_block, Real (&values)[2], double) const {
    const auto words = Words(first_block, kPieces);
    typename L::Bits bits[2];
    for (int i = 0; i < 2; ++i) {
      bits[i] = words.word[2 * i] << 32 | (words.word[2 * i + 1] & 0xFFFFFFFF);
    }
    Distribution::template Values<L>(bits, values, 2);
    Isa::Transpose(values);
  }

  // The words of block first + odd_stride (j % 2) + j / 2 in lane j.
  FLATNOISE_INLINE PhiloxBlock<U64> Words(uint64_t first, uint64_t odd_stride) const {
    U64 block;
    for (int j = 0; j < kPieces * 2; ++j) {
      block[j] = odd_stride * static_cast<uint64_t>(j % 2) + static_cast<uint64_t>(j / 2);
    }
    block += first;
    return Philox<WordLanes<Isa>>({{block, block >> 32, high0_, high1_}}, keys_);
  }

  PhiloxKeySchedule keys_;
  U64 high0_;
  U64 high1_;
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_NOISE_GROUP_H_
