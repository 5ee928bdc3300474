// Operations with a faster implementation on devices. They are bit-identical to the portable
// definitions (except for NaN payloads), which tests/gpu checks for all arguments. On the host,
// portable operations take the place of the instructions.
#ifndef FLATNOISE_CC_CUDA_DEVICE_NUMBERS_H_
#define FLATNOISE_CC_CUDA_DEVICE_NUMBERS_H_

#include <cstdint>

#include "core/distributions.h"
#include "core/elementary.h"
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
  FLATNOISE_DEVICE_INLINE static Product Multiply(Word a, uint32_t b) {
#if defined(__CUDA_ARCH__)
    Product product;
    asm("mul.wide.u32 %0, %1, %2;" : "=l"(product) : "r"(a), "r"(b));
    return product;
#else
    return ScalarWords::Multiply(a, b);
#endif
  }
};

// Hides the origin of a value from the compiler, so that it is kept in a register and not computed
// again where it is used.
FLATNOISE_DEVICE_INLINE void HideOrigin(uint32_t* value) {
#if defined(__CUDA_ARCH__)
  asm volatile("" : "+r"(*value));
#else
  (void)value;
#endif
}

template <class Scalar>
struct DeviceLanes : ScalarLanes<Scalar> {};

template <>
struct DeviceLanes<float> : ScalarLanes<float> {
  // Box-Muller only takes roots of numbers from 2^-23 to 33. This is the compiler's sequence
  // without its slow path for other numbers.
  FLATNOISE_DEVICE_INLINE static float Sqrt(float a) {
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
FLATNOISE_DEVICE_INLINE float UnitUniform<cuda::DeviceLanes<float>>(uint32_t bits) {
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

namespace cuda {

// Splits the maximum of two numbers that aren't negative, which have the order of their bits. Takes
// the maximum after subtracting two thirds, which some GPUs do in one instruction.
FLATNOISE_DEVICE_INLINE LogArgument<DeviceLanes<float>> ReduceForLog(float u, float least) {
  using E = Elementary<float>;
  const auto bits = static_cast<int32_t>(BitCast<uint32_t>(u) - E::kTwoThirds);
  const auto least_bits = static_cast<int32_t>(BitCast<uint32_t>(least) - E::kTwoThirds);
  const auto difference = static_cast<uint32_t>(bits < least_bits ? least_bits : bits);
  const uint32_t exponent = difference & E::kExponentMask;
  return {exponent, BitCast<float>(difference + E::kTwoThirds - exponent) - 1};
}

// Rotates and multiplies by a radius, which takes the sign of a half turn for both numbers. Tests
// for an odd quadrant with one instruction, and flips the other sign while selecting.
struct RotateRadius {
  float radius;

  FLATNOISE_DEVICE_INLINE NormalPair<float> operator()(uint32_t quadrant,
                                                       const SinCos<float>& a) const {
    float first, second;
#if defined(__CUDA_ARCH__)
    asm("{\n\t"
        ".reg .pred odd;\n\t"
        ".reg .b32 bit;\n\t"
        ".reg .f32 negative;\n\t"
        "and.b32 bit, %2, 1;\n\t"
        "setp.ne.u32 odd, bit, 0;\n\t"
        "neg.f32 negative, %3;\n\t"
        "selp.f32 %0, %4, %3, odd;\n\t"
        "selp.f32 %1, negative, %4, odd;\n\t"
        "}"
        : "=f"(first), "=f"(second)
        : "r"(quadrant), "f"(a.sin), "f"(a.cos));
#else
    const bool odd = (quadrant & 1) != 0;
    first = odd ? a.cos : a.sin;
    second = odd ? -a.sin : a.cos;
#endif
    const uint32_t half = quadrant << 30 & 0x80000000;
    const auto signed_radius = BitCast<float>(BitCast<uint32_t>(radius) ^ half);
    return {first * signed_radius, second * signed_radius};
  }
};

}  // namespace cuda

template <>
FLATNOISE_DEVICE_INLINE NormalPair<float> BoxMuller<cuda::DeviceLanes<float>>(uint32_t first,
                                                                              uint32_t second) {
  using L = cuda::DeviceLanes<float>;
  const auto u = cuda::ReduceForLog(UnitUniform<L>(first), kSmallestUniform<float>);
  return SinCos2Pi<L>(UnitUniform<L>(second), cuda::RotateRadius{L::Sqrt(NegTwoLog(u))});
}

}  // namespace flatnoise

namespace flatnoise::cuda {

FLATNOISE_DEVICE_INLINE float Widen(Half a) {
#if defined(__CUDA_ARCH__)
  return __half2float(__ushort_as_half(a.bits));
#else
  return ToCompute(a);
#endif
}
FLATNOISE_DEVICE_INLINE float Widen(BFloat16 a) { return ToCompute(a); }
FLATNOISE_DEVICE_INLINE float Widen(float a) { return a; }
FLATNOISE_DEVICE_INLINE double Widen(double a) { return a; }

// Rounds two numbers. The first goes into the lower half of the word.
template <class T>
FLATNOISE_DEVICE_INLINE uint32_t NarrowPair(float first, float second) {
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
FLATNOISE_DEVICE_INLINE T Narrow(ComputeType<T> a) {
  if constexpr (sizeof(T) == 2) {
    return {static_cast<uint16_t>(NarrowPair<T>(a, 0.0f))};
  } else {
    return a;
  }
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_DEVICE_NUMBERS_H_
