#include <algorithm>
#include <cstdint>

#include "cuda/apply_noise.h"
#include "cuda/apply_noise_body.h"
#include "cuda/dispatch.h"
#include "cuda/launch.h"

namespace flatnoise::cuda {
namespace {

template <class T, Distribution distribution, class Parameters>
__global__ void __launch_bounds__(kThreads)
    ApplyNoiseKernel(const __grid_constant__ ApplyNoiseTask task,
                     const __grid_constant__ ApplyNoisePlan plan) {
  const GridPlace place = {blockIdx.x, gridDim.x, static_cast<int>(threadIdx.x)};
  ApplyNoiseBody<T, distribution, Parameters>(task, plan, place).Run();
}

template <class T, Distribution distribution, class Parameters>
cudaError_t Launch(const ApplyNoiseTask& task, ApplyNoisePlan plan, cudaStream_t stream) {
  constexpr auto kKernel = ApplyNoiseKernel<T, distribution, Parameters>;
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
  cudaFuncAttributes attributes;
  return Reported(cudaFuncGetAttributes(
      &attributes, ApplyNoiseKernel<float, Distribution::kNormal, ConstantParameters<float>>));
}

cudaError_t ApplyNoise(const ApplyNoiseTask& task, cudaStream_t stream) {
  if (task.elements == 0) return cudaSuccess;
  if (task.elements < 0 || task.features <= 0 || !Fits(task.loc, task.features) ||
      !Fits(task.scale, task.features)) {
    return cudaErrorInvalidValue;
  }
  return Dispatch(task.type, task.distribution, [&](auto element, auto distribution) {
    using T = typename decltype(element)::type;
    using Scalar = ComputeType<T>;
    constexpr Distribution d = decltype(distribution)::value;
    const ApplyNoisePlan plan = SplitIntoChunks<T>(task);
    if (task.loc.count == 1 && task.scale.count == 1) {
      return Launch<T, d, ConstantParameters<Scalar>>(task, plan, stream);
    }
    if (plan.wide_parameters) {
      return Launch<T, d, FeatureParameters<Scalar, true>>(task, plan, stream);
    }
    return Launch<T, d, FeatureParameters<Scalar, false>>(task, plan, stream);
  });
}

}  // namespace flatnoise::cuda
