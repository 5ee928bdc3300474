// What one thread of the gradient kernels does, as plain functions of its place in the grid: the
// device runs them in kernels, the tests run them on the host.
//
// The flat gradient is seen as a grid of rows of `columns` elements, a multiple of the features and
// of the chunk. It is cut into tiles of whole rows, or of part of their columns. In a tile every
// thread sums the chunks of one column of chunks, every `lanes`-th row; lanes are then added up as
// a tree. Tiles' sums are added up by a second kernel. All of this follows from the sizes alone:
// not from the launch, the device, the alignment or the offset.
#ifndef FLATNOISE_CC_CUDA_SUM_GRADIENTS_BODY_H_
#define FLATNOISE_CC_CUDA_SUM_GRADIENTS_BODY_H_

#include <cstdint>

#include "core/noise.h"
#include "core/number_types.h"
#include "core/qualifiers.h"
#include "cuda/chunk.h"
#include "cuda/chunk_noise.h"
#include "cuda/grid_place.h"
#include "cuda/parameters.h"
#include "cuda/tasks.h"

namespace flatnoise::cuda {

inline constexpr int64_t kMostTiles = 4096;      // several for every place on the largest devices
inline constexpr int64_t kLeastRowsPerLane = 8;  // worth a tile, where features are summed together
inline constexpr int64_t kLeastRowsPerTile = 32;  // worth what a tile writes, where they are apart

struct GradientPlan {
  int64_t features;  // summed apart: 1 where all elements are summed together
  int64_t columns;
  int64_t rows;
  int64_t column_tiles;
  int64_t row_tiles;
  int64_t rows_per_tile;
  int lanes;              // threads of a block that share a column of chunks
  int columns_of_chunks;  // of a tile

  // Sums of loc, or of scale, that tiles leave behind.
  FLATNOISE_INLINE int64_t entries() const {
    return features == 1 ? row_tiles : row_tiles * columns;
  }
  FLATNOISE_INLINE int64_t tiles() const { return row_tiles * column_tiles; }
};

FLATNOISE_INLINE int64_t CeilingOf(int64_t a, int64_t b) { return (a + b - 1) / b; }
FLATNOISE_INLINE int64_t Clamp(int64_t a, int64_t least, int64_t most) {
  return a < least ? least : a > most ? most : a;
}

// The least multiple of `features` and of a chunk.
FLATNOISE_INLINE int64_t ColumnsFor(int64_t features, int chunk) {
  int64_t columns = features;
  while (columns % chunk != 0) columns += features;
  return columns;
}

FLATNOISE_INLINE GradientPlan PlanGradient(int64_t elements, int64_t features, int chunk) {
  GradientPlan plan = {};
  plan.features = features;
  plan.columns = ColumnsFor(features, chunk);
  plan.rows = CeilingOf(elements, plan.columns);
  const int64_t width = plan.columns / chunk;
  plan.columns_of_chunks = static_cast<int>(width < kThreads ? width : kThreads);
  plan.lanes = kThreads / plan.columns_of_chunks;
  plan.column_tiles = CeilingOf(width, plan.columns_of_chunks);
  int64_t least = kLeastRowsPerLane * plan.lanes;
  if (features > 1 && least < kLeastRowsPerTile) least = kLeastRowsPerTile;
  const int64_t most = Clamp(kMostTiles / plan.column_tiles, 1, kMostTiles);
  const int64_t wanted = Clamp(CeilingOf(plan.rows, least), 1, most);
  // Pairs of rows for every lane, all but the last.
  plan.rows_per_tile = CeilingOf(CeilingOf(plan.rows, wanted), 2 * plan.lanes) * 2 * plan.lanes;
  if (plan.rows_per_tile == 0) plan.rows_per_tile = 2 * plan.lanes;
  plan.row_tiles = Clamp(CeilingOf(plan.rows, plan.rows_per_tile), 1, kMostTiles);
  return plan;
}

// A sum and what rounding lost of it (Kahan's summation).
template <class Scalar>
class CarefulSum {
 public:
  FLATNOISE_INLINE void Add(Scalar term) {
    const Scalar corrected = term - lost_;
    const Scalar sum = sum_ + corrected;
    lost_ = (sum - sum_) - corrected;
    sum_ = sum;
  }
  FLATNOISE_INLINE double value() const {
    return static_cast<double>(sum_) - static_cast<double>(lost_);
  }

 private:
  Scalar sum_ = 0;
  Scalar lost_ = 0;
};

// A block's sums on their way through the tree: of loc first, then of scale.
template <int sums>
struct SharedSums {
  double value[2][sums][kThreads];
};

template <class T, Distribution distribution, bool per_feature>
class SumTileBody {
 public:
  static constexpr int kWidth = kChunk<T>;
  // Sums that a thread keeps: of its chunks' elements together, or of each column.
  static constexpr int kSums = per_feature ? kWidth : 1;
  using Scalar = ComputeType<T>;
  using Shared = SharedSums<kSums>;

  FLATNOISE_INLINE SumTileBody(const SumGradientsTask& task, const GradientPlan& plan, int thread)
      : task_(task),
        plan_(plan),
        noise_(ReadStream(task.start)),
        offset_(static_cast<uint64_t>(*task.start.offset)),
        poison_(*task.start.offset < 0),
        aligned_(IsAligned(task.gradient)),
        thread_(thread),
        lane_(thread / plan.columns_of_chunks),
        column_(thread % plan.columns_of_chunks) {}

  // Before the first barrier: this thread's part of a tile.
  FLATNOISE_INLINE void Accumulate(int64_t tile, Shared* shared) const {
    CarefulSum<Scalar> sums[2][kSums];
    const int64_t chunk_column = ChunkColumn(tile);
    if (lane_ < plan_.lanes && chunk_column * kWidth < plan_.columns) {
      AddRows(tile, chunk_column, sums);
    }
    FLATNOISE_UNROLL
    for (int i = 0; i < kSums; ++i) {
      shared->value[0][i][thread_] = poison_ ? NotANumber<double>() : sums[0][i].value();
      shared->value[1][i][thread_] = poison_ ? NotANumber<double>() : sums[1][i].value();
    }
  }

  // Between barriers, for `stride` = FirstStride() and its halves down to 1.
  FLATNOISE_INLINE void AddLanes(int stride, Shared* shared) const {
    if (lane_ >= stride || lane_ + stride >= plan_.lanes) return;
    const int other = thread_ + stride * plan_.columns_of_chunks;
    FLATNOISE_UNROLL
    for (int i = 0; i < kSums; ++i) {
      shared->value[0][i][thread_] += shared->value[0][i][other];
      shared->value[1][i][thread_] += shared->value[1][i][other];
    }
  }

  FLATNOISE_INLINE int FirstStride() const {
    int stride = 1;
    while (stride < plan_.lanes) stride *= 2;
    return stride / 2;
  }

  // After the last barrier.
  FLATNOISE_INLINE void Write(int64_t tile, const Shared& shared, Scalar* workspace) const {
    const int64_t chunk_column = ChunkColumn(tile);
    if (lane_ != 0 || chunk_column * kWidth >= plan_.columns) return;
    const int64_t row = tile / plan_.column_tiles;
    const int64_t entry = per_feature ? row * plan_.columns + chunk_column * kWidth : row;
    FLATNOISE_UNROLL
    for (int i = 0; i < kSums; ++i) {
      workspace[entry + i] = static_cast<Scalar>(shared.value[0][i][thread_]);
      workspace[plan_.entries() + entry + i] = static_cast<Scalar>(shared.value[1][i][thread_]);
    }
  }

 private:
  static constexpr int kBlock = kValuesPerBlock<Scalar>;

  FLATNOISE_INLINE int64_t ChunkColumn(int64_t tile) const {
    return tile % plan_.column_tiles * plan_.columns_of_chunks + column_;
  }

  FLATNOISE_INLINE void AddRows(int64_t tile, int64_t chunk_column,
                                CarefulSum<Scalar> (&sums)[2][kSums]) const {
    const int64_t begin = tile / plan_.column_tiles * plan_.rows_per_tile;
    const int64_t end = begin + plan_.rows_per_tile;
    const int64_t last = end < plan_.rows ? end : plan_.rows;
    const int phase = static_cast<int>(offset_ % kBlock);
    const int64_t element = (begin + lane_) * plan_.columns + chunk_column * kWidth;
    // Of rows that this thread has, rounded up to pairs.
    const int64_t pairs = CeilingOf(last - begin - lane_, 2 * plan_.lanes);
    if (phase == 0) {
      AddPairs<true>(element, pairs, phase, sums);
    } else {
      AddPairs<false>(element, pairs, phase, sums);
    }
  }

  template <bool in_phase>
  FLATNOISE_INLINE void AddPairs(int64_t element, int64_t pairs, int phase,
                                 CarefulSum<Scalar> (&sums)[2][kSums]) const {
    const int64_t step = plan_.lanes * plan_.columns;
    FLATNOISE_ROLLED
    for (; pairs > 0; --pairs) {
      Scalar g[2][kWidth], z[2][kWidth];
      ChunkWords words[2];
      const bool whole = aligned_ && element + step + kWidth <= task_.elements;
      if (whole) {
        words[0] = LoadChunk(Gradient() + element);
        words[1] = LoadChunk(Gradient() + element + step);
      } else {
        words[0] = LoadSome(element);
        words[1] = LoadSome(element + step);
      }
      FLATNOISE_UNROLL
      for (int i = 0; i < 2; ++i) {
        Unpack<T>(words[i], g[i]);
        const uint64_t block = (offset_ + static_cast<uint64_t>(element + i * step)) / kBlock;
        if constexpr (in_phase) {
          noise_.InPhase(block, z[i]);
        } else {
          noise_.OutOfPhase(block, phase, z[i]);
        }
      }
      AddTerms(g, z, sums);
      element += 2 * step;
    }
  }

  FLATNOISE_INLINE const T* Gradient() const { return static_cast<const T*>(task_.gradient); }

  // Zeros where there are no elements.
  FLATNOISE_INLINE ChunkWords LoadSome(int64_t element) const {
    Scalar values[kWidth];
    FLATNOISE_UNROLL
    for (int i = 0; i < kWidth; ++i) {
      values[i] = element + i < task_.elements ? Widen(Gradient()[element + i]) : Scalar{0};
    }
    return Pack<T>(values);
  }

  // Two chunks are first added to each other, which halves the cost of careful sums.
  FLATNOISE_INLINE static void AddTerms(const Scalar (&g)[2][kWidth], const Scalar (&z)[2][kWidth],
                                        CarefulSum<Scalar> (&sums)[2][kSums]) {
    using L = ScalarLanes<Scalar>;
    Scalar loc[kWidth], scale[kWidth];
    FLATNOISE_UNROLL
    for (int i = 0; i < kWidth; ++i) {
      loc[i] = g[0][i] + g[1][i];
      scale[i] = L::Fma(g[1][i], z[1][i], g[0][i] * z[0][i]);
    }
    if constexpr (per_feature) {
      FLATNOISE_UNROLL
      for (int i = 0; i < kWidth; ++i) {
        sums[0][i].Add(loc[i]);
        sums[1][i].Add(scale[i]);
      }
    } else {
      sums[0][0].Add(Together(loc));
      sums[1][0].Add(Together(scale));
    }
  }

  FLATNOISE_INLINE static Scalar Together(Scalar (&terms)[kWidth]) {
    FLATNOISE_UNROLL
    for (int half = kWidth / 2; half > 0; half /= 2) {
      FLATNOISE_UNROLL
      for (int i = 0; i < half; ++i) terms[i] += terms[i + half];
    }
    return terms[0];
  }

  const SumGradientsTask& task_;
  const GradientPlan& plan_;
  ChunkNoise<Scalar, distribution, kWidth> noise_;
  uint64_t offset_;
  bool poison_;
  bool aligned_;
  int thread_;
  int lane_;
  int column_;
};

// Adds up entries of the workspace: group `i` of `groups` holds the entries i * group_stride +
// j * stride for j < count (as far as they lie below `entries`), in `parts` interleaved parts.
struct Fold {
  const void* source;
  void* target;
  int64_t entries;
  int64_t groups;
  int64_t group_stride;
  int64_t stride;
  int64_t count;
  int parts;  // threads to a group, a power of two, at most kThreads

  FLATNOISE_INLINE int GroupsPerBlock() const { return kThreads / parts; }
  FLATNOISE_INLINE int64_t Blocks() const { return CeilingOf(groups, GroupsPerBlock()); }
};

// A fold for loc, one for scale.
struct FoldPair {
  Fold fold[2];
};

template <class Scalar>
class FoldBody {
 public:
  struct Shared {
    double value[kThreads];
  };

  FLATNOISE_INLINE FoldBody(const Fold& fold, int64_t block, int thread)
      : fold_(fold),
        thread_(thread),
        part_(thread / fold.GroupsPerBlock()),
        group_(block * fold.GroupsPerBlock() + thread % fold.GroupsPerBlock()) {}

  FLATNOISE_INLINE void Accumulate(Shared* shared) const {
    double sum = 0;
    if (group_ < fold_.groups) {
      const auto* source = static_cast<const Scalar*>(fold_.source);
      const int64_t first = group_ * fold_.group_stride;
      for (int64_t i = part_; i < fold_.count; i += fold_.parts) {
        const int64_t entry = first + i * fold_.stride;
        if (entry < fold_.entries) sum += static_cast<double>(source[entry]);
      }
    }
    shared->value[thread_] = sum;
  }

  // Between barriers, for `stride` = parts / 2 and its halves down to 1.
  FLATNOISE_INLINE void AddParts(int stride, Shared* shared) const {
    if (part_ < stride) {
      shared->value[thread_] += shared->value[thread_ + stride * fold_.GroupsPerBlock()];
    }
  }

  FLATNOISE_INLINE void Write(const Shared& shared) const {
    if (part_ != 0 || group_ >= fold_.groups) return;
    static_cast<Scalar*>(fold_.target)[group_] = static_cast<Scalar>(shared.value[thread_]);
  }

 private:
  const Fold& fold_;
  int thread_;
  int part_;
  int64_t group_;
};

inline constexpr int64_t kFoldedByOneBlock = 8192;
inline constexpr int64_t kFoldedTogether = 2048;  // by a block, where one does not do

FLATNOISE_INLINE int64_t SpareEntries(const GradientPlan& plan) {
  return plan.entries() <= kFoldedByOneBlock ? 0 : CeilingOf(plan.entries(), kFoldedTogether);
}

// Numbers of the compute type that SumGradients needs: entries of loc and scale, then spare ones.
FLATNOISE_INLINE int64_t WorkspaceNumbers(const GradientPlan& plan) {
  return 2 * (plan.entries() + SpareEntries(plan));
}

FLATNOISE_INLINE int PartsFor(int64_t count) {
  int parts = 1;
  while (parts < kThreads && parts * 8 < count) parts *= 2;
  return parts;
}

// Per feature: its columns of all tiles.
FLATNOISE_INLINE Fold FoldPerFeature(const GradientPlan& plan, const void* source, void* target) {
  const int64_t count = plan.row_tiles * (plan.columns / plan.features);
  return {source, target, plan.entries(), plan.features, 1, plan.features, count, PartsFor(count)};
}

// Runs of `together` entries each.
FLATNOISE_INLINE Fold FoldRuns(const void* source, void* target, int64_t entries,
                               int64_t together) {
  return {source, target, entries, CeilingOf(entries, together), together, 1, together, kThreads};
}

// Of entries at `source` into a result, or into spare entries first where they are many.
FLATNOISE_INLINE Fold FirstFold(const GradientPlan& plan, const void* source, void* spare,
                                const GradientResult& result) {
  if (result.count == 0) return {nullptr, nullptr, 0, 0, 0, 0, 0, /*parts=*/1};
  if (plan.features > 1 && result.count == plan.features) {
    return FoldPerFeature(plan, source, result.values);
  }
  if (SpareEntries(plan) == 0) {
    return FoldRuns(source, result.values, plan.entries(), plan.entries());
  }
  return FoldRuns(source, spare, plan.entries(), kFoldedTogether);
}

// Of the spare entries, where the first fold left some. No groups: nothing to do.
FLATNOISE_INLINE Fold SecondFold(const GradientPlan& plan, const void* spare,
                                 const GradientResult& result) {
  const bool wanted = SpareEntries(plan) > 0 && result.count == 1;
  if (!wanted) return {nullptr, nullptr, 0, 0, 0, 0, 0, /*parts=*/1};
  return FoldRuns(spare, result.values, SpareEntries(plan), SpareEntries(plan));
}

// The plan for a task, and its folds over a workspace.
template <class T>
FLATNOISE_INLINE GradientPlan PlanFor(const SumGradientsTask& task) {
  const bool per_feature = task.loc.count != 1 || task.scale.count != 1;
  const int64_t features = per_feature && task.features > 0 ? task.features : 1;
  return PlanGradient(task.elements, features, kChunk<T>);
}

struct FoldRounds {
  FoldPair round[2];
};

template <class Scalar>
FLATNOISE_INLINE FoldRounds FoldsFor(const SumGradientsTask& task, const GradientPlan& plan,
                                     Scalar* workspace) {
  Scalar* scale = workspace + plan.entries();
  Scalar* spare_loc = scale + plan.entries();
  Scalar* spare_scale = spare_loc + SpareEntries(plan);
  return {{{{FirstFold(plan, workspace, spare_loc, task.loc),
             FirstFold(plan, scale, spare_scale, task.scale)}},
           {{SecondFold(plan, spare_loc, task.loc), SecondFold(plan, spare_scale, task.scale)}}}};
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_SUM_GRADIENTS_BODY_H_
