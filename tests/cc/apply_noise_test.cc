// The vectorized loops are bit-identical to the definition for every element.
#include "cpu/apply_noise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "cases.h"
#include "cpu/float_environment.h"
#include "reference.h"

namespace flatnoise::cpu {
namespace {

// The smallest positive number.
Half Least(Half) { return {1}; }
BFloat16 Least(BFloat16) { return {1}; }
template <class T>
T Least(T) {
  return std::numeric_limits<T>::denorm_min();
}

constexpr BroadcastPattern kScalar = {1, 1};

template <class T>
struct Problem {
  using Scalar = ComputeType<T>;

  // The last pattern also applies to all further parameters.
  Problem(const Noise& noise, int64_t elements, uint64_t offset,
          const std::vector<BroadcastPattern>& patterns = {kScalar})
      : input(static_cast<size_t>(elements)),
        output(input.size() + kGuard),
        parameters(static_cast<size_t>(ParametersOf(noise))) {
    for (size_t i = 0; i < input.size(); ++i) {
      input[i] = FromCompute<T>(static_cast<Scalar>(static_cast<double>(i % 251) * 0.37 - 40));
    }
    std::memset(output.data(), 0x5A, output.size() * sizeof(T));
    task = {kElementType<T>, noise, input.data(), output.data(), StreamFromSeed(11, ~uint64_t{6}),
            offset,          {}};
    for (size_t k = 0; k < parameters.size(); ++k) {
      const BroadcastPattern& pattern = patterns[std::min(k, patterns.size() - 1)];
      parameters[k].resize(static_cast<size_t>(pattern.count));
      for (size_t i = 0; i < parameters[k].size(); ++i) {
        parameters[k][i] = static_cast<Scalar>(0.01 * double((i + 7 * k) % 97) - 0.3 + double(k));
      }
      task.parameters[k] = {parameters[k].data(), pattern};
    }
  }

  T Expected(size_t i) const {
    std::vector<Scalar> p;
    for (size_t k = 0; k < parameters.size(); ++k) {
      p.push_back(parameters[k][reference::ValueIndex(task.parameters[k].pattern, i)]);
    }
    const auto z = reference::NumberAt<Scalar>(task.noise, task.stream, task.offset + i);
    return FromCompute<T>(reference::OutputOf(task.noise, ToCompute(input[i]), p, z));
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
  std::vector<std::vector<Scalar>> parameters;
  ApplyNoiseTask task;
};

class ApplyNoise : public testing::TestWithParam<Case> {
 protected:
  const Kernels& kernels() const { return *std::get<0>(GetParam()); }
  ElementType type() const { return std::get<1>(GetParam()); }
  const Noise& noise() const { return std::get<2>(GetParam()); }

  void RunWhole(const ApplyNoiseTask& task, int64_t elements) const {
    ApplyNoiseShards(task, elements, 0, CountShards(task, elements), kernels());
  }

  void ExpectCorrect(int64_t elements, uint64_t offset,
                     const std::vector<BroadcastPattern>& patterns) const {
    WithType(type(), [&](auto t) {
      Problem<decltype(t)> problem(noise(), elements, offset, patterns);
      RunWhole(problem.task, elements);
      problem.ExpectCorrect();
    });
  }
};

TEST_P(ApplyNoise, EveryLengthAndTail) {
  for (int64_t elements = 0; elements <= 200; ++elements) ExpectCorrect(elements, 0, {kScalar});
}

TEST_P(ApplyNoise, EveryOffset) {
  constexpr uint64_t kLargest = uint64_t{INT64_MAX};
  for (uint64_t offset :
       {uint64_t{1}, uint64_t{2}, uint64_t{3}, uint64_t{63}, uint64_t{8191},
        (uint64_t{1} << 34) - 5, (uint64_t{1} << 33) + 5, kLargest - 150, kLargest}) {
    ExpectCorrect(301, offset, {kScalar});
  }
}

TEST_P(ApplyNoise, ParametersPerFeature) {
  for (int64_t features : {1, 2, 3, 7, 63, 64, 65, 100, 1024, 1025, 3000}) {
    const BroadcastPattern per_feature = {features, 1};
    const int64_t elements = 3 * features + 128 / features * features;
    ExpectCorrect(elements, 5, {per_feature, kScalar});
    ExpectCorrect(elements, 5, {kScalar, per_feature});
    ExpectCorrect(elements, 5, {per_feature});
  }
}

TEST_P(ApplyNoise, ParametersPerSampleAndPerChannel) {
  for (int64_t count : {2, 3, 5, 40}) {
    for (int64_t repeat : {2, 3, 31, 33, 64, 100, 1023, 1024, 2000}) {
      const BroadcastPattern repeated = {count, repeat};
      ExpectCorrect(count * repeat, 5, {repeated, kScalar});
      ExpectCorrect(2 * count * repeat, 0, {kScalar, repeated});
    }
  }
}

TEST_P(ApplyNoise, ParametersOfTheWholeShape) {
  for (int64_t elements : {1, 31, 500, 1024, 1100, 4000}) {
    ExpectCorrect(elements, 3, {{elements, 1}});
  }
}

TEST_P(ApplyNoise, ParametersThatBroadcastInTheirOwnWays) {
  // For [6, 20, 12]: per feature, per channel at the end, per sample, per channel in the middle,
  // full.
  const std::vector<BroadcastPattern> ways = {{240, 1}, {12, 1}, {6, 240}, {20, 12}, {1440, 1}};
  for (const BroadcastPattern& first : ways) {
    for (const BroadcastPattern& second : ways) ExpectCorrect(1440, 7, {first, second});
  }
}

TEST_P(ApplyNoise, AnySplitGivesTheSameBits) {
  WithType(type(), [&](auto t) {
    constexpr int64_t kElements = 1000;
    for (int64_t split : {1, 3, 64, 499, 999}) {
      for (const BroadcastPattern& pattern : {BroadcastPattern{100, 1}, BroadcastPattern{5, 200},
                                              BroadcastPattern{1000, 1}, BroadcastPattern{2, 1}}) {
        Problem<decltype(t)> problem(noise(), kElements, 6, {pattern, kScalar});
        kernels().apply_noise(problem.task, split, kElements);
        kernels().apply_noise(problem.task, 0, split);
        problem.ExpectCorrect();
      }
    }
  });
}

TEST_P(ApplyNoise, ShardsInAnyOrder) {
  WithType(type(), [&](auto t) {
    const int64_t elements = 3 * kShardElements + 18;
    for (const BroadcastPattern& pattern : {kScalar, BroadcastPattern{6, elements / 6}}) {
      Problem<decltype(t)> problem(noise(), elements, 8190, {pattern});
      for (int64_t shard = CountShards(problem.task, elements); shard-- > 0;) {
        ApplyNoiseShards(problem.task, elements, shard, shard + 1, kernels());
      }
      problem.ExpectCorrect();
    }
  });
}

TEST_P(ApplyNoise, InPlaceAndUnaligned) {
  WithType(type(), [&](auto t) {
    for (int64_t shift : {0, 1, 3}) {
      Problem<decltype(t)> problem(noise(), 333, 0);
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
    Problem<T> problem(noise(), 64, 0);
    const T least = Least(t);
    const auto neutral = reference::NeutralParameters(noise());
    for (size_t k = 0; k < neutral.size(); ++k) {
      problem.parameters[k][0] = static_cast<Scalar>(neutral[k]);
    }
    problem.input[0] = FromCompute<T>(std::numeric_limits<Scalar>::infinity());
    problem.input[1] = FromCompute<T>(std::numeric_limits<Scalar>::quiet_NaN());
    problem.input[2] = least;
    // A caller's thread may flush subnormal numbers without effect.
    const uint64_t saved = FloatControl::Get();
    const uint64_t flushing = saved | FloatControl::kFlush;
    FloatControl::Set(flushing);
    RunWhole(problem.task, 64);
    const uint64_t kept = FloatControl::Get();
    FloatControl::Set(saved);
    EXPECT_EQ(kept, flushing);
    EXPECT_EQ(ToCompute(problem.output[0]), std::numeric_limits<Scalar>::infinity());
    EXPECT_TRUE(std::isnan(ToCompute(problem.output[1])));
    EXPECT_EQ(std::memcmp(&problem.output[2], &least, sizeof(T)), 0);
  });
}

INSTANTIATE_TEST_SUITE_P(Kernels, ApplyNoise, AllCases(), CaseNameOf);

TEST(InstructionSets, EndWithTheBaseSetAndHaveNoOthers) {
#ifdef __aarch64__
  const char *base = "neon", *other = "sse2";
#else
  const char *base = "sse2", *other = "neon";
#endif
  EXPECT_STREQ(SupportedKernels().back()->name, base);
  EXPECT_EQ(FindKernels(base), SupportedKernels().back());
  EXPECT_EQ(FindKernels(other), nullptr);
}

}  // namespace
}  // namespace flatnoise::cpu
