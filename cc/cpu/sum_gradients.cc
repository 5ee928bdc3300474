#include "cpu/sum_gradients.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "cpu/float_environment.h"

namespace flatnoise::cpu {
namespace {

constexpr int64_t kTileColumns = 1024;     // two sums a column stay in the first-level cache
constexpr int64_t kWantedTiles = 64;       // enough to share out
constexpr int64_t kLeastRowsPerBlock = 8;  // enough work for a tile

int64_t CeilingOf(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t GridColumns(int64_t features) {
  return features < kTileColumns ? kTileColumns / features * features : features;
}

// Blocks of rows into the first block, then columns into the first column of their feature.
void Fold(double* sums, int64_t row_blocks, int64_t columns, int64_t features) {
  for (int64_t block = 1; block < row_blocks; ++block) {
    for (int64_t c = 0; c < columns; ++c) sums[c] += sums[block * columns + c];
  }
  for (int64_t c = features; c < columns; ++c) sums[c % features] += sums[c];
}

template <class Scalar>
void Write(const double* sums, int64_t features, GradientSums::Result result) {
  auto* gradient = static_cast<Scalar*>(result.values);
  if (result.count == 0) return;  // no features, so no sums
  if (result.count == features) {
    std::transform(sums, sums + features, gradient,
                   [](double a) { return static_cast<Scalar>(a); });
  } else {
    gradient[0] = static_cast<Scalar>(std::accumulate(sums, sums + features, 0.0));
  }
}

}  // namespace

GradientSums::GradientSums(const SumGradientsTask& task, int64_t features)
    : task_(task), features_(std::max<int64_t>(features, 1)) {
  task_.columns = GridColumns(features_);
  rows_ = CeilingOf(task_.elements, task_.columns);
  column_tiles_ = CeilingOf(task_.columns, kTileColumns);
  rows_per_block_ = std::max(CeilingOf(rows_ * column_tiles_, kWantedTiles), kLeastRowsPerBlock);
  row_blocks_ = std::max<int64_t>(CeilingOf(rows_, rows_per_block_), 1);
}

int64_t GradientSums::tile_elements() const {
  return std::min(rows_per_block_, rows_) * std::min(task_.columns, kTileColumns);
}

void GradientSums::SumTile(int64_t tile, double* workspace, const Kernels& kernels) const {
  const IeeeArithmetic guard;
  const int64_t block = tile / column_tiles_;
  const int64_t column = tile % column_tiles_ * kTileColumns;
  const GridTile range = {block * rows_per_block_, std::min((block + 1) * rows_per_block_, rows_),
                          column, std::min(column + kTileColumns, task_.columns)};
  double* loc_sums = workspace + block * task_.columns + column;
  double* scale_sums = loc_sums + row_blocks_ * task_.columns;
  std::fill_n(loc_sums, range.column_end - range.column_begin, 0.0);
  std::fill_n(scale_sums, range.column_end - range.column_begin, 0.0);
  kernels.sum_gradients(task_, range, loc_sums, scale_sums);
}

void GradientSums::Finish(double* workspace, Result loc, Result scale) const {
  const IeeeArithmetic guard;
  double* scale_sums = workspace + row_blocks_ * task_.columns;
  const auto write = task_.type == ElementType::kDouble ? Write<double> : Write<float>;
  for (const auto& [sums, result] : {std::pair(workspace, loc), std::pair(scale_sums, scale)}) {
    Fold(sums, row_blocks_, task_.columns, features_);
    write(sums, features_, result);
  }
}

}  // namespace flatnoise::cpu
