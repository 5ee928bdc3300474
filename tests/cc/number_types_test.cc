#include "core/number_types.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace flatnoise {
namespace {

// The nearest value in a format with `fraction_bits`, computed only with arithmetic.
double Nearest(double value, int fraction_bits, int least_exponent, double largest) {
  if (value == 0 || std::isinf(value)) return value;
  const int exponent = std::max(std::ilogb(value), least_exponent);
  const double unit = std::ldexp(1.0, exponent - fraction_bits);
  const double rounded = std::nearbyint(value / unit) * unit;
  return std::fabs(rounded) > largest ? std::copysign(INFINITY, value) : rounded;
}

double NearestHalf(float value) { return Nearest(value, 10, -14, 65504.0); }
double NearestBFloat16(float value) { return Nearest(value, 7, -126, 0x1.FEp127); }

template <class T>
void ExpectRoundTrips() {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const T value = {static_cast<uint16_t>(bits)};
    const float wide = ToCompute(value);
    if (std::isnan(wide)) {
      EXPECT_TRUE(std::isnan(ToCompute(FromCompute<T>(wide))));
    } else {
      EXPECT_EQ(FromCompute<T>(wide).bits, bits);
    }
  }
}

TEST(Half, EveryValueRoundTrips) { ExpectRoundTrips<Half>(); }
TEST(BFloat16, EveryValueRoundTrips) { ExpectRoundTrips<BFloat16>(); }

TEST(SmallTypes, RoundToNearestEven) {
  std::mt19937 random(7);
  for (int i = 0; i < 2000000; ++i) {
    // Every third value is a tie or next to one, where rounding errors are most likely.
    uint32_t bits = static_cast<uint32_t>(random());
    if (i % 3 == 0) bits = (bits & 0xFFFFE000) | (0x0FFF + static_cast<uint32_t>(i % 9 / 3));
    if (i % 3 == 1) bits = (bits & 0xFFFF0000) | (0x7FFF + static_cast<uint32_t>(i % 9 / 3));
    const float value = BitCast<float>(bits);
    if (std::isnan(value)) continue;
    ASSERT_EQ(ToCompute(FromCompute<Half>(value)), NearestHalf(value)) << value;
    ASSERT_EQ(ToCompute(FromCompute<BFloat16>(value)), NearestBFloat16(value)) << value;
  }
}

TEST(SmallTypes, KeepSignsInfinitiesAndNaN) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(FromCompute<Half>(-0.0f).bits, 0x8000);
  EXPECT_EQ(FromCompute<Half>(-kInfinity).bits, 0xFC00);
  EXPECT_EQ(FromCompute<Half>(65520.0f).bits, 0x7C00);
  EXPECT_EQ(FromCompute<Half>(65519.99f).bits, 0x7BFF);
  EXPECT_EQ(FromCompute<BFloat16>(kInfinity).bits, 0x7F80);
  EXPECT_EQ(FromCompute<BFloat16>(std::numeric_limits<float>::max()).bits, 0x7F80);
  for (uint32_t bits : {0x7F800001u, 0x7FFFFFFFu, 0xFFFFFFFFu, 0xFF800001u}) {
    EXPECT_TRUE(std::isnan(ToCompute(FromCompute<Half>(BitCast<float>(bits)))));
    EXPECT_TRUE(std::isnan(ToCompute(FromCompute<BFloat16>(BitCast<float>(bits)))));
  }
}

TEST(Bytes, EveryValueRoundTrips) {
  for (int value = 0; value <= 255; ++value) {
    const auto byte = static_cast<uint8_t>(value);
    EXPECT_EQ(ToCompute(byte), static_cast<float>(value));
    EXPECT_EQ(FromCompute<uint8_t>(ToCompute(byte)), byte);
  }
}

TEST(Bytes, RoundToNearestEvenAndEndAtTheirLimits) {
  for (int quarters = -40; quarters <= 4 * 255 + 40; ++quarters) {
    const double value = quarters / 4.0;
    const double expected = std::fmin(std::fmax(std::nearbyint(value), 0), 255);
    EXPECT_EQ(FromCompute<uint8_t>(static_cast<float>(value)), expected) << value;
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float low : {-1e-30f, -0.0f, -300.0f, -1e30f, -kInfinity}) {
    EXPECT_EQ(FromCompute<uint8_t>(low), 0) << low;
  }
  for (const float high : {255.5f, 256.0f, 3e9f, 5e9f, 1e30f, kInfinity}) {
    EXPECT_EQ(FromCompute<uint8_t>(high), 255) << high;
  }
  EXPECT_EQ(FromCompute<uint8_t>(std::numeric_limits<float>::quiet_NaN()), 0);
}

}  // namespace
}  // namespace flatnoise
