// The body of the tile kernel for one thread. The device runs it in a kernel, the tests run it on
// the host. In a tile, every thread sums the chunks of its rows. The lanes are then added up in a
// tree.
#ifndef FLATNOISE_CC_CUDA_GRADIENT_TILE_H_
#define FLATNOISE_CC_CUDA_GRADIENT_TILE_H_

#include <cstdint>

#include "core/noise.h"
#include "core/number_types.h"
#include "core/qualifiers.h"
#include "core/stream_values.h"
#include "cuda/chunk.h"
#include "cuda/chunk_noise.h"
#include "cuda/device_numbers.h"
#include "cuda/gradient_plan.h"
#include "cuda/parameters.h"
#include "cuda/tasks.h"
#include "cuda/thread_index.h"

namespace flatnoise::cuda {

// A sum and its rounding error (Kahan summation).
template <class Scalar>
class KahanSum {
 public:
  FLATNOISE_DEVICE_INLINE void Add(Scalar term) {
    const Scalar corrected = term - lost_;
    const Scalar sum = sum_ + corrected;
    lost_ = (sum - sum_) - corrected;
    sum_ = sum;
  }
  FLATNOISE_DEVICE_INLINE double value() const {
    return static_cast<double>(sum_) - static_cast<double>(lost_);
  }

 private:
  Scalar sum_ = 0;
  Scalar lost_ = 0;
};

// The two ways of the plan. By column, a thread has one sum per parameter for each element of a
// chunk. By run, it has one sum per parameter.
struct ByColumn {
  template <class T>
  static constexpr int kSums = kChunk<T>;
};
struct ByRun {
  template <class T>
  static constexpr int kSums = 1;
};

// A block's sums of one parameter, for the tree reduction.
template <int sums>
struct SharedSums {
  double value[sums][kThreads];
};

// The destination for each parameter's entries, or null if they aren't needed.
struct GradientEntries {
  void* of_parameter[kMostGradients];
};

// `Kind` is a NoiseKind, `Way` one of the plan's.
template <class Kind, class Way>
class GradientTileBody {
 public:
  using T = typename Kind::Element;
  using Scalar = typename Kind::Scalar;
  static constexpr int kSums = Way::template kSums<T>;
  using Shared = SharedSums<kSums>;

  FLATNOISE_DEVICE_INLINE GradientTileBody(const ParameterGradientsTask& task,
                                           const GradientPlan& plan, int thread)
      : task_(task),
        plan_(plan),
        positions_(*task.start.offset),
        noise_(ReadStream<DeviceWords>(task.start.seed, task.start.seed_type)),
        window_(noise_.WindowOf(positions_.BlockOf(0))),
        thread_(thread),
        lane_(kByColumn ? thread / plan.slots_per_tile : thread % plan.lanes),
        slot_(kByColumn ? thread % plan.slots_per_tile : thread / plan.lanes) {}

  // This thread's sums of a tile.
  FLATNOISE_DEVICE_INLINE void Accumulate(int64_t tile) {
    FLATNOISE_UNROLL
    for (int k = 0; k < kParameters; ++k) {
      FLATNOISE_UNROLL
      for (int i = 0; i < kSums; ++i) sums_[k][i] = {};
    }
    if (lane_ < plan_.lanes && Slot(tile) < plan_.slots) AddRows(tile);
  }

  // For each parameter, call Share before the first barrier,
  FLATNOISE_DEVICE_INLINE void Share(int k, Shared* shared) const {
    FLATNOISE_UNROLL
    for (int i = 0; i < kSums; ++i) {
      shared->value[i][thread_] =
          positions_.AreValid() ? sums_[k][i].value() : NotANumber<double>();
    }
  }

  // AddLanes between barriers, for `stride` = FirstStride(), FirstStride() / 2, ..., 1,
  FLATNOISE_DEVICE_INLINE void AddLanes(int stride, Shared* shared) const {
    if (lane_ >= stride || lane_ + stride >= plan_.lanes) return;
    const int other = thread_ + stride * (kByColumn ? plan_.slots_per_tile : 1);
    FLATNOISE_UNROLL
    for (int i = 0; i < kSums; ++i) shared->value[i][thread_] += shared->value[i][other];
  }
  FLATNOISE_DEVICE_INLINE int FirstStride() const {
    int stride = 1;
    while (stride < plan_.lanes) stride *= 2;
    return stride / 2;
  }

  // and Write after the last barrier.
  FLATNOISE_DEVICE_INLINE void Write(int64_t tile, const Shared& shared, void* entries) const {
    const int64_t slot = Slot(tile), row_tile = tile / plan_.slot_tiles;
    if (lane_ != 0 || slot >= plan_.slots) return;
    auto* values = static_cast<Scalar*>(entries);
    if constexpr (kByColumn) {
      const int width = Width(slot);
      values += row_tile * plan_.length + slot * kWidth;
      FLATNOISE_UNROLL
      for (int i = 0; i < kWidth; ++i) {
        if (i < width) values[i] = static_cast<Scalar>(shared.value[i][thread_]);
      }
    } else {
      values[slot * plan_.row_tiles + row_tile] = static_cast<Scalar>(shared.value[0][thread_]);
    }
  }

 private:
  using Combination = typename Kind::Combination;
  static constexpr bool kByColumn = __is_same(Way, ByColumn);
  static constexpr bool kReadsInput = Combination::kGradientReadsInput;
  static constexpr int kParameters = Kind::kParameters;
  static constexpr int kWidth = kChunk<T>;
  static constexpr int kBlock = kValuesPerBlock<Scalar>;

  // Chunks with a stride of `step` elements. Only elements in [low, high) count.
  struct Rows {
    int64_t element;
    int64_t step;
    int64_t low;
    int64_t high;
  };

  FLATNOISE_DEVICE_INLINE int64_t Slot(int64_t tile) const {
    return tile % plan_.slot_tiles * plan_.slots_per_tile + slot_;
  }

  // The number of columns in a chunk. The chunk's other elements, from the next row, are summed but
  // never written.
  FLATNOISE_DEVICE_INLINE int Width(int64_t slot) const {
    const int64_t width = plan_.length - slot * kWidth;
    return static_cast<int>(width < kWidth ? width : kWidth);
  }

  FLATNOISE_DEVICE_INLINE Rows RowsOf(int64_t slot, int64_t row) const {
    if constexpr (kByColumn) {
      return {row * plan_.length + slot * kWidth, plan_.lanes * plan_.length, 0, task_.elements};
    } else {
      const int64_t low = slot * plan_.length, end = low + plan_.length;
      return {(low / kWidth + row) * kWidth, int64_t{plan_.lanes} * kWidth, low,
              end < task_.elements ? end : task_.elements};
    }
  }

  FLATNOISE_DEVICE_INLINE void AddRows(int64_t tile) {
    const int64_t begin = tile / plan_.slot_tiles * plan_.rows_per_tile;
    const int64_t end = begin + plan_.rows_per_tile;
    const int64_t last = end < plan_.rows ? end : plan_.rows;
    const Rows rows = RowsOf(Slot(tile), begin + lane_);
    // The number of pairs of rows for this thread, rounded up.
    const int64_t pairs = CeilingOf(last - begin - lane_, 2 * plan_.lanes);
    const bool rows_are_aligned = !kByColumn || plan_.length % kWidth == 0;
    const bool loads_are_aligned =
        rows_are_aligned && IsAligned(task_.gradient) && (!kReadsInput || IsAligned(task_.input));
    if (rows_are_aligned && positions_.AreInWindow(0, task_.elements)) {
      BlockProduct product = ProductOf(positions_.BlockOf(rows.element));
      const BlockProduct step = ProductOf(static_cast<uint64_t>(rows.step / kBlock));
      AddPairs(rows, pairs, loads_are_aligned, [&](int64_t, Scalar* z) {
        noise_.InWindow(window_, product, z);
        product += step;
      });
    } else {
      AddPairs(rows, pairs, loads_are_aligned, [&](int64_t element, Scalar* z) {
        const uint64_t position = positions_.Of(element);
        noise_.Unaligned(position / kBlock, static_cast<int>(position % kBlock), z);
      });
    }
  }

  // Calls generate(element, z) for the noise of each chunk, in the order of the rows.
  template <class Generate>
  FLATNOISE_DEVICE_INLINE void AddPairs(Rows rows, int64_t pairs, bool loads_are_aligned,
                                        const Generate& generate) {
    FLATNOISE_ROLLED
    for (; pairs > 0; --pairs) {
      Scalar g[2][kWidth], x[2][kWidth], z[2][kWidth];
      const bool is_whole = loads_are_aligned && rows.element >= rows.low &&
                            rows.element + rows.step + kWidth <= rows.high;
      LoadPair(task_.gradient, rows, is_whole, g);
      if constexpr (kReadsInput) LoadPair(task_.input, rows, is_whole, x);
      FLATNOISE_UNROLL
      for (int i = 0; i < 2; ++i) generate(rows.element + i * rows.step, z[i]);
      AddTerms(g, kReadsInput ? x : g, z);
      rows.element += 2 * rows.step;
    }
  }

  FLATNOISE_DEVICE_INLINE static void LoadPair(const void* tensor, const Rows& rows, bool is_whole,
                                               Scalar (&values)[2][kWidth]) {
    const auto* elements = static_cast<const T*>(tensor);
    ChunkWords words[2];
    if (is_whole) {
      words[0] = LoadChunk(elements + rows.element);
      words[1] = LoadChunk(elements + rows.element + rows.step);
    } else {
      words[0] = LoadSome(elements, rows, rows.element);
      words[1] = LoadSome(elements, rows, rows.element + rows.step);
    }
    Unpack<T>(words[0], values[0]);
    Unpack<T>(words[1], values[1]);
  }

  // Loads zeros for elements that don't count.
  FLATNOISE_DEVICE_INLINE static ChunkWords LoadSome(const T* elements, const Rows& rows,
                                                     int64_t begin) {
    Scalar values[kWidth];
    FLATNOISE_UNROLL
    for (int i = 0; i < kWidth; ++i) {
      const bool counts = begin + i >= rows.low && begin + i < rows.high;
      values[i] = counts ? Widen(elements[begin + i]) : Scalar{0};
    }
    return Pack<T>(values);
  }

  // Adds two chunks to each other first, which halves the cost of Kahan summation.
  FLATNOISE_DEVICE_INLINE void AddTerms(const Scalar (&g)[2][kWidth], const Scalar (&x)[2][kWidth],
                                        const Scalar (&z)[2][kWidth]) {
    Scalar terms[kParameters][kWidth];
    FLATNOISE_UNROLL
    for (int i = 0; i < kWidth; ++i) {
      Scalar first[kParameters], second[kParameters];
      Combination::ParameterGradients(g[0][i], x[0][i], z[0][i], first);
      Combination::ParameterGradients(g[1][i], x[1][i], z[1][i], second);
      FLATNOISE_UNROLL
      for (int k = 0; k < kParameters; ++k) terms[k][i] = first[k] + second[k];
    }
    FLATNOISE_UNROLL
    for (int k = 0; k < kParameters; ++k) {
      if constexpr (!kByColumn) terms[k][0] = Together(terms[k]);
      FLATNOISE_UNROLL
      for (int i = 0; i < kSums; ++i) sums_[k][i].Add(terms[k][i]);
    }
  }

  FLATNOISE_DEVICE_INLINE static Scalar Together(Scalar (&terms)[kWidth]) {
    FLATNOISE_UNROLL
    for (int half = kWidth / 2; half > 0; half /= 2) {
      FLATNOISE_UNROLL
      for (int i = 0; i < half; ++i) terms[i] += terms[i + half];
    }
    return terms[0];
  }

  const ParameterGradientsTask& task_;
  const GradientPlan& plan_;
  Positions<kBlock> positions_;
  ChunkNoise<Scalar, typename Kind::Distribution, kWidth> noise_;
  Window window_;
  KahanSum<Scalar> sums_[kParameters][kSums];
  int thread_;
  int lane_;
  int slot_;
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_GRADIENT_TILE_H_
