// The stream as numbers: z of any distribution, by index.
#ifndef FLATNOISE_CC_CORE_STREAM_VALUES_H_
#define FLATNOISE_CC_CORE_STREAM_VALUES_H_

#include <cstdint>

#include "core/lanes.h"
#include "core/number_types.h"
#include "core/philox.h"
#include "core/qualifiers.h"
#include "core/stream.h"

namespace flatnoise {

// The number of values per Philox block: four floats or two doubles.
template <class Scalar>
inline constexpr int kValuesPerBlock = 16 / static_cast<int>(sizeof(Scalar));

// The bits for value i of a block.
FLATNOISE_INLINE uint32_t ValueBits(const PhiloxBlock<uint32_t>& words, int i, float) {
  return words.word[i];
}
FLATNOISE_INLINE uint64_t ValueBits(const PhiloxBlock<uint32_t>& words, int i, double) {
  return uint64_t{words.word[2 * i]} << 32 | words.word[2 * i + 1];
}

// The values of one block, in stream order.
template <class Distribution, class L>
FLATNOISE_INLINE void BlockValues(const PhiloxBlock<uint32_t>& words, typename L::Scalar* values) {
  constexpr int n = kValuesPerBlock<typename L::Scalar>;
  typename L::Bits bits[n];
  for (int i = 0; i < n; ++i) bits[i] = ValueBits(words, i, typename L::Scalar{});
  Distribution::template Values<L>(bits, values, n);
}

// The stream's number at one index. This is the reference that every loop is tested against.
template <class Distribution, class Scalar>
FLATNOISE_INLINE Scalar ValueAt(const Stream& stream, uint64_t index) {
  constexpr int n = kValuesPerBlock<Scalar>;
  const auto words = Philox<ScalarWords>(BlockCounter(stream, index / n), ScheduleKey(stream.key));
  Scalar values[n];
  BlockValues<Distribution, ScalarLanes<Scalar>>(words, values);
  return values[index % n];
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_STREAM_VALUES_H_
