// Lane policies (see core/lanes.h) for the vectors of an instruction set `Isa`.
//
// The compiler's vector types provide the arithmetic. `Isa` provides everything that has no
// operator.
#ifndef FLATNOISE_CC_CPU_SIMD_LANES_H_
#define FLATNOISE_CC_CPU_SIMD_LANES_H_

#include <cstdint>

#include "core/qualifiers.h"

namespace flatnoise::cpu {

template <int bytes>
struct Vectors {
  using F32 __attribute__((vector_size(bytes))) = float;
  using F64 __attribute__((vector_size(bytes))) = double;
  using U32 __attribute__((vector_size(bytes))) = uint32_t;
  using I32 __attribute__((vector_size(bytes))) = int32_t;
  using U64 __attribute__((vector_size(bytes))) = uint64_t;
  using I64 __attribute__((vector_size(bytes))) = int64_t;
};

// Philox words in the lower halves of 64-bit lanes, as the multiplication requires. The upper
// halves contain leftovers of the last product and are never read.
template <class Isa>
struct WordLanes {
  using Word = typename Isa::U64;
  using Key = typename Isa::U64;  // broadcast once, not in every round of a loop
  using Product = typename Isa::U64;

  FLATNOISE_INLINE static Product Multiply(Word a, uint32_t b) {
    return Isa::MultiplyLowerHalves(a, Isa::BroadcastWord(b));
  }
  FLATNOISE_INLINE static Word High(Product p) { return p >> 32; }
  FLATNOISE_INLINE static Word Low(Product p) { return p; }
  FLATNOISE_INLINE static Word Xor(Word a, Word b, Key c) { return Isa::Xor(a, b, c); }
  FLATNOISE_INLINE static Word Xor(Word a, Key b) { return a ^ b; }

  FLATNOISE_INLINE static Key BroadcastKey(uint32_t a) { return Isa::BroadcastWord(a); }

  // For every 128 bits, the words of `a`, then those of `b`.
  FLATNOISE_INLINE static typename Isa::U32 SideBySide(Word a, Word b) {
    return Isa::LowerHalves(a, b);
  }
  // 64-bit lanes with the words of `high` above those of `low`.
  FLATNOISE_INLINE static typename Isa::U64 Joined(Word high, Word low) {
    return high << 32 | (low & 0xFFFFFFFF);
  }
};

template <class Isa, class Scalar>
struct VectorLanes;

template <class Isa>
struct VectorLanes<Isa, float> {
  using Scalar = float;
  using Real = typename Isa::F32;
  using Bits = typename Isa::U32;
  static constexpr int kLanes = Isa::kBytes / sizeof(Scalar);

  FLATNOISE_INLINE static Real Broadcast(float a) { return Isa::Broadcast(a); }
  FLATNOISE_INLINE static Real Fma(Real a, Real b, Real c) { return Isa::Fma(a, b, c); }
  FLATNOISE_INLINE static Real Sqrt(Real a) { return Isa::Sqrt(a); }
  FLATNOISE_INLINE static Real Max(Real a, Real b) { return Isa::Max(a, b); }
  FLATNOISE_INLINE static Bits ToBits(Real a) { return (Bits)a; }
  FLATNOISE_INLINE static Real FromBits(Bits a) { return (Real)a; }
  FLATNOISE_INLINE static Real ExponentToReal(Bits a) {
    return __builtin_convertvector((typename Isa::I32)a, Real);
  }
  FLATNOISE_INLINE static Real SelectBySign(Bits a, Real if_set, Real if_clear) {
    return Isa::SelectBySign(a, if_set, if_clear);
  }
  FLATNOISE_INLINE static Real SelectLess(Real a, Real b, Real if_less, Real otherwise) {
    return a < b ? if_less : otherwise;
  }
};

template <class Isa>
struct VectorLanes<Isa, double> {
  using Scalar = double;
  using Real = typename Isa::F64;
  using Bits = typename Isa::U64;
  static constexpr int kLanes = Isa::kBytes / sizeof(Scalar);

  FLATNOISE_INLINE static Real Broadcast(double a) { return Isa::Broadcast(a); }
  FLATNOISE_INLINE static Real Fma(Real a, Real b, Real c) { return Isa::Fma(a, b, c); }
  FLATNOISE_INLINE static Real Sqrt(Real a) { return Isa::Sqrt(a); }
  FLATNOISE_INLINE static Real Max(Real a, Real b) { return Isa::Max(a, b); }
  FLATNOISE_INLINE static Bits ToBits(Real a) { return (Bits)a; }
  FLATNOISE_INLINE static Real FromBits(Bits a) { return (Real)a; }
  // Few instruction sets convert 64-bit integers. For small integers such as exponents, it suffices
  // to place them in the lowest bits of a large number.
  FLATNOISE_INLINE static Real ExponentToReal(Bits a) {
    const Real large = Broadcast(0x1.8p+52);
    return FromBits(ToBits(large) + (Bits)((typename Isa::I64)a >> 52)) - large;
  }
  FLATNOISE_INLINE static Real SelectBySign(Bits a, Real if_set, Real if_clear) {
    return Isa::SelectBySign(a, if_set, if_clear);
  }
  FLATNOISE_INLINE static Real SelectLess(Real a, Real b, Real if_less, Real otherwise) {
    return a < b ? if_less : otherwise;
  }
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_SIMD_LANES_H_
