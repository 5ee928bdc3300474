// What a kernel is asked to do, in plain pointers and sizes.
#ifndef FLATNOISE_CC_CPU_TASKS_H_
#define FLATNOISE_CC_CPU_TASKS_H_

#include <cstdint>

#include "core/combination.h"
#include "core/distributions.h"
#include "core/number_types.h"
#include "core/parameter.h"
#include "core/stream.h"

namespace flatnoise::cpu {

// output[i] = input[i] combined with loc + scale z[offset + i]; output may be input.
struct ApplyNoiseTask {
  ElementType type;
  Distribution distribution;
  Combination combination;
  const void* input;
  void* output;
  Stream stream;
  uint64_t offset;
  int64_t features;
  Parameter loc;
  Parameter scale;
};

// Sums of grad[i] and of grad[i] z[offset + i] over a grid of `columns` columns, in which element i
// lies in row i / columns and column i % columns; the last row may be short.
struct SumGradientsTask {
  ElementType type;
  Distribution distribution;
  const void* gradient;
  Stream stream;
  uint64_t offset;
  int64_t elements;
  int64_t columns;
};

// A rectangle of that grid.
struct GridTile {
  int64_t row_begin, row_end;
  int64_t column_begin, column_end;
};

// The kernels of one instruction set.
struct Kernels {
  const char* name;
  // Elements begin to end of a task.
  void (*apply_noise)(const ApplyNoiseTask& task, int64_t begin, int64_t end);
  // Column sums of a tile, row by row, into one double per column.
  void (*sum_gradients)(const SumGradientsTask& task, const GridTile& tile, double* loc_sums,
                        double* scale_sums);
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_TASKS_H_
