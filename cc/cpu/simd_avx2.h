// 256-bit vectors: AVX2, FMA and F16C.
#ifndef FLATNOISE_CC_CPU_SIMD_AVX2_H_
#define FLATNOISE_CC_CPU_SIMD_AVX2_H_

#include <immintrin.h>

#include <cstdint>

#include "core/number_types.h"
#include "core/qualifiers.h"
#include "cpu/simd_lanes.h"

namespace flatnoise::cpu::avx2 {

struct Simd : Vectors<32> {
  static constexpr int kBytes = 32;
  static constexpr int kChains = 3;

  FLATNOISE_INLINE static F32 Broadcast(float a) { return _mm256_set1_ps(a); }
  FLATNOISE_INLINE static F64 Broadcast(double a) { return _mm256_set1_pd(a); }
  FLATNOISE_INLINE static U64 BroadcastWord(uint32_t a) {
    return (U64)_mm256_set1_epi32(static_cast<int>(a));
  }
  FLATNOISE_INLINE static U64 MultiplyLowerHalves(U64 a, U64 b) {
    return (U64)_mm256_mul_epu32((__m256i)a, (__m256i)b);
  }
  FLATNOISE_INLINE static U64 Xor(U64 a, U64 b, U64 c) { return a ^ b ^ c; }
  // The upper (or lower) halves of the 64-bit lanes: for every 128 bits, those of `a`, then of `b`.
  FLATNOISE_INLINE static U32 UpperHalves(U64 a, U64 b) {
    return (U32)_mm256_shuffle_ps((F32)a, (F32)b, 0xDD);
  }
  FLATNOISE_INLINE static U32 LowerHalves(U64 a, U64 b) {
    return (U32)_mm256_shuffle_ps((F32)a, (F32)b, 0x88);
  }
  FLATNOISE_INLINE static F32 Fma(F32 a, F32 b, F32 c) { return _mm256_fmadd_ps(a, b, c); }
  FLATNOISE_INLINE static F64 Fma(F64 a, F64 b, F64 c) { return _mm256_fmadd_pd(a, b, c); }
  FLATNOISE_INLINE static F32 Sqrt(F32 a) { return _mm256_sqrt_ps(a); }
  FLATNOISE_INLINE static F64 Sqrt(F64 a) { return _mm256_sqrt_pd(a); }

  FLATNOISE_INLINE static F32 Max(F32 a, F32 b) { return _mm256_max_ps(a, b); }
  FLATNOISE_INLINE static F64 Max(F64 a, F64 b) { return _mm256_max_pd(a, b); }
  FLATNOISE_INLINE static F32 SelectBySign(U32 a, F32 if_set, F32 if_clear) {
    return _mm256_blendv_ps(if_clear, if_set, (F32)a);
  }
  FLATNOISE_INLINE static F64 SelectBySign(U64 a, F64 if_set, F64 if_clear) {
    return _mm256_blendv_pd(if_clear, if_set, (F64)a);
  }

  // Interleaves values 0 and 2 with values 1 and 3 of two blocks, in every 128 bits.
  FLATNOISE_INLINE static void Order(F32& even, F32& odd) {
    const __m256 low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
    even = _mm256_shuffle_ps(low, high, 0x44);
    odd = _mm256_shuffle_ps(low, high, 0xEE);
  }
  FLATNOISE_INLINE static void Order(F64& even, F64& odd) {
    const __m256d first = _mm256_unpacklo_pd(even, odd);
    odd = _mm256_unpackhi_pd(even, odd);
    even = first;
  }

  FLATNOISE_INLINE static void Widen(F32 v, F64 (&wide)[2]) {
    wide[0] = _mm256_cvtps_pd(_mm256_castps256_ps128(v));
    wide[1] = _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
  }

  FLATNOISE_INLINE static F32 Load(const float* p) { return _mm256_loadu_ps(p); }
  FLATNOISE_INLINE static F64 Load(const double* p) { return _mm256_loadu_pd(p); }
  FLATNOISE_INLINE static F32 Load(const Half* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  FLATNOISE_INLINE static F32 Load(const BFloat16* p) {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return (F32)_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16);
  }

  FLATNOISE_INLINE static F32 Load(const uint8_t* p) {
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  }

  FLATNOISE_INLINE static void Store(double* p, F64 v) { _mm256_storeu_pd(p, v); }

  FLATNOISE_INLINE static void Store(float* p, F32 a, F32 b) {
    _mm256_storeu_ps(p, a);
    _mm256_storeu_ps(p + 8, b);
  }
  FLATNOISE_INLINE static void Store(double* p, F64 a, F64 b) {
    _mm256_storeu_pd(p, a);
    _mm256_storeu_pd(p + 4, b);
  }
  FLATNOISE_INLINE static void Store(Half* p, F32 a, F32 b) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), ToHalf(a, b));
  }
  FLATNOISE_INLINE static void Store(BFloat16* p, F32 a, F32 b) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), ToBFloat16(a, b));
  }
  FLATNOISE_INLINE static void Store(uint8_t* p, F32 a, F32 b) {
    // Packs within 128-bit lanes, then reorders the words.
    const __m256i words = _mm256_packs_epi32(ToByteRange(a), ToByteRange(b));
    const __m256i bytes = _mm256_packus_epi16(words, words);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(bytes, order)));
  }

 private:
  FLATNOISE_INLINE static __m256i ToHalf(F32 a, F32 b) {
    constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
    return _mm256_set_m128i(_mm256_cvtps_ph(b, kNearest), _mm256_cvtps_ph(a, kNearest));
  }
  FLATNOISE_INLINE static __m256i ToBFloat16(F32 a, F32 b) {
    // Packs within 128-bit lanes, then reorders the halves.
    constexpr int kEvenThenOdd = 0xD8;
    const __m256i packed = _mm256_packus_epi32(RoundToBFloat16(a), RoundToBFloat16(b));
    return _mm256_permute4x64_epi64(packed, kEvenThenOdd);
  }
  // For a NaN, the maximum returns its second operand.
  FLATNOISE_INLINE static __m256i ToByteRange(F32 v) {
    const __m256 least = _mm256_max_ps(v, _mm256_setzero_ps());
    return _mm256_cvtps_epi32(_mm256_min_ps(least, _mm256_set1_ps(255)));
  }
  FLATNOISE_INLINE static __m256i RoundToBFloat16(F32 v) {
    const U32 bits = (U32)v;
    const U32 rounded = bits + 0x7FFF + (bits >> 16 & 1);
    return (__m256i)((v != v ? bits | 0x00400000 : rounded) >> 16);
  }
};

}  // namespace flatnoise::cpu::avx2

#endif  // FLATNOISE_CC_CPU_SIMD_AVX2_H_
