// Maps elements to random words: the stream of the `tf.random.stateless_*` ops with `alg="philox"`.
//
// A seed selects a stream. It is two integers, or the state of a generator that draws such pairs.
#ifndef FLATNOISE_CC_CORE_STREAM_H_
#define FLATNOISE_CC_CORE_STREAM_H_

#include <cstdint>

#include "core/lanes.h"
#include "core/philox.h"
#include "core/qualifiers.h"

namespace flatnoise {

// Block g of a stream is Philox applied to the counter (lo g, hi g, high[0], high[1]) and the key.
struct Stream {
  PhiloxKey key;
  uint32_t high[2];
};

// TensorFlow's conversion of a seed pair: one Philox block scrambles the pair. Its first half
// becomes the key, its second half the upper half of the counter.
template <class W = ScalarWords>
FLATNOISE_INLINE Stream StreamFromSeed(uint64_t seed0, uint64_t seed1) {
  constexpr PhiloxKey kScrambleKey = {{0x3EC8F720, 0x02461E29}};
  const PhiloxCounter seed = {{static_cast<uint32_t>(seed0), static_cast<uint32_t>(seed0 >> 32),
                               static_cast<uint32_t>(seed1), static_cast<uint32_t>(seed1 >> 32)}};
  const auto mixed = Philox<W>(seed, ScheduleKey(kScrambleKey));
  return {{{mixed.word[0], mixed.word[1]}}, {mixed.word[2], mixed.word[3]}};
}

// The representation of a seed in memory: two int32 or int64 integers, or a generator's state.
enum class SeedType { kInt32Pair, kInt64Pair, kState };

// The number of integers in a seed.
inline constexpr int kPairSize = 2, kStateSize = 3;

namespace internal {

// Keras's reduction of a seed: the floored remainder modulo 2^31 - 2.
FLATNOISE_INLINE uint64_t DrawnValue(int64_t value) {
  constexpr int64_t kModulus = INT32_MAX - 1;
  const int64_t remainder = value % kModulus;
  return static_cast<uint64_t>(remainder < 0 ? remainder + kModulus : remainder);
}

template <class W, class Int>
FLATNOISE_INLINE Stream StreamFromPair(const void* seed) {
  const auto* pair = static_cast<const Int*>(seed);
  return StreamFromSeed<W>(static_cast<uint64_t>(int64_t{pair[0]}),
                           static_cast<uint64_t>(int64_t{pair[1]}));
}

}  // namespace internal

// The stream for the pair that a generator in this state draws: its seed and the number of previous
// draws. The state is that of a `tf.random.Generator` with the Philox algorithm: the two words of a
// counter, which each draw increments by 256, and the seed.
template <class W = ScalarWords>
FLATNOISE_INLINE Stream StreamFromState(const int64_t* state) {
  return StreamFromSeed<W>(internal::DrawnValue(state[2]), internal::DrawnValue(state[0] >> 8));
}

// Each case creates its own stream. If the code selected the pair first and then created the
// stream, nvcc wouldn't use uniform registers, and the kernels would need 24 more regular
// registers.
template <class W = ScalarWords>
FLATNOISE_INLINE Stream ReadStream(const void* seed, SeedType type) {
  if (type == SeedType::kState) return StreamFromState<W>(static_cast<const int64_t*>(seed));
  if (type == SeedType::kInt64Pair) return internal::StreamFromPair<W, int64_t>(seed);
  return internal::StreamFromPair<W, int32_t>(seed);
}

FLATNOISE_INLINE PhiloxCounter BlockCounter(const Stream& stream, uint64_t block) {
  return Advance({{0, 0, stream.high[0], stream.high[1]}}, block);
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_STREAM_H_
