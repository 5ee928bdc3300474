// The gradient loop: column sums of every element's contribution to the gradients of the
// parameters. The noise is recomputed from the seed.
#ifndef FLATNOISE_CC_CPU_PARAMETER_GRADIENTS_LOOP_H_
#define FLATNOISE_CC_CPU_PARAMETER_GRADIENTS_LOOP_H_

#include <cstdint>

#include "core/noise.h"
#include "core/stream_values.h"
#include "cpu/noise_group.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

// Every column is summed row by row in double, so the sums don't depend on the vector width or on
// the traversal of a tile. `Kind` is a NoiseKind.
template <class Isa, class Kind>
class ParameterGradientsLoop {
 public:
  using T = typename Kind::Element;

  FLATNOISE_INLINE explicit ParameterGradientsLoop(const SumGradientsTask& task)
      : stream_(task.stream),
        gradient_(static_cast<const T*>(task.gradient)),
        input_(static_cast<const T*>(kReadsInput ? task.input : task.gradient)),
        offset_(task.offset) {}

  // Adds a tile to the sums of its columns.
  FLATNOISE_INLINE void AddTile(const GridTile& tile, int64_t columns, int64_t elements,
                                const ColumnSums& sums) {
    int64_t row = tile.row_begin;
    const int64_t width = tile.column_end - tile.column_begin;
    const uint64_t first = PositionOf(row * columns + tile.column_begin);
    if (first % kInBlock == 0 && columns % kInBlock == 0) {
      const int64_t whole_rows = (elements - tile.column_end) / columns + 1;
      const int64_t end = tile.row_end < whole_rows ? tile.row_end : whole_rows;
      for (; row + kRows <= end; row += kRows) {
        AddRows(row * columns + tile.column_begin, columns, width, sums);
      }
    }
    for (; row < tile.row_end; ++row) {
      const int64_t begin = row * columns + tile.column_begin;
      AddRow(begin, begin + width < elements ? begin + width : elements, sums);
    }
  }

 private:
  using Scalar = typename Kind::Scalar;
  using Combination = typename Kind::Combination;
  using L = VectorLanes<Isa, Scalar>;
  using F64 = typename Isa::F64;
  using Shape = GroupShape<Isa, Scalar>;
  static constexpr int64_t kGroup = Shape::kElements;
  static constexpr int kInBlock = kValuesPerBlock<Scalar>;
  static constexpr int kRows = Shape::kChains;
  static constexpr int kParameters = Kind::kParameters;
  static constexpr bool kReadsInput = Combination::kGradientReadsInput;

  // Processes one row per chain, from `begin` on, so that a column's sums are loaded and stored
  // only once.
  FLATNOISE_INLINE void AddRows(int64_t begin, int64_t columns, int64_t width, ColumnSums sums) {
    int64_t done = 0;
    for (; done + Shape::kChainElements <= width; done += Shape::kChainElements) {
      typename L::Real z[Shape::kVectors];
      stream_.Make(PositionOf(begin + done) / kInBlock, static_cast<uint64_t>(columns) / kInBlock,
                   z);
      for (int i = 0; i < 2; ++i) {
        AddRowsOfColumns(begin + done + i * L::kLanes, columns, z + i, sums, done + i * L::kLanes);
      }
    }
    if (done == width) return;
    sums = After(sums, done);
    for (int row = 0; row < kRows; ++row, begin += columns) {
      AddRow(begin + done, begin + width, sums);
    }
  }

  // `z` points to every second vector of a group.
  FLATNOISE_INLINE void AddRowsOfColumns(int64_t begin, int64_t columns, const typename L::Real* z,
                                         const ColumnSums& sums, int64_t at) const {
    typename L::Real terms[kRows][kParameters];
    for (int row = 0; row < kRows; ++row) {
      const int64_t element = begin + row * columns;
      Terms(gradient_ + element, input_ + element, z[2 * row], terms[row]);
    }
    for (int k = 0; k < kParameters; ++k) {
      Accumulator<typename L::Real> sum(sums.of_parameter[k] + at);
      for (int row = 0; row < kRows; ++row) sum.Add(terms[row][k]);
      sum.Store(sums.of_parameter[k] + at);
    }
  }

  FLATNOISE_INLINE static void Terms(const T* gradient, const T* input, typename L::Real z,
                                     typename L::Real (&terms)[kParameters]) {
    const auto g = Isa::Load(gradient);
    const auto x = kReadsInput ? Isa::Load(input) : g;
    Combination::ParameterGradients(g, x, z, terms);
  }

  // Adds elements begin to end to the sums of their columns. There are none if the last row of the
  // grid ends before the tile.
  [[gnu::noinline]] void AddRow(int64_t begin, int64_t end, ColumnSums sums) {
    if (begin >= end) return;
    const auto skipped = static_cast<int64_t>(PositionOf(begin) % kInBlock);
    if (skipped != 0) {
      const int64_t rest = kGroup - skipped;
      const int64_t count = end - begin < rest ? end - begin : rest;
      PartialGroup(skipped, count, begin, sums);
      begin += count;
      sums = After(sums, count);
    }
    const int64_t count = (end - begin) / kGroup * kGroup;
    Groups(PositionOf(begin), count, gradient_ + begin, input_ + begin, sums);
    const int64_t rest = end - begin - count;
    if (rest > 0) PartialGroup(0, rest, begin + count, After(sums, count));
  }

  FLATNOISE_INLINE uint64_t PositionOf(int64_t element) const {
    return offset_ + static_cast<uint64_t>(element);
  }

  FLATNOISE_INLINE static ColumnSums After(ColumnSums sums, int64_t columns) {
    for (int k = 0; k < kParameters; ++k) sums.of_parameter[k] += columns;
    return sums;
  }

  // Processes whole groups, `count` elements. Called with the tensors and with copies of a partial
  // group, so that this is compiled only once.
  [[gnu::noinline]] void Groups(uint64_t position, int64_t count, const T* gradient, const T* input,
                                const ColumnSums& sums) {
    for (int64_t at = 0; at < count; at += kGroup) {
      Group(position + static_cast<uint64_t>(at), gradient + at, input + at, After(sums, at));
    }
  }

  FLATNOISE_INLINE void Group(uint64_t position, const T* gradient, const T* input,
                              const ColumnSums& sums) {
    typename L::Real z[Shape::kVectors];
    stream_.Make(position / kInBlock, z);
    for (int i = 0; i < Shape::kVectors; ++i) {
      const int64_t at = i * L::kLanes;
      typename L::Real terms[kParameters];
      Terms(gradient + at, input + at, z[i], terms);
      for (int k = 0; k < kParameters; ++k) Add(terms[k], sums.of_parameter[k] + at);
    }
  }

  // Processes `count` elements of a group from `begin` on, starting `skipped` elements into it.
  void PartialGroup(int64_t skipped, int64_t count, int64_t begin, const ColumnSums& sums) {
    T gradient[kGroup] = {}, input[kGroup] = {};
    double terms[kParameters][kGroup] = {};
    ColumnSums group_sums;
    for (int k = 0; k < kParameters; ++k) group_sums.of_parameter[k] = terms[k];
    for (int64_t i = 0; i < count; ++i) {
      gradient[skipped + i] = gradient_[begin + i];
      input[skipped + i] = input_[begin + i];
    }
    Groups(PositionOf(begin - skipped), kGroup, gradient, input, group_sums);
    for (int k = 0; k < kParameters; ++k) {
      for (int64_t i = 0; i < count; ++i) sums.of_parameter[k][i] += terms[k][skipped + i];
    }
  }

  FLATNOISE_INLINE static void Add(typename L::Real terms, double* sums) {
    Accumulator<typename L::Real> sum(sums);
    sum.Add(terms);
    sum.Store(sums);
  }

  // The sums of one column per vector lane, in double.
  template <class Real, class = void>
  class Accumulator;

  template <class Dummy>
  class Accumulator<typename Isa::F32, Dummy> {
   public:
    FLATNOISE_INLINE explicit Accumulator(const double* sums)
        : low_(Isa::Load(sums)), high_(Isa::Load(sums + VectorLanes<Isa, double>::kLanes)) {}
    FLATNOISE_INLINE void Add(typename Isa::F32 terms) {
      F64 wide[2];
      Isa::Widen(terms, wide);
      low_ += wide[0];
      high_ += wide[1];
    }
    FLATNOISE_INLINE void Store(double* sums) const {
      Isa::Store(sums, low_);
      Isa::Store(sums + VectorLanes<Isa, double>::kLanes, high_);
    }

   private:
    F64 low_, high_;
  };

  template <class Dummy>
  class Accumulator<F64, Dummy> {
   public:
    FLATNOISE_INLINE explicit Accumulator(const double* sums) : sum_(Isa::Load(sums)) {}
    FLATNOISE_INLINE void Add(F64 terms) { sum_ += terms; }
    FLATNOISE_INLINE void Store(double* sums) const { Isa::Store(sums, sum_); }

   private:
    F64 sum_;
  };

  GroupNoise<Isa, Scalar, typename Kind::Distribution> stream_;
  const T* gradient_;
  const T* input_;
  uint64_t offset_;
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_PARAMETER_GRADIENTS_LOOP_H_
