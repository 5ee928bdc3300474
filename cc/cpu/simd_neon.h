// 128-bit vectors: Advanced SIMD, which every 64-bit Arm CPU has.
#ifndef FLATNOISE_CC_CPU_SIMD_NEON_H_
#define FLATNOISE_CC_CPU_SIMD_NEON_H_

#include <arm_neon.h>

#include <cstdint>
#include <cstring>

#include "core/number_types.h"
#include "core/philox.h"
#include "core/qualifiers.h"
#include "cpu/pack.h"
#include "cpu/simd_lanes.h"

namespace flatnoise::cpu::neon {

struct Simd : Vectors<16> {
  static constexpr int kBytes = 16;
  static constexpr int kChains = 4;

  FLATNOISE_INLINE static F32 Broadcast(float a) { return (F32)vdupq_n_f32(a); }
  FLATNOISE_INLINE static F64 Broadcast(double a) { return (F64)vdupq_n_f64(a); }
  FLATNOISE_INLINE static U64 Xor(U64 a, U64 b, U64 c) { return a ^ b ^ c; }
  // The upper (or lower) halves of the 64-bit lanes: those of `a`, then of `b`.
  FLATNOISE_INLINE static U32 UpperHalves(U64 a, U64 b) {
    return (U32)vuzp2q_u32((uint32x4_t)a, (uint32x4_t)b);
  }
  FLATNOISE_INLINE static U32 LowerHalves(U64 a, U64 b) {
    return (U32)vuzp1q_u32((uint32x4_t)a, (uint32x4_t)b);
  }
  FLATNOISE_INLINE static F32 Fma(F32 a, F32 b, F32 c) {
    return (F32)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
  }
  FLATNOISE_INLINE static F64 Fma(F64 a, F64 b, F64 c) {
    return (F64)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
  }
  FLATNOISE_INLINE static F32 Sqrt(F32 a) { return (F32)vsqrtq_f32((float32x4_t)a); }
  FLATNOISE_INLINE static F64 Sqrt(F64 a) { return (F64)vsqrtq_f64((float64x2_t)a); }

  FLATNOISE_INLINE static F32 Max(F32 a, F32 b) {
    return (F32)vmaxq_f32((float32x4_t)a, (float32x4_t)b);
  }
  FLATNOISE_INLINE static F64 Max(F64 a, F64 b) {
    return (F64)vmaxq_f64((float64x2_t)a, (float64x2_t)b);
  }
  FLATNOISE_INLINE static F32 SelectBySign(U32 a, F32 if_set, F32 if_clear) {
    return (I32)a < 0 ? if_set : if_clear;
  }
  FLATNOISE_INLINE static F64 SelectBySign(U64 a, F64 if_set, F64 if_clear) {
    return (I64)a < 0 ? if_set : if_clear;
  }

  // Interleaves values 0 and 2 with values 1 and 3 of two blocks.
  FLATNOISE_INLINE static void Order(F32& even, F32& odd) {
    const auto low = (F64)vzip1q_f32((float32x4_t)even, (float32x4_t)odd);
    const auto high = (F64)vzip2q_f32((float32x4_t)even, (float32x4_t)odd);
    even = (F32)vzip1q_f64((float64x2_t)low, (float64x2_t)high);
    odd = (F32)vzip2q_f64((float64x2_t)low, (float64x2_t)high);
  }
  FLATNOISE_INLINE static void Order(F64& even, F64& odd) {
    const auto first = (F64)vzip1q_f64((float64x2_t)even, (float64x2_t)odd);
    odd = (F64)vzip2q_f64((float64x2_t)even, (float64x2_t)odd);
    even = first;
  }

  FLATNOISE_INLINE static void Widen(F32 v, F64 (&wide)[2]) {
    wide[0] = (F64)vcvt_f64_f32(vget_low_f32((float32x4_t)v));
    wide[1] = (F64)vcvt_high_f64_f32((float32x4_t)v);
  }

  FLATNOISE_INLINE static F32 Load(const float* p) { return (F32)vld1q_f32(p); }
  FLATNOISE_INLINE static F64 Load(const double* p) { return (F64)vld1q_f64(p); }
  FLATNOISE_INLINE static F32 Load(const Half* p) {
    return (F32)vcvt_f32_f16(vreinterpret_f16_u16(LoadBits(p)));
  }
  FLATNOISE_INLINE static F32 Load(const BFloat16* p) { return (F32)vshll_n_u16(LoadBits(p), 16); }
  FLATNOISE_INLINE static F32 Load(const uint8_t* p) {
    uint32_t bytes;
    memcpy(&bytes, p, sizeof(bytes));
    const uint16x8_t words = vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(bytes)));
    return (F32)vcvtq_f32_u32(vmovl_u16(vget_low_u16(words)));
  }

  FLATNOISE_INLINE static void Store(double* p, F64 v) { vst1q_f64(p, (float64x2_t)v); }

  FLATNOISE_INLINE static void Store(float* p, F32 a, F32 b) {
    vst1q_f32(p, (float32x4_t)a);
    vst1q_f32(p + 4, (float32x4_t)b);
  }
  FLATNOISE_INLINE static void Store(double* p, F64 a, F64 b) {
    vst1q_f64(p, (float64x2_t)a);
    vst1q_f64(p + 2, (float64x2_t)b);
  }
  FLATNOISE_INLINE static void Store(Half* p, F32 a, F32 b) {
    const float16x4_t low = vcvt_f16_f32((float32x4_t)a);
    StoreBits(p, vreinterpretq_u16_f16(vcvt_high_f16_f32(low, (float32x4_t)b)));
  }
  FLATNOISE_INLINE static void Store(BFloat16* p, F32 a, F32 b) {
    const uint16x4_t low = vshrn_n_u32(RoundToBFloat16(a), 16);
    StoreBits(p, vshrn_high_n_u32(low, RoundToBFloat16(b), 16));
  }
  // Conversions saturate and turn NaN into 0.
  FLATNOISE_INLINE static void Store(uint8_t* p, F32 a, F32 b) {
    const uint16x4_t low = vqmovn_u32(vcvtnq_u32_f32((float32x4_t)a));
    vst1_u8(p, vqmovn_u16(vqmovn_high_u32(low, vcvtnq_u32_f32((float32x4_t)b))));
  }

 private:
  template <class T>
  FLATNOISE_INLINE static uint16x4_t LoadBits(const T* p) {
    return vld1_u16(reinterpret_cast<const uint16_t*>(p));
  }
  template <class T>
  FLATNOISE_INLINE static void StoreBits(T* p, uint16x8_t bits) {
    vst1q_u16(reinterpret_cast<uint16_t*>(p), bits);
  }
  // The upper halves of the lanes have the result. The lower halves have leftovers.
  FLATNOISE_INLINE static uint32x4_t RoundToBFloat16(F32 v) {
    const U32 bits = (U32)v;
    const U32 rounded = bits + 0x7FFF + (bits >> 16 & 1);
    return (uint32x4_t)(v != v ? bits | 0x00400000 : rounded);
  }
};

}  // namespace flatnoise::cpu::neon

namespace flatnoise::cpu {

// Applies f to every two vectors of a pack.
template <class F, class V, int n>
FLATNOISE_INLINE auto MergePairs(const F& f, const Pack<V, n>& pack)
    -> Pack<decltype(f(pack.first, pack.first)), n / 2> {
  if constexpr (n == 2) {
    return {f(pack.first, pack.rest.first)};
  } else {
    return {f(pack.first, pack.rest.first), MergePairs(f, pack.rest.rest)};
  }
}

// Replaces every vector by the two results of the functions.
template <class First, class Second, class V, int n, class... Vs>
FLATNOISE_INLINE auto SplitToPairs(const First& first, const Second& second, const Pack<V, n>& pack,
                                   const Pack<Vs, n>&... packs)
    -> Pack<decltype(first(pack.first, packs.first...)), 2 * n> {
  if constexpr (n == 1) {
    return {first(pack.first, packs.first...), {second(pack.first, packs.first...)}};
  } else {
    return {first(pack.first, packs.first...),
            {second(pack.first, packs.first...),
             SplitToPairs(first, second, pack.rest, packs.rest...)}};
  }
}

// Philox words of two adjacent chains in a vector of 32-bit lanes. One instruction multiplies the
// lower half, another the upper half, and both take 32-bit lanes without rearrangement.
template <int n>
struct PackWords<WordLanes<neon::Simd>, n> {
  static_assert(n % 2 == 0, "chains go in pairs");
  using U32 = neon::Simd::U32;
  using U64 = neon::Simd::U64;
  using Word = Pack<U32, n / 2>;
  using Key = U32;
  using Product = Pack<U64, n>;

  FLATNOISE_INLINE static Product Multiply(const Word& a, uint32_t b) {
    const uint32x4_t factor = vdupq_n_u32(b);
    return SplitToPairs(
        [factor](U32 x) __attribute__((always_inline)) {
          return (U64)vmull_u32(vget_low_u32((uint32x4_t)x), vget_low_u32(factor));
        },
        [factor](U32 x)
            __attribute__((always_inline)) { return (U64)vmull_high_u32((uint32x4_t)x, factor); },
        a);
  }
  FLATNOISE_INLINE static Word High(const Product& p) {
    return MergePairs([](U64 a, U64 b)
                          __attribute__((always_inline)) { return neon::Simd::UpperHalves(a, b); },
                      p);
  }
  FLATNOISE_INLINE static Word Low(const Product& p) {
    return MergePairs([](U64 a, U64 b)
                          __attribute__((always_inline)) { return neon::Simd::LowerHalves(a, b); },
                      p);
  }
  FLATNOISE_INLINE static Word Xor(const Word& a, const Word& b, Key c) {
    return Map([c](U32 x, U32 y) __attribute__((always_inline)) { return x ^ y ^ c; }, a, b);
  }
  FLATNOISE_INLINE static Word Xor(const Word& a, Key b) {
    return Map([b](U32 x) __attribute__((always_inline)) { return x ^ b; }, a);
  }
  FLATNOISE_INLINE static Key BroadcastKey(uint32_t a) { return (Key)vdupq_n_u32(a); }

  // For every chain, its words in `a`, then those in `b`.
  FLATNOISE_INLINE static Pack<U32, n> SideBySide(const Word& a, const Word& b) {
    return SplitToPairs(
        [](U32 x, U32 y) __attribute__((always_inline)) {
          return (U32)vzip1q_u64((uint64x2_t)x, (uint64x2_t)y);
        },
        [](U32 x, U32 y) __attribute__((always_inline)) {
          return (U32)vzip2q_u64((uint64x2_t)x, (uint64x2_t)y);
        },
        a, b);
  }
  // For every chain, 64-bit lanes with the words of `high` above those of `low`.
  FLATNOISE_INLINE static Pack<U64, n> Joined(const Word& high, const Word& low) {
    return SplitToPairs(
        [](U32 x, U32 y) __attribute__((always_inline)) {
          return (U64)vzip1q_u32((uint32x4_t)y, (uint32x4_t)x);
        },
        [](U32 x, U32 y) __attribute__((always_inline)) {
          return (U64)vzip2q_u32((uint32x4_t)y, (uint32x4_t)x);
        },
        high, low);
  }
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_SIMD_NEON_H_
