// The forward loop: generate the noise of a group, read the group, and write both combined. `Kind`
// is the NoiseKind of a compute type.
#ifndef FLATNOISE_CC_CPU_APPLY_NOISE_LOOP_H_
#define FLATNOISE_CC_CPU_APPLY_NOISE_LOOP_H_

#include <cstdint>
#include <cstring>

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

  FLATNOISE_INLINE explicit ScalarParameters(const ApplyNoiseTask& task) {
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

  FLATNOISE_INLINE explicit BroadcastParameters(const ApplyNoiseTask& task) {
    for (int k = 0; k < Kind::kParameters; ++k) values_[k].Begin(task.parameters[k]);
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

// `Memory` is a policy of cpu/memory.h.
template <class Isa, class Kind, class Parameters, class Memory>
class ApplyNoiseLoop {
 public:
  FLATNOISE_INLINE ApplyNoiseLoop(const ApplyNoiseTask& task, int64_t begin)
      : task_(task),
        memory_(task),
        stream_(task.stream),
        parameters_(task),
        at_{static_cast<const char*>(task.input), static_cast<char*>(task.output),
            static_cast<char*>(task.noise_output)},
        position_(task.offset) {
    AdvancePlaces(begin, &at_);
    AdvanceStream(begin);
  }

  FLATNOISE_INLINE void Run(int64_t count) {
    // A group can begin with any block of the stream.
    const auto past_block = static_cast<int64_t>(position_ % kValuesPerBlock<Scalar>);
    if (past_block != 0) {
      const int64_t rest = kGroup - past_block;
      count -= PartialGroup(past_block, count < rest ? count : rest);
    }
    const int64_t groups = count / kGroup;
    Groups(groups, at_);
    AdvancePlaces(groups * kGroup, &at_);
    if (count % kGroup != 0) PartialGroup(0, count % kGroup);
  }

 private:
  using Scalar = typename Kind::Scalar;
  using Combination = typename Kind::Combination;
  using L = VectorLanes<Isa, Scalar>;
  using Real = typename L::Real;
  using Shape = GroupShape<Isa, Scalar>;
  static constexpr int64_t kGroup = Shape::kElements;

  // The addresses of an element in the tensors.
  struct Places {
    const char* input;
    char* output;
    char* noise;
  };

  // Processes whole groups. Called with the tensors and with copies of a partial group, so that the
  // largest part of the loop is compiled only once.
  [[gnu::noinline]] void Groups(int64_t count, Places at) {
    for (; count > 0; --count) {
      Group(at);
      AdvancePlaces(kGroup, &at);
      AdvanceStream(kGroup);
    }
  }

  FLATNOISE_INLINE void Group(const Places& at) {
    Real z[Shape::kVectors];
    stream_.Make(position_ / kValuesPerBlock<Scalar>, z);
    parameters_.BeginGroup();
    memory_.Visit([&](auto tag) __attribute__((always_inline)) {
      using Type = typename decltype(tag)::type;
      Write<Type::kClips>(reinterpret_cast<const typename Type::Input*>(at.input), z,
                          reinterpret_cast<typename Type::Output*>(at.output),
                          reinterpret_cast<typename Type::Output*>(at.noise));
    });
  }

  template <bool kClips, class In, class Out>
  FLATNOISE_INLINE void Write(const In* input, const Real (&z)[Shape::kVectors], Out* output,
                              Out* noise) const {
    PrefetchGroup(input);
    PrefetchGroup(output);
    for (int i = 0; i < Shape::kVectors; i += 2) {
      const Real first = Combined<kClips>(input, z, i);
      const Real second = Combined<kClips>(input, z, i + 1);
      Isa::Store(output + i * L::kLanes, first, second);
      if constexpr (Combination::kReturnsNoise) {
        if (noise != nullptr) Isa::Store(noise + i * L::kLanes, z[i], z[i + 1]);
      }
    }
  }

  // There is so much arithmetic between two groups that out-of-order execution can't hide cache and
  // TLB misses. Prefetching past the end of a tensor is harmless.
  template <class T>
  FLATNOISE_INLINE static void PrefetchGroup(const T* group) {
    constexpr uintptr_t kDistance = 512, kCacheLine = 64;
    const uintptr_t ahead = reinterpret_cast<uintptr_t>(group) + kDistance;
    for (uintptr_t i = 0; i < kGroup * sizeof(T); i += kCacheLine) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): pointer arithmetic past the tensor is undefined.
      __builtin_prefetch(reinterpret_cast<const void*>(ahead + i));
    }
  }
  FLATNOISE_INLINE static void PrefetchGroup(const Nothing*) {}

  template <bool kClips, class In>
  FLATNOISE_INLINE Real Combined(const In* input, const Real* z, int vector) const {
    Real p[Kind::kParameters];
    parameters_.Read(vector, p);
    const Real y = Combination::template Apply<L>(Load(input + vector * L::kLanes), p, z[vector]);
    if constexpr (!kClips) return y;
    return Clipped(y);
  }

  template <class T>
  FLATNOISE_INLINE Real Load(const T* p) const {
    return Isa::Load(p);
  }
  FLATNOISE_INLINE Real Load(const Nothing*) const {
    return L::Broadcast(static_cast<Scalar>(-0.0));
  }
  FLATNOISE_INLINE Real Load(const uint8_t* p) const {
    return Isa::Load(p) * L::Broadcast(static_cast<Scalar>(task_.byte_scale));
  }

  FLATNOISE_INLINE Real Clipped(Real y) const {
    const auto* bounds = static_cast<const Scalar*>(task_.bounds);
    return Clip<L>(y, L::Broadcast(bounds[0]), L::Broadcast(bounds[1]));
  }

  // Processes `count` elements of a group, starting `skipped` elements into it.
  int64_t PartialGroup(int64_t skipped, int64_t count) {
    char input[kGroup * sizeof(Scalar)] = {}, output[sizeof(input)], noise[sizeof(input)];
    const auto first = static_cast<size_t>(skipped), elements = static_cast<size_t>(count);
    const auto in = static_cast<size_t>(memory_.input_stride());
    const auto out = static_cast<size_t>(memory_.output_stride());
    if (in != 0) std::memcpy(input + first * in, at_.input, elements * in);
    AdvanceStream(-skipped);
    Groups(1, {input, output, at_.noise == nullptr ? nullptr : noise});
    AdvanceStream(skipped + count - kGroup);
    std::memcpy(at_.output, output + first * out, elements * out);
    if (Combination::kReturnsNoise && at_.noise != nullptr) {
      std::memcpy(at_.noise, noise + first * out, elements * out);
    }
    AdvancePlaces(count, &at_);
    return count;
  }

  FLATNOISE_INLINE void AdvancePlaces(int64_t elements, Places* at) const {
    at->input += elements * memory_.input_stride();
    at->output += elements * memory_.output_stride();
    if (Combination::kReturnsNoise && at->noise != nullptr) {
      at->noise += elements * memory_.output_stride();
    }
  }

  FLATNOISE_INLINE void AdvanceStream(int64_t elements) {
    position_ += static_cast<uint64_t>(elements);
    parameters_.Advance(elements);
  }

  const ApplyNoiseTask& task_;
  Memory memory_;
  GroupNoise<Isa, Scalar, typename Kind::Distribution> stream_;
  Parameters parameters_;
  Places at_;
  uint64_t position_;  // in the stream
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_APPLY_NOISE_LOOP_H_
