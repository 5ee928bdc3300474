// 128-bit vectors: SSE2, which every x86-64 CPU has. SSE2 has no fused multiply-add and no half
// precision. Both are emulated, which is slower but bit-identical.
#ifndef FLATNOISE_CC_CPU_SIMD_SSE2_H_
#define FLATNOISE_CC_CPU_SIMD_SSE2_H_

#include <emmintrin.h>

#include <cstdint>

#include "core/lanes.h"
#include "core/number_types.h"
#include "core/qualifiers.h"
#include "cpu/simd_lanes.h"

namespace flatnoise::cpu::sse2 {

struct Simd : Vectors<16> {
  static constexpr int kBytes = 16;
  static constexpr int kChains = 3;

  FLATNOISE_INLINE static F32 Broadcast(float a) { return _mm_set1_ps(a); }
  FLATNOISE_INLINE static F64 Broadcast(double a) { return _mm_set1_pd(a); }
  FLATNOISE_INLINE static U64 BroadcastWord(uint32_t a) {
    return (U64)_mm_set1_epi32(static_cast<int>(a));
  }
  FLATNOISE_INLINE static U64 MultiplyLowerHalves(U64 a, U64 b) {
    return (U64)_mm_mul_epu32((__m128i)a, (__m128i)b);
  }
  FLATNOISE_INLINE static U64 Xor(U64 a, U64 b, U64 c) { return a ^ b ^ c; }
  // The upper (or lower) halves of the 64-bit lanes: for every 128 bits, those of `a`, then of `b`.
  FLATNOISE_INLINE static U32 UpperHalves(U64 a, U64 b) {
    return (U32)_mm_shuffle_ps((F32)a, (F32)b, 0xDD);
  }
  FLATNOISE_INLINE static U32 LowerHalves(U64 a, U64 b) {
    return (U32)_mm_shuffle_ps((F32)a, (F32)b, 0x88);
  }
  // The product of two floats is exact in double, so the sum is rounded twice. The result can be
  // wrong only if the first rounding created a tie for the second. Those cases take the slow path.
  // (Subnormal results have other ties, but don't occur here.)
  FLATNOISE_INLINE static F32 Fma(F32 a, F32 b, F32 c) {
    F64 wide_a[2], wide_b[2], wide_c[2];
    Widen(a, wide_a);
    Widen(b, wide_b);
    Widen(c, wide_c);
    const F64 low = wide_a[0] * wide_b[0] + wide_c[0];
    const F64 high = wide_a[1] * wide_b[1] + wide_c[1];
    const I32 below_float = (I32)LowerHalves((U64)low, (U64)high) & 0x1FFFFFFF;
    const I32 is_tie = below_float == 0x10000000;
    if (__builtin_expect(_mm_movemask_ps((F32)is_tie) != 0, 0)) return ExactFma(a, b, c);
    return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high));
  }
  FLATNOISE_INLINE static F64 Fma(F64 a, F64 b, F64 c) {
    return F64{fma(a[0], b[0], c[0]), fma(a[1], b[1], c[1])};
  }
  FLATNOISE_INLINE static F32 Sqrt(F32 a) { return _mm_sqrt_ps(a); }
  FLATNOISE_INLINE static F64 Sqrt(F64 a) { return _mm_sqrt_pd(a); }

  FLATNOISE_INLINE static F32 Max(F32 a, F32 b) { return _mm_max_ps(a, b); }
  FLATNOISE_INLINE static F64 Max(F64 a, F64 b) { return _mm_max_pd(a, b); }
  FLATNOISE_INLINE static F32 SelectBySign(U32 a, F32 if_set, F32 if_clear) {
    return (I32)a < 0 ? if_set : if_clear;
  }
  // Copies the sign word to both words, because SSE2 has no 64-bit comparison.
  FLATNOISE_INLINE static F64 SelectBySign(U64 a, F64 if_set, F64 if_clear) {
    const I64 is_set = (I64)_mm_shuffle_epi32(_mm_srai_epi32((__m128i)a, 31), 0xF5);
    return (F64)((is_set & (I64)if_set) | (~is_set & (I64)if_clear));
  }

  // Interleaves values 0 and 2 with values 1 and 3 of two blocks, in every 128 bits.
  FLATNOISE_INLINE static void Order(F32& even, F32& odd) {
    const __m128 low = _mm_unpacklo_ps(even, odd), high = _mm_unpackhi_ps(even, odd);
    even = _mm_shuffle_ps(low, high, 0x44);
    odd = _mm_shuffle_ps(low, high, 0xEE);
  }
  FLATNOISE_INLINE static void Order(F64& even, F64& odd) {
    const __m128d first = _mm_unpacklo_pd(even, odd);
    odd = _mm_unpackhi_pd(even, odd);
    even = first;
  }

  FLATNOISE_INLINE static void Widen(F32 v, F64 (&wide)[2]) {
    wide[0] = _mm_cvtps_pd(v);
    wide[1] = _mm_cvtps_pd(_mm_movehl_ps(v, v));
  }

  FLATNOISE_INLINE static F32 Load(const float* p) { return _mm_loadu_ps(p); }
  FLATNOISE_INLINE static F64 Load(const double* p) { return _mm_loadu_pd(p); }
  FLATNOISE_INLINE static F32 Load(const Half* p) { return LoadEach(p); }
  FLATNOISE_INLINE static F32 Load(const BFloat16* p) { return LoadEach(p); }
  FLATNOISE_INLINE static F32 Load(const uint8_t* p) { return LoadEach(p); }

  FLATNOISE_INLINE static void Store(double* p, F64 v) { _mm_storeu_pd(p, v); }

  FLATNOISE_INLINE static void Store(float* p, F32 a, F32 b) {
    _mm_storeu_ps(p, a);
    _mm_storeu_ps(p + 4, b);
  }
  FLATNOISE_INLINE static void Store(double* p, F64 a, F64 b) {
    _mm_storeu_pd(p, a);
    _mm_storeu_pd(p + 2, b);
  }
  FLATNOISE_INLINE static void Store(Half* p, F32 a, F32 b) { StoreEach(p, a, b); }
  FLATNOISE_INLINE static void Store(BFloat16* p, F32 a, F32 b) { StoreEach(p, a, b); }
  FLATNOISE_INLINE static void Store(uint8_t* p, F32 a, F32 b) {
    const __m128i words = _mm_packs_epi32(ToByteRange(a), ToByteRange(b));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
  }

 private:
  [[gnu::noinline, gnu::cold]] static F32 ExactFma(F32 a, F32 b, F32 c) {
    F64 wide_a[2], wide_b[2], wide_c[2];
    Widen(a, wide_a);
    Widen(b, wide_b);
    Widen(c, wide_c);
    const __m128 low = _mm_cvtpd_ps(ProductPlusRoundedToOdd(wide_a[0], wide_b[0], wide_c[0]));
    const __m128 high = _mm_cvtpd_ps(ProductPlusRoundedToOdd(wide_a[1], wide_b[1], wide_c[1]));
    return _mm_movelh_ps(low, high);
  }

  // a b + c, rounded to odd: if the sum isn't exact, the result is the neighbor with an odd last
  // bit. Rounding this double to float gives the same result as rounding the exact sum (Boldo and
  // Melquiond, "Emulation of FMA and Correctly Rounded Sums", 2008). The product of two floats is
  // exact in double.
  FLATNOISE_INLINE static F64 ProductPlusRoundedToOdd(F64 a, F64 b, F64 c) {
    const F64 product = a * b;
    const F64 sum = product + c;
    const F64 part = sum - product;
    const F64 error = (product - (sum - part)) + (c - part);
    const I64 inexact = error != 0;
    const I64 even = ((I64)sum & 1) == 0;
    const I64 towards_zero = ((I64)error ^ (I64)sum) < 0;
    return (F64)((I64)sum + (inexact & even & (1 | towards_zero)));
  }

  // For a NaN, the maximum returns its second operand.
  FLATNOISE_INLINE static __m128i ToByteRange(F32 v) {
    return _mm_cvtps_epi32(_mm_min_ps(_mm_max_ps(v, _mm_setzero_ps()), _mm_set1_ps(255)));
  }
  template <class T>
  FLATNOISE_INLINE static F32 LoadEach(const T* p) {
    return F32{ToCompute(p[0]), ToCompute(p[1]), ToCompute(p[2]), ToCompute(p[3])};
  }
  template <class T>
  FLATNOISE_INLINE static void StoreEach(T* p, F32 a, F32 b) {
    for (int i = 0; i < 4; ++i) p[i] = FromCompute<T>(a[i]);
    for (int i = 0; i < 4; ++i) p[i + 4] = FromCompute<T>(b[i]);
  }
};

}  // namespace flatnoise::cpu::sse2

#endif  // FLATNOISE_CC_CPU_SIMD_SSE2_H_
