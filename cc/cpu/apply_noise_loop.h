// The forward loop: read a group, make its noise, write both combined.
#ifndef FLATNOISE_CC_CPU_APPLY_NOISE_LOOP_H_
#define FLATNOISE_CC_CPU_APPLY_NOISE_LOOP_H_

#include <cstdint>

#include "core/combination.h"
#include "core/noise.h"
#include "core/number_types.h"
#include "cpu/noise_group.h"
#include "cpu/periodic_values.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

template <class Isa, class Scalar>
class ConstantParameters {
 public:
  using L = VectorLanes<Isa, Scalar>;

  FLATNOISE_INLINE ConstantParameters(const ApplyNoiseTask& task, int64_t)
      : loc_(L::Broadcast(*static_cast<const Scalar*>(task.loc.values))),
        scale_(L::Broadcast(*static_cast<const Scalar*>(task.scale.values))) {}

  FLATNOISE_INLINE void BeginGroup() {}
  FLATNOISE_INLINE typename L::Real loc(int) const { return loc_; }
  FLATNOISE_INLINE typename L::Real scale(int) const { return scale_; }
  FLATNOISE_INLINE void Advance(int64_t) {}

 private:
  typename L::Real loc_;
  typename L::Real scale_;
};

template <class Isa, class Scalar>
class FeatureParameters {
 public:
  using L = VectorLanes<Isa, Scalar>;
  static constexpr int kGroup = GroupShape<Isa, Scalar>::kElements;

  FLATNOISE_INLINE FeatureParameters(const ApplyNoiseTask& task, int64_t begin)
      : loc_(static_cast<const Scalar*>(task.loc.values), task.loc.count),
        scale_(static_cast<const Scalar*>(task.scale.values), task.scale.count),
        features_(task.features),
        feature_(begin % task.features) {}

  FLATNOISE_INLINE void BeginGroup() {
    loc_values_ = loc_.At(loc_.period() == 1 ? 0 : feature_);
    scale_values_ = scale_.At(scale_.period() == 1 ? 0 : feature_);
  }
  FLATNOISE_INLINE typename L::Real loc(int vector) const {
    return Isa::Load(loc_values_ + vector * L::kLanes);
  }
  FLATNOISE_INLINE typename L::Real scale(int vector) const {
    return Isa::Load(scale_values_ + vector * L::kLanes);
  }
  FLATNOISE_INLINE void Advance(int64_t elements) {
    feature_ += elements;
    if (feature_ >= features_ || feature_ < 0) feature_ %= features_;
    if (feature_ < 0) feature_ += features_;
  }

 private:
  PeriodicValues<Scalar, kGroup> loc_;
  PeriodicValues<Scalar, kGroup> scale_;
  int64_t features_;
  int64_t feature_;
  const Scalar* loc_values_ = nullptr;
  const Scalar* scale_values_ = nullptr;
};

template <class Isa, class T, Distribution distribution, Combination combination, class Parameters>
class ApplyNoiseLoop {
 public:
  FLATNOISE_INLINE ApplyNoiseLoop(const ApplyNoiseTask& task, int64_t begin)
      : noise_(task.stream),
        parameters_(task, begin),
        input_(static_cast<const T*>(task.input) + begin),
        output_(static_cast<T*>(task.output) + begin),
        position_(task.offset + static_cast<uint64_t>(begin)) {}

  FLATNOISE_INLINE void Run(int64_t count) {
    const auto past_group = static_cast<int64_t>(position_ % kGroup);
    if (past_group != 0) {
      const int64_t rest = kGroup - past_group;
      count -= Part(past_group, count < rest ? count : rest);
    }
    for (int64_t groups = count / kGroup; groups > 0; --groups) {
      Group(input_, output_);
      Advance(kGroup);
    }
    if (count % kGroup != 0) Part(0, count % kGroup);
  }

 private:
  using Scalar = ComputeType<T>;
  using L = VectorLanes<Isa, Scalar>;
  using Shape = GroupShape<Isa, Scalar>;
  static constexpr int64_t kGroup = Shape::kElements;

  FLATNOISE_INLINE void Group(const T* input, T* output) {
    PrefetchGroup(input);
    PrefetchGroup(output);
    typename L::Real z[Shape::kVectors];
    noise_.Make(position_ / kValuesPerBlock<Scalar>, z);
    parameters_.BeginGroup();
    for (int i = 0; i < Shape::kVectors; i += 2) {
      const auto first = Combined(input, z, i);
      const auto second = Combined(input, z, i + 1);
      Isa::Store(output + i * L::kLanes, first, second);
    }
  }

  // Between two groups lies so much arithmetic that the processor does not look far enough ahead to
  // hide a miss in the caches or the page tables. Past the end of a tensor it does no harm.
  FLATNOISE_INLINE static void PrefetchGroup(const T* group) {
    constexpr uintptr_t kDistance = 512, kCacheLine = 64;
    const uintptr_t ahead = reinterpret_cast<uintptr_t>(group) + kDistance;
    for (uintptr_t i = 0; i < kGroup * sizeof(T); i += kCacheLine) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): a pointer may not point past its tensor.
      __builtin_prefetch(reinterpret_cast<const void*>(ahead + i));
    }
  }

  FLATNOISE_INLINE typename L::Real Combined(const T* input, const typename L::Real* z,
                                             int vector) const {
    return Combine<combination>(Isa::Load(input + vector * L::kLanes), parameters_.loc(vector),
                                parameters_.scale(vector), z[vector]);
  }

  // `count` elements of a group, the first of them `skipped` elements into it.
  int64_t Part(int64_t skipped, int64_t count) {
    T group[kGroup] = {};
    for (int64_t i = 0; i < count; ++i) group[skipped + i] = input_[i];
    position_ -= static_cast<uint64_t>(skipped);
    parameters_.Advance(-skipped);
    Group(group, group);
    for (int64_t i = 0; i < count; ++i) output_[i] = group[skipped + i];
    position_ += static_cast<uint64_t>(skipped);
    parameters_.Advance(skipped);
    Advance(count);
    return count;
  }

  FLATNOISE_INLINE void Advance(int64_t elements) {
    input_ += elements;
    output_ += elements;
    position_ += static_cast<uint64_t>(elements);
    parameters_.Advance(elements);
  }

  GroupNoise<Isa, Scalar, distribution> noise_;
  Parameters parameters_;
  const T* input_;
  T* output_;
  uint64_t position_;  // in the stream
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_APPLY_NOISE_LOOP_H_
