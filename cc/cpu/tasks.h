// What a kernel is asked to do, in plain pointers and sizes.
#ifndef FLATNOISE_CC_CPU_TASKS_H_
#define FLATNOISE_CC_CPU_TASKS_H_

#include <cstdint>

#include "core/noise.h"
#include "core/number_types.h"
#include "core/parameter.h"
#include "core/stream.h"
#include "cpu/storage.h"

namespace flatnoise::cpu {

// output[i] = input[i] with noise z[offset + i]; output may be input.
struct ApplyNoiseTask {
  Storage storage;
  Noise noise;
  const void* input;
  void* output;
  Stream stream;
  uint64_t offset;
  Parameter parameters[kMostParameters];
  // Two numbers of the parameters' type that results stay between, if they are to.
  const void* bounds = nullptr;
  // What bytes are multiplied by before they get noise.
  float byte_scale = 1;
  // Where z goes too, in the output's type, if anywhere: a combination's that returns noise.
  void* noise_output = nullptr;
};

// Sums of every element's share in the gradients of the parameters, over a grid of `columns`
// columns in which element i lies in row i / columns and column i % columns; the last row may be
// short. `input` is read only where the combination's gradient reads it.
struct SumGradientsTask {
  ElementType type;
  Noise noise;
  const void* gradient;
  const void* input;
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

// One double for each column of a tile, for each parameter.
struct ColumnSums {
  double* of_parameter[kMostGradients];
};

// The kernels of one instruction set.
struct Kernels {
  const char* name;
  // Elements begin to end of a task.
  void (*apply_noise)(const ApplyNoiseTask& task, int64_t begin, int64_t end);
  // Adds the columns of a tile, row by row, to `sums`.
  void (*sum_gradients)(const SumGradientsTask& task, const GridTile& tile, const ColumnSums& sums);
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_TASKS_H_
