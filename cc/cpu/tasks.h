// The tasks of kernels, in plain pointers and sizes.
#ifndef FLATNOISE_CC_CPU_TASKS_H_
#define FLATNOISE_CC_CPU_TASKS_H_

#include <cstdint>

#include "core/noise.h"
#include "core/number_types.h"
#include "core/parameter.h"
#include "core/stream.h"
#include "cpu/storage.h"

namespace flatnoise::cpu {

// output[i] = input[i] with noise z[offset + i]. The output may alias the input.
struct ApplyNoiseTask {
  Storage storage;
  Noise noise;
  const void* input;
  void* output;
  Stream stream;
  uint64_t offset;
  Parameter parameters[kMostParameters];
  // The two numbers to clip results to, in the parameters' type, or null.
  const void* bounds = nullptr;
  // The factor for uint8 inputs.
  float byte_scale = 1;
  // Where to write z, in the output's type, or null. Only for combinations that return noise.
  void* noise_output = nullptr;
};

// Sums of every element's contribution to the gradients of the parameters, over a grid with
// `columns` columns. Element i is in row i / columns and column i % columns. The last row may be
// short. `input` is read only if the combination's gradient depends on it.
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

// A rectangle in the grid.
struct GridTile {
  int64_t row_begin, row_end;
  int64_t column_begin, column_end;
};

// For each parameter, one double per column of a tile.
struct ColumnSums {
  double* of_parameter[kMostGradients];
};

// The kernels of one instruction set.
struct Kernels {
  const char* name;
  // Processes elements begin to end of a task.
  void (*apply_noise)(const ApplyNoiseTask& task, int64_t begin, int64_t end);
  // Adds the columns of a tile, row by row, to `sums`.
  void (*sum_gradients)(const SumGradientsTask& task, const GridTile& tile, const ColumnSums& sums);
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_TASKS_H_
