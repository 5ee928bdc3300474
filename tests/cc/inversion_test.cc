// Compares numbers from inversion with their definitions in a more precise type.
#include "core/inversion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "core/distributions.h"
#include "core/lanes.h"
#include "every_float.h"
#include "reference.h"

namespace flatnoise {
namespace {

// In units in the last place of max(|z|, 1), as in the comparison with TensorFlow's stream.
constexpr double kLargestError = 2;

using reference::Finer;

// u' and its distance to 1, exact.
template <class Real>
struct Middle {
  Real u, rest;
};

template <class Scalar>
Middle<Finer<Scalar>> MiddleOfInterval(Scalar u) {
  const Finer<Scalar> middle = u + Finer<Scalar>(sizeof(Scalar) == 4 ? 0x1p-24 : 0x1p-53);
  return {middle, 1 - middle};
}

template <class Real>
Real Exact(Laplace, const Middle<Real>& m, Real) {
  return m.u < Real(0.5) ? std::log(2 * m.u) : -std::log(2 * m.rest);
}
template <class Real>
Real Exact(Gumbel, const Middle<Real>& m, Real) {
  return -std::log(-std::log(m.u));
}
template <class Real>
Real Exact(Logistic, const Middle<Real>& m, Real) {
  return std::log(m.u / m.rest);
}

// There is no inverse error function to compare with, so this takes a Newton step from the tested
// number.
template <class Real>
Real Exact(TruncatedNormal, const Middle<Real>& m, Real z) {
  const Real within = std::erf(std::sqrt(Real(2)));
  const Real w = m.u < Real(0.5) ? 2 * m.u - 1 : 1 - 2 * m.rest;
  const Real density = std::exp(-z * z / 2) * std::sqrt(2 / std::acos(Real(-1)));
  return z - (std::erf(z / std::sqrt(Real(2))) - within * w) / density;
}

template <class Scalar>
double UnitInLastPlace(Finer<Scalar> z) {
  const auto magnitude = static_cast<Scalar>(std::fmax(std::fabs(z), Finer<Scalar>(1)));
  return double(std::nextafter(magnitude, std::numeric_limits<Scalar>::infinity()) - magnitude);
}

template <class Distribution, class Scalar>
double Error(Scalar u) {
  const Scalar z = Distribution::template Value<ScalarLanes<Scalar>>(u);
  if (!std::isfinite(z)) return std::numeric_limits<double>::infinity();
  const auto exact = Exact(Distribution{}, MiddleOfInterval(u), Finer<Scalar>(z));
  return static_cast<double>(std::fabs(z - exact)) / UnitInLastPlace<Scalar>(exact);
}

template <class Distribution>
class Inversion : public testing::Test {};

struct NameOfType {
  template <class Distribution>
  static std::string GetName(int) {
    return Distribution::kName;
  }
};
using Inverted = testing::Types<Laplace, Gumbel, Logistic, TruncatedNormal>;
TYPED_TEST_SUITE(Inversion, Inverted, NameOfType);

TYPED_TEST(Inversion, IsAccurateForEveryFloat) {
  double worst = 0;
  for (uint32_t i = 0; i < kFractions; i += kFractionStep) {
    worst = std::fmax(worst, Error<TypeParam>(static_cast<float>(i) / kFractions));
  }
  EXPECT_LE(worst, kLargestError);
  std::printf("worst error: %.3f units in the last place\n", worst);
}

TYPED_TEST(Inversion, IsAccurateForDoubles) {
  constexpr uint64_t kAll = uint64_t{1} << 52;
  std::mt19937_64 random(1);
  double worst = 0;
  const auto check = [&](uint64_t fraction) {
    const double u = static_cast<double>(fraction % kAll) / static_cast<double>(kAll);
    worst = std::fmax(worst, Error<TypeParam>(u));
  };
  for (int i = 0; i < 200000; ++i) check(random());
  for (uint64_t i = 0; i < 1000; ++i) {
    check(i);
    check(kAll - 1 - i);
    check(kAll / 2 - 500 + i);
    check(uint64_t{1} << i % 52);
  }
  EXPECT_LE(worst, kLargestError);
  std::printf("worst error: %.3f units in the last place\n", worst);
}

TYPED_TEST(Inversion, TakesItsEndsFromTheMiddlesOfTheOuterIntervals) {
  const float last = 1 - 0x1p-23f;
  EXPECT_TRUE(std::isfinite(TypeParam::template Value<ScalarLanes<float>>(0.0f)));
  EXPECT_LT(TypeParam::template Value<ScalarLanes<float>>(0.0f),
            TypeParam::template Value<ScalarLanes<float>>(last));
}

TEST(TruncatedNormalNumbers, StayWithinTwo) {
  for (const float u : {0.0f, 0x1p-23f, 1 - 0x1p-22f, 1 - 0x1p-23f}) {
    EXPECT_LE(std::fabs(TruncatedNormal::Value<ScalarLanes<float>>(u)), 2.0f);
  }
}

}  // namespace
}  // namespace flatnoise
