// log, sin and cos on the ranges that Box-Muller needs, with the same polynomials on every target.
//
// Uses only correctly rounded IEEE operations and explicit fused multiply-adds, so results are
// bit-identical on every CPU and GPU. tools/polynomials.sollya computes the coefficients.
#ifndef FLATNOISE_CC_CORE_ELEMENTARY_H_
#define FLATNOISE_CC_CORE_ELEMENTARY_H_

#include <cstdint>

#include "core/lanes.h"
#include "core/qualifiers.h"

namespace flatnoise {

// c[0] + c[1] x + ... + c[n-1] x^(n-1), by Horner's rule.
template <class L, int n>
FLATNOISE_INLINE typename L::Real Polynomial(typename L::Real x, const typename L::Scalar (&c)[n]) {
  typename L::Real sum = L::Broadcast(c[n - 1]);
  for (int i = n - 2; i >= 0; --i) sum = L::Fma(sum, x, L::Broadcast(c[i]));
  return sum;
}

template <class Scalar>
struct Elementary;

template <>
struct Elementary<float> {
  static constexpr uint32_t kExponentMask = 0xFF800000;
  static constexpr uint32_t kTwoThirds = 0x3F2AAAAB;
  static constexpr float kNegTwoLog2 = -0x1.62e430p-23f;  // scaled like L::ExponentToReal
  static constexpr float kHalfPiHigh = 0x1.921fb6p+0f;
  static constexpr float kHalfPiLow = -0x1.777a5cp-25f;
  // Adding and subtracting this rounds to an integer. After the addition, the integer is in the
  // lowest bits.
  static constexpr float kRounder = 0x1.8p+23f;

  // 2 pi u as TensorFlow rounds it: the product with the double constant, rounded once to float.
  // (The product with the two-float constant is equal for every u of 23 bits.)
  template <class L>
  FLATNOISE_INLINE static typename L::Real TwoPiTimes(typename L::Real u) {
    return L::Fma(u, L::Broadcast(4 * kHalfPiHigh), u * L::Broadcast(4 * kHalfPiLow));
  }

  template <class L>
  FLATNOISE_INLINE static typename L::Real SineTail(typename L::Real s) {
    constexpr float c[] = {-0x1.555546p-3f, 0x1.11077ap-7f, -0x1.9954e8p-13f};
    return Polynomial<L>(s, c);
  }

  template <class L>
  FLATNOISE_INLINE static typename L::Real CosineTail(typename L::Real s) {
    constexpr float c[] = {0x1.55554ap-5f, -0x1.6c0c2ap-10f, 0x1.99e914p-16f};
    return Polynomial<L>(s, c);
  }

  // -2 log(1 + f) for |f| <= 1/3.
  template <class L>
  FLATNOISE_INLINE static typename L::Real NegTwoLog1p(typename L::Real f) {
    constexpr float c[] = {-2.0f,           0x1.ffffd6p-1f,  -0x1.5554fcp-1f,
                           0x1.00144ep-1f,  -0x1.99d398p-2f, 0x1.5038e4p-2f,
                           -0x1.1eaacap-2f, 0x1.3b0c36p-2f,  -0x1.1f1bb8p-2f};
    return f * Polynomial<L>(f, c);
  }
};

template <>
struct Elementary<double> {
  static constexpr uint64_t kExponentMask = 0xFFF0000000000000;
  static constexpr uint64_t kTwoThirds = 0x3FE5555555555555;
  static constexpr double kNegTwoLog2 = -0x1.62e42fefa39efp+0;
  static constexpr double kHalfPiHigh = 0x1.921fb54442d18p+0;
  static constexpr double kHalfPiLow = 0x1.1a62633145c07p-54;
  static constexpr double kRounder = 0x1.8p+52;

  template <class L>
  FLATNOISE_INLINE static typename L::Real TwoPiTimes(typename L::Real u) {
    return u * L::Broadcast(4 * kHalfPiHigh);
  }

  template <class L>
  FLATNOISE_INLINE static typename L::Real SineTail(typename L::Real s) {
    constexpr double c[] = {-0x1.5555555555548p-3, 0x1.111111110f76p-7,    -0x1.a01a019bf2b7dp-13,
                            0x1.71de355fa4c72p-19, -0x1.ae5e550039429p-26, 0x1.5d8e624f8bd9fp-33};
    return Polynomial<L>(s, c);
  }

  template <class L>
  FLATNOISE_INLINE static typename L::Real CosineTail(typename L::Real s) {
    constexpr double c[] = {0x1.555555555554bp-5,   -0x1.6c16c16c15018p-10, 0x1.a01a019c8f944p-16,
                            -0x1.27e4f7f1ee757p-22, 0x1.1ee9dc12a7aafp-29,  -0x1.8fa6a88f8de3fp-37};
    return Polynomial<L>(s, c);
  }

  // -2 log(1 + f) for |f| <= 1/3, computed as log((1 + t) / (1 - t)) with t = f / (2 + f).
  template <class L>
  FLATNOISE_INLINE static typename L::Real NegTwoLog1p(typename L::Real f) {
    using Real = typename L::Real;
    constexpr double c[] = {0x1.5555555555773p-1, 0x1.99999998f1709p-2, 0x1.249249b1b2c94p-2,
                            0x1.c71c01a6111a8p-3, 0x1.7474d8f25b621p-3, 0x1.38538e7a80f54p-3,
                            0x1.3ab8e6b968feep-3};
    const Real t = f / (L::Broadcast(2.0) + f);
    const Real square = t * t;
    return L::Broadcast(-2.0) * (f - t * (f - square * Polynomial<L>(square, c)));
  }
};

// u = 2^exponent (1 + f) with 1 + f in [2/3, 4/3), so that f is exact and small near u = 1. The
// exponent is kept at its position in the bits of u.
template <class L>
struct LogArgument {
  typename L::Bits exponent;
  typename L::Real f;
};

template <class L>
FLATNOISE_INLINE LogArgument<L> ReduceForLog(typename L::Real u) {
  using E = Elementary<typename L::Scalar>;
  const auto exponent = (L::ToBits(u) - E::kTwoThirds) & E::kExponentMask;
  return {exponent, L::FromBits(L::ToBits(u) - exponent) - L::Broadcast(1)};
}

// -2 log(u) for normal u in (0, 1], within 2 ULP.
template <class L>
FLATNOISE_INLINE typename L::Real NegTwoLog(const LogArgument<L>& u) {
  using E = Elementary<typename L::Scalar>;
  return L::Fma(L::ExponentToReal(u.exponent), L::Broadcast(E::kNegTwoLog2),
                E::template NegTwoLog1p<L>(u.f));
}

template <class L>
FLATNOISE_INLINE typename L::Real NegTwoLog(typename L::Real u) {
  return NegTwoLog(ReduceForLog<L>(u));
}

template <class Real>
struct SinCos {
  Real sin;
  Real cos;
};

// Rotates sine and cosine by a number of quarter turns, the lowest two bits of `quadrant`.
template <class L>
struct Rotate {
  FLATNOISE_INLINE SinCos<typename L::Real> operator()(typename L::Bits quadrant,
                                                       const SinCos<typename L::Real>& a) const {
    using Bits = typename L::Bits;
    constexpr int kSignBit = 8 * sizeof(typename L::Scalar) - 1;
    // In odd quadrants, sine and cosine are swapped, and one more sign flips.
    const Bits odd = quadrant << kSignBit;
    const Bits sine_sign = (quadrant & 2) << (kSignBit - 1);
    return {L::FromBits(L::ToBits(L::SelectBySign(odd, a.cos, a.sin)) ^ sine_sign),
            L::FromBits(L::ToBits(L::SelectBySign(odd, a.sin, a.cos)) ^ (sine_sign ^ odd))};
  }
};

// Calls rotate(quadrant, {sine, cosine}) for the rounded product 2 pi u and u in [0, 1): the
// nearest quarter turn, and sine and cosine of the angle from there.
template <class L, class Rotation>
FLATNOISE_INLINE auto SinCos2Pi(typename L::Real u, const Rotation& rotate) {
  using Real = typename L::Real;
  using E = Elementary<typename L::Scalar>;
  // The nearest quarter turn, as a number and as the lowest bits of `rounded`.
  const Real rounded = L::Fma(u, L::Broadcast(4), L::Broadcast(E::kRounder));
  const Real quarters = rounded - L::Broadcast(E::kRounder);

  Real r = L::Fma(quarters, L::Broadcast(-E::kHalfPiHigh), E::template TwoPiTimes<L>(u));
  r = L::Fma(quarters, L::Broadcast(-E::kHalfPiLow), r);
  const Real s = r * r;
  const Real sine = L::Fma(r * s, E::template SineTail<L>(s), r);
  const Real cosine =
      L::Fma(s, L::Fma(s, E::template CosineTail<L>(s), L::Broadcast(-0.5)), L::Broadcast(1));
  return rotate(L::ToBits(rounded), SinCos<Real>{sine, cosine});
}

// Sine and cosine of the rounded product 2 pi u for u in [0, 1), within 2 ULP of 1.
template <class L>
FLATNOISE_INLINE SinCos<typename L::Real> SinCos2Pi(typename L::Real u) {
  return SinCos2Pi<L>(u, Rotate<L>{});
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_ELEMENTARY_H_
