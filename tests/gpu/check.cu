// Checks the kernels on a GPU against the processor's, bit for bit.  check [--short]
//
// --short leaves out what takes long, for compute-sanitizer.
#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "core/noise.h"
#include "core/number_types.h"
#include "cpu/apply_noise.h"
#include "cpu/sum_gradients.h"
#include "cuda/apply_noise.h"
#include "cuda/apply_noise_body.h"
#include "cuda/device_numbers.h"
#include "cuda/dispatch.h"
#include "cuda/sum_gradients.h"
#include "cuda/sum_gradients_body.h"
#include "device.h"

namespace flatnoise::cuda {
namespace {

int failures = 0;
// Not for compute-sanitizer, which looks for reads of memory that nothing wrote.
bool fill_workspace = true;
int64_t checks = 0;

void Expect(bool holds, const std::string& what) {
  ++checks;
  if (holds) return;
  if (++failures <= 20) std::printf("FAILED: %s\n", what.c_str());
}

const std::vector<int64_t> kSeed = {11, -7};
const std::vector<int32_t> kShortSeed = {11, -7};
const ElementType kTypes[] = {ElementType::kHalf, ElementType::kBFloat16, ElementType::kFloat,
                              ElementType::kDouble};
const Distribution kDistributions[] = {Distribution::kNormal, Distribution::kUniform};

template <class T>
bool SameBits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <class T>
std::vector<T> RandomElements(int64_t elements) {
  std::mt19937 random(static_cast<unsigned>(elements + 3));
  std::normal_distribution<double> normal;
  std::vector<T> values(static_cast<size_t>(elements));
  for (T& value : values) value = FromCompute<T>(static_cast<ComputeType<T>>(normal(random)));
  return values;
}

struct Setting {
  int64_t elements;
  int64_t offset = 0;
  int64_t features = 1;
  bool loc_per_feature = false;
  bool scale_per_feature = false;
  size_t input_shift = 0;
  size_t output_shift = 0;
  bool in_place = false;
  bool short_seed = false;
  Combination combination = Combination::kAdd;

  std::string Text() const {
    return std::to_string(elements) + " elements, offset " + std::to_string(offset) + ", " +
           std::to_string(features) + " features, shifts " + std::to_string(input_shift) + " " +
           std::to_string(output_shift);
  }
};

// An ApplyNoise problem with its input on the device and the processor's answer.
template <class T>
class Problem {
 public:
  using Scalar = ComputeType<T>;

  Problem(Distribution distribution, const Setting& s)
      : setting_(s),
        distribution_(distribution),
        host_input_(RandomElements<T>(s.elements)),
        host_loc_(static_cast<size_t>(s.loc_per_feature ? s.features : 1)),
        host_scale_(static_cast<size_t>(s.scale_per_feature ? s.features : 1)),
        poison_(FillPoison(s.elements)),
        input_(host_input_, s.input_shift),
        output_(s.in_place ? host_input_ : poison_, s.output_shift),
        loc_(FillParameter(&host_loc_, 0.01, -1, 97)),
        scale_(FillParameter(&host_scale_, 0.003, 0.1, 89)),
        seed_(kSeed),
        short_seed_(kShortSeed),
        offset_({s.offset}) {}

  ApplyNoiseTask Task() const {
    StreamStart start = {seed_.data(), true, offset_.data()};
    if (setting_.short_seed) start = {short_seed_.data(), false, offset_.data()};
    return {kElementType<T>,
            distribution_,
            setting_.combination,
            setting_.in_place ? output_.data() : input_.data(),
            output_.data(),
            setting_.elements,
            setting_.features,
            start,
            {loc_.data(), static_cast<int64_t>(host_loc_.size())},
            {scale_.data(), static_cast<int64_t>(host_scale_.size())},
            /*validate_args=*/false};
  }

  std::vector<T> Expected() const {
    std::vector<T> expected(host_input_.size());
    const cpu::ApplyNoiseTask task = {
        kElementType<T>,
        distribution_,
        setting_.combination,
        host_input_.data(),
        expected.data(),
        StreamFromSeed(static_cast<uint64_t>(kSeed[0]), static_cast<uint64_t>(kSeed[1])),
        static_cast<uint64_t>(setting_.offset),
        setting_.features,
        {host_loc_.data(), static_cast<int64_t>(host_loc_.size())},
        {host_scale_.data(), static_cast<int64_t>(host_scale_.size())}};
    const int64_t elements = setting_.elements;
    cpu::ApplyNoisePieces(task, elements, 0, cpu::CountPieces(task, elements));
    return expected;
  }

  std::vector<T> Output() const { return output_.Read(); }

 private:
  static std::vector<T> FillPoison(int64_t elements) {
    std::vector<T> values(static_cast<size_t>(elements));
    if (elements > 0) std::memset(values.data(), 0x5A, values.size() * sizeof(T));
    return values;
  }
  static std::vector<Scalar> FillParameter(std::vector<Scalar>* values, double step, double first,
                                           int period) {
    for (size_t i = 0; i < values->size(); ++i) {
      (*values)[i] = static_cast<Scalar>(first + step * static_cast<double>(i % period));
    }
    return *values;
  }

  Setting setting_;
  Distribution distribution_;
  std::vector<T> host_input_;
  std::vector<Scalar> host_loc_, host_scale_;
  std::vector<T> poison_;
  DeviceArray<T> input_, output_;
  DeviceArray<Scalar> loc_, scale_;
  DeviceArray<int64_t> seed_;
  DeviceArray<int32_t> short_seed_;
  DeviceArray<int64_t> offset_;
};

template <class Body>
void ForEachKind(const Body& body) {
  for (const ElementType type : kTypes) {
    for (const Distribution distribution : kDistributions) {
      Dispatch(type, distribution, [&](auto element, auto d) {
        body(typename decltype(element)::type{}, decltype(d)::value);
      });
    }
  }
}

void ExpectForwardOf(const Setting& setting) {
  ForEachKind([&](auto t, Distribution distribution) {
    using T = decltype(t);
    const Problem<T> problem(distribution, setting);
    CHECK_CUDA(ApplyNoise(problem.Task(), nullptr));
    CHECK_CUDA(cudaDeviceSynchronize());
    Expect(SameBits(problem.Output(), problem.Expected()),
           "forward, type " + std::to_string(static_cast<int>(kElementType<T>)) +
               ", distribution " + std::to_string(static_cast<int>(distribution)) +
               ", combination " + std::to_string(static_cast<int>(setting.combination)) + ", " +
               setting.Text());
  });
}

void ExpectForward(Setting setting) {
  for (const Combination combination : {Combination::kAdd, Combination::kMultiply}) {
    setting.combination = combination;
    ExpectForwardOf(setting);
  }
}

void CheckForward(bool short_form) {
  for (int64_t n = 0; n <= 4097; n += short_form ? 683 : n < 300 ? 1 : 97) {
    ExpectForward({n});
    ExpectForward({n, n % 7, 1, false, false, 0, 0, false, true});
  }
  for (int64_t offset : {int64_t{1}, int64_t{2}, int64_t{3}, int64_t{4}, int64_t{4099},
                         (int64_t{1} << 34) - 5, INT64_MAX - 150, INT64_MAX}) {
    ExpectForward({333, offset});
  }
  for (size_t shift = 0; shift < 8; shift += short_form ? 3 : 1) {
    ExpectForward({1027, 5, 1, false, false, shift, shift});
    ExpectForward({1027, 4, 1, false, false, shift, 0});
    ExpectForward({1027, static_cast<int64_t>(shift), 12, true, true, shift, shift, true});
  }
  for (int64_t features : {1, 2, 3, 7, 8, 64, 65, 1024, 3000}) {
    for (int kinds = 1; kinds <= 3; ++kinds) {
      ExpectForward({3 * features + 64, 0, features, (kinds & 1) != 0, (kinds & 2) != 0});
      ExpectForward({3 * features + 64, 6, features, (kinds & 1) != 0, (kinds & 2) != 0});
    }
  }
  if (short_form) return;
  // Larger than the device holds at once, so that every thread goes several rounds.
  for (int64_t n : {int64_t{5000011}, int64_t{1} << 24}) {
    ExpectForward({n});
    ExpectForward({n, 7});
    ExpectForward({n, 0, 3072, true, true});
  }
}

// The launcher picks one grid; here all kinds of them.
template <class Body>
__global__ void BodyKernel(const __grid_constant__ ApplyNoiseTask task,
                           const __grid_constant__ ApplyNoisePlan plan) {
  const GridPlace place = {blockIdx.x, gridDim.x, static_cast<int>(threadIdx.x)};
  Body(task, plan, place).Run();
}

void CheckGrids() {
  for (int64_t blocks : {1, 2, 7, 33, 1000}) {
    for (int64_t offset : {0, 3}) {
      const Problem<float> problem(Distribution::kNormal, {100003, offset});
      const ApplyNoiseTask task = problem.Task();
      ApplyNoisePlan plan = SplitIntoChunks<float>(task);
      PlanRounds<float>(task, blocks, &plan);
      using Body = ApplyNoiseBody<float, Distribution::kNormal, Combination::kAdd,
                                  ConstantParameters<float>>;
      BodyKernel<Body><<<static_cast<unsigned>(blocks), kThreads>>>(task, plan);
      CHECK_CUDA(cudaGetLastError());
      CHECK_CUDA(cudaDeviceSynchronize());
      Expect(SameBits(problem.Output(), problem.Expected()),
             "grid of " + std::to_string(blocks) + " blocks");
    }
  }
}

void CheckPoison() {
  const Problem<float> problem(Distribution::kNormal, {1001, -1});
  CHECK_CUDA(ApplyNoise(problem.Task(), nullptr));
  bool all = true;
  for (float y : problem.Output()) all = all && std::isnan(y);
  Expect(all, "a negative offset makes every output NaN");
}

// Gradients: bits the same on every run, values near the processor's.
template <class T>
class GradientProblem {
 public:
  using Scalar = ComputeType<T>;

  GradientProblem(Distribution distribution, int64_t elements, int64_t features, int64_t offset,
                  bool per_feature, size_t shift)
      : distribution_(distribution),
        elements_(elements),
        features_(features),
        offset_value_(offset),
        host_(RandomElements<T>(elements)),
        nan_(static_cast<size_t>(per_feature ? features : 1), static_cast<Scalar>(NAN)),
        gradient_(host_, shift),
        loc_(nan_),
        scale_(nan_),
        seed_(kSeed),
        offset_({offset}),
        workspace_(SumGradientsWorkspaceBytes(Task())) {}

  SumGradientsTask Task() const {
    const auto count = static_cast<int64_t>(nan_.size());
    return {kElementType<T>,
            distribution_,
            gradient_.data(),
            elements_,
            features_,
            {seed_.data(), true, offset_.data()},
            {loc_.data(), count},
            {scale_.data(), count}};
  }

  void Launch(cudaStream_t stream) const {
    CHECK_CUDA(SumGradients(Task(), workspace_.data(), stream));
  }

  std::vector<Scalar> Run() const {
    const size_t bytes = SumGradientsWorkspaceBytes(Task());
    if (fill_workspace) CHECK_CUDA(cudaMemset(workspace_.data(), 0xFF, bytes));
    Launch(nullptr);
    CHECK_CUDA(cudaDeviceSynchronize());
    return Results();
  }

  std::vector<Scalar> Results() const {
    std::vector<Scalar> both = loc_.Read();
    for (const Scalar value : scale_.Read()) both.push_back(value);
    return both;
  }

  // Largest difference from the processor's, in units of the tolerance.
  double Error(const std::vector<Scalar>& got) const {
    const auto count = static_cast<int64_t>(nan_.size());
    const cpu::GradientSums sums(
        {kElementType<T>, distribution_, host_.data(),
         StreamFromSeed(static_cast<uint64_t>(kSeed[0]), static_cast<uint64_t>(kSeed[1])),
         static_cast<uint64_t>(offset_value_), elements_, 0},
        count);
    std::vector<double> memory(static_cast<size_t>(sums.workspace_size()));
    for (int64_t tile = 0; tile < sums.tiles(); ++tile) sums.SumTile(tile, memory.data());
    std::vector<Scalar> loc(nan_.size()), scale(nan_.size());
    sums.Finish(memory.data(), {loc.data(), count}, {scale.data(), count});
    std::vector<double> size(nan_.size());
    for (size_t i = 0; i < host_.size(); ++i) {
      size[i % size.size()] += std::fabs(static_cast<double>(ToCompute(host_[i])));
    }
    // |z| is below 5.7.
    const double unit = sizeof(Scalar) == 4 ? 0x1p-22 : 0x1p-48;
    double worst = 0;
    for (size_t f = 0; f < loc.size(); ++f) {
      worst = Larger(worst, std::fabs(double(got[f]) - loc[f]) / (unit * size[f]));
      worst =
          Larger(worst, std::fabs(double(got[f + loc.size()]) - scale[f]) / (5.7 * unit * size[f]));
    }
    return worst;
  }

 private:
  // NaN counts as the largest.
  static double Larger(double a, double b) { return a >= b ? a : b; }

  Distribution distribution_;
  int64_t elements_;
  int64_t features_;
  int64_t offset_value_;
  std::vector<T> host_;
  std::vector<Scalar> nan_;
  DeviceArray<T> gradient_;
  DeviceArray<Scalar> loc_, scale_;
  DeviceArray<int64_t> seed_, offset_;
  DeviceBytes workspace_;
};

void ExpectGradient(int64_t rows, int64_t features, int64_t offset, bool per_feature) {
  ForEachKind([&](auto t, Distribution distribution) {
    using T = decltype(t);
    const std::string what = "gradient, type " + std::to_string(static_cast<int>(kElementType<T>)) +
                             ", " + std::to_string(rows) + " rows of " + std::to_string(features);
    const GradientProblem<T> problem(distribution, rows * features, features, offset, per_feature,
                                     0);
    const auto first = problem.Run();
    const double error = problem.Error(first);
    Expect(error <= 1, what + ": error " + std::to_string(error) + " of the tolerance");
    for (int repeat = 0; repeat < 3; ++repeat) {
      Expect(SameBits(first, problem.Run()), what + " differs between runs");
    }
    const GradientProblem<T> shifted(distribution, rows * features, features, offset, per_feature,
                                     1);
    Expect(SameBits(first, shifted.Run()), what + " depends on the alignment");
  });
}

void CheckGradients(bool short_form) {
  struct Size {
    int64_t rows, features;
  };
  for (const Size size : {Size{1, 1}, Size{3, 5}, Size{1000, 3}, Size{37, 100}, Size{9, 1023},
                          Size{5, 1024}, Size{3, 1025}, Size{4, 5000}}) {
    for (const bool per_feature : {false, true}) {
      ExpectGradient(size.rows, size.features, 0, per_feature);
      if (!short_form) ExpectGradient(size.rows, size.features, 13, per_feature);
    }
  }
  if (short_form) return;
  ExpectGradient(int64_t{1} << 22, 1, 0, false);
  ExpectGradient(1000, 3072, 0, true);
  ExpectGradient(700000, 3, 0, true);
}

// Launches recorded in a graph, replayed with other seeds in the same place.
void CheckGraph() {
  const Problem<float> problem(Distribution::kNormal, {100000});
  const GradientProblem<float> gradient(Distribution::kNormal, 100000, 1, 0, false, 0);
  const auto sums = gradient.Run();
  CHECK_CUDA(ApplyNoise(problem.Task(), nullptr));
  CHECK_CUDA(cudaDeviceSynchronize());
  const auto expected = problem.Output();
  CHECK_CUDA(cudaMemset(problem.Task().output, 0, expected.size() * sizeof(float)));

  cudaStream_t stream;
  cudaGraph_t graph;
  cudaGraphExec_t replay;
  CHECK_CUDA(cudaStreamCreate(&stream));
  CHECK_CUDA(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal));
  CHECK_CUDA(ApplyNoise(problem.Task(), stream));
  gradient.Launch(stream);
  CHECK_CUDA(cudaStreamEndCapture(stream, &graph));
  CHECK_CUDA(cudaGraphInstantiate(&replay, graph, 0));
  CHECK_CUDA(cudaGraphLaunch(replay, stream));
  CHECK_CUDA(cudaStreamSynchronize(stream));
  Expect(SameBits(problem.Output(), expected), "forward replayed from a graph");
  Expect(SameBits(gradient.Results(), sums), "gradient replayed from a graph");

  const int64_t other_seed[2] = {5, 6};
  CHECK_CUDA(cudaMemcpy(const_cast<void*>(problem.Task().start.seed), other_seed,
                        sizeof(other_seed), cudaMemcpyHostToDevice));
  CHECK_CUDA(cudaGraphLaunch(replay, stream));
  CHECK_CUDA(cudaStreamSynchronize(stream));
  Expect(!SameBits(problem.Output(), expected), "a replay reads the seed anew");
  CHECK_CUDA(cudaGraphExecDestroy(replay));
  CHECK_CUDA(cudaGraphDestroy(graph));
  CHECK_CUDA(cudaStreamDestroy(stream));
}

// What device_numbers.h does in its own way, against the portable definition, for every argument.

__global__ void CountWrongNarrowings(unsigned long long* wrong) {
  const uint64_t step = uint64_t{gridDim.x} * blockDim.x;
  unsigned long long count = 0;
  for (uint64_t i = uint64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < uint64_t{1} << 32;
       i += step) {
    const float a = BitCast<float>(static_cast<uint32_t>(i));
    if (a != a) continue;
    count += Narrow<Half>(a).bits != FromCompute<Half>(a).bits;
    count += Narrow<BFloat16>(a).bits != FromCompute<BFloat16>(a).bits;
    count += NarrowPair<Half>(1.0f, a) >> 16 != FromCompute<Half>(a).bits;
    count += NarrowPair<BFloat16>(1.0f, a) >> 16 != FromCompute<BFloat16>(a).bits;
  }
  if (count != 0) atomicAdd(wrong, count);
}

__global__ void CountWrongWidenings(unsigned long long* wrong) {
  const uint32_t bits = blockIdx.x * blockDim.x + threadIdx.x;
  const Half half = {static_cast<uint16_t>(bits)};
  const float wide = Widen(half), portable = ToCompute(half);
  const bool nan = portable != portable && wide != wide;
  if (!nan && BitCast<uint32_t>(wide) != BitCast<uint32_t>(portable)) atomicAdd(wrong, 1ull);
}

// Both numbers of Box-Muller for one fraction used as both words.
__global__ void BoxMullerOfEveryFraction(float2* values) {
  const uint32_t bits = blockIdx.x * blockDim.x + threadIdx.x;
  const auto pair = BoxMuller<DeviceLanes<float>>(bits, bits);
  values[bits] = make_float2(pair.first, pair.second);
}

void CheckNumbers() {
  const DeviceArray<unsigned long long> wrong({0});
  CountWrongNarrowings<<<1056, 256>>>(wrong.data());
  CountWrongWidenings<<<256, 256>>>(wrong.data());
  CHECK_CUDA(cudaGetLastError());
  CHECK_CUDA(cudaDeviceSynchronize());
  Expect(wrong.Read()[0] == 0, "conversions of " + std::to_string(wrong.Read()[0]) + " arguments");

  constexpr uint32_t kFractions = 1u << 23;
  const DeviceArray<float2> device(std::vector<float2>(kFractions, float2{}));
  BoxMullerOfEveryFraction<<<kFractions / 256, 256>>>(device.data());
  CHECK_CUDA(cudaGetLastError());
  const std::vector<float2> got = device.Read();
  int64_t different = 0;
  for (uint32_t bits = 0; bits < kFractions; ++bits) {
    const auto pair = BoxMuller<ScalarLanes<float>>(bits, bits);
    different += BitCast<uint32_t>(got[bits].x) != BitCast<uint32_t>(pair.first) ||
                 BitCast<uint32_t>(got[bits].y) != BitCast<uint32_t>(pair.second);
  }
  Expect(different == 0, "Box-Muller of " + std::to_string(different) + " fractions");
}

int Main(bool short_form) {
  cudaDeviceProp properties;
  CHECK_CUDA(cudaGetDeviceProperties(&properties, 0));
  std::printf("%s, compute capability %d.%d\n", properties.name, properties.major,
              properties.minor);
  fill_workspace = !short_form;
  CheckForward(short_form);
  CheckGrids();
  CheckPoison();
  CheckGradients(short_form);
  CheckGraph();
  if (!short_form) CheckNumbers();
  std::printf("%lld checks, %d failed\n", static_cast<long long>(checks), failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace flatnoise::cuda

int main(int argc, char** argv) {
  return flatnoise::cuda::Main(argc > 1 && std::string(argv[1]) == "--short");
}
