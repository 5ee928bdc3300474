// The gradients of loc and scale on the processor: sums of dy and of dy z, in an order that depends
// on the sizes alone.
//
// The flat gradient is seen as a grid whose width is a multiple of the number of features (1 where
// loc and scale are scalars). The grid is cut into tiles; a tile's columns are summed row by row,
// then tiles from top to bottom, then columns of the same feature from left to right, all in
// double.
#ifndef FLATNOISE_CC_CPU_SUM_GRADIENTS_H_
#define FLATNOISE_CC_CPU_SUM_GRADIENTS_H_

#include <cstdint>

#include "cpu/dispatch.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

class GradientSums {
 public:
  // `task.columns` is chosen here.
  GradientSums(const SumGradientsTask& task, int64_t features);

  // Doubles of memory to hand to SumTile and Finish.
  int64_t workspace_size() const { return 2 * row_blocks_ * task_.columns; }

  int64_t tiles() const { return row_blocks_ * column_tiles_; }
  int64_t tile_elements() const;

  // Independent of every other tile.
  void SumTile(int64_t tile, double* workspace, const Kernels& kernels = ActiveKernels()) const;

  // Where a gradient goes: one value, or one per feature, in the compute type.
  struct Result {
    void* values;
    int64_t count;
  };

  // Adds up what the tiles left.
  void Finish(double* workspace, Result loc, Result scale) const;

 private:
  SumGradientsTask task_;
  int64_t features_;
  int64_t rows_;
  int64_t rows_per_block_;
  int64_t row_blocks_;
  int64_t column_tiles_;
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_SUM_GRADIENTS_H_
