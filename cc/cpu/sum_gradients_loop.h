// The gradient loop: column sums of grad and of grad z, with z made again from the seed.
#ifndef FLATNOISE_CC_CPU_SUM_GRADIENTS_LOOP_H_
#define FLATNOISE_CC_CPU_SUM_GRADIENTS_LOOP_H_

#include <cstdint>

#include "core/noise.h"
#include "core/number_types.h"
#include "cpu/noise_group.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

// Every column is summed row after row in double, so the sums depend neither on the vectors' width
// nor on how a tile is walked.
template <class Isa, class T, Distribution distribution>
class SumGradientsLoop {
 public:
  FLATNOISE_INLINE explicit SumGradientsLoop(const SumGradientsTask& task)
      : noise_(task.stream),
        gradient_(static_cast<const T*>(task.gradient)),
        offset_(task.offset) {}

  // Adds elements begin to end to the sums of as many columns.
  FLATNOISE_INLINE void AddRow(int64_t begin, int64_t end, double* loc_sums, double* scale_sums) {
    while (begin < end) {
      const uint64_t position = offset_ + static_cast<uint64_t>(begin);
      const auto skipped = static_cast<int64_t>(position % kGroup);
      const int64_t rest = kGroup - skipped;
      const int64_t count = end - begin < rest ? end - begin : rest;
      if (count == kGroup) {
        Group(position, gradient_ + begin, loc_sums, scale_sums);
      } else {
        Part(position, skipped, count, gradient_ + begin, loc_sums, scale_sums);
      }
      begin += count;
      loc_sums += count;
      scale_sums += count;
    }
  }

 private:
  using Scalar = ComputeType<T>;
  using L = VectorLanes<Isa, Scalar>;
  using F64 = typename Isa::F64;
  using Shape = GroupShape<Isa, Scalar>;
  static constexpr int64_t kGroup = Shape::kElements;

  FLATNOISE_INLINE void Group(uint64_t position, const T* gradient, double* loc_sums,
                              double* scale_sums) const {
    typename L::Real z[Shape::kVectors];
    noise_.Make(position / kValuesPerBlock<Scalar>, z);
    for (int i = 0; i < Shape::kVectors; ++i) {
      const auto g = Isa::Load(gradient + i * L::kLanes);
      Add(g, loc_sums + i * L::kLanes);
      Add(g * z[i], scale_sums + i * L::kLanes);
    }
  }

  void Part(uint64_t position, int64_t skipped, int64_t count, const T* gradient, double* loc_sums,
            double* scale_sums) const {
    T group[kGroup] = {};
    double loc_terms[kGroup] = {}, scale_terms[kGroup] = {};
    for (int64_t i = 0; i < count; ++i) group[skipped + i] = gradient[i];
    Group(position - static_cast<uint64_t>(skipped), group, loc_terms, scale_terms);
    for (int64_t i = 0; i < count; ++i) {
      loc_sums[i] += loc_terms[skipped + i];
      scale_sums[i] += scale_terms[skipped + i];
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

  GroupNoise<Isa, Scalar, distribution> noise_;
  const T* gradient_;
  uint64_t offset_;
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_SUM_GRADIENTS_LOOP_H_
