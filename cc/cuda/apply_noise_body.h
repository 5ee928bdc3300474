// The body of the forward kernel for one thread, as a plain function of its index. The device runs
// it in a kernel, the tests run it on the host.
#ifndef FLATNOISE_CC_CUDA_APPLY_NOISE_BODY_H_
#define FLATNOISE_CC_CUDA_APPLY_NOISE_BODY_H_

#include <cstdint>

#include "core/noise.h"
#include "core/number_types.h"
#include "core/qualifiers.h"
#include "core/stream_values.h"
#include "cuda/chunk.h"
#include "cuda/chunk_noise.h"
#include "cuda/device_numbers.h"
#include "cuda/parameters.h"
#include "cuda/shortcut.h"
#include "cuda/tasks.h"
#include "cuda/thread_index.h"

namespace flatnoise::cuda {

// Whether a chunk takes many registers, because it has many parameters or a second output.
template <class Kind>
inline constexpr bool kNeedsManyRegisters =
    Kind::kParameters > 2 || Kind::Combination::kReturnsNoise;

// The number of chunks that a thread processes at once. Several Philox blocks in flight hide the
// latency of multiplications, and several loads in flight hide the latency of memory.
template <class Kind, class Parameters>
FLATNOISE_DEVICE_INLINE constexpr int ChunksInFlight() {
  if (sizeof(typename Kind::Element) != 2) return 2;
  if (Parameters::kMovesSlowly) return 1;
  return Parameters::kHoldsChunk || (!Parameters::kIsScalars && kNeedsManyRegisters<Kind>) ? 2 : 3;
}
template <class Kind, class Parameters>
inline constexpr int kChunksInFlight = ChunksInFlight<Kind, Parameters>();

// The partition of the elements: `head` single elements, then chunks, then single elements again.
// All elements are single if the tensors can't be aligned together. Every thread processes
// kChunksInFlight chunks in each of `rounds` rounds, then the remaining chunks one at a time.
struct ApplyNoisePlan {
  int64_t head;
  int64_t chunks;
  int rounds;
  bool all_scalars;
  bool all_features;  // supported by FeatureParameters
  bool all_runs;      // supported by RunParameters
  OnePatternPlan one_pattern;
  BroadcastPlan parameters[kMostParameters];
};

// Finds the pattern of all parameters that aren't scalars. Returns false if there are several.
template <class Kind>
FLATNOISE_DEVICE_INLINE bool FindOnePattern(const ApplyNoiseTask& task, BroadcastPattern* found) {
  *found = {1, 1};
  for (int k = 0; k < Kind::kParameters; ++k) {
    const BroadcastPattern& pattern = task.parameters[k].pattern;
    if (pattern.is_scalar()) continue;
    if (!found->is_scalar() && !(pattern == *found)) return false;
    *found = pattern;
  }
  return true;
}

// Whether the values of every chunk are contiguous and aligned, if there is one per feature.
template <class Kind>
FLATNOISE_DEVICE_INLINE bool HasWholeChunks(const ApplyNoiseTask& task,
                                            const BroadcastPattern& pattern) {
  for (int k = 0; k < Kind::kParameters; ++k) {
    const Parameter& parameter = task.parameters[k];
    if (!parameter.pattern.is_scalar() && !IsAligned(parameter.values)) return false;
  }
  return pattern.count % kChunk<typename Kind::Element> == 0;
}

template <class Kind>
FLATNOISE_DEVICE_INLINE void PlanOnePattern(const ApplyNoiseTask& task, ApplyNoisePlan* plan) {
  constexpr int kWidth = kChunk<typename Kind::Element>;
  BroadcastPattern pattern;
  if (!FindOnePattern<Kind>(task, &pattern) || plan->chunks * kWidth != task.elements ||
      pattern.period() > OnePatternPlan::kLongestPeriod) {
    return;
  }
  plan->all_features = pattern.repeat == 1;
  plan->all_runs = !plan->all_features && pattern.repeat % kWidth == 0;
  plan->one_pattern.count = static_cast<int32_t>(pattern.count);
  plan->one_pattern.repeat = static_cast<int32_t>(pattern.repeat);
  plan->one_pattern.has_whole_chunks = HasWholeChunks<Kind>(task, pattern);
}

// The part of a plan that doesn't depend on the grid.
template <class Kind>
FLATNOISE_DEVICE_INLINE ApplyNoisePlan PlanChunks(const ApplyNoiseTask& task) {
  using T = typename Kind::Element;
  constexpr int64_t kBytes = sizeof(T);
  ApplyNoisePlan plan = {};
  const int64_t past = BytesPastChunk(task.output);
  const int64_t head = (kChunkBytes - past) % kChunkBytes / kBytes;
  const auto is_alike = [&](const void* p) { return p == nullptr || BytesPastChunk(p) == past; };
  const bool alike = is_alike(task.input) && is_alike(task.noise_output) && past % kBytes == 0;
  plan.head = alike && head < task.elements ? head : task.elements;
  plan.chunks = (task.elements - plan.head) / kChunk<T>;

  plan.all_scalars = true;
  for (int k = 0; k < Kind::kParameters; ++k) {
    plan.all_scalars = plan.all_scalars && task.parameters[k].pattern.is_scalar();
    plan.parameters[k] = PlanBroadcast(task.parameters[k].pattern);
  }
  PlanOnePattern<Kind>(task, &plan);
  return plan;
}

template <class T>
FLATNOISE_DEVICE_INLINE int64_t BlocksOfStream(int64_t elements) {
  return elements == 0 ? 0 : elements / kValuesPerBlock<ComputeType<T>> + 2;
}

// The number of threads with work: one per chunk, or for single elements, one per block of the
// stream.
template <class T>
FLATNOISE_DEVICE_INLINE int64_t UsefulThreads(const ApplyNoiseTask& task,
                                              const ApplyNoisePlan& plan) {
  const int64_t tail = task.elements - plan.head - plan.chunks * kChunk<T>;
  const int64_t single = BlocksOfStream<T>(plan.head > tail ? plan.head : tail);
  return plan.chunks > single ? plan.chunks : single;
}

// The maximum number of rounds per thread. With few rounds, finished blocks make room for new ones,
// which balances the load. With many rounds, the setup of a thread (reading the seed, computing
// keys, locating the parameters) is amortized. These numbers were the fastest on an H100.
template <class Kind, class Parameters>
FLATNOISE_DEVICE_INLINE constexpr int64_t MostRounds() {
  constexpr size_t kSize = sizeof(typename Kind::Element);
  constexpr bool kIsCheap = __is_same(typename Kind::Distribution, Uniform);
  if (Parameters::kMovesSlowly) return 10;
  if (kSize == 2 && !Parameters::kIsScalars && kNeedsManyRegisters<Kind>) return 6;
  if (kSize == 2) return kIsCheap ? 2 : Parameters::kHoldsChunk ? 6 : 12;
  if (Parameters::kIsScalars) return kSize == 4 || kIsCheap ? 1 : 2;
  return kSize == 8 ? 4 : Parameters::kHoldsChunk ? 3 : 2;
}

// Reduces a number of blocks so that all chunks of a thread have the same features, if it is large
// enough.
template <class T>
FLATNOISE_DEVICE_INLINE int64_t FitToFeatures(const OnePatternPlan& plan, int64_t blocks) {
  int64_t multiple = plan.count;
  for (int i = kThreads * kChunk<T>; i > 1 && multiple % 2 == 0; i /= 2) multiple /= 2;
  const bool fits = blocks >= 8 * multiple;
  return fits ? blocks - blocks % multiple : blocks;
}

// The number of blocks in the grid if `resident` blocks fit on the device: either one chunk per
// thread, or full rounds and few chunks more, which take longer.
template <class Kind, class Parameters>
FLATNOISE_DEVICE_INLINE int64_t GridBlocks(const ApplyNoiseTask& task, const ApplyNoisePlan& plan,
                                           int64_t resident) {
  constexpr int64_t kInFlight = kChunksInFlight<Kind, Parameters>;
  constexpr int64_t kMost = MostRounds<Kind, Parameters>();
  const int64_t threads = UsefulThreads<typename Kind::Element>(task, plan);
  const int64_t useful = (threads + kThreads - 1) / kThreads;
  if (useful <= resident) return useful;
  const int64_t full = plan.chunks >= kThreads * kInFlight ? plan.chunks / kThreads : useful;
  const int64_t rounds = full / (resident * kInFlight);
  const int64_t blocks = full / (kInFlight * (rounds < 1 ? 1 : rounds > kMost ? kMost : rounds));
  if (!plan.all_features) return blocks;
  return FitToFeatures<typename Kind::Element>(plan.one_pattern, blocks);
}

FLATNOISE_DEVICE_INLINE void PlanMoves(int64_t threads, int64_t chunks, int chunk,
                                       OnePatternPlan* plan) {
  plan->step_values = static_cast<int32_t>(threads * chunk / plan->repeat % plan->count);
  plan->step_within = static_cast<int32_t>(threads * chunk % plan->repeat);
  plan->values_stay = chunks <= threads || (plan->step_values == 0 && plan->step_within == 0);
}

// The part of a plan that depends on the grid, for `blocks` blocks.
template <class Kind, class Parameters>
FLATNOISE_DEVICE_INLINE void PlanRounds(int64_t blocks, ApplyNoisePlan* plan) {
  using T = typename Kind::Element;
  const int64_t threads = blocks * kThreads;
  plan->rounds = static_cast<int>(plan->chunks / (threads * kChunksInFlight<Kind, Parameters>));
  if (plan->all_features || plan->all_runs) {
    PlanMoves(threads, plan->chunks, kChunk<T>, &plan->one_pattern);
  }
  for (int k = 0; k < Kind::kParameters; ++k) {
    PlanStep(kNextChunk, threads * kChunk<T>, &plan->parameters[k]);
    PlanStep(kNextBlock, threads * kValuesPerBlock<ComputeType<T>>, &plan->parameters[k]);
  }
}

// `Kind` is a NoiseKind, `Parameters` a policy for it.
template <class Kind, class Parameters>
class ApplyNoiseBody {
 public:
  // In this order, all loads start before the first use of a loaded value.
  FLATNOISE_DEVICE_INLINE ApplyNoiseBody(const ApplyNoiseTask& task, const ApplyNoisePlan& plan,
                                         ThreadIndex index)
      : task_(task),
        plan_(plan),
        index_(index),
        positions_(*task.start.offset),
        parameters_(task, plan),
        noise_(ReadStream<DeviceWords>(task.start.seed, task.start.seed_type)) {}

  FLATNOISE_DEVICE_INLINE void Run() {
    if (!positions_.AreValid() || (task_.validate_args && !parameters_.Pass())) {
      FillWithNaN();
      return;
    }
    takes_shortcut_ = SuitsShortcut() ? 1 : 0;
    HideOrigin(&takes_shortcut_);
    const int64_t chunks_end = plan_.head + plan_.chunks * kWidth;
    const uint64_t first = positions_.BlockOf(plan_.head);
    if (positions_.AreInWindow(plan_.head, chunks_end)) {
      RunInWindow(first);
    } else {
      const int skipped = positions_.Skipped(plan_.head);
      RunChunks(0, [&](int64_t chunk, Scalar* values) {
        noise_.Unaligned(first + BlocksOf(chunk), skipped, values);
      });
    }
    if constexpr (!Parameters::kOnlyChunks) {
      RunElements(0, plan_.head);
      RunElements(chunks_end, task_.elements);
    }
  }

 private:
  using T = typename Kind::Element;
  using Scalar = typename Kind::Scalar;
  using Lanes = DeviceLanes<Scalar>;
  using Combination = typename Kind::Combination;
  static constexpr int kParameters = Kind::kParameters;
  static constexpr int kWidth = kChunk<T>;
  static constexpr int kBlock = kValuesPerBlock<Scalar>;
  static constexpr int kBlocks = kWidth / kBlock;
  static constexpr int kInFlight = kChunksInFlight<Kind, Parameters>;
  static constexpr bool kHasShortcut = Parameters::kIsScalars && Shortcut<Combination>::kExists;

  // The number of blocks of the stream for a number of chunks.
  FLATNOISE_DEVICE_INLINE static constexpr uint64_t BlocksOf(int64_t chunks) {
    return static_cast<uint64_t>(chunks) * kBlocks;
  }

  FLATNOISE_DEVICE_INLINE bool SuitsShortcut() const {
    if constexpr (kHasShortcut) {
      return Shortcut<Combination>::template Suits<Lanes>(parameters_.values());
    }
    return false;
  }

  FLATNOISE_DEVICE_INLINE void FillWithNaN() const {
    FLATNOISE_ROLLED
    for (int64_t i = index_.in_grid(); i < task_.elements; i += index_.threads()) {
      static_cast<T*>(task_.output)[i] = Narrow<T>(NotANumber<Scalar>());
      if (ReturnsNoise()) static_cast<T*>(task_.noise_output)[i] = Narrow<T>(NotANumber<Scalar>());
    }
  }

  FLATNOISE_DEVICE_INLINE bool ReturnsNoise() const {
    return Combination::kReturnsNoise && task_.noise_output != nullptr;
  }

  // The position of a chunk in memory.
  struct Cursor {
    const char* input;
    char* output;
  };

  FLATNOISE_DEVICE_INLINE Cursor Seek(int64_t chunk) {
    const int64_t element = plan_.head + chunk * kWidth;
    parameters_.Seek(element);
    return {reinterpret_cast<const char*>(static_cast<const T*>(task_.input) + element),
            reinterpret_cast<char*>(static_cast<T*>(task_.output) + element)};
  }

  FLATNOISE_DEVICE_INLINE void RunInWindow(uint64_t first_block) {
    const Window window = noise_.WindowOf(first_block);
    if (plan_.rounds > 0) RunRounds(window, first_block);
    RunChunks(plan_.rounds * index_.threads() * kInFlight, [&](int64_t chunk, Scalar* values) {
      noise_.InWindow(window, ProductOf(first_block + BlocksOf(chunk)), values);
    });
  }

  // How many chunks apart the chunks of a round are: a block with scalars, so that offsets are
  // constants, else the grid, so that the features of one can be those of the next.
  FLATNOISE_DEVICE_INLINE int64_t Spacing() const {
    return Parameters::kIsScalars ? kThreads : index_.threads();
  }

  FLATNOISE_DEVICE_INLINE int64_t FirstInRound() const {
    if (!Parameters::kIsScalars) return index_.in_grid();
    return index_.block * kInFlight * kThreads + index_.thread;
  }

  FLATNOISE_DEVICE_INLINE void RunRounds(const Window& window, uint64_t first_block) {
    const int64_t first = FirstInRound(), stride = index_.threads() * kInFlight;
    const int64_t to_next_round = stride - (kInFlight - 1) * Spacing();
    BlockProduct product = ProductOf(first_block + BlocksOf(first));
    Cursor cursor = Seek(first);
    InputChunks<kInFlight> input;
    Load(cursor.input, &input);
    parameters_.template Prefetch<kInFlight>();
    FLATNOISE_ROLLED
    for (int round = plan_.rounds; round > 0; --round) {
      NoiseChunks<kInFlight> noise;
      FLATNOISE_UNROLL
      for (int i = 0; i < kInFlight; ++i) {
        noise_.InWindow(window, product, noise.chunk[i]);
        product += ProductOf(BlocksOf(i + 1 < kInFlight ? Spacing() : to_next_round));
      }
      OutputChunks<kInFlight> output;
      Combine(input, noise, &output);
      // Loads a round ahead, so that the noise of the next round hides the latency.
      cursor.input += stride * kChunkBytes;
      if (round > 1) {
        Load(cursor.input, &input);
        parameters_.template Prefetch<kInFlight>();
      }
      Store(cursor.output, output, noise);
      cursor.output += stride * kChunkBytes;
    }
  }

  // Processes the chunks from `first` on, one at a time. Calls generate(chunk, values) for their
  // noise.
  template <class Generate>
  FLATNOISE_DEVICE_INLINE void RunChunks(int64_t first, const Generate& generate) {
    int64_t chunk = first + index_.in_grid();
    Cursor cursor = Seek(chunk);
    InputChunks<1> input;
    FLATNOISE_ROLLED
    for (; chunk < plan_.chunks; chunk += index_.threads()) {
      Load(cursor.input, &input);
      parameters_.template Prefetch<1>();
      NoiseChunks<1> noise;
      generate(chunk, noise.chunk[0]);
      OutputChunks<1> output;
      Combine(input, noise, &output);
      Store(cursor.output, output, noise);
      cursor.input += index_.threads() * kChunkBytes;
      cursor.output += index_.threads() * kChunkBytes;
    }
  }

  // `n` chunks that a thread processes at once.
  template <int n>
  struct NoiseChunks {
    Scalar chunk[n][kWidth];
  };
  template <int n>
  struct OutputChunks {
    ChunkWords chunk[n];
  };
  template <int n>
  struct InputChunks {
    ChunkWords chunk[n];

    // An absent input remains -0.
    FLATNOISE_DEVICE_INLINE InputChunks() {
      Scalar x[kWidth];
      FLATNOISE_UNROLL
      for (int i = 0; i < kWidth; ++i) x[i] = static_cast<Scalar>(-0.0);
      FLATNOISE_UNROLL
      for (int i = 0; i < n; ++i) chunk[i] = Pack<T>(x);
    }
  };

  template <int n>
  FLATNOISE_DEVICE_INLINE void Load(const char* place, InputChunks<n>* input) const {
    if (task_.input == nullptr) return;
    const int64_t stride = Spacing() * kChunkBytes;
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) input->chunk[i] = LoadChunk(place + i * stride);
  }

  // Clips all chunks in one branch, and takes a shortcut in another. Predicated instructions would
  // always take time.
  template <int n>
  FLATNOISE_DEVICE_INLINE void Combine(const InputChunks<n>& input, const NoiseChunks<n>& noise,
                                       OutputChunks<n>* output) {
    Scalar y[n * kWidth];
    if (takes_shortcut_ == 0) {
      CombineBy<Combination>(input, noise, y);
    } else if constexpr (kHasShortcut) {
      CombineBy<Shortcut<Combination>>(input, noise, y);
    }
    if (task_.bounds != nullptr) ClipAll(y);
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) output->chunk[i] = Pack<T>(y + i * kWidth);
  }

  template <class Formula, int n>
  FLATNOISE_DEVICE_INLINE void CombineBy(const InputChunks<n>& input, const NoiseChunks<n>& noise,
                                         Scalar (&y)[n * kWidth]) {
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) {
      Scalar x[kWidth], p[kWidth][kParameters];
      Unpack<T>(input.chunk[i], x);
      parameters_.ReadChunk(i, p);
      FLATNOISE_UNROLL
      for (int j = 0; j < kWidth; ++j) {
        y[i * kWidth + j] = Formula::template Apply<Lanes>(x[j], p[j], noise.chunk[i][j]);
      }
    }
  }

  template <int n>
  FLATNOISE_DEVICE_INLINE void Store(char* place, const OutputChunks<n>& output,
                                     const NoiseChunks<n>& noise) const {
    const int64_t stride = Spacing() * kChunkBytes;
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) StoreChunk(place + i * stride, output.chunk[i]);
    if (!ReturnsNoise()) return;
    char* noise_place =
        static_cast<char*>(task_.noise_output) + (place - static_cast<char*>(task_.output));
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) {
      StoreChunk(noise_place + i * stride, Pack<T>(noise.chunk[i]));
    }
  }

  template <int n>
  FLATNOISE_DEVICE_INLINE void ClipAll(Scalar (&x)[n]) const {
    const auto* bounds = static_cast<const Scalar*>(task_.bounds);
    const Scalar low = bounds[0], high = bounds[1];
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) x[i] = Clip<Lanes>(x[i], low, high);
  }

  // Processes elements first to last (exclusive) one by one, with one block of the stream per
  // thread.
  FLATNOISE_DEVICE_INLINE void RunElements(int64_t first, int64_t last) {
    if (first >= last) return;
    const uint64_t first_block = positions_.BlockOf(first);
    const uint64_t last_block = positions_.BlockOf(last - 1);
    const auto blocks = static_cast<int64_t>(last_block - first_block) + 1;
    uint64_t block = first_block + static_cast<uint64_t>(index_.in_grid());
    parameters_.Seek(positions_.FirstElement(block));
    FLATNOISE_ROLLED
    for (int64_t i = index_.in_grid(); i < blocks; i += index_.threads()) {
      RunBlock(block, first, last);
      block += static_cast<uint64_t>(index_.threads());
      parameters_.NextBlock();
    }
  }

  FLATNOISE_DEVICE_INLINE void RunBlock(uint64_t block, int64_t first, int64_t last) const {
    Scalar z[kBlock], p[kBlock][kParameters];
    noise_.Block(block, z);
    parameters_.ReadBlock(p);
    const int64_t begin = positions_.FirstElement(block);
    FLATNOISE_UNROLL
    for (int i = 0; i < kBlock; ++i) {
      const int64_t element = begin + i;
      if (element < first || element >= last) continue;
      Scalar y[1] = {Combination::template Apply<Lanes>(Read(element), p[i], z[i])};
      if (task_.bounds != nullptr) ClipAll(y);
      static_cast<T*>(task_.output)[element] = Narrow<T>(y[0]);
      if (ReturnsNoise()) static_cast<T*>(task_.noise_output)[element] = Narrow<T>(z[i]);
    }
  }

  FLATNOISE_DEVICE_INLINE Scalar Read(int64_t element) const {
    if (task_.input == nullptr) return static_cast<Scalar>(-0.0);
    return Widen(static_cast<const T*>(task_.input)[element]);
  }

  const ApplyNoiseTask& task_;
  const ApplyNoisePlan& plan_;
  ThreadIndex index_;
  Positions<kBlock> positions_;
  Parameters parameters_;
  ChunkNoise<Scalar, typename Kind::Distribution, kWidth> noise_;
  uint32_t takes_shortcut_ = 0;
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_APPLY_NOISE_BODY_H_
