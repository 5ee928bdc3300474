// Memory access of the forward loops beyond tensors of one type: uint8, no input, clipping, and
// returned noise.
#include "cpu/memory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "cases.h"
#include "cpu/apply_noise.h"
#include "reference.h"

namespace flatnoise::cpu {
namespace {

template <class T>
ComputeType<T> Read(const T& element, float) {
  return ToCompute(element);
}
float Read(const uint8_t& element, float byte_scale) {
  return static_cast<float>(element) * byte_scale;
}

template <class In, class Scalar>
class Input {
 public:
  explicit Input(int64_t elements) : elements_(static_cast<size_t>(elements)) {
    for (size_t i = 0; i < elements_.size(); ++i) {
      elements_[i] = FromCompute<In>(static_cast<Scalar>(double(i * 37 % 263) - 4));
    }
  }
  const void* data() const { return elements_.data(); }
  Scalar At(size_t i, float byte_scale) const { return Read(elements_[i], byte_scale); }

 private:
  std::vector<In> elements_;
};

template <class Scalar>
class Input<Nothing, Scalar> {
 public:
  explicit Input(int64_t) {}
  const void* data() const { return nullptr; }
  Scalar At(size_t, float) const { return static_cast<Scalar>(-0.0); }
};

template <class In, class Out>
class Problem {
 public:
  using Scalar = ComputeType<Out>;

  Problem(const Noise& noise, int64_t elements, uint64_t offset)
      : input_(elements), output_(static_cast<size_t>(elements)), noise_output_(output_) {
    task_ = {{kStoredType<In>, kStoredType<Out>},
             noise,
             input_.data(),
             output_.data(),
             StreamFromSeed(5, 6),
             offset,
             {}};
    for (int k = 0; k < ParametersOf(noise); ++k) {
      task_.parameters[k] = {values_ + k, {1, 1}};
    }
  }

  ApplyNoiseTask* task() { return &task_; }
  void* noise_output() { return noise_output_.data(); }
  const Scalar (&bounds() const)[2] { return bounds_; }
  // Gives one parameter two alternating values.
  void VaryParameter() { task_.parameters[1] = {values_ + 4, {2, 1}}; }

  void RunAndCheck(const Kernels& kernels) {
    const auto elements = static_cast<int64_t>(output_.size());
    ApplyNoiseShards(task_, elements, 0, CountShards(task_, elements), kernels);
    for (size_t i = 0; i < output_.size(); ++i) {
      const auto z = reference::NumberAt<Scalar>(task_.noise, task_.stream, task_.offset + i);
      ExpectBits(output_[i], FromCompute<Out>(Expected(i, z)), "output", i);
      if (task_.noise_output != nullptr) {
        ExpectBits(noise_output_[i], FromCompute<Out>(z), "noise", i);
      }
    }
  }

 private:
  static void ExpectBits(const Out& got, const Out& expected, const char* what, size_t i) {
    ASSERT_EQ(std::memcmp(&got, &expected, sizeof(Out)), 0)
        << what << " " << i << ": " << double(ToCompute(got)) << " for "
        << double(ToCompute(expected));
  }

  Scalar Expected(size_t i, Scalar z) const {
    std::vector<Scalar> p;
    for (int k = 0; k < ParametersOf(task_.noise); ++k) {
      const Parameter& parameter = task_.parameters[k];
      p.push_back(static_cast<const Scalar*>(
          parameter.values)[reference::ValueIndex(parameter.pattern, i)]);
    }
    const Scalar y = reference::OutputOf(task_.noise, input_.At(i, task_.byte_scale), p, z);
    if (task_.bounds == nullptr) return y;
    return std::fmin(std::fmax(y, bounds_[0]), bounds_[1]);
  }

  Input<In, Scalar> input_;
  std::vector<Out> output_, noise_output_;
  const Scalar values_[6] = {static_cast<Scalar>(0.4), static_cast<Scalar>(0.7), 3, 1,
                             static_cast<Scalar>(0.2), static_cast<Scalar>(0.9)};
  const Scalar bounds_[2] = {static_cast<Scalar>(0.1), static_cast<Scalar>(100.3)};
  ApplyNoiseTask task_;
};

std::vector<Storage> AllStorages() {
  std::vector<Storage> storages;
  for (int in = 0; in < StoredTypes::kSize; ++in) {
    for (int out = 0; out < StoredTypes::kSize; ++out) {
      const Storage storage = {StoredType{in}, StoredType{out}};
      if (IsKnown(storage)) storages.push_back(storage);
    }
  }
  return storages;
}

using MemoryCase = std::tuple<const Kernels*, Storage, Noise>;

std::string CaseName(const testing::TestParamInfo<MemoryCase>& info) {
  const auto& [kernels, storage, noise] = info.param;
  return std::string(kernels->name) + "_" + std::string(NameOf(storage.input)) + "_to_" +
         std::string(NameOf(storage.output)) + "_" + std::string(NameOf(noise.distribution)) + "_" +
         std::string(NameOf(noise.combination));
}

class Memory : public testing::TestWithParam<MemoryCase> {
 protected:
  const Kernels& kernels() const { return *std::get<0>(GetParam()); }
  const Storage& storage() const { return std::get<1>(GetParam()); }
  const Noise& noise() const { return std::get<2>(GetParam()); }

  // Calls body(problem) for problems that begin and end anywhere in a group.
  template <class Body>
  void ForEachProblem(const Body& body) const {
    if (storage().output == kStoredType<double>) {
      ForEachOf<double>(body);
    } else {
      ForEachOf<float>(body);
    }
  }

 private:
  template <class Scalar, class Body>
  void ForEachOf(const Body& body) const {
    Visit(PlaceOf<Scalar>(storage()), [&](auto tag) {
      using In = typename decltype(tag)::type::Input;
      using Out = typename decltype(tag)::type::Output;
      for (const int64_t elements : {1, 5, 127, 700, 9000}) {
        for (const uint64_t offset : {0, 3}) {
          Problem<In, Out> problem(noise(), elements, offset);
          body(problem);
        }
      }
    });
  }
};

TEST_P(Memory, IsReadAndWritten) {
  ForEachProblem([&](auto& problem) { problem.RunAndCheck(kernels()); });
}

TEST_P(Memory, BytesAreScaledBeforeTheyGetNoise) {
  ForEachProblem([&](auto& problem) {
    problem.task()->byte_scale = 1.0f / 255;
    problem.RunAndCheck(kernels());
  });
}

TEST_P(Memory, ResultsStayBetweenBounds) {
  ForEachProblem([&](auto& problem) {
    problem.task()->bounds = problem.bounds();
    problem.RunAndCheck(kernels());
  });
}

TEST_P(Memory, GoesWithParametersThatVary) {
  ForEachProblem([&](auto& problem) {
    problem.VaryParameter();
    problem.RunAndCheck(kernels());
    problem.task()->bounds = problem.bounds();
    problem.RunAndCheck(kernels());
  });
}

TEST_P(Memory, TakesTheNoiseToo) {
  if (!InfoOf(noise().combination).returns_noise) return;
  ForEachProblem([&](auto& problem) {
    problem.task()->noise_output = problem.noise_output();
    problem.RunAndCheck(kernels());
  });
}

INSTANTIATE_TEST_SUITE_P(Kernels, Memory,
                         testing::Combine(testing::ValuesIn(SupportedKernels()),
                                          testing::ValuesIn(AllStorages()),
                                          testing::ValuesIn(AllNoises())),
                         CaseName);

TEST(Bounds, LeaveNaNAlone) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(std::isnan(Clip<ScalarLanes<float>>(nan, 0.0f, 1.0f)));
  for (const Kernels* kernels : SupportedKernels()) {
    const float bounds[] = {0, 1}, parameters[] = {0, 0}, input[] = {nan, -3, 0.5, 7};
    float output[4];
    ApplyNoiseTask task = {
        kElementType<float>, kNoise<Normal, Add>, input, output, StreamFromSeed(1, 2), 0, {}};
    task.parameters[0] = {parameters, {1, 1}};
    task.parameters[1] = {parameters + 1, {1, 1}};
    task.bounds = bounds;
    ApplyNoiseShards(task, 4, 0, 1, *kernels);
    EXPECT_TRUE(std::isnan(output[0])) << kernels->name;
    EXPECT_EQ(output[1], 0.0f) << kernels->name;
    EXPECT_EQ(output[2], 0.5f) << kernels->name;
    EXPECT_EQ(output[3], 1.0f) << kernels->name;
  }
}

}  // namespace
}  // namespace flatnoise::cpu
