// The parameters of a noise as callers hand them over, and how they broadcast.
#ifndef FLATNOISE_CC_CORE_PARAMETER_H_
#define FLATNOISE_CC_CORE_PARAMETER_H_

#include <cstdint>

#include "core/qualifiers.h"

namespace flatnoise {

// Which of `count` values belongs to element i: value i / repeat % count. So a scalar is {1, 1},
// one value for each feature {features, 1}, one for each sample {batch, features}.
struct BroadcastPattern {
  int64_t count;
  int64_t repeat;

  FLATNOISE_INLINE constexpr bool is_scalar() const { return count == 1; }
  // After so many elements the values start over.
  FLATNOISE_INLINE constexpr int64_t period() const { return count * repeat; }

  FLATNOISE_INLINE friend constexpr bool operator==(const BroadcastPattern& a,
                                                    const BroadcastPattern& b) {
    return a.count == b.count && a.repeat == b.repeat;
  }
};

// Values in the compute type of the elements: double for double, else float.
struct Parameter {
  const void* values;
  BroadcastPattern pattern;
};

struct Dimensions {
  const int64_t* sizes;
  int rank;
};

enum class BroadcastStatus {
  kOk,
  kDoesNotFit,     // by NumPy's rule, without making the tensor larger
  kNotContiguous,  // fits, but varies over dimensions that do not lie side by side
};

// How a parameter broadcasts over a tensor of other dimensions.
inline BroadcastStatus Broadcast(Dimensions parameter, Dimensions tensor,
                                 BroadcastPattern* pattern) {
  *pattern = {1, 1};
  const int leading = tensor.rank - parameter.rank;
  if (leading < 0) return BroadcastStatus::kDoesNotFit;
  bool varies = false, ended = false, gap = false;
  bool is_empty = false;
  for (int i = 0; i < tensor.rank; ++i) is_empty |= tensor.sizes[i] == 0;
  for (int i = 0; i < parameter.rank; ++i) {
    const int64_t size = parameter.sizes[i], whole = tensor.sizes[leading + i];
    if (size != whole && size != 1) return BroadcastStatus::kDoesNotFit;
    if (whole == 1) continue;
    if (size == 1) {
      ended = varies;
      // The product of an empty tensor's dimensions may be too large to count.
      if (ended && !is_empty) pattern->repeat *= whole;
      continue;
    }
    gap |= ended;
    varies = true;
    pattern->count *= size;
  }
  return gap ? BroadcastStatus::kNotContiguous : BroadcastStatus::kOk;
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_PARAMETER_H_
