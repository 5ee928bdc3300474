// The values of a broadcast parameter, read one group at a time from any element on.
#ifndef FLATNOISE_CC_CPU_BROADCAST_VALUES_H_
#define FLATNOISE_CC_CPU_BROADCAST_VALUES_H_

#include <cstdint>
#include <cstring>

#include "core/parameter.h"
#include "core/qualifiers.h"
#include "cpu/noise_group.h"

namespace flatnoise::cpu {

template <class Isa, class Scalar>
class BroadcastValues {
 public:
  // Starts at element 0. The parameter's values must outlive this object. Not inlined, because the
  // code is the same for all noises.
  [[gnu::noinline]] void Begin(const Parameter& parameter) {
    values_ = static_cast<const Scalar*>(parameter.values);
    count_ = parameter.pattern.count;
    repeat_ = parameter.pattern.repeat;
    period_ = parameter.pattern.period();
    is_laid_out_ = period_ <= kWindow;
    if (is_laid_out_) LayOut(0, period_ + kGroup);
    window_begin_ = 0;
    window_end_ = is_laid_out_ ? period_ + kGroup : 0;
  }

  // Moves by `elements`, which may be negative.
  FLATNOISE_INLINE void Advance(int64_t elements) {
    if (period_ == 1) return;
    phase_ += elements;
    if (phase_ >= period_ || phase_ < 0) phase_ %= period_;
    if (phase_ < 0) phase_ += period_;
  }

  // The values of the next group's elements, valid until the next call.
  FLATNOISE_INLINE const Scalar* Group() {
    if (is_laid_out_) return window_ + phase_;
    if (repeat_ == 1 && phase_ + kGroup <= count_) return values_ + phase_;
    if (phase_ < window_begin_ || phase_ + kGroup > window_end_) MoveWindow();
    return window_ + (phase_ - window_begin_);
  }

 private:
  // A short period is expanded once, plus one group. For a long period, the buffer holds as many
  // values as fit, from the current element on.
  static constexpr int64_t kGroup = GroupShape<Isa, Scalar>::kElements;
  static constexpr int64_t kWindow = 1024;

  void MoveWindow() {
    LayOut(phase_, repeat_ == 1 ? kGroup : kWindow + kGroup);
    window_begin_ = phase_;
    window_end_ = phase_ + (repeat_ == 1 ? kGroup : kWindow + kGroup);
  }

  [[gnu::noinline]] void LayOut(int64_t phase, int64_t elements) {
    if (repeat_ == 1) {
      CopyValues(phase, elements);
    } else {
      RepeatValues(phase, elements);
    }
  }

  FLATNOISE_INLINE void CopyValues(int64_t value, int64_t elements) {
    for (int64_t i = 0; i < elements; value = 0) {
      const int64_t rest = count_ - value;
      const int64_t count = rest < elements - i ? rest : elements - i;
      std::memcpy(window_ + i, values_ + value, static_cast<size_t>(count) * sizeof(Scalar));
      i += count;
    }
  }

  FLATNOISE_INLINE void RepeatValues(int64_t phase, int64_t elements) {
    int64_t value = phase / repeat_;
    int64_t rest = repeat_ - phase % repeat_;
    for (int64_t i = 0; i < elements; rest = repeat_) {
      const Scalar a = values_[value];
      const int64_t end = rest < elements - i ? i + rest : elements;
      for (; i < end; ++i) window_[i] = a;
      value = value + 1 == count_ ? 0 : value + 1;
    }
  }

  const Scalar* values_;
  int64_t count_;
  int64_t repeat_;
  int64_t period_;
  int64_t phase_ = 0;
  bool is_laid_out_;
  int64_t window_begin_;
  int64_t window_end_;
  Scalar window_[kWindow + kGroup];
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_BROADCAST_VALUES_H_
