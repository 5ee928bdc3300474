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

// Blocks whose numbers have the same upper word form a window. They share intermediate results of
// Philox. Their other intermediate results depend on the product of the lower word and Philox's
// multiplier, which identifies a block in a window: adding the product of n blocks advances it by n
// blocks.
using Window = PhiloxSharedWords<uint32_t>;
using BlockProduct = DeviceWords::Product;

FLATNOISE_DEVICE_INLINE BlockProduct ProductOf(uint64_t blocks) {
  return uint64_t{static_cast<uint32_t>(blocks)} * kPhiloxMultiplier0;
}

// The positions of a tensor's elements in the stream, whose blocks have `block` values.
template <int block>
class Positions {
 public:
  FLATNOISE_DEVICE_INLINE explicit Positions(int64_t offset) : offset_(offset) {}

  FLATNOISE_DEVICE_INLINE bool AreValid() const { return offset_ >= 0; }

  FLATNOISE_DEVICE_INLINE uint64_t Of(int64_t element) const {
    return static_cast<uint64_t>(offset_) + static_cast<uint64_t>(element);
  }

  FLATNOISE_DEVICE_INLINE uint64_t BlockOf(int64_t element) const { return Of(element) / block; }

  // The number of values in the element's block before the element's.
  FLATNOISE_DEVICE_INLINE int Skipped(int64_t element) const {
    return static_cast<int>(Of(element) % block);
  }

  // The element of a block's first value. It may be negative.
  FLATNOISE_DEVICE_INLINE int64_t FirstElement(uint64_t of_block) const {
    return static_cast<int64_t>(of_block * block - static_cast<uint64_t>(offset_));
  }

  // Whether elements first to last (exclusive) start with a block and are in one window. Tensors
  // that cross from one window to another are rare.
  FLATNOISE_DEVICE_INLINE bool AreInWindow(int64_t first, int64_t last) const {
    return Skipped(first) == 0 && BlockOf(first) >> 32 == BlockOf(last) >> 32;
  }

 private:
  int64_t offset_;
};

// Generates blocks and chunks of a stream. A chunk has `chunk` elements: one block or two.
template <class Scalar, class Distribution, int chunk>
class ChunkNoise {
 public:
  static constexpr int kBlock = kValuesPerBlock<Scalar>;
  static constexpr int kBlocks = chunk / kBlock;

  FLATNOISE_DEVICE_INLINE explicit ChunkNoise(const Stream& stream)
      : keys_(ScheduleKey(stream.key)),
        high_{stream.high[0], stream.high[1]},
        upper_half_(ShareUpperHalf(stream.high, keys_)) {
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
    const auto two_rounds = PhiloxTwoRounds<DeviceWords>(
        static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), upper_half_, keys_);
    Finish(two_rounds, 2, values);
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

  FLATNOISE_DEVICE_INLINE Window WindowOf(uint64_t block) const {
    Window window =
        ShareWords({{0, static_cast<uint32_t>(block >> 32), high_[0], high_[1]}}, keys_);
    HideOrigin(&window.round1_word2);
    HideOrigin(&window.round2_word0);
    HideOrigin(&window.round2_word2);
    HideOrigin(&window.round3_word2);
    return window;
  }

  // The chunk that begins with the first value of the block with this product.
  FLATNOISE_DEVICE_INLINE void InWindow(const Window& window, BlockProduct first,
                                        Scalar* values) const {
    FLATNOISE_UNROLL
    for (int i = 0; i < kBlocks; ++i) {
      const auto three_rounds = PhiloxThreeRounds<DeviceWords>(
          first + ProductOf(static_cast<uint64_t>(i)), window, keys_);
      Finish(three_rounds, 3, values + i * kBlock);
    }
  }

 private:
  FLATNOISE_DEVICE_INLINE void Finish(const PhiloxBlock<uint32_t>& block, int rounds,
                                      Scalar* values) const {
    BlockValues<Distribution, DeviceLanes<Scalar>>(
        PhiloxRounds<DeviceWords>(block, keys_, rounds, kPhiloxRounds), values);
  }

  PhiloxKeySchedule keys_;
  uint32_t high_[2];
  PhiloxUpperHalf<uint32_t> upper_half_;
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_CHUNK_NOISE_H_
