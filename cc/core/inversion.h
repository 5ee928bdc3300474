// Random numbers by inversion of the distribution function, from one uniform number each.
//
// A uniform number u stands for an interval. The functions use its midpoint u', which is never 0 or
// 1, so the logarithms are finite. The errors are at most 2 units in the last place of max(|z|, 1).
#ifndef FLATNOISE_CC_CORE_INVERSION_H_
#define FLATNOISE_CC_CORE_INVERSION_H_

#include <cstdint>

#include "core/elementary.h"
#include "core/qualifiers.h"

namespace flatnoise {

// Half the spacing of uniform numbers.
template <class Scalar>
inline constexpr Scalar kHalfStep = Scalar(sizeof(Scalar) == 4 ? 0x1p-24 : 0x1p-53);

// u', exact.
template <class L>
FLATNOISE_INLINE typename L::Real MiddleOf(typename L::Real u) {
  return u + L::Broadcast(kHalfStep<typename L::Scalar>);
}

// 2 u' - 1 as sign and magnitude: exact, in (-1, 1) and never 0.
template <class L>
struct SignedMiddle {
  typename L::Bits sign;
  typename L::Real magnitude;
  typename L::Real value;
};

template <class L>
FLATNOISE_INLINE SignedMiddle<L> SignedMiddleOf(typename L::Real u) {
  constexpr auto kShift = 2 * kHalfStep<typename L::Scalar> - 1;
  const auto w = L::Fma(u, L::Broadcast(2), L::Broadcast(kShift));
  const auto sign = L::ToBits(w) & L::ToBits(L::Broadcast(typename L::Scalar{-0.0}));
  return {sign, L::FromBits(L::ToBits(w) ^ sign), w};
}

// -log(u) for normal u in (0, 1].
template <class L>
FLATNOISE_INLINE typename L::Real NegLog(typename L::Real u) {
  return NegTwoLog<L>(u) * L::Broadcast(0.5);
}

// Density exp(-|z|) / 2.
template <class L>
FLATNOISE_INLINE typename L::Real LaplaceFromUniform(typename L::Real u) {
  const auto w = SignedMiddleOf<L>(u);
  const auto magnitude = NegLog<L>(L::Broadcast(1) - w.magnitude);
  return L::FromBits(L::ToBits(magnitude) ^ w.sign);
}

// Distribution function exp(-exp(-z)).
template <class L>
FLATNOISE_INLINE typename L::Real GumbelFromUniform(typename L::Real u) {
  // The inner logarithm may be above 1, but NegTwoLog accepts any normal number.
  return NegLog<L>(NegLog<L>(MiddleOf<L>(u)));
}

// Distribution function 1 / (1 + exp(-z)).
template <class L>
FLATNOISE_INLINE typename L::Real LogisticFromUniform(typename L::Real u) {
  const auto middle = MiddleOf<L>(u);
  return L::Broadcast(0) - NegLog<L>(middle / (L::Broadcast(1) - middle));
}

// The normal distribution truncated to [-2, 2]: z = w Q(-2 log(1 - p^2)), where w = 2 u' - 1, p = C
// |w| is twice the normal probability between 0 and z, C = erf(sqrt 2), and Q is a polynomial from
// tools/truncated_normal.py. (Giles, "Approximating the erfinv function", 2012, uses the same
// variable.)
template <class Scalar>
struct TruncatedNormalCoefficients;

template <>
struct TruncatedNormalCoefficients<float> {
  static constexpr float kSquare = 0x1.d277bcp-1f;      // C^2
  static constexpr float kComplement = 0x1.6c4222p-4f;  // 1 - C^2
  template <class L>
  FLATNOISE_INLINE static typename L::Real Q(typename L::Real x) {
    constexpr float c[] = {0x1.323feep+0f,   0x1.40b482p-3f,  0x1.fe941ap-9f,  -0x1.99ff6ap-12f,
                           -0x1.af6406p-17f, 0x1.6aee1ap-19f, -0x1.973d64p-24f};
    return Polynomial<L>(x, c);
  }
};

template <>
struct TruncatedNormalCoefficients<double> {
  static constexpr double kSquare = 0x1.d277bbd8cbdd3p-1;
  static constexpr double kComplement = 0x1.6c422139a1165p-4;
  template <class L>
  FLATNOISE_INLINE static typename L::Real Q(typename L::Real x) {
    constexpr double c[] = {0x1.323fee65d1421p+0,   0x1.40b4374c68f08p-3,   0x1.fedafb851d368p-9,
                            -0x1.9d2619a2fbe30p-12, -0x1.6a797f10c2717p-17, 0x1.07e707872f14ep-19,
                            0x1.6df6202e422b7p-25,  -0x1.6ed92ee101e12p-27, -0x1.b315c23283e93p-33,
                            0x1.0b4f1bc2cc9f5p-34,  0x1.8d23eca4af0fbp-41,  -0x1.1f8c8b66a77e2p-42,
                            -0x1.d25991a1a3b67p-46, 0x1.8016ce0f537eep-48,  -0x1.705bd63dfef4ep-52,
                            0x1.05fc8e95b0b77p-57};
    return Polynomial<L>(x, c);
  }
};

template <class L>
FLATNOISE_INLINE typename L::Real TruncatedNormalFromUniform(typename L::Real u) {
  using T = TruncatedNormalCoefficients<typename L::Scalar>;
  const auto w = SignedMiddleOf<L>(u);
  // 1 - p^2 = C^2 (1 - w^2) + (1 - C^2), with 1 - w^2 from the distance to the end, which is exact.
  const auto rest = L::Broadcast(1) - w.magnitude;
  const auto square_rest = rest * (L::Broadcast(2) - rest);
  const auto complement =
      L::Fma(square_rest, L::Broadcast(T::kSquare), L::Broadcast(T::kComplement));
  return w.value * T::template Q<L>(NegTwoLog<L>(complement));
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_INVERSION_H_
