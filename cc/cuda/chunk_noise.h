// The noise of a chunk at any position in the stream.
#ifndef FLATNOISE_CC_CUDA_CHUNK_NOISE_H_
#define FLATNOISE_CC_CUDA_CHUNK_NOISE_H_

#include <cstdint>

#include "core/philox.h"
#include "core/qualifiers.h"
#include "core/stream.h"
#include "core/stream_values.h"
#include "cuda/chunk.h"
#include "cuda/device_numbers.h"

namespace flatnoise::cuda {

// Generates blocks and chunks of a stream. A chunk has `chunk` elements: one block or two.
template <class Scalar, class Distribution, int chunk>
class ChunkNoise {
 public:
  static constexpr int kBlock = kValuesPerBlock<Scalar>;
  static constexpr int kBlocks = chunk / kBlock;

  FLATNOISE_DEVICE_INLINE explicit ChunkNoise(const Stream& stream)
      : keys_(ScheduleKey(stream.key)), upper_half_(ShareUpperHalf(stream.high, keys_)) {
    FLATNOISE_UNROLL
    for (int round = 0; round < kPhiloxRounds; ++round) {
      HideOrigin(&keys_.word[round][0]);
      HideOrigin(&keys_.word[round][1]);
    }
    HideOrigin(&upper_half_.round1_word0);
    HideOrigin(&upper_half_.round1_word2);
    HideOrigin(&upper_half_.round2_word0);
  }

  FLATNOISE_DEVICE_INLINE void Block(uint64_t block, Scalar* values) const {
    using W = DeviceWords;
    const auto two_rounds = PhiloxTwoRounds<W>(
        static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), upper_half_, keys_);
    const auto words = PhiloxRounds<W>(two_rounds, keys_, 2, kPhiloxRounds);
    BlockValues<Distribution, DeviceLanes<Scalar>>(words, values);
  }

  // The chunk that begins with the first value of this block.
  FLATNOISE_DEVICE_INLINE void Aligned(uint64_t block, Scalar* values) const {
    FLATNOISE_UNROLL
    for (int i = 0; i < kBlocks; ++i) Block(block + static_cast<uint64_t>(i), values + i * kBlock);
  }

  // The chunk that begins `skipped` values into this block. Computes one more block and shifts with
  // conditional moves, because registers can only be indexed by constants.
  FLATNOISE_DEVICE_INLINE void Unaligned(uint64_t block, int skipped, Scalar* values) const {
    constexpr int kAll = chunk + kBlock;
    Scalar all[kAll];
    FLATNOISE_UNROLL
    for (int i = 0; i <= kBlocks; ++i) Block(block + static_cast<uint64_t>(i), all + i * kBlock);
    FLATNOISE_UNROLL
    for (int shift = 1; shift < kBlock; shift *= 2) {
      FLATNOISE_UNROLL
      for (int i = 0; i + shift < kAll; ++i) {
        all[i] = (skipped & shift) != 0 ? all[i + shift] : all[i];
      }
    }
    FLATNOISE_UNROLL
    for (int i = 0; i < chunk; ++i) values[i] = all[i];
  }

 private:
  PhiloxKeySchedule keys_;
  PhiloxUpperHalf<uint32_t> upper_half_;
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_CHUNK_NOISE_H_
