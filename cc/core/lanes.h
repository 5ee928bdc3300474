// The elementary operations that the math uses, for scalars.
//
// A lane policy `L` defines the types of a value (`Real`), its bits (`Bits`) and a Philox word
// (`Word`), and the operations below on them. cc/cpu has policies for vectors. Every policy rounds
// every operation by IEEE 754, so all policies give bit-identical results.
#ifndef FLATNOISE_CC_CORE_LANES_H_
#define FLATNOISE_CC_CORE_LANES_H_

#include <math.h>

#include <cstdint>
#include <cstring>

#include "core/qualifiers.h"

namespace flatnoise {

template <class To, class From>
FLATNOISE_INLINE To BitCast(From from) {
  static_assert(sizeof(To) == sizeof(From), "a bit cast keeps the size");
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

// Philox words as plain 32-bit integers.
struct ScalarWords {
  using Word = uint32_t;
  using Key = uint32_t;
  using Product = uint64_t;

  FLATNOISE_INLINE static Product Multiply(Word a, uint32_t b) { return uint64_t{a} * b; }
  FLATNOISE_INLINE static Word High(Product p) { return static_cast<Word>(p >> 32); }
  FLATNOISE_INLINE static Word Low(Product p) { return static_cast<Word>(p); }
  FLATNOISE_INLINE static Word Xor(Word a, Word b, uint32_t c) { return a ^ (b ^ c); }
  FLATNOISE_INLINE static Word Xor(Word a, uint32_t b) { return a ^ b; }
};

template <class T>
struct ScalarLanes;

template <>
struct ScalarLanes<float> {
  using Scalar = float;
  using Real = float;
  using Bits = uint32_t;

  FLATNOISE_INLINE static Real Broadcast(float a) { return a; }
  FLATNOISE_INLINE static Real Fma(Real a, Real b, Real c) { return fmaf(a, b, c); }
  FLATNOISE_INLINE static Real Sqrt(Real a) { return sqrtf(a); }
  FLATNOISE_INLINE static Real Max(Real a, Real b) { return a < b ? b : a; }
  FLATNOISE_INLINE static Bits ToBits(Real a) { return BitCast<Bits>(a); }
  FLATNOISE_INLINE static Real FromBits(Bits a) { return BitCast<Real>(a); }
  // Converts a signed integer in the bits above the fraction to a number. The result is scaled by
  // 2^23, because the integer isn't shifted down.
  FLATNOISE_INLINE static Real ExponentToReal(Bits a) {
    return static_cast<Real>(static_cast<int32_t>(a));
  }
  FLATNOISE_INLINE static Real SelectBySign(Bits a, Real if_set, Real if_clear) {
    return static_cast<int32_t>(a) < 0 ? if_set : if_clear;
  }
  FLATNOISE_INLINE static Real SelectLess(Real a, Real b, Real if_less, Real otherwise) {
    return a < b ? if_less : otherwise;
  }
};

template <>
struct ScalarLanes<double> {
  using Scalar = double;
  using Real = double;
  using Bits = uint64_t;

  FLATNOISE_INLINE static Real Broadcast(double a) { return a; }
  FLATNOISE_INLINE static Real Fma(Real a, Real b, Real c) { return fma(a, b, c); }
  FLATNOISE_INLINE static Real Sqrt(Real a) { return sqrt(a); }
  FLATNOISE_INLINE static Real Max(Real a, Real b) { return a < b ? b : a; }
  FLATNOISE_INLINE static Bits ToBits(Real a) { return BitCast<Bits>(a); }
  FLATNOISE_INLINE static Real FromBits(Bits a) { return BitCast<Real>(a); }
  // Not scaled for double.
  FLATNOISE_INLINE static Real ExponentToReal(Bits a) {
    return static_cast<Real>(static_cast<int64_t>(a) >> 52);
  }
  FLATNOISE_INLINE static Real SelectBySign(Bits a, Real if_set, Real if_clear) {
    return static_cast<int64_t>(a) < 0 ? if_set : if_clear;
  }
  FLATNOISE_INLINE static Real SelectLess(Real a, Real b, Real if_less, Real otherwise) {
    return a < b ? if_less : otherwise;
  }
};

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_LANES_H_
