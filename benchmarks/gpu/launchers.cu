// The launchers as a small shared library with plain C functions, for peers.py.
#include <cuda_runtime.h>

#include <cstdint>

#include "cuda/apply_noise.h"
#include "cuda/sum_gradients.h"

namespace {

using flatnoise::Distribution;
using flatnoise::ElementType;
using flatnoise::cuda::ApplyNoiseTask;
using flatnoise::cuda::SumGradientsTask;

Distribution DistributionOf(int uniform) {
  return uniform != 0 ? Distribution::kUniform : Distribution::kNormal;
}

SumGradientsTask GradientTask(int type, int uniform, const void* gradient, int64_t elements,
                              int64_t features, const int64_t* seed, const int64_t* offset,
                              void* loc, void* scale, int64_t count) {
  return {static_cast<ElementType>(type),
          DistributionOf(uniform),
          gradient,
          elements,
          features,
          {seed, true, offset},
          {loc, count},
          {scale, count}};
}

}  // namespace

// Types: 0 float16, 1 bfloat16, 2 float32, 3 float64. All pointers are to the device's memory; the
// seed has 64-bit integers; loc and scale have `count` values. Returns a cudaError_t.
extern "C" __attribute__((visibility("default"))) int flatnoise_apply_noise(
    int type, int uniform, const void* input, void* output, int64_t elements, int64_t features,
    const int64_t* seed, const int64_t* offset, const void* loc, const void* scale, int64_t count,
    void* stream) {
  const ApplyNoiseTask task = {static_cast<ElementType>(type),
                               DistributionOf(uniform),
                               flatnoise::Combination::kAdd,
                               input,
                               output,
                               elements,
                               features,
                               {seed, true, offset},
                               {loc, count},
                               {scale, count},
                               /*validate_args=*/false};
  return flatnoise::cuda::ApplyNoise(task, static_cast<cudaStream_t>(stream));
}

extern "C" __attribute__((visibility("default"))) int64_t
flatnoise_workspace_bytes(int type, int64_t elements, int64_t features, int64_t count) {
  return static_cast<int64_t>(flatnoise::cuda::SumGradientsWorkspaceBytes(GradientTask(
      type, 0, nullptr, elements, features, nullptr, nullptr, nullptr, nullptr, count)));
}

extern "C" __attribute__((visibility("default"))) int flatnoise_sum_gradients(
    int type, int uniform, const void* gradient, int64_t elements, int64_t features,
    const int64_t* seed, const int64_t* offset, void* loc, void* scale, int64_t count,
    void* workspace, void* stream) {
  return flatnoise::cuda::SumGradients(
      GradientTask(type, uniform, gradient, elements, features, seed, offset, loc, scale, count),
      workspace, static_cast<cudaStream_t>(stream));
}
