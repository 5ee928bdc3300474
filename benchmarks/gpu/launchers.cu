// The launchers as a small shared library with C functions, for peers.py.
#include <cuda_runtime.h>

#include <cstdint>

#include "core/noise.h"
#include "core/number_types.h"
#include "core/parameter.h"
#include "cuda/apply_noise.h"
#include "cuda/parameter_gradients.h"

namespace {

using flatnoise::BroadcastPattern;
using flatnoise::ElementType;
using flatnoise::kChoice;
using flatnoise::Noise;
using flatnoise::SeedType;
using flatnoise::cuda::ApplyNoiseTask;
using flatnoise::cuda::ParameterGradientsTask;

Noise AddedNoise(int distribution) {
  return {{distribution}, kChoice<flatnoise::Combinations, flatnoise::Add>};
}

ParameterGradientsTask GradientTask(int type, int distribution, const void* gradient,
                                    int64_t elements, const int64_t* seed, const int64_t* offset,
                                    void* loc, void* scale, int64_t count) {
  return {ElementType{type},
          AddedNoise(distribution),
          gradient,
          nullptr,
          elements,
          {seed, SeedType::kInt64Pair, offset},
          {{count, 1}, {count, 1}},
          {loc, scale}};
}

}  // namespace

// Types: 0 float16, 1 bfloat16, 2 float32, 3 float64. Distributions: 0 normal, 1 uniform. All
// pointers are to device memory. The seed has 64-bit integers. loc and scale have `count` values:
// one, or one per feature. Returns a cudaError_t.
extern "C" __attribute__((visibility("default"))) int flatnoise_apply_noise(
    int type, int distribution, const void* input, void* output, int64_t elements,
    int64_t /*features*/, const int64_t* seed, const int64_t* offset, const void* loc,
    const void* scale, int64_t count, void* stream) {
  const BroadcastPattern pattern = {count, 1};
  const ApplyNoiseTask task = {ElementType{type},
                               AddedNoise(distribution),
                               input,
                               output,
                               elements,
                               {seed, SeedType::kInt64Pair, offset},
                               {{loc, pattern}, {scale, pattern}},
                               /*validate_args=*/false};
  return flatnoise::cuda::ApplyNoise(task, static_cast<cudaStream_t>(stream));
}

extern "C" __attribute__((visibility("default"))) int64_t
flatnoise_workspace_bytes(int type, int64_t elements, int64_t /*features*/, int64_t count) {
  return static_cast<int64_t>(flatnoise::cuda::ParameterGradientsWorkspaceBytes(
      GradientTask(type, 0, nullptr, elements, nullptr, nullptr, nullptr, nullptr, count)));
}

extern "C" __attribute__((visibility("default"))) int flatnoise_sum_gradients(
    int type, int distribution, const void* gradient, int64_t elements, int64_t /*features*/,
    const int64_t* seed, const int64_t* offset, void* loc, void* scale, int64_t count,
    void* workspace, void* stream) {
  return flatnoise::cuda::ParameterGradients(
      GradientTask(type, distribution, gradient, elements, seed, offset, loc, scale, count),
      workspace, static_cast<cudaStream_t>(stream));
}
