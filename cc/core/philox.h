// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel random
// numbers: as easy as 1, 2, 3" (SC 2011): a pure function from (counter, key) to four random words.
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

// Four words: a counter before, random words after the rounds.
template <class Word>
struct PhiloxBlock {
  Word word[kPhiloxWords];
};

using PhiloxCounter = PhiloxBlock<uint32_t>;

// The two key words of every round.
struct PhiloxKeySchedule {
  uint32_t word[kPhiloxRounds][2];
};

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

template <class W>
FLATNOISE_INLINE PhiloxBlock<typename W::Word> PhiloxRound(
    const PhiloxBlock<typename W::Word>& block, const uint32_t (&key)[2]) {
  constexpr uint32_t kMultiplier0 = 0xD2511F53;
  constexpr uint32_t kMultiplier1 = 0xCD9E8D57;
  const auto product0 = W::Multiply(block.word[0], kMultiplier0);
  const auto product1 = W::Multiply(block.word[2], kMultiplier1);
  return {{W::Xor(W::High(product1), block.word[1], key[0]), W::Low(product1),
           W::Xor(W::High(product0), block.word[3], key[1]), W::Low(product0)}};
}

template <class W>
FLATNOISE_INLINE PhiloxBlock<typename W::Word> Philox(PhiloxBlock<typename W::Word> block,
                                                      const PhiloxKeySchedule& key) {
  for (int round = 0; round < kPhiloxRounds; ++round)
    block = PhiloxRound<W>(block, key.word[round]);
  return block;
}

// The counter `blocks` further on, a 128-bit sum that wraps.
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
