// The gradients of the parameters on the CPU: sums of every element's contribution, in an order
// that depends only on the sizes.
//
// The flat gradient is treated as a grid whose width is a multiple of the parameters' period. The
// grid is divided into tiles. Within a tile, columns are summed row by row. If values repeat, the
// columns of the same value are then summed from left to right. Finally, these partial sums are
// added from the top tile to the bottom tile, and those of the same value from left to right. All
// sums are in double.
#ifndef FLATNOISE_CC_CPU_PARAMETER_GRADIENTS_H_
#define FLATNOISE_CC_CPU_PARAMETER_GRADIENTS_H_

#include <cstdint>
#include <vector>

#include "core/export.h"
#include "cpu/dispatch.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

// The gradients of all parameters with the same broadcast pattern, and of scalars.
class GradientPass {
 public:
  // Sets `task.columns`.
  GradientPass(const SumGradientsTask& task, const BroadcastPattern& pattern);

  int64_t tiles() const { return row_blocks_ * column_tiles_; }
  int64_t tile_elements() const;
  // The number of doubles.
  int64_t workspace_size() const;

  void SumTile(int64_t tile, double* workspace, const Kernels& kernels) const;

  // Adds up the partial sums of the tiles. Afterwards, Sums gives the sums for parameter k.
  void Reduce(double* workspace) const;
  const double* Sums(const double* workspace, int k) const;

  const BroadcastPattern& pattern() const { return pattern_; }

 private:
  // A run is a range of adjacent columns of the same value. An entry is the sum of a run in one
  // tile.
  int64_t FirstRun(int64_t column_tile) const;
  int64_t entries() const { return column_tiles_ * runs_per_tile_; }
  void SumColumns(const GridTile& tile, double* const* sums, const Kernels& kernels) const;
  void ReduceRuns(double* sums) const;

  SumGradientsTask task_;
  BroadcastPattern pattern_;
  int parameters_;
  int64_t rows_;
  int64_t rows_per_block_;
  int64_t row_blocks_;
  int64_t column_tiles_;
  int64_t runs_per_tile_;  // at most
};

class FLATNOISE_EXPORT ParameterGradients {
 public:
  // `patterns` has one entry for each parameter of the noise.
  ParameterGradients(const SumGradientsTask& task, const BroadcastPattern* patterns);

  // The size of the workspace for SumTile and Finish, in doubles.
  int64_t workspace_size() const;

  int64_t tiles() const;
  int64_t tile_elements() const;

  // Tiles are independent of each other.
  void SumTile(int64_t tile, double* workspace, const Kernels& kernels = ActiveKernels()) const;

  // Adds up the partial sums of the tiles. `gradients[k]` has as many values as parameter k, in the
  // compute type.
  void Finish(double* workspace, void* const* gradients) const;

 private:
  struct Result {
    size_t pass;
    int64_t count;
  };

  ElementType type_;
  std::vector<GradientPass> passes_;
  std::vector<Result> results_;
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_PARAMETER_GRADIENTS_H_
