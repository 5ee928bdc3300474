// The functions' error bounds, for every float input that occurs (under emulation, for many) and
// for many doubles.
#include "core/elementary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/distributions.h"
#include "every_float.h"

namespace flatnoise {
namespace {

using F = ScalarLanes<float>;
using D = ScalarLanes<double>;

TEST(ElementaryFloat, TwoPiTimesIsTheDoubleProductRoundedOnce) {
  uint32_t different = 0;
  for (uint32_t bits = 0; bits < kFractions; bits += kFractionStep) {
    const float u = UnitUniform<F>(bits);
    different += Elementary<float>::TwoPiTimes<F>(u) != static_cast<float>(2 * M_PI * u);
  }
  EXPECT_EQ(different, 0u);
}

TEST(ElementaryFloat, SineAndCosineAreWithin2Ulp) {
  double worst = 0;
  for (uint32_t bits = 0; bits < kFractions; bits += kFractionStep) {
    const float u = UnitUniform<F>(bits);
    const double angle = static_cast<float>(2 * M_PI * u);
    const auto got = SinCos2Pi<F>(u);
    worst = std::fmax(worst, std::fabs(got.sin - std::sin(angle)));
    worst = std::fmax(worst, std::fabs(got.cos - std::cos(angle)));
  }
  EXPECT_LE(worst, 2 * 0x1p-24);
}

TEST(ElementaryFloat, LogarithmIsWithin2Ulp) {
  double worst = 0;
  for (uint32_t bits = 1; bits < kFractions; bits += kFractionStep) {
    const float u = UnitUniform<F>(bits);
    const double expected = -2 * std::log(static_cast<double>(u));
    worst = std::fmax(worst, std::fabs(NegTwoLog<F>(u) - expected) / expected);
  }
  EXPECT_LE(worst, 2 * 0x1p-23);
}

TEST(ElementaryDouble, FunctionsAreWithin2Ulp) {
  std::mt19937_64 random(20);
  long double worst_log = 0, worst_sin_cos = 0;
  for (int i = 0; i < 1000000; ++i) {
    // Half of the arguments are near 0 or 1, which is hardest for the logarithm.
    const uint64_t bits = i % 2 ? random() : (random() & 0xFFFFF) * (i % 4 ? 1 : ~uint64_t{0});
    const double u = UnitUniform<D>(bits);
    const long double angle = 2 * M_PI * u;
    const auto got = SinCos2Pi<D>(u);
    worst_sin_cos = std::fmax(worst_sin_cos, std::fabs(got.sin - std::sin(angle)));
    worst_sin_cos = std::fmax(worst_sin_cos, std::fabs(got.cos - std::cos(angle)));
    if (u == 0) continue;
    const long double expected = -2 * std::log(static_cast<long double>(u));
    worst_log = std::fmax(worst_log, std::fabs((NegTwoLog<D>(u) - expected) / expected));
  }
  EXPECT_LE(worst_sin_cos, 2 * 0x1p-53L);
  EXPECT_LE(worst_log, 2 * 0x1p-52L);
}

TEST(BoxMuller, ReachesItsLimitAndNoFurther) {
  // All words are zero: the smallest uniform number, bounded below by 1e-7, at angle 0.
  EXPECT_EQ(BoxMuller<F>(0, 0).first, 0.0f);
  EXPECT_NEAR(BoxMuller<F>(0, 0).second, std::sqrt(-2 * std::log(1e-7)), 1e-6);
  EXPECT_NEAR(BoxMuller<D>(0, 0).second, std::sqrt(-2 * std::log(1e-7)), 1e-14);
}

// The smallest |z| but 0, or for normal numbers, a lower bound.
template <class Distribution>
float SmallestMagnitude() {
  float smallest = INFINITY;
  for (uint32_t bits = 0; bits < kFractions; bits += kFractionStep) {
    const float z = std::fabs(Distribution::template Value<F>(UnitUniform<F>(bits)));
    if (z != 0) smallest = std::fmin(smallest, z);
  }
  return smallest;
}

template <>
float SmallestMagnitude<Normal>() {
  float radius = INFINITY, sin_or_cos = INFINITY;
  for (uint32_t bits = 0; bits < kFractions; bits += kFractionStep) {
    radius = std::fmin(radius, BoxMuller<F>(bits, 0).second);  // the cosine of 0 is 1
    const auto direction = SinCos2Pi<F>(UnitUniform<F>(bits));
    for (float value : {std::fabs(direction.sin), std::fabs(direction.cos)}) {
      if (value != 0) sin_or_cos = std::fmin(sin_or_cos, value);
    }
  }
  return radius * sin_or_cos;
}

// cc/cuda/shortcut.h relies on this.
TEST(Distributions, HaveNoTinyNumbersButZero) {
  for (int i = 0; i < Distributions::kSize; ++i) {
    Visit(Choice<Distributions>{i}, [](auto tag) {
      using Distribution = typename decltype(tag)::type;
      EXPECT_GE(SmallestMagnitude<Distribution>(), 0x1p-80f) << Distribution::kName;
    });
  }
}

}  // namespace
}  // namespace flatnoise
