// The CUDA kernel bodies, compiled for the host, are bit-identical to the CPU kernels for any grid,
// alignment, offset and parameters. Gradients equal the sums in their definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cuda_cases.h"
#include "cuda_host_grid.h"
#include "reference.h"

namespace flatnoise::cuda {
namespace {

// Memory with guards, whose first element is a given number of elements past an aligned address.
template <class T>
class Buffer {
 public:
  Buffer(int64_t elements, int64_t shift)
      : bytes_(static_cast<size_t>(elements) * sizeof(T) + kRoom, kFill), elements_(elements) {
    const auto past = reinterpret_cast<uintptr_t>(bytes_.data() + kGuard) % kAlignment;
    begin_ = kGuard + (kAlignment - past) % kAlignment + static_cast<size_t>(shift) * sizeof(T);
  }
  Buffer(const std::vector<T>& values, int64_t shift)
      : Buffer(static_cast<int64_t>(values.size()), shift) {
    std::copy(values.begin(), values.end(), data());
  }

  T* data() { return reinterpret_cast<T*>(bytes_.data() + begin_); }
  bool GuardsHold() const {
    const size_t end = begin_ + static_cast<size_t>(elements_) * sizeof(T);
    for (size_t i = 0; i < bytes_.size(); ++i) {
      if ((i < begin_ || i >= end) && bytes_[i] != kFill) return false;
    }
    return true;
  }

 private:
  // Not a NaN in any type, so that unwritten elements are detected.
  static constexpr unsigned char kFill = 0x5A;
  static constexpr size_t kGuard = 64, kAlignment = 64, kRoom = 320;
  std::vector<unsigned char> bytes_;
  int64_t elements_;
  size_t begin_;
};

template <class Kind>
void ExpectBitsOfCpu(const KindCase& kind, const ForwardCase& c, int64_t blocks) {
  using T = typename Kind::Element;
  using Scalar = typename Kind::Scalar;
  const auto& elements = TestElements<T>(c.elements, c.special_values);
  const TestParameters<Scalar> parameters(Kind::kParameters, c);
  const auto expected = ExpectedOutput<T>(kind, c, elements, parameters);

  Buffer<T> input(elements, c.input_shift);
  Buffer<T> output(c.elements, c.output_shift), noise(c.elements, c.output_shift);
  if (c.in_place) output = Buffer<T>(elements, c.output_shift);
  std::vector<Buffer<Scalar>> values;
  for (int k = 0; k < Kind::kParameters; ++k) {
    values.emplace_back(parameters.values[k], c.parameter_shift);
  }
  ApplyNoiseTask task = {kind.type,
                         kind.noise,
                         c.in_place ? output.data() : input.data(),
                         output.data(),
                         c.elements,
                         {TestSeed(c.seed), c.seed, &c.offset},
                         {},
                         c.validate_args};
  for (int k = 0; k < Kind::kParameters; ++k) {
    const auto i = static_cast<size_t>(k);
    task.parameters[k] = {values[i].data(), c.patterns[i]};
  }
  if (c.no_input && !c.in_place) task.input = nullptr;
  if (c.clips) task.bounds = kBounds<Scalar>;
  if (ReturnsNoise(kind, c)) task.noise_output = noise.data();
  ApplyNoiseOnHost(task, blocks);
  ASSERT_TRUE(SameElements(output.data(), expected.output.data(), c.elements))
      << c.Text() << ", " << blocks << " blocks";
  if (task.noise_output != nullptr) {
    ASSERT_TRUE(SameElements(noise.data(), expected.noise.data(), c.elements)) << c.Text();
    ASSERT_TRUE(noise.GuardsHold()) << "written outside the noise: " << c.Text();
  }
  ASSERT_TRUE(output.GuardsHold()) << "written outside the output: " << c.Text();
}

void ExpectForward(const KindCase& kind, const ForwardCase& c, int64_t blocks) {
  VisitNoise(kind.type, kind.noise, [&](auto k) { ExpectBitsOfCpu<decltype(k)>(kind, c, blocks); });
}

class CudaApplyNoise : public testing::TestWithParam<KindCase> {
 protected:
  static void Expect(const ForwardCases& cases, int64_t blocks) {
    for (const ForwardCase& c : cases) {
      ExpectForward(GetParam(), c, blocks);
      if (HasFatalFailure()) return;
    }
  }
};

TEST_P(CudaApplyNoise, EveryLength) { Expect(LengthCases(1), 1); }
TEST_P(CudaApplyNoise, EveryOffset) { Expect(OffsetCases(), 2); }
TEST_P(CudaApplyNoise, EveryAlignment) { Expect(AlignmentCases(1), 1); }
TEST_P(CudaApplyNoise, ParametersPerFeature) { Expect(FeatureCases(), 2); }
TEST_P(CudaApplyNoise, ParametersOfEveryPattern) { Expect(BroadcastCases(), 1); }
TEST_P(CudaApplyNoise, ParametersOfOnePattern) {
  int64_t blocks = 1;
  for (const ForwardCase& c : OnePatternCases()) {
    Expect({c}, blocks);
    blocks = blocks % 3 + 1;
  }
}
TEST_P(CudaApplyNoise, EveryOption) { Expect(OptionCases(), 2); }
TEST_P(CudaApplyNoise, ParametersOfShortcuts) { Expect(ShortcutCases(), 1); }
TEST_P(CudaApplyNoise, NegativeOffsetsLeaveNothingUnwritten) { Expect(NegativeOffsetCases(), 1); }

TEST_P(CudaApplyNoise, EveryGrid) {
  for (int64_t blocks : {1, 2, 3, 5, 8}) {
    for (int64_t n : {300, 4097, 9001}) {
      Expect({{n},
              {n, 3},
              {n, 4, PatternsWhere(~0u, {60, 1})},
              {n / 64 * 64, 4, PatternsWhere(~0u, {64, 1})},
              {n, 1, PatternsWhere(~0u, {7, 1})},
              {n, 0, PatternsWhere(~0u, {5, 40})},
              {n / 64 * 64, 0, PatternsWhere(~0u, {5, 40})},
              {n, 0, PatternsWhere(1, {3, 7}, {11, 1})},
              {n, 2, PatternsWhere(1, {n, 1}), 1, 0}},
             blocks);
    }
  }
}

TEST(CudaApplyNoiseAtRandom, HasBitsOfCpu) {
  RandomCases random(20);
  for (int i = 0; i < 3000; ++i) {
    const KindCase kind = random.Kind();
    const ForwardCase c = random.Forward();
    ExpectForward(kind, c, 1 + random.Below(4));
    ASSERT_FALSE(testing::Test::HasFatalFailure()) << kind.Name() << ", case " << i;
  }
}

TEST(CudaShortcut, OfAdditionHasTheBitsOfTheFormula) {
  using L = ScalarLanes<float>;
  const float scales[] = {0x1p-60f, 0.1f, 1, 0x1.fffffep+127f, INFINITY};
  const float noises[] = {0.0f, -0.0f, 0x1p-80f, -0x1p-80f, 0x1.23456p-3f, -5.68f, 17};
  for (float scale : scales) {
    const float p[] = {0.0f, scale};
    ASSERT_TRUE(Shortcut<Add>::Suits<L>(p));
    for (float z : noises) {
      for (float x : {0.0f, -0.0f, 1.5f, -0x1p-149f, INFINITY}) {
        const float got = Shortcut<Add>::Apply<L>(x, p, z), expected = Add::Apply<L>(x, p, z);
        ASSERT_TRUE(SameElements(&got, &expected, 1)) << scale << ", " << z << ", " << x;
      }
    }
  }
}

TEST(CudaShortcut, OfAdditionIsNotForOtherParameters) {
  using L = ScalarLanes<float>;
  for (float loc : {-0.0f, 0x1p-149f, 1.0f, NAN}) {
    EXPECT_FALSE((Shortcut<Add>::Suits<L, float>({loc, 1})));
  }
  for (float scale : {0.0f, 0x1.fffffep-61f, 0x1p-149f, -1.0f, NAN}) {
    EXPECT_FALSE((Shortcut<Add>::Suits<L, float>({0, scale})));
  }
}

// The number of chunks per thread of the grid, for a number of elements from an aligned address.
template <class Variant>
std::pair<int64_t, int64_t> BlocksAndChunks(int64_t elements, int64_t resident,
                                            BroadcastPattern pattern = kScalar) {
  using Kind = typename Variant::Kind;
  ApplyNoiseTask task = {};
  task.elements = elements;
  for (Parameter& parameter : task.parameters) parameter.pattern = pattern;
  const ApplyNoisePlan plan = PlanChunks<Kind>(task);
  const int64_t blocks = GridBlocks<Kind, typename Variant::Parameters>(task, plan, resident);
  return {blocks, plan.chunks / (blocks * kThreads)};
}

TEST(CudaApplyNoiseGrid, FillsTheDeviceFirstThenGivesThreadsFullRounds) {
  using Float = NoiseKind<float, Normal, Add>;
  using Half = NoiseKind<BFloat16, Normal, Add>;
  using HalfUniform = NoiseKind<BFloat16, Uniform, Add>;
  using FloatScalars = ApplyNoiseVariant<Float, ScalarParameters<Float>>;
  using FloatPatterns = ApplyNoiseVariant<Float, BroadcastParameters<Float>>;
  using HalfScalars = ApplyNoiseVariant<Half, ScalarParameters<Half>>;
  using HalfUniformScalars = ApplyNoiseVariant<HalfUniform, ScalarParameters<HalfUniform>>;
  using Grid = std::pair<int64_t, int64_t>;
  // The elements of a block with one chunk per thread.
  constexpr int64_t kFloats = 1024, kHalves = 2048;

  EXPECT_EQ(BlocksAndChunks<FloatScalars>(1, 792), Grid(1, 0));
  EXPECT_EQ(BlocksAndChunks<FloatScalars>(792 * kFloats, 792), Grid(792, 1));
  EXPECT_EQ(BlocksAndChunks<FloatScalars>(1000 * kFloats, 792), Grid(500, 2));
  EXPECT_EQ(BlocksAndChunks<FloatScalars>(65536 * kFloats, 792), Grid(32768, 2));
  EXPECT_EQ(BlocksAndChunks<FloatPatterns>(65536 * kFloats, 396), Grid(3276, 20));
  EXPECT_EQ(BlocksAndChunks<HalfScalars>(792 * kHalves, 792), Grid(792, 1));
  EXPECT_EQ(BlocksAndChunks<HalfScalars>(1584 * kHalves, 792), Grid(528, 3));
  EXPECT_EQ(BlocksAndChunks<HalfScalars>(32760 * kHalves, 396), Grid(910, 36));
  EXPECT_EQ(BlocksAndChunks<HalfScalars>(32760 * kHalves - 8, 396), Grid(909, 36));
  EXPECT_EQ(BlocksAndChunks<HalfUniformScalars>(32768 * kHalves, 396), Grid(5461, 6));
  // A device of one block.
  EXPECT_EQ(BlocksAndChunks<FloatScalars>(kFloats + 4, 1), Grid(1, 1));
}

TEST(CudaApplyNoiseGrid, LetsThreadsKeepTheirFeatures) {
  using Float = NoiseKind<float, Normal, Add>;
  using Features = ApplyNoiseVariant<Float, FeatureParameters<Float>>;
  using Runs = ApplyNoiseVariant<Float, RunParameters<Float>>;
  using Grid = std::pair<int64_t, int64_t>;
  constexpr int64_t kElements = 10000 << 10;
  const auto blocks_for = [](int64_t features) {
    return BlocksAndChunks<Features>(kElements, 660, {features, 1}).first;
  };

  // Without features to consider.
  EXPECT_EQ(BlocksAndChunks<Runs>(kElements, 660, {10, 1024}), Grid(2500, 4));
  EXPECT_EQ(blocks_for(1024), 1666);
  // Multiples of 3 blocks, or 1,024 elements each, have whole samples of 3 or 3,072 features.
  EXPECT_EQ(blocks_for(3), 1665);
  EXPECT_EQ(blocks_for(3072), 1665);
  EXPECT_EQ(blocks_for(5 * 41), 1640);
  // Too few blocks would be left.
  EXPECT_EQ(blocks_for(1009), 1666);
}

TEST(CudaOnePatternPlan, KnowsWhenValuesStay) {
  const auto stay = [](int64_t threads, int64_t chunks, int32_t count, int32_t repeat) {
    OnePatternPlan plan = {};
    plan.count = count;
    plan.repeat = repeat;
    PlanMoves(threads, chunks, 4, &plan);
    return plan.values_stay;
  };
  EXPECT_TRUE(stay(768, 10000, 3, 1));
  EXPECT_TRUE(stay(768, 10000, 3072, 1));
  EXPECT_FALSE(stay(512, 10000, 3072, 1));
  EXPECT_FALSE(stay(768, 10000, 3072, 16));
  // One chunk per thread.
  EXPECT_TRUE(stay(512, 512, 3072, 1));
}

template <class Kind>
class GradientProblem {
 public:
  using T = typename Kind::Element;
  using Scalar = typename Kind::Scalar;
  using Sums = std::vector<std::vector<Scalar>>;

  GradientProblem(const KindCase& kind, const GradientCase& c)
      : case_(c),
        gradient_(TestElements<T>(c.elements, false), c.gradient_shift),
        input_(TestInput(c.elements), c.input_shift),
        task_{kind.type,
              kind.noise,
              gradient_.data(),
              input_.data(),
              c.elements,
              {TestSeed(c.seed), c.seed, &case_.offset},
              {},
              {}} {}

  Sums Run(int64_t blocks) {
    Sums sums;
    for (int k = 0; k < Kind::kParameters; ++k) {
      task_.patterns[k] = case_.patterns[static_cast<size_t>(k)];
      sums.emplace_back(static_cast<size_t>(task_.patterns[k].count), Scalar(12345));
      task_.gradients[k] = sums.back().data();
    }
    ParameterGradientsOnHost(task_, blocks);
    return sums;
  }

  void ExpectNear(const Sums& got) {
    constexpr int K = Kind::kParameters;
    using Real = reference::Finer<Scalar>;
    std::vector<std::vector<Real>> sums, sizes;
    for (const auto& values : got) {
      sums.emplace_back(values.size());
      sizes.emplace_back(values.size());
    }
    const std::vector<Scalar>& noise = TestNoise();
    for (int64_t i = 0; i < case_.elements; ++i) {
      const Scalar z = noise[static_cast<size_t>(i)];
      Scalar terms[K];
      Kind::Combination::ParameterGradients(ToCompute(gradient_.data()[i]),
                                            ToCompute(input_.data()[i]), z, terms);
      for (size_t k = 0; k < K; ++k) {
        const BroadcastPattern& pattern = case_.patterns[k];
        const auto value = static_cast<size_t>(i / pattern.repeat % pattern.count);
        sums[k][value] += terms[k];
        sizes[k][value] += std::fabs(terms[k]);
      }
    }
    const Real tolerance = sizeof(Scalar) == 4 ? 0x1p-22 : 0x1p-49;
    for (size_t k = 0; k < K; ++k) {
      for (size_t v = 0; v < got[k].size(); ++v) {
        ASSERT_LE(std::fabs(got[k][v] - sums[k][v]), tolerance * sizes[k][v])
            << case_.Text() << ", parameter " << k << ", value " << v;
      }
    }
  }

 private:
  static std::vector<T> TestInput(int64_t elements) {
    auto values = TestElements<T>(elements + 1, false);
    values.pop_back();
    return values;
  }

  const std::vector<Scalar>& TestNoise() const {
    return Once(std::tuple{case_.seed, case_.offset, case_.elements}, [&] {
      std::vector<Scalar> noise;
      for (int64_t i = 0; i < case_.elements; ++i) {
        noise.push_back(ValueAt<typename Kind::Distribution, Scalar>(
            TestStream(case_.seed),
            static_cast<uint64_t>(case_.offset) + static_cast<uint64_t>(i)));
      }
      return noise;
    });
  }

  GradientCase case_;
  Buffer<T> gradient_, input_;
  ParameterGradientsTask task_;
};

void ExpectGradient(const KindCase& kind, const GradientCase& c) {
  VisitLinearNoise(kind.type, kind.noise, [&](auto k) {
    GradientProblem<decltype(k)> problem(kind, c);
    problem.ExpectNear(problem.Run(3));
  });
}

class CudaParameterGradients : public testing::TestWithParam<KindCase> {};

TEST_P(CudaParameterGradients, AreTheSumsOfTheDefinition) {
  for (const Shape& shape : kGradientShapes) {
    for (const GradientCase& c : GradientCasesOf(shape)) {
      ExpectGradient(GetParam(), c);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(CudaParameterGradients, HaveTheSameBitsForEveryGridAndAlignment) {
  for (const Shape& shape : kGradientShapes) {
    for (const BroadcastPattern& pattern : shape.patterns()) {
      VisitLinearNoise(GetParam().type, GetParam().noise, [&](auto k) {
        using Problem = GradientProblem<decltype(k)>;
        const GradientCase c = {shape.elements(), 2, PatternsWhere(~0u, pattern)};
        const auto sums = Problem(GetParam(), c).Run(1);
        for (int64_t blocks : {2, 5}) ASSERT_EQ(Problem(GetParam(), c).Run(blocks), sums);
        for (int64_t shift : {1, 2}) {
          GradientCase shifted = c;
          shifted.gradient_shift = shift;
          shifted.input_shift = shift - 1;
          ASSERT_EQ(Problem(GetParam(), shifted).Run(1), sums) << shifted.Text();
        }
      });
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(CudaParameterGradients, OfNothingAreZero) {
  VisitLinearNoise(GetParam().type, GetParam().noise, [&](auto k) {
    for (const BroadcastPattern& pattern : {kScalar, BroadcastPattern{3, 1}, {3, 7}, {0, 1}}) {
      for (const BroadcastPattern& other : {kScalar, BroadcastPattern{5, 1}, {2, 3}}) {
        GradientProblem<decltype(k)> problem(GetParam(),
                                             {0, 0, PatternsWhere(0x55555555, pattern, other)});
        for (const auto& sums : problem.Run(1)) {
          for (const auto sum : sums) ASSERT_EQ(sum, 0);
        }
      }
    }
  });
}

TEST_P(CudaParameterGradients, NegativeOffsetsPoisonTheSums) {
  VisitLinearNoise(GetParam().type, GetParam().noise, [&](auto k) {
    for (int64_t elements : {0, 30}) {
      for (const BroadcastPattern& pattern : {kScalar, BroadcastPattern{3, 1}, {3, 10}, {30, 1}}) {
        for (unsigned set : ParameterSets(kMostGradients)) {
          GradientProblem<decltype(k)> problem(GetParam(),
                                               {elements, -1, PatternsWhere(set, pattern)});
          for (const auto& sums : problem.Run(1)) {
            for (const auto sum : sums) ASSERT_TRUE(std::isnan(sum));
          }
        }
      }
    }
  });
}

TEST(CudaParameterGradientsAtRandom, AreTheSumsOfTheDefinition) {
  RandomCases random(21);
  for (int i = 0; i < 500; ++i) {
    const KindCase kind = random.Kind<LinearNoises>();
    ExpectGradient(kind, RandomGradientCase(&random));
    ASSERT_FALSE(testing::Test::HasFatalFailure()) << kind.Name() << ", case " << i;
  }
}

TEST(CudaParameterGradientsOfMany, ScalarsBesideManyValuesHaveAPassOfTheirOwn) {
  for (const int64_t values : {kMostValuesBesideScalar, kMostValuesBesideScalar + 1}) {
    ExpectGradient(AllKinds<LinearNoises>().front(), {values, 0, PatternsWhere(1, {values, 1})});
    const ParameterGradientsTask task = {
        {0}, {}, nullptr, nullptr, values, {}, {{values, 1}, kScalar}, {}};
    VisitLinearNoise(task.type, task.noise, [&](auto k) {
      const GradientPasses<decltype(k)> passes(task, nullptr);
      EXPECT_EQ(passes.size(), values > kMostValuesBesideScalar ? 2 : 1);
    });
  }
}

// For any pattern, the workspace has at most as many numbers per parameter as the tensor has.
TEST(CudaParameterGradientsOfMany, TakeLittleMemory) {
  for (const int64_t size : {1, 2, 3, 7, 8, 100, 1001}) {
    for (const Shape& shape : {Shape{2, 30000, size},
                               {100000, 1, size},
                               {50, 3000, size},
                               {1, 3, 100000 * size},
                               {3, size, 100001},
                               {4096, 1, 3072}}) {
      for (const BroadcastPattern& pattern : shape.patterns()) {
        for (int chunk : {2, 4, 8}) {
          const GradientPlan plan = PlanGradient(shape.elements(), pattern, chunk);
          const int64_t numbers = plan.is_complete() ? 0 : plan.entries;
          ASSERT_LE(numbers, std::max(shape.elements() / 2, kMostTiles))
              << size << ": {" << pattern.count << ", " << pattern.repeat << "}";
        }
      }
    }
  }
}

TEST(CudaParameterGradientsPlan, CoversEverything) {
  for (int chunk : {2, 4, 8}) {
    for (int64_t features : {1, 2, 3, 8, 1000, 1025, 150528}) {
      for (int64_t rows : {1, 7, 1000, 1 << 20}) {
        for (const BroadcastPattern& pattern :
             {kScalar, BroadcastPattern{features, 1}, {rows, features}, {rows * features, 1}}) {
          const int64_t elements = rows * features;
          const GradientPlan plan = PlanGradient(elements, pattern, chunk);
          const int64_t width = plan.by_column ? chunk : plan.length;
          ASSERT_EQ(plan.by_column ? plan.length % pattern.period() : 0, 0);
          ASSERT_EQ(plan.rows_per_tile % (2 * plan.lanes), 0);
          ASSERT_GE(plan.row_tiles * plan.rows_per_tile, plan.rows);
          ASSERT_GE(plan.slot_tiles * plan.slots_per_tile, plan.slots);
          ASSERT_GE(plan.slots * width, plan.by_column ? plan.length : elements);
          ASSERT_GE(plan.by_column ? plan.rows * plan.length : elements, elements);
          ASSERT_LE(plan.row_tiles, kMostTiles);
          ASSERT_LE(plan.lanes * plan.slots_per_tile, kThreads);
        }
      }
    }
  }
}

std::string NameOf(const testing::TestParamInfo<KindCase>& info) { return info.param.Name(); }

INSTANTIATE_TEST_SUITE_P(Kinds, CudaApplyNoise, testing::ValuesIn(AllKinds()), NameOf);
INSTANTIATE_TEST_SUITE_P(Kinds, CudaParameterGradients, testing::ValuesIn(AllKinds<LinearNoises>()),
                         NameOf);

}  // namespace
}  // namespace flatnoise::cuda
