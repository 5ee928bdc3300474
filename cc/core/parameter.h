// The parameters of a noise as passed by callers, and how they broadcast.
#ifndef FLATNOISE_CC_CORE_PARAMETER_H_
#define FLATNOISE_CC_CORE_PARAMETER_H_

#include <cstdint>

#include "core/qualifiers.h"

namespace flatnoise {

// Element i has value i / repeat % count. A scalar is {1, 1}, one value per feature is {features,
// 1}, and one value per sample is {batch, features}.
struct BroadcastPattern {
  int64_t count;
  int64_t repeat;

  FLATNOISE_INLINE constexpr bool is_scalar() const { return count == 1; }
  // The values repeat after this many elements.
  FLATNOISE_INLINE constexpr int64_t period() const { return count * repeat; }

  FLATNOISE_INLINE friend constexpr bool operator==(const BroadcastPattern& a,
                                                    const BroadcastPattern& b) {
    return a.count == b.count && a.repeat == b.repeat;
  }
};

// Values are in the compute type of the elements: double for double, else float.
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
  kDoesNotFit,     // can't broadcast by NumPy's rules without enlarging the tensor
  kNotContiguous,  // fits, but varies over non-contiguous dimensions
};

// How a parameter broadcasts over a tensor.
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
      // The product of an empty tensor's dimensions may overflow.
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
