#include <algorithm>
#include <cstdint>

#include "cuda/dispatch.h"
#include "cuda/launch.h"
#include "cuda/sum_gradients.h"
#include "cuda/sum_gradients_body.h"

namespace flatnoise::cuda {
namespace {

// Blocks that must fit on a multiprocessor, 0 for as the compiler sees fit: which is to spill
// registers where two sums are kept for each of two doubles.
template <class T, bool per_feature>
inline constexpr int kLeastBlocks = per_feature && sizeof(T) == 8 ? 2 : 0;

template <class T, Distribution distribution, bool per_feature>
__global__ void __launch_bounds__(kThreads, (kLeastBlocks<T, per_feature>))
    SumTilesKernel(const __grid_constant__ SumGradientsTask task,
                   const __grid_constant__ GradientPlan plan, ComputeType<T>* workspace) {
  using Body = SumTileBody<T, distribution, per_feature>;
  __shared__ typename Body::Shared shared;
  const Body body(task, plan, static_cast<int>(threadIdx.x));
  for (int64_t tile = blockIdx.x; tile < plan.tiles(); tile += gridDim.x) {
    body.Accumulate(tile, &shared);
    __syncthreads();
    for (int stride = body.FirstStride(); stride > 0; stride /= 2) {
      body.AddLanes(stride, &shared);
      __syncthreads();
    }
    // A thread reads what it alone writes from here on, so the next tile needs no barrier first.
    body.Write(tile, shared, workspace);
  }
}

template <class Scalar>
__global__ void __launch_bounds__(kThreads) FoldKernel(const __grid_constant__ FoldPair folds) {
  const Fold& fold = folds.fold[blockIdx.y];
  using Body = FoldBody<Scalar>;
  __shared__ typename Body::Shared shared;
  for (int64_t block = blockIdx.x; block < fold.Blocks(); block += gridDim.x) {
    const Body body(fold, block, static_cast<int>(threadIdx.x));
    body.Accumulate(&shared);
    __syncthreads();
    for (int stride = fold.parts / 2; stride > 0; stride /= 2) {
      body.AddParts(stride, &shared);
      __syncthreads();
    }
    body.Write(shared);
  }
}

template <class Scalar>
cudaError_t LaunchFolds(const FoldPair& folds, cudaStream_t stream) {
  constexpr int64_t kMostBlocks = 1 << 20;
  const int64_t blocks = std::max(folds.fold[0].Blocks(), folds.fold[1].Blocks());
  if (blocks == 0) return cudaSuccess;
  const dim3 grid(static_cast<unsigned>(std::min(blocks, kMostBlocks)), 2);
  return Start(FoldKernel<Scalar>, grid, stream, folds);
}

template <class T, Distribution distribution, bool per_feature>
cudaError_t LaunchTiles(const SumGradientsTask& task, const GradientPlan& plan,
                        ComputeType<T>* workspace, cudaStream_t stream) {
  constexpr auto kKernel = SumTilesKernel<T, distribution, per_feature>;
  constexpr int64_t kMostBlocks = 1 << 20;
  const auto blocks = static_cast<unsigned>(std::min(plan.tiles(), kMostBlocks));
  return Start(kKernel, dim3(blocks), stream, task, plan, workspace);
}

template <class T, Distribution distribution>
cudaError_t Launch(const SumGradientsTask& task, void* memory, cudaStream_t stream) {
  using Scalar = ComputeType<T>;
  auto* workspace = static_cast<Scalar*>(memory);
  const GradientPlan plan = PlanFor<T>(task);
  cudaError_t error = plan.features > 1
                          ? LaunchTiles<T, distribution, true>(task, plan, workspace, stream)
                          : LaunchTiles<T, distribution, false>(task, plan, workspace, stream);
  const FoldRounds folds = FoldsFor(task, plan, workspace);
  for (const FoldPair& round : folds.round) {
    if (error == cudaSuccess) error = LaunchFolds<Scalar>(round, stream);
  }
  return error;
}

bool Fits(const GradientResult& result, int64_t features) {
  return result.count == 1 || result.count == features;
}

}  // namespace

size_t SumGradientsWorkspaceBytes(const SumGradientsTask& task) {
  return Dispatch(task.type, task.distribution, [&](auto element, auto) {
    using T = typename decltype(element)::type;
    const auto numbers = static_cast<size_t>(WorkspaceNumbers(PlanFor<T>(task)));
    return numbers * sizeof(ComputeType<T>);
  });
}

cudaError_t SumGradients(const SumGradientsTask& task, void* workspace, cudaStream_t stream) {
  if (task.elements < 0 || task.features < 0 || (task.features == 0 && task.elements > 0) ||
      !Fits(task.loc, task.features) || !Fits(task.scale, task.features)) {
    return cudaErrorInvalidValue;
  }
  return Dispatch(task.type, task.distribution, [&](auto element, auto distribution) {
    using T = typename decltype(element)::type;
    return Launch<T, decltype(distribution)::value>(task, workspace, stream);
  });
}

}  // namespace flatnoise::cuda
