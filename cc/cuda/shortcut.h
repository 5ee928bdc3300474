// Combinations that take fewer operations for some parameters, and give the same bits.
#ifndef FLATNOISE_CC_CUDA_SHORTCUT_H_
#define FLATNOISE_CC_CUDA_SHORTCUT_H_

#include "core/combinations.h"
#include "core/qualifiers.h"

namespace flatnoise::cuda {

template <class Combination>
struct Shortcut {
  static constexpr bool kExists = false;
};

// Adding a loc of +0 to the rounded product only turns -0 into +0. So does a fused multiply-add,
// unless a product underflows to -0. The scale is so large that none does: |z| is 0 or at least
// 2^-80.
template <>
struct Shortcut<Add> {
  static constexpr bool kExists = true;

  template <class L, class Real = typename L::Real>
  FLATNOISE_DEVICE_INLINE static bool Suits(const Real (&p)[2]) {
    return L::ToBits(p[0]) == 0 && p[1] >= L::Broadcast(0x1p-60f);
  }

  template <class L, class Real = typename L::Real>
  FLATNOISE_DEVICE_INLINE static Real Apply(Real x, const Real (&p)[2], Real z) {
    return x + L::Fma(p[1], z, p[0]);
  }
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_SHORTCUT_H_
