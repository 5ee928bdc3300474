// Values that repeat along the elements, readable a group at a time from any phase.
#ifndef FLATNOISE_CC_CPU_PERIODIC_VALUES_H_
#define FLATNOISE_CC_CPU_PERIODIC_VALUES_H_

#include <cstdint>

#include "core/qualifiers.h"

namespace flatnoise::cpu {

template <class Scalar, int group>
class PeriodicValues {
 public:
  // `values` has `period` entries and outlives this object.
  FLATNOISE_INLINE PeriodicValues(const Scalar* values, int64_t period)
      : values_(values), period_(period) {
    if (period_ <= kLargestCopied) Copy(0, period_ + group);
  }

  // `group` consecutive values from this phase on, 0 <= phase < period, valid until the next call.
  FLATNOISE_INLINE const Scalar* At(int64_t phase) {
    if (period_ <= kLargestCopied) return copy_ + phase;
    if (phase + group <= period_) return values_ + phase;
    Copy(phase, group);
    return copy_;
  }

  FLATNOISE_INLINE int64_t period() const { return period_; }

 private:
  // Short periods wrap often: they are laid out once, with one group more than the period.
  static constexpr int64_t kLargestCopied = 1024;

  FLATNOISE_INLINE void Copy(int64_t phase, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      copy_[i] = values_[phase];
      phase = phase + 1 == period_ ? 0 : phase + 1;
    }
  }

  const Scalar* values_;
  int64_t period_;
  Scalar copy_[kLargestCopied + group];
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_PERIODIC_VALUES_H_
