#include <algorithm>
#include <cstdint>

#include "core/noise.h"
#include "cuda/gradient_plan.h"
#include "cuda/gradient_reduction.h"
#include "cuda/gradient_tile.h"
#include "cuda/launch.h"
#include "cuda/parameter_gradients.h"
#include "cuda/task_sizes.h"

namespace flatnoise::cuda {
namespace {

constexpr int64_t kMostBlocks = 1 << 20;

// The minimum number of resident blocks per multiprocessor, or 0 to let the compiler decide. Left
// alone, it spills registers for double sums of every column and for the widest chunks. With a
// third block, it spills registers for the widest chunks on some architectures. There, the number
// hasn't been measured.
template <class Kind, class Way>
constexpr int LeastBlocks() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900
  constexpr int kOfWidestChunks = 3;
#else
  constexpr int kOfWidestChunks = 2;
#endif
  constexpr size_t kSize = sizeof(typename Kind::Element);
  constexpr bool kReadsInput = Kind::Combination::kGradientReadsInput;
  if (__is_same(Way, ByRun)) return kSize != 2 ? 0 : kReadsInput ? 2 : kOfWidestChunks;
  if (kSize == 2) return 0;
  return kSize == 8 || kReadsInput ? 2 : 3;
}

template <class Kind, class Way>
__global__ void __launch_bounds__(kThreads, (LeastBlocks<Kind, Way>()))
    GradientTilesKernel(const __grid_constant__ ParameterGradientsTask task,
                        const __grid_constant__ GradientPlan plan,
                        const __grid_constant__ GradientEntries entries) {
  using Body = GradientTileBody<Kind, Way>;
  __shared__ typename Body::Shared shared;
  Body body(task, plan, static_cast<int>(threadIdx.x));
  for (int64_t tile = blockIdx.x; tile < plan.tiles(); tile += gridDim.x) {
    body.Accumulate(tile);
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) {
      if (entries.of_parameter[k] == nullptr) continue;
      body.Share(k, &shared);
      __syncthreads();
      for (int stride = body.FirstStride(); stride > 0; stride /= 2) {
        body.AddLanes(stride, &shared);
        __syncthreads();
      }
      // No barrier needed: until the next barrier, a thread reads only what it wrote itself.
      body.Write(tile, shared, entries.of_parameter[k]);
    }
  }
}

template <class Scalar>
__global__ void __launch_bounds__(kThreads)
    ReductionKernel(const __grid_constant__ Reductions reductions) {
  const Reduction& reduction = reductions.of_parameter[blockIdx.y];
  using Body = ReductionBody<Scalar>;
  __shared__ typename Body::Shared shared;
  for (int64_t block = blockIdx.x; block < reduction.blocks(); block += gridDim.x) {
    const Body body(reduction, block, static_cast<int>(threadIdx.x));
    body.Accumulate(&shared);
    __syncthreads();
    for (int stride = reduction.shards / 2; stride > 0; stride /= 2) {
      body.AddShards(stride, &shared);
      __syncthreads();
    }
    body.Write(shared);
  }
}

template <class Scalar>
cudaError_t LaunchReductions(const Reductions& reductions, cudaStream_t stream) {
  int64_t blocks = 0;
  for (const Reduction& reduction : reductions.of_parameter) {
    blocks = std::max(blocks, reduction.blocks());
  }
  if (blocks == 0) return cudaSuccess;
  const dim3 grid(static_cast<unsigned>(std::min(blocks, kMostBlocks)), kMostGradients);
  return Start(ReductionKernel<Scalar>, grid, stream, reductions);
}

template <class Kind, class Way>
cudaError_t LaunchTiles(const ParameterGradientsTask& task, const GradientPass& pass,
                        cudaStream_t stream) {
  if (pass.plan.tiles() == 0) return cudaSuccess;
  const auto blocks = static_cast<unsigned>(std::min(pass.plan.tiles(), kMostBlocks));
  return Start(GradientTilesKernel<Kind, Way>, dim3(blocks), stream, task, pass.plan, pass.entries);
}

template <class Kind>
cudaError_t LaunchPass(const ParameterGradientsTask& task, const GradientPass& pass,
                       cudaStream_t stream) {
  using Scalar = typename Kind::Scalar;
  cudaError_t error = pass.plan.by_column ? LaunchTiles<Kind, ByColumn>(task, pass, stream)
                                          : LaunchTiles<Kind, ByRun>(task, pass, stream);
  if (error == cudaSuccess) error = LaunchReductions<Scalar>(pass.to_values, stream);
  if (error == cudaSuccess) error = LaunchReductions<Scalar>(pass.to_scalars, stream);
  return error;
}

}  // namespace

size_t ParameterGradientsWorkspaceBytes(const ParameterGradientsTask& task) {
  return WorkspaceBytes(task);
}

cudaError_t ParameterGradients(const ParameterGradientsTask& task, void* workspace,
                               cudaStream_t stream) {
  if (!SizesAgree(task)) return cudaErrorInvalidValue;
  return VisitLinearNoise(task.type, task.noise, [&](auto kind) {
    using Kind = decltype(kind);
    const GradientPasses<Kind> passes(task, workspace);
    cudaError_t error = cudaSuccess;
    for (int i = 0; i < passes.size() && error == cudaSuccess; ++i) {
      error = LaunchPass<Kind>(task, passes[i], stream);
    }
    return error;
  });
}

}  // namespace flatnoise::cuda
