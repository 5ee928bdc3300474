// What one thread of the forward kernel does, as a plain function of its place in the grid: the
// device runs it in a kernel, the tests run it on the host.
#ifndef FLATNOISE_CC_CUDA_APPLY_NOISE_BODY_H_
#define FLATNOISE_CC_CUDA_APPLY_NOISE_BODY_H_

#include <cstdint>

#include "core/combination.h"
#include "core/noise.h"
#include "core/number_types.h"
#include "core/qualifiers.h"
#include "cuda/chunk.h"
#include "cuda/chunk_noise.h"
#include "cuda/grid_place.h"
#include "cuda/parameters.h"
#include "cuda/tasks.h"

namespace flatnoise::cuda {

// Chunks that a thread holds at once: two Philox blocks in flight hide the latency of the
// multiplications, and the chunks' loads that of memory.
template <class T>
inline constexpr int kChunksInFlight = sizeof(T) == 2 ? 1 : 2;

// How elements are shared out: `head` single ones, then chunks, then single ones again. All are
// single where input and output can't both be aligned. Every thread takes kChunksInFlight chunks in
// each of `rounds`; what is left is taken one chunk at a time.
struct ApplyNoisePlan {
  int64_t head;
  int64_t chunks;
  int64_t rounds;
  bool wide_parameters;  // of every chunk, side by side and aligned
  // By how many features the next chunk is further on: in the same round, in the next, and of the
  // chunks left over.
  int64_t chunk_step;
  int64_t round_step;
  int64_t single_step;
};

FLATNOISE_INLINE int64_t BytesPastChunk(const void* p) {
  return static_cast<int64_t>(reinterpret_cast<uintptr_t>(p) % kChunkBytes);
}

// The part of a plan that does not depend on the grid.
template <class T>
FLATNOISE_INLINE ApplyNoisePlan SplitIntoChunks(const ApplyNoiseTask& task) {
  ApplyNoisePlan plan = {};
  const int64_t past = BytesPastChunk(task.output);
  constexpr int64_t kBytes = sizeof(T);
  const int64_t head = (kChunkBytes - past) % kChunkBytes / kBytes;
  const bool alike = BytesPastChunk(task.input) == past && past % kBytes == 0;
  plan.head = alike && head < task.elements ? head : task.elements;
  plan.chunks = (task.elements - plan.head) / kChunk<T>;
  const auto is_wide = [](const Parameter& p) {
    return p.count == 1 || BytesPastChunk(p.values) == 0;
  };
  plan.wide_parameters =
      plan.head == 0 && task.features % kChunk<T> == 0 && is_wide(task.loc) && is_wide(task.scale);
  return plan;
}

template <class T>
FLATNOISE_INLINE int64_t BlocksOfStream(int64_t elements) {
  return elements == 0 ? 0 : elements / kValuesPerBlock<ComputeType<T>> + 2;
}

// How many threads have work: one to a chunk, or to a block of the stream where elements are
// single.
template <class T>
FLATNOISE_INLINE int64_t UsefulThreads(const ApplyNoiseTask& task, const ApplyNoisePlan& plan) {
  const int64_t tail = task.elements - plan.head - plan.chunks * kChunk<T>;
  const int64_t single = BlocksOfStream<T>(plan.head > tail ? plan.head : tail);
  return plan.chunks > single ? plan.chunks : single;
}

template <class T>
FLATNOISE_INLINE void PlanRounds(const ApplyNoiseTask& task, int64_t blocks, ApplyNoisePlan* plan) {
  constexpr int64_t kInFlight = kChunksInFlight<T>;
  const int64_t threads = blocks * kThreads;
  plan->rounds = plan->chunks / (threads * kInFlight);
  plan->chunk_step = kThreads * kChunk<T> % task.features;
  plan->round_step = (blocks * kInFlight - kInFlight + 1) * kThreads * kChunk<T> % task.features;
  plan->single_step = threads * kChunk<T> % task.features;
}

template <class T, Distribution distribution, Combination combination, class Parameters>
class ApplyNoiseBody {
 public:
  FLATNOISE_INLINE ApplyNoiseBody(const ApplyNoiseTask& task, const ApplyNoisePlan& plan,
                                  GridPlace place)
      : task_(task),
        plan_(plan),
        place_(place),
        noise_(ReadStream(task.start)),
        parameters_(task),
        offset_(static_cast<uint64_t>(*task.start.offset)) {}

  FLATNOISE_INLINE void Run() {
    const uint64_t position = offset_ + static_cast<uint64_t>(plan_.head);
    const int phase = static_cast<int>(position % kBlock);
    const uint64_t first_block = position / kBlock;
    if (phase == 0) {
      RunRounds(first_block);
    } else {
      RunOutOfPhase(first_block, phase);
    }
    RunElements(0, plan_.head);
    RunElements(plan_.head + plan_.chunks * kWidth, task_.elements);
  }

 private:
  using Scalar = ComputeType<T>;
  static constexpr int kWidth = kChunk<T>;
  static constexpr int kBlock = kValuesPerBlock<Scalar>;
  static constexpr int kBlocks = kWidth / kBlock;
  static constexpr int kInFlight = kChunksInFlight<T>;

  // Where a thread stands: at a chunk in memory, and at that chunk's first block in the stream.
  struct Cursor {
    const char* input;
    char* output;
    uint64_t block;

    FLATNOISE_INLINE void Advance(int64_t chunks) {
      input += chunks * kChunkBytes;
      output += chunks * kChunkBytes;
      block += static_cast<uint64_t>(chunks * kBlocks);
    }
  };

  FLATNOISE_INLINE Cursor CursorAt(int64_t chunk, uint64_t first_block) {
    Cursor cursor = {reinterpret_cast<const char*>(static_cast<const T*>(task_.input) + plan_.head),
                     reinterpret_cast<char*>(static_cast<T*>(task_.output) + plan_.head),
                     first_block};
    cursor.Advance(chunk);
    parameters_.Seek(plan_.head + chunk * kWidth);
    return cursor;
  }

  // A block of threads takes consecutive chunks, so a thread's lie a constant apart.
  FLATNOISE_INLINE void RunRounds(uint64_t first_block) {
    Cursor cursor = CursorAt(place_.block * kInFlight * kThreads + place_.thread, first_block);
    FLATNOISE_ROLLED
    for (int64_t round = plan_.rounds; round > 0; --round) {
      RunChunks<kInFlight>(cursor);
      cursor.Advance(place_.blocks * kInFlight * kThreads);
      parameters_.Step(plan_.round_step);
    }
    const int64_t done = plan_.rounds * place_.threads() * kInFlight;
    int64_t chunk = done + place_.index();
    cursor = CursorAt(chunk, first_block);
    FLATNOISE_ROLLED
    for (; chunk < plan_.chunks; chunk += place_.threads()) {
      RunChunks<1>(cursor);
      cursor.Advance(place_.threads());
      parameters_.Step(plan_.single_step);
    }
  }

  // All loads, then all noise, then all stores.
  template <int n>
  FLATNOISE_INLINE void RunChunks(const Cursor& cursor) {
    ChunkWords words[n];
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) words[i] = LoadChunk(cursor.input + i * kThreads * kChunkBytes);
    Scalar z[n][kWidth];
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) {
      noise_.InPhase(cursor.block + static_cast<uint64_t>(i * kThreads * kBlocks), z[i]);
    }
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) {
      if (i > 0) parameters_.Step(plan_.chunk_step);
      StoreChunk(cursor.output + i * kThreads * kChunkBytes, Combined(words[i], z[i]));
    }
  }

  FLATNOISE_INLINE void RunOutOfPhase(uint64_t first_block, int phase) {
    Cursor cursor = CursorAt(place_.index(), first_block);
    FLATNOISE_ROLLED
    for (int64_t chunk = place_.index(); chunk < plan_.chunks; chunk += place_.threads()) {
      const ChunkWords words = LoadChunk(cursor.input);
      Scalar z[kWidth];
      noise_.OutOfPhase(cursor.block, phase, z);
      StoreChunk(cursor.output, Combined(words, z));
      cursor.Advance(place_.threads());
      parameters_.Step(plan_.single_step);
    }
  }

  FLATNOISE_INLINE ChunkWords Combined(const ChunkWords& words, const Scalar (&z)[kWidth]) const {
    Scalar x[kWidth], loc[kWidth], scale[kWidth];
    Unpack<T>(words, x);
    parameters_.Read(loc, scale);
    FLATNOISE_UNROLL
    for (int i = 0; i < kWidth; ++i) x[i] = Combine<combination>(x[i], loc[i], scale[i], z[i]);
    return Pack<T>(x);
  }

  // Elements first to last (exclusive) one by one, a block of the stream to a thread.
  FLATNOISE_INLINE void RunElements(int64_t first, int64_t last) const {
    if (first >= last) return;
    const uint64_t first_block = (offset_ + static_cast<uint64_t>(first)) / kBlock;
    const uint64_t last_block = (offset_ + static_cast<uint64_t>(last) - 1) / kBlock;
    const auto blocks = static_cast<int64_t>(last_block - first_block) + 1;
    FLATNOISE_ROLLED
    for (int64_t i = place_.index(); i < blocks; i += place_.threads()) {
      const uint64_t block = first_block + static_cast<uint64_t>(i);
      Scalar z[kBlock];
      noise_.Block(block, z);
      const auto element = static_cast<int64_t>(block * kBlock - offset_);
      FLATNOISE_UNROLL
      for (int j = 0; j < kBlock; ++j) {
        if (element + j >= first && element + j < last) RunElement(element + j, z[j]);
      }
    }
  }

  FLATNOISE_INLINE void RunElement(int64_t element, Scalar z) const {
    Scalar loc, scale;
    parameters_.ReadAt(element, &loc, &scale);
    const Scalar x = Widen(static_cast<const T*>(task_.input)[element]);
    static_cast<T*>(task_.output)[element] = Narrow<T>(Combine<combination>(x, loc, scale, z));
  }

  const ApplyNoiseTask& task_;
  const ApplyNoisePlan& plan_;
  GridPlace place_;
  ChunkNoise<Scalar, distribution, kWidth> noise_;
  Parameters parameters_;
  uint64_t offset_;
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_APPLY_NOISE_BODY_H_
