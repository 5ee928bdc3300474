// Checks that the kernels on a GPU are bit-identical to the CPU's.  check [--short]
//
// --short skips slow checks, for compute-sanitizer.
#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../cc/cuda_cases.h"
#include "../cc/cuda_host_grid.h"
#include "core/noise.h"
#include "core/number_types.h"
#include "cuda/apply_noise.h"
#include "cuda/apply_noise_body.h"
#include "cuda/apply_noise_dispatch.h"
#include "cuda/device_numbers.h"
#include "cuda/parameter_gradients.h"
#include "device.h"

namespace flatnoise::cuda {
namespace {

int failures = 0;
// Off for compute-sanitizer, which detects reads of uninitialized memory.
bool fill_workspace = true;
int64_t checks = 0;

void Expect(bool holds, const std::string& what) {
  ++checks;
  if (holds) return;
  if (++failures <= 20) std::printf("FAILED: %s\n", what.c_str());
}

template <class T>
bool Same(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && SameElements(a.data(), b.data(), static_cast<int64_t>(a.size()));
}

// Memory without NaN, so that unwritten elements are detected.
template <class T>
std::vector<T> Unwritten(int64_t elements) {
  std::vector<T> values(static_cast<size_t>(elements));
  if (elements > 0) std::memset(values.data(), 0x5A, values.size() * sizeof(T));
  return values;
}

class DeviceStart {
 public:
  DeviceStart(int64_t offset, SeedType type)
      : pair_({kSeed[0], kSeed[1]}),
        short_pair_({kShortSeed[0], kShortSeed[1]}),
        state_({kState[0], kState[1], kState[2]}),
        offset_({offset}),
        type_(type) {}

  StreamStart get() const { return {Seed(), type_, offset_.data()}; }

 private:
  const void* Seed() const {
    if (type_ == SeedType::kState) return state_.data();
    return type_ == SeedType::kInt64Pair ? static_cast<const void*>(pair_.data())
                                         : short_pair_.data();
  }

  DeviceArray<int64_t> pair_;
  DeviceArray<int32_t> short_pair_;
  DeviceArray<int64_t> state_;
  DeviceArray<int64_t> offset_;
  SeedType type_;
};

// A forward case with its input on the device.
template <class Kind>
class Problem {
 public:
  using T = typename Kind::Element;
  using Scalar = typename Kind::Scalar;

  Problem(const KindCase& kind, const ForwardCase& c)
      : kind_(kind),
        case_(c),
        host_input_(TestElements<T>(c.elements, c.special_values)),
        host_parameters_(Kind::kParameters, c),
        input_(host_input_, static_cast<size_t>(c.input_shift)),
        output_(c.in_place ? host_input_ : Unwritten<T>(c.elements),
                static_cast<size_t>(c.output_shift)),
        noise_(Unwritten<T>(c.elements), static_cast<size_t>(c.output_shift)),
        bounds_({kBounds<Scalar>[0], kBounds<Scalar>[1]}),
        start_(c.offset, c.seed) {
    for (int k = 0; k < Kind::kParameters; ++k) {
      parameters_.emplace_back(host_parameters_.values[k], static_cast<size_t>(c.parameter_shift));
    }
  }

  ApplyNoiseTask Task() const {
    ApplyNoiseTask task = {kind_.type,
                           kind_.noise,
                           case_.in_place ? output_.data() : input_.data(),
                           output_.data(),
                           case_.elements,
                           start_.get(),
                           {},
                           case_.validate_args};
    for (size_t k = 0; k < parameters_.size(); ++k) {
      task.parameters[k] = {parameters_[k].data(), case_.patterns[k]};
    }
    if (case_.no_input && !case_.in_place) task.input = nullptr;
    if (case_.clips) task.bounds = bounds_.data();
    if (ReturnsNoise(kind_, case_)) task.noise_output = noise_.data();
    return task;
  }

  // The output, then the noise if it is returned too.
  std::vector<T> Expected() const {
    const auto expected = ExpectedOutput<T>(kind_, case_, host_input_, host_parameters_);
    return Joined(expected.output, expected.noise);
  }
  std::vector<T> Output() const { return Joined(output_.Read(), noise_.Read()); }

 private:
  std::vector<T> Joined(std::vector<T> output, const std::vector<T>& noise) const {
    if (ReturnsNoise(kind_, case_)) output.insert(output.end(), noise.begin(), noise.end());
    return output;
  }

  KindCase kind_;
  ForwardCase case_;
  std::vector<T> host_input_;
  TestParameters<Scalar> host_parameters_;
  DeviceArray<T> input_, output_, noise_;
  DeviceArray<Scalar> bounds_;
  std::vector<DeviceArray<Scalar>> parameters_;
  DeviceStart start_;
};

// Calls body(kind, NoiseKind) for the noises in a list.
template <class List, class Body>
void ForEachKind(const Body& body) {
  for (const KindCase& kind : AllKinds<List>()) {
    VisitNoiseOf<List>(kind.type, kind.noise, [&](auto k) { body(kind, k); });
  }
}

void ExpectForward(const KindCase& kind, const ForwardCase& c) {
  VisitNoise(kind.type, kind.noise, [&](auto k) {
    const Problem<decltype(k)> problem(kind, c);
    CHECK_CUDA(ApplyNoise(problem.Task(), nullptr));
    CHECK_CUDA(cudaDeviceSynchronize());
    Expect(Same(problem.Output(), problem.Expected()), "forward, " + kind.Name() + ", " + c.Text());
  });
}

// Checks every `step`-th case for every kind, so that each case is checked for some kind.
template <class List, class Cases, class Check>
void ForEachCase(const Cases& cases, size_t step, const Check& check) {
  const auto kinds = AllKinds<List>();
  for (size_t i = 0; i < cases.size(); ++i) {
    for (size_t j = 0; j < kinds.size(); ++j) {
      if ((i + j) % step == 0) check(kinds[j], cases[i]);
    }
  }
}

void CheckForward(bool short_form) {
  for (const auto& [cases, step] : {std::pair{LengthCases(short_form ? 13 : 1), 5},
                                    {OffsetCases(), 2},
                                    {AlignmentCases(1), 3},
                                    {FeatureCases(), 2},
                                    {BroadcastCases(), 2},
                                    {OnePatternCases(), 2},
                                    {OptionCases(), 2},
                                    {ShortcutCases(), 2},
                                    {NegativeOffsetCases(), 5}}) {
    ForEachCase<Noises>(cases, short_form ? 37 : static_cast<size_t>(step), ExpectForward);
  }
  RandomCases random(30);
  for (int i = 0; i < (short_form ? 50 : 3000); ++i) {
    const KindCase kind = random.Kind();
    ExpectForward(kind, random.Forward());
  }
  if (short_form) return;
  // Larger than the device can run at once, so that every thread has several rounds.
  ForwardCases large;
  for (int64_t n : {int64_t{5000011}, int64_t{3} << 21}) {
    large.push_back({n});
    large.push_back({n, 7});
    for (const BroadcastPattern& pattern : {BroadcastPattern{3072, 1}, {3, 1}, {2048, 3072}}) {
      large.push_back({n, 0, PatternsWhere(~0u, pattern)});
    }
    large.push_back({n, 0, PatternsWhere(1, {2048, 3072}, {48, 64})});
  }
  ForEachCase<Noises>(large, 4, ExpectForward);
}

// Checks all kinds of grids. The launcher uses only one.
template <class Kind, class Parameters>
__global__ void BodyKernel(const __grid_constant__ ApplyNoiseTask task,
                           const __grid_constant__ ApplyNoisePlan plan) {
  const ThreadIndex index = {blockIdx.x, gridDim.x, static_cast<int>(threadIdx.x)};
  ApplyNoiseBody<Kind, Parameters>(task, plan, index).Run();
}

template <class Variant>
void RunGrid(const ApplyNoiseTask& task, ApplyNoisePlan plan, int64_t blocks) {
  using Kind = typename Variant::Kind;
  // Only one type, to limit the compile time.
  if constexpr (std::is_same_v<typename Kind::Element, float>) {
    PlanRounds<Kind, typename Variant::Parameters>(blocks, &plan);
    BodyKernel<Kind, typename Variant::Parameters>
        <<<static_cast<unsigned>(blocks), kThreads>>>(task, plan);
    CHECK_CUDA(cudaGetLastError());
    CHECK_CUDA(cudaDeviceSynchronize());
  }
}

void CheckGrid(const KindCase& kind, const ForwardCase& c, int64_t blocks) {
  VisitNoise(kind.type, kind.noise, [&](auto k) {
    const Problem<decltype(k)> problem(kind, c);
    DispatchApplyNoise(problem.Task(), [&](auto variant, const ApplyNoisePlan& plan) {
      RunGrid<decltype(variant)>(problem.Task(), plan, blocks);
    });
    Expect(Same(problem.Output(), problem.Expected()),
           "grid of " + std::to_string(blocks) + " blocks, " + kind.Name() + ", " + c.Text());
  });
}

void CheckGrids() {
  for (const KindCase& kind : AllKinds()) {
    if (kind.type != kElementType<float>) continue;
    for (int64_t blocks : {1, 2, 7, 33, 300}) {
      for (int64_t offset : {0, 3}) {
        CheckGrid(kind, {50003, offset}, blocks);
        CheckGrid(kind, {50048, offset, PatternsWhere(~0u, {64, 1})}, blocks);
        CheckGrid(kind, {50048, offset, PatternsWhere(~0u, {17, 128})}, blocks);
        CheckGrid(kind, {50003, offset, PatternsWhere(1, {17, 43}, {45, 1})}, blocks);
      }
    }
  }
}

// A gradient case with its tensors on the device.
template <class Kind>
class GradientProblem {
 public:
  using T = typename Kind::Element;
  using Scalar = typename Kind::Scalar;
  using Sums = std::vector<std::vector<Scalar>>;

  GradientProblem(const KindCase& kind, const GradientCase& c)
      : kind_(kind),
        case_(c),
        host_gradient_(TestElements<T>(c.elements, false)),
        host_input_(host_gradient_.rbegin(), host_gradient_.rend()),
        gradient_(host_gradient_, static_cast<size_t>(c.gradient_shift)),
        input_(host_input_, static_cast<size_t>(c.input_shift)),
        start_(c.offset, c.seed) {
    for (int k = 0; k < Kind::kParameters; ++k) {
      results_.emplace_back(Unwritten<Scalar>(case_.patterns[static_cast<size_t>(k)].count));
    }
    workspace_bytes_ = ParameterGradientsWorkspaceBytes(Task());
    workspace_ = DeviceBytes(workspace_bytes_);
  }

  ParameterGradientsTask Task() const {
    ParameterGradientsTask task = {
        kind_.type, kind_.noise, gradient_.data(), input_.data(), case_.elements, start_.get(),
        {},         {}};
    for (size_t k = 0; k < results_.size(); ++k) {
      task.patterns[k] = case_.patterns[k];
      task.gradients[k] = results_[k].data();
    }
    return task;
  }

  void Launch(cudaStream_t stream) const {
    CHECK_CUDA(ParameterGradients(Task(), workspace_.data(), stream));
  }

  Sums Run() const {
    if (fill_workspace) CHECK_CUDA(cudaMemset(workspace_.data(), 0xFF, workspace_bytes_));
    Launch(nullptr);
    CHECK_CUDA(cudaDeviceSynchronize());
    return Results();
  }

  Sums Results() const {
    Sums sums;
    for (const auto& result : results_) sums.push_back(result.Read());
    return sums;
  }

  // The results of the same kernel bodies on the host.
  Sums Expected() const {
    ParameterGradientsTask task = Task();
    Sums sums;
    for (int k = 0; k < Kind::kParameters; ++k) {
      sums.emplace_back(static_cast<size_t>(task.patterns[k].count));
      task.gradients[k] = sums.back().data();
    }
    task.gradient = host_gradient_.data();
    task.input = host_input_.data();
    task.start = {TestSeed(case_.seed), case_.seed, &case_.offset};
    ParameterGradientsOnHost(task, 1);
    return sums;
  }

  static bool AreSame(const Sums& a, const Sums& b) {
    for (size_t k = 0; k < a.size(); ++k) {
      if (!Same(a[k], b[k])) return false;
    }
    return a.size() == b.size();
  }

 private:
  KindCase kind_;
  GradientCase case_;
  std::vector<T> host_gradient_, host_input_;
  DeviceArray<T> gradient_, input_;
  std::vector<DeviceArray<Scalar>> results_;
  DeviceStart start_;
  size_t workspace_bytes_ = 0;
  DeviceBytes workspace_{0};
};

void ExpectGradient(const KindCase& kind, const GradientCase& c) {
  VisitLinearNoise(kind.type, kind.noise, [&](auto k) {
    using P = GradientProblem<decltype(k)>;
    const std::string what = "gradient, " + kind.Name() + ", " + c.Text();
    const P problem(kind, c);
    const auto first = problem.Run();
    Expect(P::AreSame(first, problem.Expected()), what);
    Expect(P::AreSame(first, problem.Run()), what + " differs between runs");
    GradientCase shifted = c;
    ++shifted.gradient_shift;
    Expect(P::AreSame(first, P(kind, shifted).Run()), what + " depends on the alignment");
  });
}

void CheckGradients(bool short_form) {
  for (const Shape& shape : kGradientShapes) {
    ForEachCase<LinearNoises>(GradientCasesOf(shape), short_form ? 41 : 4, ExpectGradient);
  }
  GradientCases none;
  for (const BroadcastPattern& pattern : {kScalar, BroadcastPattern{3, 1}, {3, 7}, {0, 1}}) {
    for (int64_t offset : {0, -1}) none.push_back({0, offset, PatternsWhere(1, pattern)});
    none.push_back({21, -1, PatternsWhere(1, pattern.count == 0 ? kScalar : pattern)});
  }
  ForEachCase<LinearNoises>(none, short_form ? 7 : 1, ExpectGradient);
  RandomCases random(31);
  for (int i = 0; i < (short_form ? 20 : 1000); ++i) {
    const KindCase kind = random.Kind<LinearNoises>();
    ExpectGradient(kind, RandomGradientCase(&random));
  }
  if (short_form) return;
  GradientCases large = {{int64_t{1} << 21}};
  for (const Shape& shape : {Shape{300, 1, 3072}, {200000, 1, 3}, {40, 8, 3136}, {2, 3, 100003}}) {
    for (const BroadcastPattern& pattern : shape.patterns()) {
      large.push_back({shape.elements(), 0, PatternsWhere(1, pattern)});
    }
  }
  ForEachCase<LinearNoises>(large, 8, ExpectGradient);
}

// Captures launches in a graph and replays it with other seeds in the same memory.
template <class Kind>
void CheckGraph(const KindCase& kind) {
  const Problem<Kind> problem(kind, {20000});
  const GradientProblem<Kind> gradient(kind, {20000});
  const auto sums = gradient.Run();
  CHECK_CUDA(ApplyNoise(problem.Task(), nullptr));
  CHECK_CUDA(cudaDeviceSynchronize());
  const auto expected = problem.Output();
  CHECK_CUDA(cudaMemset(problem.Task().output, 0, expected.size() * sizeof(expected[0])));

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
  Expect(Same(problem.Output(), expected), "forward replayed from a graph, " + kind.Name());
  Expect(gradient.AreSame(gradient.Results(), sums),
         "gradient replayed from a graph, " + kind.Name());

  const int64_t other_seed[2] = {5, 6};
  CHECK_CUDA(cudaMemcpy(const_cast<void*>(problem.Task().start.seed), other_seed,
                        sizeof(other_seed), cudaMemcpyHostToDevice));
  CHECK_CUDA(cudaGraphLaunch(replay, stream));
  CHECK_CUDA(cudaStreamSynchronize(stream));
  Expect(!Same(problem.Output(), expected), "a replay reads the seed anew, " + kind.Name());
  CHECK_CUDA(cudaGraphExecDestroy(replay));
  CHECK_CUDA(cudaGraphDestroy(graph));
  CHECK_CUDA(cudaStreamDestroy(stream));
}

// Compares the operations in device_numbers.h with the portable definitions for every argument.

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

// A distribution's numbers from one fraction used as two words, with its lowest bits repeated above
// it.
template <class Distribution, class L>
FLATNOISE_INLINE float2 ValuesOf(uint32_t fraction) {
  const uint32_t bits[2] = {fraction | fraction << 23, fraction | fraction << 23};
  float values[2];
  Distribution::template Values<L>(bits, values, 2);
  return make_float2(values[0], values[1]);
}

template <class Distribution>
__global__ void ValuesOfEveryFraction(float2* values) {
  const uint32_t fraction = blockIdx.x * blockDim.x + threadIdx.x;
  values[fraction] = ValuesOf<Distribution, DeviceLanes<float>>(fraction);
}

template <class Distribution>
void CheckValues() {
  constexpr uint32_t kFractions = 1u << 23;
  const DeviceArray<float2> device(std::vector<float2>(kFractions, float2{}));
  ValuesOfEveryFraction<Distribution><<<kFractions / 256, 256>>>(device.data());
  CHECK_CUDA(cudaGetLastError());
  const std::vector<float2> got = device.Read();
  int64_t different = 0;
  for (uint32_t fraction = 0; fraction < kFractions; ++fraction) {
    const float2 expected = ValuesOf<Distribution, ScalarLanes<float>>(fraction);
    different += std::memcmp(&got[fraction], &expected, sizeof(expected)) != 0;
  }
  Expect(different == 0,
         std::string(Distribution::kName) + " of " + std::to_string(different) + " fractions");
}

void CheckNumbers() {
  const DeviceArray<unsigned long long> wrong({0});
  CountWrongNarrowings<<<1056, 256>>>(wrong.data());
  CountWrongWidenings<<<256, 256>>>(wrong.data());
  CHECK_CUDA(cudaGetLastError());
  CHECK_CUDA(cudaDeviceSynchronize());
  Expect(wrong.Read()[0] == 0, "conversions of " + std::to_string(wrong.Read()[0]) + " arguments");
  for (int i = 0; i < Distributions::kSize; ++i) {
    Visit(Choice<Distributions>{i}, [](auto tag) { CheckValues<typename decltype(tag)::type>(); });
  }
}

int Main(bool short_form) {
  cudaDeviceProp properties;
  CHECK_CUDA(cudaGetDeviceProperties(&properties, 0));
  std::printf("%s, compute capability %d.%d\n", properties.name, properties.major,
              properties.minor);
  fill_workspace = !short_form;
  CHECK_CUDA(CheckDevice());
  CheckForward(short_form);
  CheckGrids();
  CheckGradients(short_form);
  ForEachKind<LinearNoises>([](const KindCase& kind, auto k) { CheckGraph<decltype(k)>(kind); });
  if (!short_form) CheckNumbers();
  std::printf("%lld checks, %d failed\n", static_cast<long long>(checks), failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace flatnoise::cuda

int main(int argc, char** argv) {
  return flatnoise::cuda::Main(argc > 1 && std::string(argv[1]) == "--short");
}
