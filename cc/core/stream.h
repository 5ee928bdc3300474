// Which random words belong to which element: the stream of TensorFlow's `tf.random.stateless_*`
// ops with `alg="philox"`.
#ifndef FLATNOISE_CC_CORE_STREAM_H_
#define FLATNOISE_CC_CORE_STREAM_H_

#include <cstdint>

#include "core/lanes.h"
#include "core/philox.h"
#include "core/qualifiers.h"

namespace flatnoise {

// Block g of a stream is Philox of the counter (lo g, hi g, high[0], high[1]) under the key.
struct Stream {
  PhiloxKey key;
  uint32_t high[2];
};

// TensorFlow's rule for a seed pair: the pair is scrambled by one Philox block, whose first half
// becomes the key and whose second half the upper half of the counter.
FLATNOISE_INLINE Stream StreamFromSeed(uint64_t seed0, uint64_t seed1) {
  constexpr PhiloxKey kScrambleKey = {{0x3EC8F720, 0x02461E29}};
  const PhiloxCounter seed = {{static_cast<uint32_t>(seed0), static_cast<uint32_t>(seed0 >> 32),
                               static_cast<uint32_t>(seed1), static_cast<uint32_t>(seed1 >> 32)}};
  const auto mixed = Philox<ScalarWords>(seed, ScheduleKey(kScrambleKey));
  return {{{mixed.word[0], mixed.word[1]}}, {mixed.word[2], mixed.word[3]}};
}

FLATNOISE_INLINE PhiloxCounter BlockCounter(const Stream& stream, uint64_t block) {
  return Advance({{0, 0, stream.high[0], stream.high[1]}}, block);
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_STREAM_H_
