// Policies for memory access in the forward loop: the input and output types, and clipping.
#ifndef FLATNOISE_CC_CPU_MEMORY_H_
#define FLATNOISE_CC_CPU_MEMORY_H_

#include <cstdint>

#include "core/number_types.h"
#include "core/qualifiers.h"
#include "core/type_list.h"
#include "cpu/storage.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

template <class In, class Out, bool clips>
struct MemoryType {
  using Input = In;
  using Output = Out;
  static constexpr bool kClips = clips;
};

// Input and output of the same type, without clipping, resolved at compile time.
template <class T>
class PlainMemory {
 public:
  FLATNOISE_INLINE explicit PlainMemory(const ApplyNoiseTask&) {}

  FLATNOISE_INLINE static constexpr int64_t input_stride() { return sizeof(T); }
  FLATNOISE_INLINE static constexpr int64_t output_stride() { return sizeof(T); }

  template <class Body>
  FLATNOISE_INLINE void Visit(const Body& body) const {
    body(TypeTag<MemoryType<T, T, false>>{});
  }
};

// All other cases, resolved at run time for each group. This slows down the fastest noise by 10%.
template <class Scalar>
class AnyMemory {
 public:
  FLATNOISE_INLINE explicit AnyMemory(const ApplyNoiseTask& task)
      : storage_(PlaceOf<Scalar>(task.storage)),
        clips_(task.bounds != nullptr),
        input_stride_(StrideOf(task.storage.input)),
        output_stride_(StrideOf(task.storage.output)) {}

  FLATNOISE_INLINE int64_t input_stride() const { return input_stride_; }
  FLATNOISE_INLINE int64_t output_stride() const { return output_stride_; }

  template <class Body>
  FLATNOISE_INLINE void Visit(const Body& body) const {
    flatnoise::Visit(storage_, [&](auto tag) __attribute__((always_inline)) {
      using In = typename decltype(tag)::type::Input;
      using Out = typename decltype(tag)::type::Output;
      if (clips_) {
        body(TypeTag<MemoryType<In, Out, true>>{});
      } else {
        body(TypeTag<MemoryType<In, Out, false>>{});
      }
    });
  }

 private:
  Choice<Storages<Scalar>> storage_;
  bool clips_;
  int64_t input_stride_;
  int64_t output_stride_;
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_MEMORY_H_
