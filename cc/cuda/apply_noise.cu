#include <algorithm>
#include <cstdint>

#include "cuda/apply_noise.h"
#include "cuda/apply_noise_body.h"
#include "cuda/apply_noise_dispatch.h"
#include "cuda/launch.h"

namespace flatnoise::cuda {
namespace {

template <class Body>
__global__ void __launch_bounds__(kThreads)
    ApplyNoiseKernel(const __grid_constant__ ApplyNoiseTask task,
                     const __grid_constant__ ApplyNoisePlan plan) {
  const GridPlace place = {blockIdx.x, gridDim.x, static_cast<int>(threadIdx.x)};
  Body(task, plan, place).Run();
}

template <class Kind>
cudaError_t Launch(const ApplyNoiseTask& task, ApplyNoisePlan plan, cudaStream_t stream) {
  using T = typename Kind::Element;
  constexpr auto kKernel = ApplyNoiseKernel<typename Kind::Body>;
  int resident = 0;
  const cudaError_t error = ResidentBlocks<kKernel>(&resident);
  if (error != cudaSuccess) return error;
  const int64_t wanted = (UsefulThreads<T>(task, plan) + kThreads - 1) / kThreads;
  const int64_t blocks = std::min<int64_t>(wanted, resident);
  PlanRounds<T>(task, blocks, &plan);
  return Start(kKernel, dim3(static_cast<unsigned>(blocks)), stream, task, plan);
}

bool Fits(const Parameter& parameter, int64_t features) {
  return parameter.count == 1 || parameter.count == features;
}

}  // namespace

cudaError_t CheckDevice() {
  using Body =
      ApplyNoiseBody<float, Distribution::kNormal, Combination::kAdd, ConstantParameters<float>>;
  cudaFuncAttributes attributes;
  return Reported(cudaFuncGetAttributes(&attributes, ApplyNoiseKernel<Body>));
}

cudaError_t ApplyNoise(const ApplyNoiseTask& task, cudaStream_t stream) {
  if (task.elements == 0) return cudaSuccess;
  if (task.elements < 0 || task.features <= 0 || !Fits(task.loc, task.features) ||
      !Fits(task.scale, task.features)) {
    return cudaErrorInvalidValue;
  }
  return DispatchApplyNoise(task, [&](auto kind, const ApplyNoisePlan& plan) {
    return Launch<decltype(kind)>(task, plan, stream);
  });
}

}  // namespace flatnoise::cuda
