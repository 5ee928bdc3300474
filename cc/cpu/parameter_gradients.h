// The gradients of the parameters on the CPU: sums of every element's share, in an order that
// depends on the sizes alone.
//
// The flat gradient is seen as a grid whose width is a multiple of the parameters' period. The grid
// is cut into tiles. A tile's columns are summed row by row, then, where a value is repeated,
// columns of the same value from left to right. Each of these partial sums is then added up from
// the top tile to the bottom one, and those of one value from left to right: all in double.
#ifndef FLATNOISE_CC_CPU_PARAMETER_GRADIENTS_H_
#define FLATNOISE_CC_CPU_PARAMETER_GRADIENTS_H_

#include <cstdint>
#include <vector>

#include "cpu/dispatch.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

// The gradients of all parameters that broadcast in one way, and of scalars beside them.
class GradientPass {
 public:
  // `task.columns` is chosen here.
  GradientPass(const SumGradientsTask& task, const BroadcastPattern& pattern);

  int64_t tiles() const { return row_blocks_ * column_tiles_; }
  int64_t tile_elements() const;
  // In doubles.
  int64_t workspace_size() const;

  void SumTile(int64_t tile, double* workspace, const Kernels& kernels) const;

  // Adds up what the tiles left. After that: the sums of the values of parameter k.
  void Reduce(double* workspace) const;
  const double* Sums(const double* workspace, int k) const;

  const BroadcastPattern& pattern() const { return pattern_; }

 private:
  // A run is a value's columns side by side, an entry the sum of a run in one tile.
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

class ParameterGradients {
 public:
  // `patterns` of as many parameters as the noise has.
  ParameterGradients(const SumGradientsTask& task, const BroadcastPattern* patterns);

  // Doubles of memory to hand to SumTile and Finish.
  int64_t workspace_size() const;

  int64_t tiles() const;
  int64_t tile_elements() const;

  // Independent of every other tile.
  void SumTile(int64_t tile, double* workspace, const Kernels& kernels = ActiveKernels()) const;

  // Adds up what the tiles left. `gradients[k]` has as many values as parameter k, in the compute
  // type.
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
