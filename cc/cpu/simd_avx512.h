// 512-bit vectors: AVX-512 F, BW, DQ and VL.
#ifndef FLATNOISE_CC_CPU_SIMD_AVX512_H_
#define FLATNOISE_CC_CPU_SIMD_AVX512_H_

#include <immintrin.h>

#include <cstdint>

#include "core/number_types.h"
#include "core/qualifiers.h"
#include "cpu/simd_lanes.h"

namespace flatnoise::cpu::avx512 {

struct Simd : Vectors<64> {
  static constexpr int kBytes = 64;
  static constexpr int kChains = 4;

  FLATNOISE_INLINE static F32 Broadcast(float a) { return _mm512_set1_ps(a); }
  FLATNOISE_INLINE static F64 Broadcast(double a) { return _mm512_set1_pd(a); }
  FLATNOISE_INLINE static U64 BroadcastWord(uint32_t a) {
    return (U64)_mm512_set1_epi32(static_cast<int>(a));
  }
  FLATNOISE_INLINE static U64 MultiplyLowerHalves(U64 a, U64 b) {
    return (U64)_mm512_mul_epu32((__m512i)a, (__m512i)b);
  }
  FLATNOISE_INLINE static U64 Xor(U64 a, U64 b, U64 c) {
    constexpr int kXorTruthTable = 0x96;
    return (U64)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)b, (__m512i)c, kXorTruthTable);
  }
  // The upper (or lower) halves of the 64-bit lanes: for every 128 bits, those of `a`, then of `b`.
  FLATNOISE_INLINE static U32 UpperHalves(U64 a, U64 b) {
    return (U32)_mm512_shuffle_ps((F32)a, (F32)b, 0xDD);
  }
  FLATNOISE_INLINE static U32 LowerHalves(U64 a, U64 b) {
    return (U32)_mm512_shuffle_ps((F32)a, (F32)b, 0x88);
  }
  FLATNOISE_INLINE static F32 Fma(F32 a, F32 b, F32 c) { return _mm512_fmadd_ps(a, b, c); }
  FLATNOISE_INLINE static F64 Fma(F64 a, F64 b, F64 c) { return _mm512_fmadd_pd(a, b, c); }
  FLATNOISE_INLINE static F32 Sqrt(F32 a) { return _mm512_sqrt_ps(a); }
  FLATNOISE_INLINE static F64 Sqrt(F64 a) { return _mm512_sqrt_pd(a); }

  FLATNOISE_INLINE static F32 Max(F32 a, F32 b) { return _mm512_max_ps(a, b); }
  FLATNOISE_INLINE static F64 Max(F64 a, F64 b) { return _mm512_max_pd(a, b); }
  FLATNOISE_INLINE static F32 SelectBySign(U32 a, F32 if_set, F32 if_clear) {
    return _mm512_mask_blend_ps(_mm512_movepi32_mask((__m512i)a), if_clear, if_set);
  }
  FLATNOISE_INLINE static F64 SelectBySign(U64 a, F64 if_set, F64 if_clear) {
    return _mm512_mask_blend_pd(_mm512_movepi64_mask((__m512i)a), if_clear, if_set);
  }

  // Interleaves values 0 and 2 with values 1 and 3 of two blocks, in every 128 bits.
  FLATNOISE_INLINE static void Order(F32& even, F32& odd) {
    const __m512 low = _mm512_unpacklo_ps(even, odd), high = _mm512_unpackhi_ps(even, odd);
    even = _mm512_shuffle_ps(low, high, 0x44);
    odd = _mm512_shuffle_ps(low, high, 0xEE);
  }
  FLATNOISE_INLINE static void Order(F64& even, F64& odd) {
    const __m512d first = _mm512_unpacklo_pd(even, odd);
    odd = _mm512_unpackhi_pd(even, odd);
    even = first;
  }

  FLATNOISE_INLINE static void Widen(F32 v, F64 (&wide)[2]) {
    wide[0] = _mm512_cvtps_pd(_mm512_castps512_ps256(v));
    wide[1] = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
  }

  FLATNOISE_INLINE static F32 Load(const float* p) { return _mm512_loadu_ps(p); }
  FLATNOISE_INLINE static F64 Load(const double* p) { return _mm512_loadu_pd(p); }
  FLATNOISE_INLINE static F32 Load(const Half* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  FLATNOISE_INLINE static F32 Load(const BFloat16* p) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return (F32)_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16);
  }

  FLATNOISE_INLINE static F32 Load(const uint8_t* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
  }

  FLATNOISE_INLINE static void Store(double* p, F64 v) { _mm512_storeu_pd(p, v); }

  // Stores two consecutive vectors.
  FLATNOISE_INLINE static void Store(float* p, F32 a, F32 b) {
    _mm512_storeu_ps(p, a);
    _mm512_storeu_ps(p + 16, b);
  }
  FLATNOISE_INLINE static void Store(double* p, F64 a, F64 b) {
    _mm512_storeu_pd(p, a);
    _mm512_storeu_pd(p + 8, b);
  }
  FLATNOISE_INLINE static void Store(Half* p, F32 a, F32 b) {
    _mm512_storeu_si512(p, ToHalf(a, b));
  }
  FLATNOISE_INLINE static void Store(BFloat16* p, F32 a, F32 b) {
    _mm512_storeu_si512(p, ToBFloat16(a, b));
  }
  FLATNOISE_INLINE static void Store(uint8_t* p, F32 a, F32 b) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), ToBytes(a));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p + 16), ToBytes(b));
  }

 private:
  FLATNOISE_INLINE static __m512i ToHalf(F32 a, F32 b) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtps_ph(a, kNearest)),
                              _mm512_cvtps_ph(b, kNearest), 1);
  }
  FLATNOISE_INLINE static __m512i ToBFloat16(F32 a, F32 b) {
    alignas(64) static constexpr uint16_t kUpperHalves[32] = {
        1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
        33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
    return _mm512_permutex2var_epi16(RoundToUpperHalf(a), _mm512_load_si512(kUpperHalves),
                                     RoundToUpperHalf(b));
  }
  // For a NaN, the maximum returns its second operand.
  FLATNOISE_INLINE static __m128i ToBytes(F32 v) {
    const __m512 least = _mm512_max_ps(v, _mm512_setzero_ps());
    return _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(_mm512_min_ps(least, _mm512_set1_ps(255))));
  }
  // The CPU's bfloat16 instruction flushes subnormal numbers, so this rounds with integers.
  FLATNOISE_INLINE static __m512i RoundToUpperHalf(F32 v) {
    const auto bits = (__m512i)v;
    const __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x00010000));
    const __m512i below = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF));
    const __m512i rounded = _mm512_mask_add_epi32(below, odd, below, _mm512_set1_epi32(1));
    const __mmask16 is_nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    return _mm512_mask_or_epi32(rounded, is_nan, bits, _mm512_set1_epi32(0x00400000));
  }
};

}  // namespace flatnoise::cpu::avx512

#endif  // FLATNOISE_CC_CPU_SIMD_AVX512_H_
