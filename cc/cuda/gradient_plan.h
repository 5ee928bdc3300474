// The partition of the gradient sums. It depends only on sizes, not on the launch, device,
// alignment or offset.
//
// The flat gradient is summed in one of two ways. By column: the gradient is treated as a grid with
// rows of `length` elements, a multiple of the pattern's period. A slot is a column of chunks, and
// each column of elements is summed separately. By run: a slot is a run, which is `length` adjacent
// elements with the same value. Its rows are the chunks that overlap it. (For a scalar, the entire
// gradient is one run.)
//
// A tile is a range of rows of some slots, which one block processes. `lanes` threads share a slot,
// and each processes every `lanes`-th row. The results of a tile are entries, which are partial
// sums for one value each.
#ifndef FLATNOISE_CC_CUDA_GRADIENT_PLAN_H_
#define FLATNOISE_CC_CUDA_GRADIENT_PLAN_H_

#include <cstdint>

#include "core/parameter.h"
#include "core/qualifiers.h"
#include "cuda/thread_index.h"

namespace flatnoise::cuda {

// Several per multiprocessor on the largest devices. Smaller tiles would take longer, because a
// block sets up and reduces the sums of each.
inline constexpr int64_t kMostTiles = 1024;
inline constexpr int64_t kLeastRowsPerLane = 8;   // to justify a thread
inline constexpr int64_t kLeastRowsPerGrid = 32;  // to justify the entries of columns
inline constexpr int64_t kChunksOfLongRun = 8;    // to justify partial chunks at the ends

FLATNOISE_DEVICE_INLINE int64_t CeilingOf(int64_t a, int64_t b) { return (a + b - 1) / b; }
FLATNOISE_DEVICE_INLINE int64_t Clamp(int64_t a, int64_t least, int64_t most) {
  return a < least ? least : a > most ? most : a;
}

struct GradientPlan {
  bool by_column;
  int64_t length;
  int64_t slots;
  int64_t rows;
  int lanes;
  int slots_per_tile;
  int64_t slot_tiles;
  int64_t row_tiles;
  int64_t rows_per_tile;  // pairs of rows for every lane
  int64_t entries;
  BroadcastPattern pattern;  // maps entries to values

  FLATNOISE_DEVICE_INLINE int64_t tiles() const { return slot_tiles * row_tiles; }
  // Whether the entries are already the final sums.
  FLATNOISE_DEVICE_INLINE bool is_complete() const {
    return entries == pattern.count && pattern.repeat == 1;
  }
};

// Requires that slots, rows and lanes are set.
FLATNOISE_DEVICE_INLINE void PlanTiles(int64_t least_rows, GradientPlan* plan) {
  plan->slot_tiles = CeilingOf(plan->slots, plan->slots_per_tile);
  const int64_t most = Clamp(kMostTiles / Clamp(plan->slot_tiles, 1, kMostTiles), 1, kMostTiles);
  const int64_t wanted = Clamp(CeilingOf(plan->rows, least_rows), 1, most);
  const int64_t pair = 2 * plan->lanes;
  plan->rows_per_tile = Clamp(CeilingOf(CeilingOf(plan->rows, wanted), pair), 1, INT64_MAX) * pair;
  plan->row_tiles = Clamp(CeilingOf(plan->rows, plan->rows_per_tile), 1, kMostTiles);
}

// The row length: the smallest multiple of the period at which rows start with full chunks, or the
// period if that leaves too few rows.
FLATNOISE_DEVICE_INLINE int64_t GridColumns(int64_t elements, int64_t period, int chunk) {
  int64_t columns = period;
  while (columns % chunk != 0) columns += period;
  return elements / columns >= kLeastRowsPerGrid ? columns : period;
}

FLATNOISE_DEVICE_INLINE GradientPlan PlanColumns(int64_t elements, const BroadcastPattern& pattern,
                                                 int chunk) {
  GradientPlan plan = {};
  plan.by_column = true;
  plan.length = GridColumns(elements, pattern.period(), chunk);
  plan.slots = CeilingOf(plan.length, chunk);
  plan.rows = CeilingOf(elements, plan.length);
  plan.slots_per_tile = static_cast<int>(Clamp(plan.slots, 1, kThreads));
  plan.lanes = kThreads / plan.slots_per_tile;
  PlanTiles(Clamp(kLeastRowsPerLane * plan.lanes, kLeastRowsPerGrid, INT64_MAX), &plan);
  plan.entries = plan.row_tiles * plan.length;
  plan.pattern = pattern;
  return plan;
}

// The maximum number of chunks that a run overlaps. If runs aren't aligned to chunks, there is one
// more.
FLATNOISE_DEVICE_INLINE int64_t ChunksOfRun(int64_t length, int64_t runs, int chunk) {
  if (runs == 1 || length % chunk == 0) return CeilingOf(length, chunk);
  return (length + chunk - 2) / chunk + 1;
}

FLATNOISE_DEVICE_INLINE GradientPlan PlanRuns(int64_t elements, const BroadcastPattern& pattern,
                                              int chunk) {
  GradientPlan plan = {};
  plan.length = pattern.is_scalar() ? elements : pattern.repeat;
  // Without elements, every value has one empty run.
  plan.slots = elements == 0 ? pattern.count : CeilingOf(elements, plan.length);
  plan.rows = elements == 0 ? 0 : ChunksOfRun(plan.length, plan.slots, chunk);
  plan.lanes = 1;
  while (plan.lanes < kThreads && plan.lanes * kLeastRowsPerLane < plan.rows) plan.lanes *= 2;
  plan.slots_per_tile = kThreads / plan.lanes;
  PlanTiles(kLeastRowsPerLane * plan.lanes, &plan);
  plan.entries = plan.slots * plan.row_tiles;
  plan.pattern = {pattern.count, plan.row_tiles};
  return plan;
}

// Short runs waste parts of their chunks. They are summed by column, unless the period is so long
// that columns would produce too many entries.
FLATNOISE_DEVICE_INLINE bool GoesByColumn(int64_t elements, const BroadcastPattern& pattern,
                                          int chunk) {
  if (elements == 0 || pattern.is_scalar()) return false;
  if (pattern.repeat == 1) return true;
  return pattern.repeat < kChunksOfLongRun * chunk &&
         elements / pattern.period() >= kLeastRowsPerGrid;
}

FLATNOISE_DEVICE_INLINE GradientPlan PlanGradient(int64_t elements, const BroadcastPattern& pattern,
                                                  int chunk) {
  return GoesByColumn(elements, pattern, chunk) ? PlanColumns(elements, pattern, chunk)
                                                : PlanRuns(elements, pattern, chunk);
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_GRADIENT_PLAN_H_
