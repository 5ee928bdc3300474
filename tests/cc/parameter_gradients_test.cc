// The gradients of the parameters are correct, and bit-identical for every way to compute them.
#include "cpu/parameter_gradients.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "cases.h"
#include "once.h"
#include "reference.h"

namespace flatnoise::cpu {
namespace {

constexpr BroadcastPattern kScalar = {1, 1};

using Gradients = std::vector<std::vector<double>>;

template <class T>
class Problem {
 public:
  using Scalar = ComputeType<T>;

  // The last pattern also applies to all further parameters.
  Problem(const Noise& noise, int64_t elements, uint64_t offset,
          const std::vector<BroadcastPattern>& patterns)
      : gradient_(Random(elements, 3)), input_(Random(elements, 4)) {
    for (int k = 0; k < ParametersOf(noise); ++k) {
      patterns_.push_back(patterns[std::min(static_cast<size_t>(k), patterns.size() - 1)]);
    }
    task_ = {kElementType<T>,      noise,  gradient_.data(), input_.data(),
             StreamFromSeed(5, 6), offset, elements,         /*columns=*/0};
  }

  // Processes tiles in order, or in reverse order.
  Gradients Run(const Kernels& kernels, bool backwards = false) const {
    const ParameterGradients sums(task_, patterns_.data());
    std::vector<double> workspace(static_cast<size_t>(sums.workspace_size()), NAN);
    for (int64_t i = 0; i < sums.tiles(); ++i) {
      sums.SumTile(backwards ? sums.tiles() - 1 - i : i, workspace.data(), kernels);
    }
    std::vector<std::vector<Scalar>> results;
    std::vector<void*> pointers;
    for (const BroadcastPattern& pattern : patterns_) {
      results.emplace_back(static_cast<size_t>(pattern.count), Scalar(NAN));
    }
    for (auto& result : results) pointers.push_back(result.data());
    sums.Finish(workspace.data(), pointers.data());
    Gradients gradients;
    for (const auto& result : results) gradients.emplace_back(result.begin(), result.end());
    return gradients;
  }

  // Compares with the definition. Errors are relative to the sums of absolute terms.
  void ExpectNear(const Gradients& got) const {
    using Real = reference::Finer<Scalar>;
    std::vector<std::vector<Real>> sum, size;
    for (const BroadcastPattern& pattern : patterns_) {
      sum.emplace_back(static_cast<size_t>(pattern.count));
      size.emplace_back(static_cast<size_t>(pattern.count));
    }
    const std::vector<Scalar>& noise = ReferenceNoise();
    for (size_t i = 0; i < gradient_.size(); ++i) {
      const Real g = ToCompute(gradient_[i]);
      const auto derivatives =
          reference::DerivativesOf(task_.noise, ToCompute(input_[i]), noise[i]);
      for (size_t k = 0; k < patterns_.size(); ++k) {
        const size_t value = reference::ValueIndex(patterns_[k], i);
        sum[k][value] += g * derivatives[k];
        size[k][value] += std::fabs(g * derivatives[k]);
      }
    }
    const Real ulp = sizeof(Scalar) == 4 ? 0x1p-22 : 0x1p-50;
    for (size_t k = 0; k < patterns_.size(); ++k) {
      for (size_t i = 0; i < sum[k].size(); ++i) {
        ASSERT_LE(std::fabs(got[k][i] - sum[k][i]), ulp * size[k][i])
            << "value " << i << " of parameter " << k << ", pattern {" << patterns_[k].count << ", "
            << patterns_[k].repeat << "}";
      }
    }
  }

 private:
  static const std::vector<T>& Random(int64_t elements, unsigned seed) {
    return Once(std::pair{elements, seed}, [&] {
      std::mt19937 random(seed);
      std::normal_distribution<double> normal;
      std::vector<T> values(static_cast<size_t>(elements));
      for (T& value : values) value = FromCompute<T>(static_cast<Scalar>(normal(random)));
      return values;
    });
  }

  const std::vector<Scalar>& ReferenceNoise() const {
    return Once(std::tuple{task_.noise.distribution.index, task_.offset, task_.elements}, [&] {
      std::vector<Scalar> noise;
      for (uint64_t i = 0; i < gradient_.size(); ++i) {
        noise.push_back(reference::NumberAt<Scalar>(task_.noise, task_.stream, task_.offset + i));
      }
      return noise;
    });
  }

  const std::vector<T>& gradient_;
  const std::vector<T>& input_;
  std::vector<BroadcastPattern> patterns_;
  SumGradientsTask task_;
};

struct Size {
  int64_t elements;
  std::vector<BroadcastPattern> patterns;
};

std::vector<Size> Sizes() {
  std::vector<Size> sizes;
  struct Rows {
    int64_t rows, features;
  };
  for (const auto [rows, features] :
       {Rows{1, 1}, Rows{3, 5}, Rows{1000, 3}, Rows{37, 100}, Rows{9, 1023}, Rows{5, 1024},
        Rows{3, 1025}, Rows{4, 5000}, Rows{70000, 1}}) {
    sizes.push_back({rows * features, {kScalar}});
    sizes.push_back({rows * features, {{features, 1}}});
    sizes.push_back({rows * features, {kScalar, {features, 1}}});
    sizes.push_back({rows * features, {{rows, features}}});
  }
  // [samples, channels, pixels], with one value per channel.
  for (const int64_t channels : {2, 3}) {
    for (const int64_t pixels : {2, 49, 1023, 1024, 1025, 3000}) {
      sizes.push_back({3 * channels * pixels, {{channels, pixels}}});
    }
  }
  for (const int64_t pixels : {2, 49, 1025}) sizes.push_back({2 * 64 * pixels, {{64, pixels}}});
  sizes.push_back({1440, {{6, 240}, {12, 1}}});
  sizes.push_back({1440, {{20, 12}, {1440, 1}}});
  return sizes;
}

class ParameterGradientsOf : public testing::TestWithParam<Case> {
 protected:
  template <class Body>
  void ForEachProblem(const Body& body) const {
    const auto& [kernels, type, noise] = GetParam();
    const std::vector<Size> sizes = Sizes();
    for (size_t i = 0; i < sizes.size(); ++i) {
      // Sizes come in fours, so that each of the four kinds of patterns has both offsets.
      const uint64_t offset = i % 3 == 0 ? 0 : 13;
      WithType(type, [&, kernels = kernels, noise = noise](auto t) {
        const Problem<decltype(t)> problem(noise, sizes[i].elements, offset, sizes[i].patterns);
        body(problem, *kernels);
      });
    }
  }
};

using ParameterGradientsOfTheBaseSet = ParameterGradientsOf;

TEST_P(ParameterGradientsOfTheBaseSet, AreTheSumsOfTheDefinition) {
  ForEachProblem([](const auto& problem, const Kernels& kernels) {
    problem.ExpectNear(problem.Run(kernels));
  });
}

TEST_P(ParameterGradientsOf, HaveTheSameBitsForEveryInstructionSetAndOrder) {
  ForEachProblem([](const auto& problem, const Kernels& kernels) {
    ASSERT_EQ(problem.Run(kernels, /*backwards=*/true), problem.Run(*SupportedKernels().back()));
  });
}

INSTANTIATE_TEST_SUITE_P(Kernels, ParameterGradientsOfTheBaseSet, BaseSetCases<LinearNoises>(),
                         CaseNameOf);
INSTANTIATE_TEST_SUITE_P(Kernels, ParameterGradientsOf, AllCases<LinearNoises>(), CaseNameOf);

TEST(ParameterGradientsOfNothing, AreZero) {
  const BroadcastPattern patterns[] = {{3, 1}, kScalar};
  const ParameterGradients sums(
      {kElementType<float>, kNoise<Normal, Add>, nullptr, nullptr, StreamFromSeed(1, 2), 0, 0, 0},
      patterns);
  std::vector<double> workspace(static_cast<size_t>(sums.workspace_size()), NAN);
  for (int64_t tile = 0; tile < sums.tiles(); ++tile) sums.SumTile(tile, workspace.data());
  float loc[3] = {1, 1, 1}, scale = 1;
  void* const gradients[] = {loc, &scale};
  sums.Finish(workspace.data(), gradients);
  EXPECT_EQ(loc[0], 0.0f);
  EXPECT_EQ(loc[2], 0.0f);
  EXPECT_EQ(scale, 0.0f);
}

TEST(ParameterGradientsOfNothing, HaveNoValuesWhereTheParameterHasNone) {
  const BroadcastPattern patterns[] = {{0, 1}, kScalar};
  const ParameterGradients sums(
      {kElementType<float>, kNoise<Uniform, Add>, nullptr, nullptr, StreamFromSeed(1, 2), 0, 0, 0},
      patterns);
  std::vector<double> workspace(static_cast<size_t>(sums.workspace_size()), NAN);
  for (int64_t tile = 0; tile < sums.tiles(); ++tile) sums.SumTile(tile, workspace.data());
  float scale = 1;
  void* const gradients[] = {nullptr, &scale};
  sums.Finish(workspace.data(), gradients);
  EXPECT_EQ(scale, 0.0f);
}

// One value per sample doesn't need a workspace of the tensor's size.
TEST(ParameterGradientsWorkspace, IsSmallWhereValuesAreRepeated) {
  constexpr int64_t kElements = 1 << 24;
  const BroadcastPattern patterns[] = {{64, kElements / 64}, {64, kElements / 64}};
  const ParameterGradients sums({kElementType<float>, kNoise<Normal, Add>, nullptr, nullptr,
                                 StreamFromSeed(1, 2), 0, kElements, 0},
                                patterns);
  EXPECT_LE(sums.workspace_size(), kElements / 100);
}

}  // namespace
}  // namespace flatnoise::cpu
