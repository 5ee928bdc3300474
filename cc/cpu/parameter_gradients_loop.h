// The gradient loop: column sums of every element's share in the gradients of the parameters, with
// the noise made again from the seed.
#ifndef FLATNOISE_CC_CPU_PARAMETER_GRADIENTS_LOOP_H_
#define FLATNOISE_CC_CPU_PARAMETER_GRADIENTS_LOOP_H_

#include <cstdint>

#include "core/noise.h"
#include "core/stream_values.h"
#include "cpu/noise_group.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

// Every column is summed row after row in double, so the sums depend neither on the vectors' width
// nor on how a tile is walked. `Kind` is a NoiseKind.
template <class Isa, class Kind>
class ParameterGradientsLoop {
 public:
  using T = typename Kind::Element;

  FLATNOISE_INLINE explicit ParameterGradientsLoop(const SumGradientsTask& task)
      : stream_(task.stream),
        gradient_(static_cast<const T*>(task.gradient)),
        input_(static_cast<const T*>(kReadsInput ? task.input : task.gradient)),
        offset_(task.offset) {}

  // Adds elements begin to end to the sums of as many columns.
  FLATNOISE_INLINE void AddRow(int64_t begin, int64_t end, ColumnSums sums) {
    while (begin < end) {
      const uint64_t position = offset_ + static_cast<uint64_t>(begin);
      const auto skipped = static_cast<int64_t>(position % kGroup);
      const int64_t rest = kGroup - skipped;
      const int64_t count = end - begin < rest ? end - begin : rest;
      if (count == kGroup) {
        Group(position, gradient_ + begin, input_ + begin, sums);
      } else {
        PartialGroup(position, skipped, count, begin, sums);
      }
      begin += count;
      for (int k = 0; k < kParameters; ++k) sums.of_parameter[k] += count;
    }
  }

 private:
  using Scalar = typename Kind::Scalar;
  using Combination = typename Kind::Combination;
  using L = VectorLanes<Isa, Scalar>;
  using F64 = typename Isa::F64;
  using Shape = GroupShape<Isa, Scalar>;
  static constexpr int64_t kGroup = Shape::kElements;
  static constexpr int kParameters = Kind::kParameters;
  static constexpr bool kReadsInput = Combination::kGradientReadsInput;

  FLATNOISE_INLINE void Group(uint64_t position, const T* gradient, const T* input,
                              const ColumnSums& sums) const {
    typename L::Real z[Shape::kVectors];
    stream_.Make(position / kValuesPerBlock<Scalar>, z);
    for (int i = 0; i < Shape::kVectors; ++i) {
      const int64_t at = i * L::kLanes;
      const auto g = Isa::Load(gradient + at);
      const auto x = kReadsInput ? Isa::Load(input + at) : g;
      typename L::Real terms[kParameters];
      Combination::ParameterGradients(g, x, z[i], terms);
      for (int k = 0; k < kParameters; ++k) Add(terms[k], sums.of_parameter[k] + at);
    }
  }

  // `count` elements of a group from `begin` on, the first of them `skipped` elements into it.
  void PartialGroup(uint64_t position, int64_t skipped, int64_t count, int64_t begin,
                    const ColumnSums& sums) const {
    T gradient[kGroup] = {}, input[kGroup] = {};
    double terms[kParameters][kGroup] = {};
    ColumnSums group_sums;
    for (int k = 0; k < kParameters; ++k) group_sums.of_parameter[k] = terms[k];
    for (int64_t i = 0; i < count; ++i) {
      gradient[skipped + i] = gradient_[begin + i];
      input[skipped + i] = input_[begin + i];
    }
    Group(position - static_cast<uint64_t>(skipped), gradient, input, group_sums);
    for (int k = 0; k < kParameters; ++k) {
      for (int64_t i = 0; i < count; ++i) sums.of_parameter[k][i] += terms[k][skipped + i];
    }
  }

  FLATNOISE_INLINE static void Add(typename Isa::F32 terms, double* sums) {
    F64 wide[2];
    Isa::Widen(terms, wide);
    Add(wide[0], sums);
    Add(wide[1], sums + VectorLanes<Isa, double>::kLanes);
  }
  FLATNOISE_INLINE static void Add(F64 terms, double* sums) {
    Isa::Store(sums, Isa::Load(sums) + terms);
  }

  GroupNoise<Isa, Scalar, typename Kind::Distribution> stream_;
  const T* gradient_;
  const T* input_;
  uint64_t offset_;
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_PARAMETER_GRADIENTS_LOOP_H_
