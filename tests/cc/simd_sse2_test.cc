// SSE2 has no fused multiply-add. Its emulation rounds only once, and Box-Muller with it is
// bit-identical to the scalar version for every float32 fraction.
#include "cpu/simd_sse2.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/distributions.h"

namespace flatnoise::cpu {
namespace {

using sse2::Simd;
using Vector = VectorLanes<Simd, float>;
using Scalar = ScalarLanes<float>;

void ExpectFused(const float (&a)[4], const float (&b)[4], const float (&c)[4]) {
  const auto got = Simd::Fma(Simd::Load(a), Simd::Load(b), Simd::Load(c));
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(BitCast<uint32_t>(got[i]), BitCast<uint32_t>(std::fmaf(a[i], b[i], c[i])))
        << std::hexfloat << a[i] << " * " << b[i] << " + " << c[i];
  }
}

TEST(Sse2Fma, RoundsOnceForAnyNumbers) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> fraction(1, 2);
  std::uniform_int_distribution<int> exponent(-30, 30);
  const auto any = [&] {
    return std::ldexp(fraction(random), exponent(random)) * (random() % 2 == 0 ? 1.0f : -1.0f);
  };
  for (int n = 0; n < 1000000; ++n) {
    float a[4], b[4], c[4];
    for (int i = 0; i < 4; ++i) {
      a[i] = any();
      b[i] = any();
      c[i] = any();
    }
    ExpectFused(a, b, c);
  }
}

TEST(Sse2Fma, RoundsOnceWhereTheDoubleSumIsATie) {
  // 1 + 2^-24 is halfway between two floats, so even a tiny additional term decides.
  for (int k = 25; k < 60; ++k) {
    const float tiny = std::ldexp(1.0f, -k);
    const float a[4] = {1 + 0x1p-12f, 1 + 0x1p-12f, 1 - 0x1p-12f, 1 + 0x1p-11f};
    const float b[4] = {1 + 0x1p-12f, 1 + 0x1p-12f, 1 + 0x1p-12f, 1 + 0x1p-13f};
    const float c[4] = {tiny, -tiny, tiny, -tiny};
    ExpectFused(a, b, c);
    const float one[4] = {1, 1, 1, 1}, half_unit[4] = {0x1p-24f, 0x1p-24f, 0x3p-24f, 0x3p-24f};
    const float near[4] = {1 + 0x1p-23f, 1, 1, 1 + 0x1p-22f};
    ExpectFused(half_unit, near, one);
  }
}

TEST(Sse2BoxMuller, HasTheScalarBitsForEveryFraction) {
  int64_t different = 0;
  for (uint32_t bits = 0; bits < 1u << 23; bits += 4) {
    const Simd::U32 words = {bits, bits + 1, bits + 2, bits + 3};
    // The angle's fraction runs in the opposite direction.
    const auto got = BoxMuller<Vector>(words, ~words);
    for (int i = 0; i < 4; ++i) {
      const auto expected = BoxMuller<Scalar>(words[i], ~words[i]);
      different += BitCast<uint32_t>(got.first[i]) != BitCast<uint32_t>(expected.first);
      different += BitCast<uint32_t>(got.second[i]) != BitCast<uint32_t>(expected.second);
    }
  }
  EXPECT_EQ(different, 0);
}

}  // namespace
}  // namespace flatnoise::cpu
