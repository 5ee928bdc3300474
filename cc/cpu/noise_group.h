// A group: the noise of enough consecutive elements to keep the CPU busy.
#ifndef FLATNOISE_CC_CPU_NOISE_GROUP_H_
#define FLATNOISE_CC_CPU_NOISE_GROUP_H_

#include <cstdint>

#include "core/lanes.h"
#include "core/philox.h"
#include "core/stream.h"
#include "core/stream_values.h"
#include "cpu/pack.h"
#include "cpu/simd_lanes.h"

namespace flatnoise::cpu {

// A chain computes a Philox block in every 64-bit lane of a vector, which gives two vectors of
// values. As many chains run in lockstep as fit in the registers.
template <class Isa, class Scalar>
struct GroupShape {
  static constexpr int kChains = Isa::kChains;
  static constexpr int kLanes = VectorLanes<Isa, Scalar>::kLanes;
  static constexpr int kChainElements = 2 * kLanes;
  static constexpr int kVectors = 2 * kChains;
  static constexpr int kElements = kVectors * kLanes;
  static constexpr int kChainBlocks = kChainElements / kValuesPerBlock<Scalar>;
  static constexpr int kBlocks = kElements / kValuesPerBlock<Scalar>;
};

// Philox keys and shared words, broadcast to every lane by a policy for words.
template <class W>
FLATNOISE_INLINE PhiloxKeys<typename W::Key> Broadcast(const PhiloxKeySchedule& keys) {
  PhiloxKeys<typename W::Key> broadcast;
  for (int i = 0; i < kPhiloxRounds; ++i) {
    for (int j = 0; j < 2; ++j) broadcast.word[i][j] = W::BroadcastKey(keys.word[i][j]);
  }
  return broadcast;
}
template <class W>
FLATNOISE_INLINE PhiloxSharedWords<typename W::Key> Broadcast(
    const PhiloxSharedWords<uint32_t>& words) {
  return {W::BroadcastKey(words.round1_word2), W::BroadcastKey(words.round2_word0),
          W::BroadcastKey(words.round2_word2), W::BroadcastKey(words.round3_word2)};
}

// Generates the groups of a stream.
template <class Isa, class Scalar, class Distribution>
class GroupNoise {
 public:
  using Shape = GroupShape<Isa, Scalar>;
  using Vector = typename VectorLanes<Isa, Scalar>::Real;

  FLATNOISE_INLINE explicit GroupNoise(const Stream& stream)
      : stream_(stream), keys_(Broadcast<W>(ScheduleKey(stream.key))) {
    const uint32_t (&last)[2] = ScheduleKey(stream.key).word[kPhiloxRounds - 1];
    for (int i = 0; i < Isa::kBytes / 8; ++i) packed_key_[i] = last[i % 2] * uint64_t{0x100000001};
    ShareUpperHalf(0);
  }

  // Generates the noise of the group that begins with this block.
  FLATNOISE_INLINE void Make(uint64_t first_block, Vector (&values)[Shape::kVectors]) {
    Make(first_block, Shape::kChainBlocks, values);
  }

  // Likewise for a group whose chains are `stride` blocks apart.
  FLATNOISE_INLINE void Make(uint64_t first_block, uint64_t stride,
                             Vector (&values)[Shape::kVectors]) {
    // The blocks of a group have the same upper half of the block number, except for a few in 2^32.
    const uint64_t length = (Shape::kChains - 1) * stride + Shape::kChainBlocks;
    if (__builtin_expect(first_block - shared_from_ > kSharing - length, 0)) {
      if ((first_block & (kSharing - 1)) > kSharing - length) {
        return MakeOneByOne(first_block, stride, values);
      }
      ShareUpperHalf(first_block >> 32);
    }
    typename L::Bits bits[2];
    MakeBits(static_cast<uint32_t>(first_block), stride, bits, Scalar{});
    typename L::Real pairs[2];
    Distribution::template Values<L>(bits, pairs, 2);
    Order<0>(pairs[0], pairs[1], values);
  }

 private:
  using U32 = typename Isa::U32;
  using U64 = typename Isa::U64;
  using L = PackLanes<VectorLanes<Isa, Scalar>, Shape::kChains>;
  using W = PackWords<WordLanes<Isa>, Shape::kChains>;
  static constexpr int kLanes128 = Isa::kBytes / 16;
  static constexpr uint64_t kSharing = uint64_t{1} << 32;

  [[gnu::noinline]] void ShareUpperHalf(uint64_t upper) {
    shared_from_ = upper << 32;
    shared_ =
        Broadcast<W>(ShareWords(BlockCounter(stream_, shared_from_), ScheduleKey(stream_.key)));
  }

  // The products of the block numbers and the multiplier. Lane j of a chain has block j / 2, plus
  // `kLanes128` if j is odd, so that two vectors come out in stream order.
  template <int n>
  FLATNOISE_INLINE static void FirstProducts(uint64_t first, uint64_t stride,
                                             Pack<U64, n>* products) {
    U64 lanes;
    for (int j = 0; j < Shape::kChainBlocks; ++j) {
      lanes[j] = uint64_t{kPhiloxMultiplier0} * static_cast<uint64_t>(j / 2 + j % 2 * kLanes128);
    }
    products->first = lanes + first;
    if constexpr (n > 1) FirstProducts(first + stride, stride, &products->rest);
  }

  FLATNOISE_INLINE PhiloxBlock<typename W::Word> Rounds(uint32_t first_block, uint64_t stride,
                                                        int last) const {
    typename W::Product products;
    FirstProducts(uint64_t{first_block} * kPhiloxMultiplier0, stride * kPhiloxMultiplier0,
                  &products);
    return PhiloxRounds<W>(PhiloxThreeRounds<W>(products, shared_, keys_), keys_, 3, last);
  }

  // Runs the last round on packed words: words 0 and 2 of every two blocks, and words 1 and 3.
  FLATNOISE_INLINE void MakeBits(uint32_t first_block, uint64_t stride, typename L::Bits (&bits)[2],
                                 float) const {
    const auto block = Rounds(first_block, stride, kPhiloxRounds - 1);
    const auto product0 = W::Multiply(block.word[0], kPhiloxMultiplier0);
    const auto product1 = W::Multiply(block.word[2], kPhiloxMultiplier1);
    const U64 key = packed_key_;
    bits[0] = Map(
        [key](U64 p1, U64 p0, U32 words) __attribute__((always_inline)) {
          return (U32)Isa::Xor((U64)Isa::UpperHalves(p1, p0), (U64)words, key);
        },
        product1, product0, W::SideBySide(block.word[1], block.word[3]));
    bits[1] =
        Map([](U64 p1, U64 p0) __attribute__((always_inline)) { return Isa::LowerHalves(p1, p0); },
            product1, product0);
  }

  FLATNOISE_INLINE void MakeBits(uint32_t first_block, uint64_t stride, typename L::Bits (&bits)[2],
                                 double) const {
    const auto block = Rounds(first_block, stride, kPhiloxRounds);
    for (int i = 0; i < 2; ++i) {
      bits[i] = W::Joined(block.word[2 * i], block.word[2 * i + 1]);
    }
  }

  template <int i, int n>
  FLATNOISE_INLINE static void Order(const Pack<Vector, n>& even, const Pack<Vector, n>& odd,
                                     Vector (&values)[Shape::kVectors]) {
    values[i] = even.first;
    values[i + 1] = odd.first;
    Isa::Order(values[i], values[i + 1]);
    if constexpr (n > 1) Order<i + 2>(even.rest, odd.rest, values);
  }

  [[gnu::noinline, gnu::cold]] void MakeOneByOne(uint64_t first_block, uint64_t stride,
                                                 Vector (&values)[Shape::kVectors]) const {
    constexpr int kInBlock = kValuesPerBlock<Scalar>;
    Scalar numbers[Shape::kElements];
    for (int i = 0; i < Shape::kBlocks; ++i) {
      const auto chain = static_cast<uint64_t>(i / Shape::kChainBlocks);
      const auto block =
          first_block + chain * stride + static_cast<uint64_t>(i % Shape::kChainBlocks);
      const auto words =
          Philox<ScalarWords>(BlockCounter(stream_, block), ScheduleKey(stream_.key));
      BlockValues<Distribution, ScalarLanes<Scalar>>(words, numbers + i * kInBlock);
    }
    for (int i = 0; i < Shape::kVectors; ++i) values[i] = Isa::Load(numbers + i * Shape::kLanes);
  }

  Stream stream_;
  PhiloxKeys<typename W::Key> keys_;
  U64 packed_key_;  // for the last round: in every 128 bits, the first word twice, then the second
  uint64_t shared_from_;
  PhiloxSharedWords<typename W::Key> shared_;
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_NOISE_GROUP_H_
