// The counter-based generator Philox4x32-10, a pure function from (counter, key) to four random
// words (Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
#ifndef FLATNOISE_CC_CORE_PHILOX_H_
#define FLATNOISE_CC_CORE_PHILOX_H_

#include <cstdint>

#include "core/lanes.h"
#include "core/qualifiers.h"

namespace flatnoise {

inline constexpr int kPhiloxRounds = 10;
inline constexpr int kPhiloxWords = 4;

struct PhiloxKey {
  uint32_t word[2];
};

// Four words: a counter before the rounds, random words after them.
template <class Word>
struct PhiloxBlock {
  Word word[kPhiloxWords];
};

using PhiloxCounter = PhiloxBlock<uint32_t>;

// The two key words of every round, in the type that words combine with.
template <class Key>
struct PhiloxKeys {
  Key word[kPhiloxRounds][2];
};

using PhiloxKeySchedule = PhiloxKeys<uint32_t>;

FLATNOISE_INLINE PhiloxKeySchedule ScheduleKey(PhiloxKey key) {
  constexpr uint32_t kWeyl0 = 0x9E3779B9;  // the golden ratio
  constexpr uint32_t kWeyl1 = 0xBB67AE85;  // sqrt(3) - 1
  PhiloxKeySchedule schedule{};
  for (int round = 0; round < kPhiloxRounds; ++round) {
    schedule.word[round][0] = key.word[0] + static_cast<uint32_t>(round) * kWeyl0;
    schedule.word[round][1] = key.word[1] + static_cast<uint32_t>(round) * kWeyl1;
  }
  return schedule;
}

inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53;
inline constexpr uint32_t kPhiloxMultiplier1 = 0xCD9E8D57;

template <class W>
FLATNOISE_INLINE PhiloxBlock<typename W::Word> PhiloxRound(
    const PhiloxBlock<typename W::Word>& block, const typename W::Key (&key)[2]) {
  const auto product0 = W::Multiply(block.word[0], kPhiloxMultiplier0);
  const auto product1 = W::Multiply(block.word[2], kPhiloxMultiplier1);
  return {{W::Xor(W::High(product1), block.word[1], key[0]), W::Low(product1),
           W::Xor(W::High(product0), block.word[3], key[1]), W::Low(product0)}};
}

// Runs rounds first to last (exclusive).
template <class W>
FLATNOISE_INLINE PhiloxBlock<typename W::Word> PhiloxRounds(PhiloxBlock<typename W::Word> block,
                                                            const PhiloxKeys<typename W::Key>& key,
                                                            int first, int last) {
  for (int round = first; round < last; ++round) block = PhiloxRound<W>(block, key.word[round]);
  return block;
}

template <class W>
FLATNOISE_INLINE PhiloxBlock<typename W::Word> Philox(const PhiloxBlock<typename W::Word>& block,
                                                      const PhiloxKeys<typename W::Key>& key) {
  return PhiloxRounds<W>(block, key, 0, kPhiloxRounds);
}

// The intermediate results of the first two rounds that are the same for all counters with the same
// upper half.
template <class Key>
struct PhiloxUpperHalf {
  Key round1_word0, round1_word2, round2_word0;
};

FLATNOISE_INLINE PhiloxUpperHalf<uint32_t> ShareUpperHalf(const uint32_t (&high)[2],
                                                          const PhiloxKeySchedule& key) {
  const uint64_t product1 = uint64_t{high[0]} * kPhiloxMultiplier1;
  return {static_cast<uint32_t>(product1 >> 32) ^ key.word[0][0], high[1] ^ key.word[0][1],
          static_cast<uint32_t>(product1) ^ key.word[1][0]};
}

// The block after two rounds, from the lower half of its counter.
template <class W>
FLATNOISE_INLINE PhiloxBlock<typename W::Word> PhiloxTwoRounds(
    typename W::Word low0, typename W::Word low1, const PhiloxUpperHalf<typename W::Key>& shared,
    const PhiloxKeys<typename W::Key>& key) {
  const auto product0 = W::Multiply(low0, kPhiloxMultiplier0);
  const auto next0 = W::Multiply(W::Xor(low1, shared.round1_word0), kPhiloxMultiplier0);
  const auto next1 =
      W::Multiply(W::Xor(W::High(product0), shared.round1_word2), kPhiloxMultiplier1);
  return {{W::Xor(W::High(next1), shared.round2_word0), W::Low(next1),
           W::Xor(W::High(next0), W::Low(product0), key.word[1][1]), W::Low(next0)}};
}

// The intermediate results of the first three rounds that are the same for all counters that differ
// only in their first word.
template <class Key>
struct PhiloxSharedWords {
  Key round1_word2, round2_word0, round2_word2, round3_word2;
};

FLATNOISE_INLINE PhiloxSharedWords<uint32_t> ShareWords(const PhiloxCounter& counter,
                                                        const PhiloxKeySchedule& key) {
  const auto upper = ShareUpperHalf({counter.word[2], counter.word[3]}, key);
  const uint64_t product0 = uint64_t{upper.round1_word0 ^ counter.word[1]} * kPhiloxMultiplier0;
  return {upper.round1_word2, upper.round2_word0,
          static_cast<uint32_t>(product0 >> 32) ^ key.word[1][1],
          static_cast<uint32_t>(product0) ^ key.word[2][1]};
}

// The block after three rounds, from the product of the counter's first word and the multiplier.
// Four multiplications suffice instead of seven, and an addition gives the product for the next
// counter.
template <class W>
FLATNOISE_INLINE PhiloxBlock<typename W::Word> PhiloxThreeRounds(
    const typename W::Product& first_product, const PhiloxSharedWords<typename W::Key>& shared,
    const PhiloxKeys<typename W::Key>& key) {
  const auto product1 =
      W::Multiply(W::Xor(W::High(first_product), shared.round1_word2), kPhiloxMultiplier1);
  const auto word0 = W::Xor(W::High(product1), shared.round2_word0);
  const auto word2 = W::Xor(W::Low(first_product), shared.round2_word2);
  const auto next0 = W::Multiply(word0, kPhiloxMultiplier0);
  const auto next1 = W::Multiply(word2, kPhiloxMultiplier1);
  return {{W::Xor(W::High(next1), W::Low(product1), key.word[2][0]), W::Low(next1),
           W::Xor(W::High(next0), shared.round3_word2), W::Low(next0)}};
}

// Advances a counter by `blocks`, with 128-bit wraparound.
FLATNOISE_INLINE PhiloxCounter Advance(PhiloxCounter counter, uint64_t blocks) {
  const uint64_t low = counter.word[0] | uint64_t{counter.word[1]} << 32;
  const uint64_t high = counter.word[2] | uint64_t{counter.word[3]} << 32;
  const uint64_t new_low = low + blocks;
  const uint64_t new_high = high + (new_low < low ? 1 : 0);
  return {{static_cast<uint32_t>(new_low), static_cast<uint32_t>(new_low >> 32),
           static_cast<uint32_t>(new_high), static_cast<uint32_t>(new_high >> 32)}};
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_PHILOX_H_
