// The gradients' sums: right, and the same bits however they are computed.
#include "cpu/sum_gradients.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "cases.h"

namespace flatnoise::cpu {
namespace {

struct Sums {
  std::vector<double> loc, scale;
};

template <class T>
class Problem {
 public:
  using Scalar = ComputeType<T>;

  Problem(ElementType type, Distribution distribution, int64_t elements, int64_t features,
          uint64_t offset)
      : gradient_(static_cast<size_t>(elements)), features_(features) {
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    for (T& g : gradient_) g = FromCompute<T>(static_cast<Scalar>(normal(random)));
    task_ = {type, distribution, gradient_.data(), StreamFromSeed(5, 6), offset, elements, 0};
  }

  // In the order of the tiles, or against it.
  Sums Run(const Kernels& kernels, bool per_feature, bool backwards = false) const {
    const GradientSums sums(task_, per_feature ? features_ : 1);
    std::vector<double> workspace(static_cast<size_t>(sums.workspace_size()), NAN);
    for (int64_t i = 0; i < sums.tiles(); ++i) {
      sums.SumTile(backwards ? sums.tiles() - 1 - i : i, workspace.data(), kernels);
    }
    const auto count = static_cast<size_t>(per_feature ? features_ : 1);
    std::vector<Scalar> loc(count), scale(count);
    sums.Finish(workspace.data(), {loc.data(), static_cast<int64_t>(count)},
                {scale.data(), static_cast<int64_t>(count)});
    return {{loc.begin(), loc.end()}, {scale.begin(), scale.end()}};
  }

  // The definition, in long double, with the sums of absolute terms to measure errors by.
  void ExpectNear(const Sums& got, bool per_feature) const {
    const auto count = static_cast<size_t>(per_feature ? features_ : 1);
    std::vector<long double> loc(count), scale(count), loc_size(count), scale_size(count);
    for (size_t i = 0; i < gradient_.size(); ++i) {
      const size_t f = i % count;
      const long double g = ToCompute(gradient_[i]);
      const long double gz =
          g * ExpectedNoise<Scalar>(task_.distribution, task_.stream, task_.offset + i);
      loc[f] += g;
      scale[f] += gz;
      loc_size[f] += std::fabs(g);
      scale_size[f] += std::fabs(gz);
    }
    const long double ulp = sizeof(Scalar) == 4 ? 0x1p-23L : 0x1p-50L;
    for (size_t f = 0; f < count; ++f) {
      ASSERT_LE(std::fabs(got.loc[f] - loc[f]), ulp * loc_size[f]) << f;
      ASSERT_LE(std::fabs(got.scale[f] - scale[f]), ulp * scale_size[f]) << f;
    }
  }

 private:
  std::vector<T> gradient_;
  int64_t features_;
  SumGradientsTask task_;
};

struct Size {
  int64_t rows, features;
};

class SumGradients : public testing::TestWithParam<Case> {
 protected:
  template <class Body>
  void ForEachProblem(const Body& body) const {
    const auto [kernels, type, distribution] = GetParam();
    for (const Size size : {Size{1, 1}, Size{3, 5}, Size{1000, 3}, Size{37, 100}, Size{9, 1023},
                            Size{5, 1024}, Size{3, 1025}, Size{4, 5000}, Size{70000, 1}}) {
      for (const uint64_t offset : {uint64_t{0}, uint64_t{13}}) {
        for (const bool per_feature : {false, true}) {
          WithType(type, [&, kernels = kernels, type = type, distribution = distribution](auto t) {
            const Problem<decltype(t)> problem(type, distribution, size.rows * size.features,
                                               size.features, offset);
            body(problem, *kernels, per_feature);
          });
        }
      }
    }
  }
};

TEST_P(SumGradients, AreTheSumsOfTheDefinition) {
  ForEachProblem([](const auto& problem, const Kernels& kernels, bool per_feature) {
    problem.ExpectNear(problem.Run(kernels, per_feature), per_feature);
  });
}

TEST_P(SumGradients, HaveTheSameBitsForEveryInstructionSetAndOrder) {
  ForEachProblem([](const auto& problem, const Kernels& kernels, bool per_feature) {
    const Sums sums = problem.Run(kernels, per_feature, /*backwards=*/true);
    const Sums reference = problem.Run(*FindKernels("baseline"), per_feature);
    ASSERT_EQ(sums.loc, reference.loc);
    ASSERT_EQ(sums.scale, reference.scale);
  });
}

INSTANTIATE_TEST_SUITE_P(Kernels, SumGradients, AllCases(), CaseNameOf);

TEST(SumGradientsOfNothing, AreZero) {
  const GradientSums sums(
      {ElementType::kFloat, Distribution::kNormal, nullptr, StreamFromSeed(1, 2), 0, 0, 0}, 3);
  std::vector<double> workspace(static_cast<size_t>(sums.workspace_size()), NAN);
  for (int64_t tile = 0; tile < sums.tiles(); ++tile) sums.SumTile(tile, workspace.data());
  float loc[3] = {1, 1, 1}, scale = 1;
  sums.Finish(workspace.data(), {loc, 3}, {&scale, 1});
  EXPECT_EQ(loc[0], 0.0f);
  EXPECT_EQ(loc[2], 0.0f);
  EXPECT_EQ(scale, 0.0f);
}

}  // namespace
}  // namespace flatnoise::cpu
