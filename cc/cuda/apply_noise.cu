#include <cstdint>

#include "core/noise.h"
#include "cuda/apply_noise.h"
#include "cuda/apply_noise_body.h"
#include "cuda/apply_noise_dispatch.h"
#include "cuda/launch.h"
#include "cuda/parameters.h"
#include "cuda/task_sizes.h"

namespace flatnoise::cuda {
namespace {

// The minimum number of resident blocks per multiprocessor, or 0 to let the compiler decide. Left
// alone, it spills registers if parameters have separate patterns, or if there are many parameters
// or outputs, and takes more registers than is fast otherwise, or schedules two-byte types as if
// registers were scarce.
template <class Kind, class Parameters>
constexpr int LeastBlocks() {
  constexpr size_t kSize = sizeof(typename Kind::Element);
  constexpr bool kNeedsMany = kNeedsManyRegisters<Kind>;
  if (Parameters::kMovesSlowly) return kNeedsMany || kSize == 8 ? 2 : 3;
  if (Parameters::kIsScalars) return kSize == 2 ? 3 : 0;
  if (kSize == 8) return kNeedsMany ? 2 : 0;
  if (kSize == 4) return Parameters::kHoldsChunk ? 4 : 5;
  // Logistic numbers take two logarithms.
  constexpr bool kIsLogistic = __is_same(typename Kind::Distribution, Logistic);
  if (Parameters::kHoldsChunk) return kNeedsMany || kIsLogistic ? 2 : 3;
  return kNeedsMany ? 4 : 3;
}

template <class Kind, class Parameters>
__global__ void __launch_bounds__(kThreads, (LeastBlocks<Kind, Parameters>()))
    ApplyNoiseKernel(const __grid_constant__ ApplyNoiseTask task,
                     const __grid_constant__ ApplyNoisePlan plan) {
  const ThreadIndex index = {blockIdx.x, gridDim.x, static_cast<int>(threadIdx.x)};
  ApplyNoiseBody<Kind, Parameters>(task, plan, index).Run();
}

template <class Variant>
cudaError_t Launch(const ApplyNoiseTask& task, ApplyNoisePlan plan, cudaStream_t stream) {
  using Kind = typename Variant::Kind;
  constexpr auto kKernel = ApplyNoiseKernel<Kind, typename Variant::Parameters>;
  int resident = 0;
  const cudaError_t error = ResidentBlocks<kKernel>(&resident);
  if (error != cudaSuccess) return error;
  const int64_t blocks = GridBlocks<Kind, typename Variant::Parameters>(task, plan, resident);
  PlanRounds<Kind, typename Variant::Parameters>(blocks, &plan);
  return Start(kKernel, dim3(static_cast<unsigned>(blocks)), stream, task, plan);
}

}  // namespace

// All kernels are compiled for the same architectures, so any kernel will do.
cudaError_t CheckDevice() {
  return VisitNoise(ElementType{0}, kNoise<Normal, Add>, [](auto kind) {
    using Kind = decltype(kind);
    constexpr auto kKernel = ApplyNoiseKernel<Kind, ScalarParameters<Kind>>;
    cudaFuncAttributes attributes;
    return Reported(cudaFuncGetAttributes(&attributes, kKernel));
  });
}

cudaError_t ApplyNoise(const ApplyNoiseTask& task, cudaStream_t stream) {
  if (task.elements == 0) return cudaSuccess;
  if (!SizesAgree(task)) return cudaErrorInvalidValue;
  return DispatchApplyNoise(task, [&](auto variant, const ApplyNoisePlan& plan) {
    return Launch<decltype(variant)>(task, plan, stream);
  });
}

}  // namespace flatnoise::cuda
