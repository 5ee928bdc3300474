// Operations with a faster implementation on devices. They are bit-identical to the portable
// definitions (except for NaN payloads), which tests/gpu checks for all arguments. On the host, the
// portable definitions are used.
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

// Uses one instruction for the product. For a 64-bit product, the compiler would use two.
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

// Hides the origin of the keys from the compiler. Otherwise, it would treat them as uniform values
// and copy them between uniform and regular registers, which takes 4% more instructions.
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
  // Box-Muller only takes roots of numbers from 2^-23 to 33. This is the compiler's sequence
  // without its slow path for other numbers.
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

// Uses one logical instruction. The compiler would use two, to have both constants as immediates.
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

// Rounds two numbers. The first goes into the lower half of the word.
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

// Rounds one number, with the same conversion.
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
