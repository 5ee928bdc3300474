// The forward loop: read a group, make its noise, write both combined. `Kind` is a NoiseKind.
#ifndef FLATNOISE_CC_CPU_APPLY_NOISE_LOOP_H_
#define FLATNOISE_CC_CPU_APPLY_NOISE_LOOP_H_

#include <cstdint>

#include "core/noise.h"
#include "core/stream_values.h"
#include "cpu/broadcast_values.h"
#include "cpu/noise_group.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

// Parameters that are all scalars.
template <class Isa, class Kind>
class ScalarParameters {
 public:
  using Scalar = typename Kind::Scalar;
  using L = VectorLanes<Isa, Scalar>;
  using Real = typename L::Real;

  FLATNOISE_INLINE ScalarParameters(const ApplyNoiseTask& task, int64_t) {
    for (int k = 0; k < Kind::kParameters; ++k) {
      values_[k] = L::Broadcast(*static_cast<const Scalar*>(task.parameters[k].values));
    }
  }

  FLATNOISE_INLINE void BeginGroup() {}
  FLATNOISE_INLINE void Read(int, Real (&p)[Kind::kParameters]) const {
    for (int k = 0; k < Kind::kParameters; ++k) p[k] = values_[k];
  }
  FLATNOISE_INLINE void Advance(int64_t) {}

 private:
  Real values_[Kind::kParameters];
};

// Parameters of any shapes.
template <class Isa, class Kind>
class BroadcastParameters {
 public:
  using Scalar = typename Kind::Scalar;
  using L = VectorLanes<Isa, Scalar>;
  using Real = typename L::Real;

  FLATNOISE_INLINE BroadcastParameters(const ApplyNoiseTask& task, int64_t begin) {
    for (int k = 0; k < Kind::kParameters; ++k) values_[k].Begin(task.parameters[k]);
    Advance(begin);
  }

  FLATNOISE_INLINE void BeginGroup() {
    for (int k = 0; k < Kind::kParameters; ++k) group_[k] = values_[k].Group();
  }
  FLATNOISE_INLINE void Read(int vector, Real (&p)[Kind::kParameters]) const {
    for (int k = 0; k < Kind::kParameters; ++k) p[k] = Isa::Load(group_[k] + vector * L::kLanes);
  }
  FLATNOISE_INLINE void Advance(int64_t elements) {
    for (int k = 0; k < Kind::kParameters; ++k) values_[k].Advance(elements);
  }

 private:
  BroadcastValues<Isa, Scalar> values_[Kind::kParameters];
  const Scalar* group_[Kind::kParameters];
};

template <class Isa, class Kind, class Parameters>
class ApplyNoiseLoop {
 public:
  using T = typename Kind::Element;

  FLATNOISE_INLINE ApplyNoiseLoop(const ApplyNoiseTask& task, int64_t begin)
      : stream_(task.stream),
        parameters_(task, begin),
        input_(static_cast<const T*>(task.input) + begin),
        output_(static_cast<T*>(task.output) + begin),
        position_(task.offset + static_cast<uint64_t>(begin)) {}

  FLATNOISE_INLINE void Run(int64_t count) {
    // A group begins with any block of the stream.
    const auto past_block = static_cast<int64_t>(position_ % kValuesPerBlock<Scalar>);
    if (past_block != 0) {
      const int64_t rest = kGroup - past_block;
      count -= PartialGroup(past_block, count < rest ? count : rest);
    }
    for (int64_t groups = count / kGroup; groups > 0; --groups) {
      Group(input_, output_);
      Advance(kGroup);
    }
    if (count % kGroup != 0) PartialGroup(0, count % kGroup);
  }

 private:
  using Scalar = typename Kind::Scalar;
  using Combination = typename Kind::Combination;
  using L = VectorLanes<Isa, Scalar>;
  using Shape = GroupShape<Isa, Scalar>;
  static constexpr int64_t kGroup = Shape::kElements;

  FLATNOISE_INLINE void Group(const T* input, T* output) {
    PrefetchGroup(input);
    PrefetchGroup(output);
    typename L::Real z[Shape::kVectors];
    stream_.Make(position_ / kValuesPerBlock<Scalar>, z);
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
    typename L::Real p[Kind::kParameters];
    parameters_.Read(vector, p);
    return Combination::template Apply<L>(Isa::Load(input + vector * L::kLanes), p, z[vector]);
  }

  // `count` elements of a group, the first of them `skipped` elements into it.
  int64_t PartialGroup(int64_t skipped, int64_t count) {
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

  GroupNoise<Isa, Scalar, typename Kind::Distribution> stream_;
  Parameters parameters_;
  const T* input_;
  T* output_;
  uint64_t position_;  // in the stream
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_APPLY_NOISE_LOOP_H_
