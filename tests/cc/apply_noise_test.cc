// The vectorised loops give, for every element, the bits of the scalar definition.
#include "cpu/apply_noise.h"

#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "cases.h"

namespace flatnoise::cpu {
namespace {

// The smallest positive number.
Half Least(Half) { return {1}; }
BFloat16 Least(BFloat16) { return {1}; }
template <class T>
T Least(T) {
  return std::numeric_limits<T>::denorm_min();
}

struct Kind {
  Distribution distribution;
  Combination combination;
};

template <class T>
struct Problem {
  using Scalar = ComputeType<T>;

  Problem(Kind kind, int64_t elements, uint64_t offset, int64_t features, int64_t loc_count,
          int64_t scale_count)
      : input(static_cast<size_t>(elements)),
        output(input.size() + kGuard),
        loc(static_cast<size_t>(loc_count)),
        scale(static_cast<size_t>(scale_count)) {
    for (size_t i = 0; i < input.size(); ++i) {
      input[i] = FromCompute<T>(static_cast<Scalar>(static_cast<double>(i % 251) * 0.37 - 40));
    }
    for (size_t i = 0; i < loc.size(); ++i) loc[i] = static_cast<Scalar>(0.01 * double(i % 97) - 1);
    for (size_t i = 0; i < scale.size(); ++i)
      scale[i] = static_cast<Scalar>(0.1 + 0.003 * double(i % 89));
    std::memset(output.data(), 0x5A, output.size() * sizeof(T));
    task = {kElementType<T>,
            kind.distribution,
            kind.combination,
            input.data(),
            output.data(),
            StreamFromSeed(11, static_cast<uint64_t>(-7)),
            offset,
            features,
            {loc.data(), loc_count},
            {scale.data(), scale_count}};
  }

  T Expected(size_t i) const {
    const auto feature = i % static_cast<size_t>(task.features);
    const Scalar z = ExpectedNoise<Scalar>(task.distribution, task.stream, task.offset + i);
    return FromCompute<T>(ExpectedElement(task.combination, ToCompute(input[i]),
                                          loc[loc.size() == 1 ? 0 : feature],
                                          scale[scale.size() == 1 ? 0 : feature], z));
  }

  void ExpectCorrect() const {
    for (size_t i = 0; i < input.size(); ++i) {
      const T expected = Expected(i);
      ASSERT_EQ(std::memcmp(&output[i], &expected, sizeof(T)), 0)
          << "element " << i << " of " << input.size() << ": " << double(ToCompute(output[i]))
          << " for " << double(ToCompute(expected));
    }
    for (size_t i = 0; i < kGuard * sizeof(T); ++i) {
      ASSERT_EQ(reinterpret_cast<const unsigned char*>(&output[input.size()])[i], 0x5A)
          << "written past the end";
    }
  }

  static constexpr size_t kGuard = 64;
  std::vector<T> input, output;
  std::vector<Scalar> loc, scale;
  ApplyNoiseTask task;
};

using ApplyNoiseCase = std::tuple<Case, Combination>;

std::string ApplyNoiseCaseName(const testing::TestParamInfo<ApplyNoiseCase>& info) {
  return CaseName(std::get<0>(info.param)) + NameOf(std::get<1>(info.param));
}

class ApplyNoise : public testing::TestWithParam<ApplyNoiseCase> {
 protected:
  const Kernels& kernels() const { return *std::get<0>(std::get<0>(GetParam())); }
  ElementType type() const { return std::get<1>(std::get<0>(GetParam())); }
  Kind kind() const {
    const auto& [kernels_and_types, combination] = GetParam();
    return {std::get<2>(kernels_and_types), combination};
  }

  void RunWhole(ApplyNoiseTask task, int64_t elements) const {
    ApplyNoisePieces(task, elements, 0, CountPieces(task, elements), kernels());
  }
};

TEST_P(ApplyNoise, EveryLengthAndTail) {
  WithType(type(), [&](auto t) {
    for (int64_t elements = 0; elements <= 200; ++elements) {
      Problem<decltype(t)> problem(kind(), elements, 0, 1, 1, 1);
      RunWhole(problem.task, elements);
      problem.ExpectCorrect();
    }
  });
}

TEST_P(ApplyNoise, EveryOffset) {
  constexpr uint64_t kLargest = uint64_t{INT64_MAX};
  for (uint64_t offset :
       {uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{63}, uint64_t{8191},
        (uint64_t{1} << 34) - 5, (uint64_t{1} << 33) + 5, kLargest - 150, kLargest}) {
    WithType(type(), [&](auto t) {
      Problem<decltype(t)> problem(kind(), 301, offset, 1, 1, 1);
      RunWhole(problem.task, 301);
      problem.ExpectCorrect();
    });
  }
}

TEST_P(ApplyNoise, ParametersPerFeature) {
  for (int64_t features : {1, 2, 3, 7, 63, 64, 65, 100, 1024, 1025, 3000}) {
    for (int kinds = 1; kinds <= 3; ++kinds) {
      WithType(type(), [&](auto t) {
        const int64_t elements = 2 * features + 130;
        Problem<decltype(t)> problem(kind(), elements, 5, features, kinds & 1 ? features : 1,
                                     kinds & 2 ? features : 1);
        RunWhole(problem.task, elements);
        problem.ExpectCorrect();
      });
    }
  }
}

TEST_P(ApplyNoise, AnySplitGivesTheSameBits) {
  WithType(type(), [&](auto t) {
    constexpr int64_t kElements = 1000;
    for (int64_t split : {1, 3, 64, 499, 999}) {
      Problem<decltype(t)> problem(kind(), kElements, 6, 100, 100, 1);
      kernels().apply_noise(problem.task, split, kElements);
      kernels().apply_noise(problem.task, 0, split);
      problem.ExpectCorrect();
    }
  });
}

TEST_P(ApplyNoise, PiecesInAnyOrder) {
  WithType(type(), [&](auto t) {
    const int64_t elements = 3 * kPieceElements + 17;
    Problem<decltype(t)> problem(kind(), elements, 8190, 1, 1, 1);
    for (int64_t piece = CountPieces(problem.task, elements); piece-- > 0;) {
      ApplyNoisePieces(problem.task, elements, piece, piece + 1, kernels());
    }
    problem.ExpectCorrect();
  });
}

TEST_P(ApplyNoise, InPlaceAndMisaligned) {
  WithType(type(), [&](auto t) {
    for (int64_t shift : {0, 1, 3}) {
      Problem<decltype(t)> problem(kind(), 333, 0, 1, 1, 1);
      std::vector<decltype(t)> memory(problem.output.size() + 3);
      std::memcpy(&memory[shift], problem.input.data(), 333 * sizeof(t));
      problem.task.input = problem.task.output = &memory[shift];
      RunWhole(problem.task, 333);
      std::memcpy(problem.output.data(), &memory[shift], 333 * sizeof(t));
      problem.ExpectCorrect();
    }
  });
}

TEST_P(ApplyNoise, KeepsInfinitiesNaNAndSubnormals) {
  WithType(type(), [&](auto t) {
    using T = decltype(t);
    using Scalar = ComputeType<T>;
    Problem<T> problem(kind(), 64, 0, 1, 1, 1);
    const T least = Least(t);
    problem.scale[0] = 0;
    problem.loc[0] = kind().combination == Combination::kAdd ? 0 : 1;
    problem.input[0] = FromCompute<T>(std::numeric_limits<Scalar>::infinity());
    problem.input[1] = FromCompute<T>(std::numeric_limits<Scalar>::quiet_NaN());
    problem.input[2] = least;
    // A caller's thread that flushes subnormal numbers changes nothing.
    const unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | 0x8040);
    RunWhole(problem.task, 64);
    _mm_setcsr(saved);
    EXPECT_EQ(ToCompute(problem.output[0]), std::numeric_limits<Scalar>::infinity());
    EXPECT_TRUE(std::isnan(ToCompute(problem.output[1])));
    EXPECT_EQ(std::memcmp(&problem.output[2], &least, sizeof(T)), 0);
  });
}

INSTANTIATE_TEST_SUITE_P(Kernels, ApplyNoise,
                         testing::Combine(AllCases(), testing::ValuesIn(kCombinations)),
                         ApplyNoiseCaseName);

TEST(Dispatch, KnowsTheBaselineAndRefusesUnknownNames) {
  EXPECT_STREQ(SupportedKernels().back()->name, "baseline");
  EXPECT_EQ(FindKernels("baseline"), SupportedKernels().back());
  EXPECT_EQ(FindKernels("neon"), nullptr);
}

}  // namespace
}  // namespace flatnoise::cpu
