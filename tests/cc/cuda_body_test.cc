// The CUDA kernels' bodies, compiled for the host and run for every thread of a grid, one after the
// other: the bits of the processor's kernels, for any grid, alignment and offset.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "cases.h"
#include "cpu/apply_noise.h"
#include "cuda/apply_noise_dispatch.h"
#include "cuda/dispatch.h"
#include "cuda/sum_gradients_body.h"

namespace flatnoise::cuda {
namespace {

constexpr int64_t kSeed[2] = {11, -7};
constexpr int32_t kShortSeed[2] = {11, -7};

// As the launcher does it, for a grid of so many blocks.
template <class Kind>
void RunGrid(const ApplyNoiseTask& task, ApplyNoisePlan plan, int64_t blocks) {
  PlanRounds<typename Kind::Element>(task, blocks, &plan);
  for (int64_t block = 0; block < blocks; ++block) {
    for (int thread = 0; thread < kThreads; ++thread) {
      typename Kind::Body(task, plan, {block, blocks, thread}).Run();
    }
  }
}

void RunApplyNoise(const ApplyNoiseTask& task, int64_t blocks) {
  DispatchApplyNoise(task, [&](auto kind, const ApplyNoisePlan& plan) {
    RunGrid<decltype(kind)>(task, plan, blocks);
  });
}

// Memory whose first element lies so many elements past an aligned address, with guards around.
template <class T>
class Buffer {
 public:
  Buffer(int64_t elements, int64_t shift)
      : bytes_(static_cast<size_t>(elements) * sizeof(T) + kRoom, 0x5A), elements_(elements) {
    const auto past = reinterpret_cast<uintptr_t>(bytes_.data() + kGuard) % kAlignment;
    begin_ = kGuard + (kAlignment - past) % kAlignment + static_cast<size_t>(shift) * sizeof(T);
  }

  T* data() { return reinterpret_cast<T*>(bytes_.data() + begin_); }
  bool GuardsHold() const {
    const size_t end = begin_ + static_cast<size_t>(elements_) * sizeof(T);
    for (size_t i = 0; i < bytes_.size(); ++i) {
      if ((i < begin_ || i >= end) && bytes_[i] != 0x5A) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kGuard = 64, kAlignment = 64, kRoom = 320;
  std::vector<unsigned char> bytes_;
  int64_t elements_;
  size_t begin_;
};

struct Setting {
  int64_t elements;
  int64_t offset = 0;
  int64_t features = 1;
  bool loc_per_feature = false;
  bool scale_per_feature = false;
  int64_t blocks = 2;
  int64_t input_shift = 0;
  int64_t output_shift = 0;
  int64_t parameter_shift = 0;
  bool in_place = false;
};

template <class T>
void ExpectBitsOfTheProcessor(Distribution distribution, Combination combination,
                              const Setting& s) {
  using Scalar = ComputeType<T>;
  Buffer<T> input(s.elements, s.in_place ? s.output_shift : s.input_shift);
  Buffer<T> output(s.elements, s.output_shift);
  Buffer<Scalar> loc(s.loc_per_feature ? s.features : 1, s.parameter_shift);
  Buffer<Scalar> scale(s.scale_per_feature ? s.features : 1, s.parameter_shift);
  const Parameter cpu_loc = {loc.data(), s.loc_per_feature ? s.features : 1};
  const Parameter cpu_scale = {scale.data(), s.scale_per_feature ? s.features : 1};
  for (int64_t i = 0; i < cpu_loc.count; ++i) loc.data()[i] = Scalar(0.01 * double(i % 97) - 1);
  for (int64_t i = 0; i < cpu_scale.count; ++i)
    scale.data()[i] = Scalar(0.1 + 0.003 * double(i % 89));
  std::vector<T> expected(static_cast<size_t>(s.elements) + 1);
  for (int64_t i = 0; i < s.elements; ++i) {
    input.data()[i] = FromCompute<T>(static_cast<Scalar>(double(i % 251) * 0.37 - 40));
  }
  const cpu::ApplyNoiseTask cpu_task = {kElementType<T>,
                                        distribution,
                                        combination,
                                        input.data(),
                                        expected.data(),
                                        StreamFromSeed(11, static_cast<uint64_t>(-7)),
                                        static_cast<uint64_t>(s.offset),
                                        s.features,
                                        cpu_loc,
                                        cpu_scale};
  cpu::ApplyNoisePieces(cpu_task, s.elements, 0, cpu::CountPieces(cpu_task, s.elements));

  const ApplyNoiseTask task = {kElementType<T>,
                               distribution,
                               combination,
                               s.in_place ? output.data() : input.data(),
                               output.data(),
                               s.elements,
                               s.features,
                               {kSeed, true, &s.offset},
                               {cpu_loc.values, cpu_loc.count},
                               {cpu_scale.values, cpu_scale.count},
                               /*validate_args=*/s.elements % 2 == 1};
  const size_t bytes = static_cast<size_t>(s.elements) * sizeof(T);
  if (s.in_place) std::memcpy(output.data(), input.data(), bytes);
  RunApplyNoise(task, s.blocks);
  ASSERT_EQ(std::memcmp(output.data(), expected.data(), bytes), 0)
      << s.elements << " elements, offset " << s.offset << ", " << s.features << " features, "
      << s.blocks << " blocks, shifts " << s.input_shift << " " << s.output_shift;
  ASSERT_TRUE(output.GuardsHold()) << "written outside the output, " << s.elements << " elements";
}

using TypeAndDistribution = std::tuple<ElementType, Distribution>;

class CudaApplyNoise : public testing::TestWithParam<std::tuple<TypeAndDistribution, Combination>> {
 protected:
  void Expect(const Setting& setting) const {
    const auto [type, distribution] = std::get<0>(GetParam());
    const Combination combination = std::get<1>(GetParam());
    cpu::WithType(type, [&, distribution = distribution](auto t) {
      ExpectBitsOfTheProcessor<decltype(t)>(distribution, combination, setting);
    });
  }
};

TEST_P(CudaApplyNoise, EveryLength) {
  for (int64_t n = 0; n <= 700; ++n) Expect({n, /*offset=*/n % 3 == 0 ? 0 : n % 9, 1, 0, 0, 1});
  for (int64_t n : {1000, 1023, 1024, 1025, 2047, 2048, 2049, 4000, 4095, 4096, 4097})
    Expect({n, 0, 1, 0, 0, 1});
}

TEST_P(CudaApplyNoise, EveryGrid) {
  for (int64_t blocks : {1, 2, 3, 5, 8}) {
    for (int64_t n : {300, 4097, 9001}) {
      Expect({n, 0, 1, 0, 0, blocks});
      Expect({n, 3, 1, 0, 0, blocks});
      Expect({n, 4, 60, 1, 1, blocks});
      Expect({n, 1, 7, 1, 1, blocks});
    }
  }
}

TEST_P(CudaApplyNoise, EveryOffset) {
  for (int64_t offset = 0; offset <= 16; ++offset) Expect({333, offset});
  for (int64_t offset :
       {(int64_t{1} << 33) + 5, (int64_t{1} << 34) - 5, INT64_MAX - 150, INT64_MAX})
    Expect({333, offset});
}

TEST_P(CudaApplyNoise, EveryAlignment) {
  for (int64_t input = 0; input < 9; ++input) {
    for (int64_t output : {input, int64_t{0}, int64_t{1}, int64_t{5}}) {
      for (int64_t n : {0, 1, 5, 7, 8, 100, 1027}) {
        Expect({n, input % 5, 1, 0, 0, 1, input, output});
        Expect({n, output, 12, 1, 1, 1, input, output, 1});
      }
    }
  }
}

TEST_P(CudaApplyNoise, InPlace) {
  for (int64_t shift : {0, 1, 2, 3, 7}) {
    for (int64_t n : {1, 64, 333, 4097}) Expect({n, shift, 1, 0, 0, 2, shift, shift, 0, true});
  }
}

TEST_P(CudaApplyNoise, ParametersPerFeature) {
  for (int64_t features : {1, 2, 3, 4, 7, 8, 16, 63, 64, 65, 100, 1024, 1025, 3000}) {
    for (int kinds = 1; kinds <= 3; ++kinds) {
      for (int64_t shift : {0, 1, 3}) {
        Expect({2 * features + 130, 5, features, (kinds & 1) != 0, (kinds & 2) != 0, 1, shift,
                shift, shift});
        Expect({4 * features + 64, 4, features, (kinds & 1) != 0, (kinds & 2) != 0, 2, 0, 0, 0});
      }
    }
  }
}

// Wrong arguments can't be refused on a device: they poison what they touch.
TEST(CudaApplyNoiseArguments, PoisonTheOutput) {
  const std::vector<float> input(100, 1.0f);
  const auto run = [&](int64_t offset, std::vector<float> loc, std::vector<float> scale,
                       bool validate) {
    std::vector<float> output(100);
    RunApplyNoise({ElementType::kFloat,
                   Distribution::kNormal,
                   Combination::kAdd,
                   input.data(),
                   output.data(),
                   100,
                   4,
                   {kShortSeed, false, &offset},
                   {loc.data(), static_cast<int64_t>(loc.size())},
                   {scale.data(), static_cast<int64_t>(scale.size())},
                   validate},
                  1);
    return output;
  };
  for (float y : run(-1, {0}, {1}, false)) ASSERT_TRUE(std::isnan(y));
  for (float y : run(-1, {0, 0, 0, 0}, {1}, false)) ASSERT_TRUE(std::isnan(y));
  for (float y : run(0, {0}, {-1}, false)) ASSERT_FALSE(std::isnan(y));
  for (float y : run(0, {0}, {-1}, true)) ASSERT_TRUE(std::isnan(y));
  for (float y : run(0, {INFINITY}, {1}, true)) ASSERT_TRUE(std::isnan(y));
  const auto some = run(0, {0}, {1, NAN, 1, -2}, true);
  for (size_t i = 0; i < some.size(); ++i) ASSERT_EQ(std::isnan(some[i]), i % 4 % 2 == 1);
}

TEST(CudaApplyNoiseArguments, SeedsOf32And64BitsNameTheSameStream) {
  const int64_t offset = 0;
  const Stream stream = ReadStream({kShortSeed, false, &offset});
  const Stream wide = ReadStream({kSeed, true, &offset});
  EXPECT_EQ(std::memcmp(&stream, &wide, sizeof(stream)), 0);
}

// As SumTilesKernel does it: all threads up to a barrier, then all up to the next.
template <class T, Distribution distribution, bool per_feature>
void RunTiles(const SumGradientsTask& task, const GradientPlan& plan, int64_t blocks,
              ComputeType<T>* workspace) {
  using Body = SumTileBody<T, distribution, per_feature>;
  std::vector<Body> threads;
  for (int thread = 0; thread < kThreads; ++thread) threads.emplace_back(task, plan, thread);
  const auto shared = std::make_unique<typename Body::Shared>();
  for (int64_t block = blocks - 1; block >= 0; --block) {
    for (int64_t tile = block; tile < plan.tiles(); tile += blocks) {
      for (const Body& body : threads) body.Accumulate(tile, shared.get());
      for (int stride = threads[0].FirstStride(); stride > 0; stride /= 2) {
        for (const Body& body : threads) body.AddLanes(stride, shared.get());
      }
      for (const Body& body : threads) body.Write(tile, *shared, workspace);
    }
  }
}

// As FoldKernel does it.
template <class Scalar>
void RunFold(const Fold& fold) {
  typename FoldBody<Scalar>::Shared shared;
  for (int64_t block = 0; block < fold.Blocks(); ++block) {
    const auto for_all = [&](const auto& act) {
      for (int thread = 0; thread < kThreads; ++thread) act(FoldBody<Scalar>(fold, block, thread));
    };
    for_all([&](const auto& body) { body.Accumulate(&shared); });
    for (int stride = fold.parts / 2; stride > 0; stride /= 2) {
      for_all([&](const auto& body) { body.AddParts(stride, &shared); });
    }
    for_all([&](const auto& body) { body.Write(shared); });
  }
}

struct Sums {
  std::vector<double> loc, scale;
};

template <class T>
class GradientProblem {
 public:
  using Scalar = ComputeType<T>;

  GradientProblem(Distribution distribution, int64_t elements, int64_t features, int64_t offset,
                  bool loc_per_feature, bool scale_per_feature, int64_t shift)
      : distribution_(distribution),
        offset_(offset),
        gradient_(elements, shift),
        loc_(static_cast<size_t>(loc_per_feature ? features : 1)),
        scale_(static_cast<size_t>(scale_per_feature ? features : 1)) {
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    for (int64_t i = 0; i < elements; ++i) {
      gradient_.data()[i] = FromCompute<T>(static_cast<Scalar>(normal(random)));
    }
    task_ = {kElementType<T>,
             distribution,
             gradient_.data(),
             elements,
             features,
             {kSeed, true, &offset_},
             {loc_.data(), static_cast<int64_t>(loc_.size())},
             {scale_.data(), static_cast<int64_t>(scale_.size())}};
  }

  Sums Run(int64_t blocks) {
    const GradientPlan plan = PlanFor<T>(task_);
    std::vector<Scalar> workspace(static_cast<size_t>(WorkspaceNumbers(plan)), NAN);
    std::fill(loc_.begin(), loc_.end(), Scalar(NAN));
    std::fill(scale_.begin(), scale_.end(), Scalar(NAN));
    Dispatch(task_.type, distribution_, [&](auto element, auto distribution) {
      using U = typename decltype(element)::type;
      constexpr Distribution d = decltype(distribution)::value;
      if constexpr (std::is_same_v<T, U>) {
        plan.features > 1 ? RunTiles<T, d, true>(task_, plan, blocks, workspace.data())
                          : RunTiles<T, d, false>(task_, plan, blocks, workspace.data());
      }
    });
    for (const FoldPair& round : FoldsFor(task_, plan, workspace.data()).round) {
      for (const Fold& fold : round.fold) RunFold<Scalar>(fold);
    }
    return {{loc_.begin(), loc_.end()}, {scale_.begin(), scale_.end()}};
  }

  void ExpectNear(const Sums& got) {
    std::vector<long double> sums[2] = {Zeros(loc_), Zeros(scale_)};
    std::vector<long double> sizes[2] = {Zeros(loc_), Zeros(scale_)};
    for (int64_t i = 0; i < task_.elements; ++i) {
      const long double g = ToCompute(gradient_.data()[i]);
      const Scalar z = cpu::ExpectedNoise<Scalar>(distribution_, StreamFromSeed(11, uint64_t(-7)),
                                                  static_cast<uint64_t>(offset_ + i));
      for (int which = 0; which < 2; ++which) {
        const auto f = static_cast<size_t>(i) % sums[which].size();
        const long double term = which == 0 ? g : g * z;
        sums[which][f] += term;
        sizes[which][f] += std::fabs(term);
      }
    }
    const long double tolerance = sizeof(Scalar) == 4 ? 0x1p-22L : 0x1p-49L;
    for (int which = 0; which < 2; ++which) {
      const auto& values = which == 0 ? got.loc : got.scale;
      for (size_t f = 0; f < values.size(); ++f) {
        ASSERT_LE(std::fabs(values[f] - sums[which][f]), tolerance * sizes[which][f])
            << task_.elements << " elements, feature " << f << " of " << task_.features;
      }
    }
  }

 private:
  static std::vector<long double> Zeros(const std::vector<Scalar>& like) {
    return std::vector<long double>(like.size());
  }

  Distribution distribution_;
  int64_t offset_;
  Buffer<T> gradient_;
  std::vector<Scalar> loc_, scale_;
  SumGradientsTask task_;
};

class CudaSumGradients : public testing::TestWithParam<TypeAndDistribution> {
 protected:
  template <class Body>
  void WithProblem(int64_t elements, int64_t features, int64_t offset, int kinds,
                   const Body& body) const {
    const auto [type, distribution] = GetParam();
    cpu::WithType(type, [&, distribution = distribution](auto t) {
      const auto make = [&](int64_t shift) {
        return GradientProblem<decltype(t)>(distribution, elements, features, offset,
                                            (kinds & 1) != 0, (kinds & 2) != 0, shift);
      };
      body(make);
    });
  }
};

struct Size {
  int64_t rows, features;
};
constexpr Size kSizes[] = {{1, 1},    {3, 5},    {700, 3},  {37, 100},  {9, 1023},
                           {5, 1024}, {3, 1025}, {2, 5000}, {20000, 1}, {130, 64}};

TEST_P(CudaSumGradients, AreTheSumsOfTheDefinition) {
  for (const Size size : kSizes) {
    for (int64_t offset : {0, 13}) {
      for (int kinds = 0; kinds <= 3; ++kinds) {
        WithProblem(size.rows * size.features, size.features, offset, kinds, [](const auto& make) {
          auto problem = make(0);
          problem.ExpectNear(problem.Run(3));
        });
      }
    }
  }
}

TEST_P(CudaSumGradients, HaveTheSameBitsForEveryGridAndAlignment) {
  for (const Size size : kSizes) {
    WithProblem(size.rows * size.features, size.features, 2, 3, [](const auto& make) {
      auto problem = make(0);
      const Sums sums = problem.Run(1);
      for (int64_t blocks : {2, 5}) ASSERT_EQ(problem.Run(blocks).scale, sums.scale);
      auto shifted = make(1);
      const Sums again = shifted.Run(1);
      ASSERT_EQ(again.loc, sums.loc);
      ASSERT_EQ(again.scale, sums.scale);
    });
  }
}

TEST(CudaSumGradientsPlan, CoversEveryRowAndKeepsToItsWorkspace) {
  for (int chunk : {2, 4, 8}) {
    for (int64_t features : {1, 2, 3, 8, 1000, 1025, 150528}) {
      for (int64_t rows : {0, 1, 7, 1000, 1 << 20}) {
        const GradientPlan plan = PlanGradient(rows * features, features, chunk);
        ASSERT_EQ(plan.columns % chunk, 0);
        ASSERT_EQ(plan.columns % features, 0);
        ASSERT_EQ(plan.rows_per_tile % (2 * plan.lanes), 0);
        ASSERT_GE(plan.row_tiles * plan.rows_per_tile * plan.columns, rows * features);
        ASSERT_LE(plan.row_tiles, kMostTiles);
        ASSERT_LE(plan.lanes * plan.columns_of_chunks, kThreads);
        ASSERT_GE(plan.column_tiles * plan.columns_of_chunks * chunk, plan.columns);
      }
    }
  }
}

TEST(CudaSumGradientsOfMany, SumEntriesInTwoRounds) {
  // So many features that one block would be long in adding up the entries for the scalar loc.
  GradientProblem<float> problem(Distribution::kUniform, 3 * 9000, 9000, 0, false, true, 0);
  problem.ExpectNear(problem.Run(2));
}

TEST(CudaSumGradientsOfNothing, AreZero) {
  GradientProblem<float> problem(Distribution::kNormal, 0, 3, 0, false, true, 0);
  const Sums sums = problem.Run(1);
  EXPECT_EQ(sums.loc, std::vector<double>(1));
  EXPECT_EQ(sums.scale, std::vector<double>(3));
}

TEST(CudaSumGradientsArguments, PoisonTheSums) {
  GradientProblem<float> problem(Distribution::kNormal, 30, 3, -1, false, true, 0);
  const Sums sums = problem.Run(1);
  EXPECT_TRUE(std::isnan(sums.loc[0]));
  for (double sum : sums.scale) EXPECT_TRUE(std::isnan(sum));
}

std::string Name(const TypeAndDistribution& parameters) {
  const char* const types[] = {"half", "bfloat16", "float", "double"};
  const auto [type, distribution] = parameters;
  return std::string(types[static_cast<int>(type)]) +
         (distribution == Distribution::kNormal ? "_normal" : "_uniform");
}

const auto kEveryCase =
    testing::Combine(testing::Values(ElementType::kHalf, ElementType::kBFloat16,
                                     ElementType::kFloat, ElementType::kDouble),
                     testing::Values(Distribution::kNormal, Distribution::kUniform));
INSTANTIATE_TEST_SUITE_P(Types, CudaApplyNoise,
                         testing::Combine(kEveryCase, testing::ValuesIn(cpu::kCombinations)),
                         [](const auto& info) {
                           return Name(std::get<0>(info.param)) +
                                  cpu::NameOf(std::get<1>(info.param));
                         });
INSTANTIATE_TEST_SUITE_P(Types, CudaSumGradients, kEveryCase,
                         [](const auto& info) { return Name(info.param); });

}  // namespace
}  // namespace flatnoise::cuda
