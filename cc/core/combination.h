// How noise enters an element.
#ifndef FLATNOISE_CC_CORE_COMBINATION_H_
#define FLATNOISE_CC_CORE_COMBINATION_H_

#include "core/qualifiers.h"

namespace flatnoise {

enum class Combination { kAdd, kMultiply };

// The fused element: x + (loc + scale z), or x times the same. Three roundings, no fused
// multiply-add: stock TensorFlow ops give the same bits.
template <Combination combination, class Real>
FLATNOISE_INLINE Real Combine(Real x, Real loc, Real scale, Real z) {
  const Real noise = loc + scale * z;
  if constexpr (combination == Combination::kMultiply) return x * noise;
  return x + noise;
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_COMBINATION_H_
