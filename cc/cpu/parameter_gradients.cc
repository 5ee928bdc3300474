#include "cpu/parameter_gradients.h"

#include <algorithm>
#include <numeric>

#include "cpu/float_environment.h"

namespace flatnoise::cpu {
namespace {

constexpr int64_t kTileColumns = 1024;     // so that the column sums stay in the L1 cache
constexpr int64_t kWantedTiles = 64;       // enough for all threads
constexpr int64_t kLeastRowsPerBlock = 8;  // enough work per tile

int64_t CeilingOf(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t GridColumns(int64_t period) {
  return period < kTileColumns ? kTileColumns / period * period : period;
}

int ParametersOf(const Noise& noise) {
  return Visit(noise.combination, [](auto combination) {
    return kParameterCount<typename decltype(combination)::type>;
  });
}

void AddTo(double* sums, const double* terms, int64_t count) {
  for (int64_t i = 0; i < count; ++i) sums[i] += terms[i];
}

// The sums for a parameter's values. For a scalar in a pass of other parameters, the total.
template <class Scalar>
void Write(const double* sums, int64_t count, int64_t wanted, void* gradient) {
  auto* values = static_cast<Scalar*>(gradient);
  if (wanted == count) {
    std::transform(sums, sums + count, values, [](double a) { return static_cast<Scalar>(a); });
  } else {
    values[0] = static_cast<Scalar>(std::accumulate(sums, sums + count, 0.0));
  }
}

}  // namespace

GradientPass::GradientPass(const SumGradientsTask& task, const BroadcastPattern& pattern)
    : task_(task), pattern_(pattern), parameters_(ParametersOf(task.noise)) {
  // The parameter of an empty tensor may have no values and thus no period.
  task_.columns = GridColumns(std::max<int64_t>(pattern_.period(), 1));
  rows_ = CeilingOf(task_.elements, task_.columns);
  column_tiles_ = CeilingOf(task_.columns, kTileColumns);
  rows_per_block_ = std::max(CeilingOf(rows_ * column_tiles_, kWantedTiles), kLeastRowsPerBlock);
  row_blocks_ = std::max<int64_t>(CeilingOf(rows_, rows_per_block_), 1);
  const int64_t whole_runs = kTileColumns / pattern_.repeat;
  runs_per_tile_ = pattern_.repeat == 1 ? kTileColumns : whole_runs + 2;
}

int64_t GradientPass::tile_elements() const {
  return std::min(rows_per_block_, rows_) * std::min(task_.columns, kTileColumns);
}

int64_t GradientPass::workspace_size() const { return parameters_ * row_blocks_ * entries(); }

int64_t GradientPass::FirstRun(int64_t column_tile) const {
  return column_tile * kTileColumns / pattern_.repeat;
}

void GradientPass::SumColumns(const GridTile& tile, double* const* sums,
                              const Kernels& kernels) const {
  ColumnSums columns = {};
  for (int k = 0; k < parameters_; ++k) {
    columns.of_parameter[k] = sums[k];
    std::fill_n(sums[k], tile.column_end - tile.column_begin, 0.0);
  }
  kernels.sum_gradients(task_, tile, columns);
}

void GradientPass::SumTile(int64_t tile, double* workspace, const Kernels& kernels) const {
  const int64_t block = tile / column_tiles_, column_tile = tile % column_tiles_;
  const int64_t column = column_tile * kTileColumns;
  const GridTile range = {block * rows_per_block_, std::min((block + 1) * rows_per_block_, rows_),
                          column, std::min(column + kTileColumns, task_.columns)};
  double* entries_of[kMostGradients];
  for (int k = 0; k < parameters_; ++k) {
    entries_of[k] =
        workspace + (k * row_blocks_ + block) * entries() + column_tile * runs_per_tile_;
  }
  if (pattern_.repeat == 1) return SumColumns(range, entries_of, kernels);

  double columns[kMostGradients][kTileColumns];
  double* sums[kMostGradients];
  for (int k = 0; k < parameters_; ++k) sums[k] = columns[k];
  SumColumns(range, sums, kernels);
  const int64_t first_run = FirstRun(column_tile);
  for (int k = 0; k < parameters_; ++k) {
    std::fill_n(entries_of[k], runs_per_tile_, 0.0);
    for (int64_t c = range.column_begin; c < range.column_end; ++c) {
      entries_of[k][c / pattern_.repeat - first_run] += columns[k][c - column];
    }
  }
}

void GradientPass::Reduce(double* workspace) const {
  for (int k = 0; k < parameters_; ++k) {
    double* sums = workspace + k * row_blocks_ * entries();
    for (int64_t block = 1; block < row_blocks_; ++block) {
      AddTo(sums, sums + block * entries(), entries());
    }
    if (pattern_.repeat != 1) ReduceRuns(sums);
    const int64_t runs = task_.columns / pattern_.repeat;
    const int64_t count = std::max<int64_t>(pattern_.count, 1);
    for (int64_t run = count; run < runs; run += count) AddTo(sums, sums + run, count);
  }
}

// In-place: no run's sum is written past its entries.
void GradientPass::ReduceRuns(double* sums) const {
  const int64_t runs = task_.columns / pattern_.repeat;
  for (int64_t run = 0; run < runs; ++run) {
    const int64_t begin = run * pattern_.repeat, end = begin + pattern_.repeat;
    double sum = 0;
    for (int64_t tile = begin / kTileColumns; tile * kTileColumns < end; ++tile) {
      sum += sums[tile * runs_per_tile_ + run - FirstRun(tile)];
    }
    sums[run] = sum;
  }
}

const double* GradientPass::Sums(const double* workspace, int k) const {
  return workspace + k * row_blocks_ * entries();
}

ParameterGradients::ParameterGradients(const SumGradientsTask& task,
                                       const BroadcastPattern* patterns)
    : type_(task.type) {
  const int parameters = ParametersOf(task.noise);
  // One pass per broadcast pattern. Any pass can also sum scalars.
  const auto pass_of = [&](const BroadcastPattern& pattern) {
    return std::find_if(passes_.begin(), passes_.end(),
                        [&](const GradientPass& pass) { return pass.pattern() == pattern; });
  };
  for (int k = 0; k < parameters; ++k) {
    if (!patterns[k].is_scalar() && pass_of(patterns[k]) == passes_.end()) {
      passes_.emplace_back(task, patterns[k]);
    }
  }
  if (passes_.empty()) passes_.emplace_back(task, BroadcastPattern{1, 1});
  for (int k = 0; k < parameters; ++k) {
    const auto pass = patterns[k].is_scalar() ? passes_.begin() : pass_of(patterns[k]);
    results_.push_back({static_cast<size_t>(pass - passes_.begin()), patterns[k].count});
  }
}

int64_t ParameterGradients::workspace_size() const {
  int64_t size = 0;
  for (const GradientPass& pass : passes_) size += pass.workspace_size();
  return size;
}

int64_t ParameterGradients::tiles() const {
  int64_t tiles = 0;
  for (const GradientPass& pass : passes_) tiles += pass.tiles();
  return tiles;
}

int64_t ParameterGradients::tile_elements() const { return passes_.front().tile_elements(); }

void ParameterGradients::SumTile(int64_t tile, double* workspace, const Kernels& kernels) const {
  const IeeeArithmetic guard;
  for (const GradientPass& pass : passes_) {
    if (tile < pass.tiles()) return pass.SumTile(tile, workspace, kernels);
    tile -= pass.tiles();
    workspace += pass.workspace_size();
  }
}

void ParameterGradients::Finish(double* workspace, void* const* gradients) const {
  const IeeeArithmetic guard;
  const auto write = type_ == kElementType<double> ? Write<double> : Write<float>;
  for (size_t i = 0; i < passes_.size(); ++i) {
    const GradientPass& pass = passes_[i];
    pass.Reduce(workspace);
    for (size_t k = 0; k < results_.size(); ++k) {
      if (results_[k].pass != i) continue;
      const double* sums = pass.Sums(workspace, static_cast<int>(k));
      write(sums, pass.pattern().count, results_[k].count, gradients[k]);
    }
    workspace += pass.workspace_size();
  }
}

}  // namespace flatnoise::cpu
