// The few operations for which a device has something better than the portable definition. Each
// gives the portable definition's bits (NaN payloads aside), which tests/gpu checks for every
// argument there is; on the host it is that definition.
#ifndef FLATNOISE_CC_CUDA_DEVICE_NUMBERS_H_
#define FLATNOISE_CC_CUDA_DEVICE_NUMBERS_H_

#include <cstdint>

#include "core/distributions.h"
#include "core/lanes.h"
#include "core/number_types.h"
#include "core/philox.h"
#include "core/qualifiers.h"

#if defined(__CUDA_ARCH__)
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

namespace flatnoise::cuda {

// One instruction for the product; the compiler makes two of a product of 64-bit integers.
struct DeviceWords : ScalarWords {
  FLATNOISE_INLINE static Product Multiply(Word a, uint32_t b) {
#if defined(__CUDA_ARCH__)
    Product product;
    asm("mul.wide.u32 %0, %1, %2;" : "=l"(product) : "r"(a), "r"(b));
    return product;
#else
    return ScalarWords::Multiply(a, b);
#endif
  }
};

// Hides from the compiler where keys come from. Left alone it takes them for uniform values, keeps
// them in uniform registers and then moves them about: 4% more instructions.
FLATNOISE_INLINE void HideOrigin(PhiloxKeySchedule* keys) {
#if defined(__CUDA_ARCH__)
  _Pragma("unroll") for (int round = 0; round < kPhiloxRounds; ++round) {
    asm volatile("" : "+r"(keys->word[round][0]), "+r"(keys->word[round][1]));
  }
#else
  (void)keys;
#endif
}

template <class Scalar>
struct DeviceLanes : ScalarLanes<Scalar> {};

template <>
struct DeviceLanes<float> : ScalarLanes<float> {
  // Box-Muller takes roots of numbers from 2^-23 to 33 alone: the compiler's own sequence, without
  // its branch for the numbers where that fails.
  FLATNOISE_INLINE static float Sqrt(float a) {
#if defined(__CUDA_ARCH__)
    float reciprocal;
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(reciprocal) : "f"(a));
    const float root = a * reciprocal;
    return fmaf(fmaf(-root, root, a), 0.5f * reciprocal, root);
#else
    return sqrtf(a);
#endif
  }
};

}  // namespace flatnoise::cuda

namespace flatnoise {

// One logical instruction where the compiler makes two, to have both constants as immediates.
template <>
FLATNOISE_INLINE float UnitUniform<cuda::DeviceLanes<float>>(uint32_t bits) {
  using F = UnitFraction<float>;
#if defined(__CUDA_ARCH__)
  constexpr int kAndOr = (0xF0 & 0xCC) | 0xAA;
  uint32_t fraction;
  asm("lop3.b32 %0, %1, %2, %3, %4;"
      : "=r"(fraction)
      : "r"(bits), "r"(F::kMask), "r"(F::kOne), "n"(kAndOr));
  return BitCast<float>(fraction) - 1;
#else
  return BitCast<float>((bits & F::kMask) | F::kOne) - 1;
#endif
}

}  // namespace flatnoise

namespace flatnoise::cuda {

FLATNOISE_INLINE float Widen(Half a) {
#if defined(__CUDA_ARCH__)
  return __half2float(__ushort_as_half(a.bits));
#else
  return ToCompute(a);
#endif
}
FLATNOISE_INLINE float Widen(BFloat16 a) { return ToCompute(a); }
FLATNOISE_INLINE float Widen(float a) { return a; }
FLATNOISE_INLINE double Widen(double a) { return a; }

// Two numbers rounded, the first in the lower half of the word.
template <class T>
FLATNOISE_INLINE uint32_t NarrowPair(float first, float second) {
  return FromCompute<T>(first).bits | uint32_t{FromCompute<T>(second).bits} << 16;
}

#if defined(__CUDA_ARCH__)
template <>
__device__ __forceinline__ uint32_t NarrowPair<Half>(float first, float second) {
  return BitCast<uint32_t>(__floats2half2_rn(first, second));
}
#if __CUDA_ARCH__ >= 800
template <>
__device__ __forceinline__ uint32_t NarrowPair<BFloat16>(float first, float second) {
  return BitCast<uint32_t>(__floats2bfloat162_rn(first, second));
}
#endif
#endif

// One number rounded, by the same conversion.
template <class T>
FLATNOISE_INLINE T Narrow(ComputeType<T> a) {
  if constexpr (sizeof(T) == 2) {
    return {static_cast<uint16_t>(NarrowPair<T>(a, 0.0f))};
  } else {
    return a;
  }
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_DEVICE_NUMBERS_H_
