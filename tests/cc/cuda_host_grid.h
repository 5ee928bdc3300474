// Runs the CUDA kernel bodies on the host, sequentially for every thread of a grid.
#ifndef FLATNOISE_TESTS_CC_CUDA_HOST_GRID_H_
#define FLATNOISE_TESTS_CC_CUDA_HOST_GRID_H_

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "core/noise.h"
#include "cuda/apply_noise_dispatch.h"
#include "cuda/gradient_reduction.h"
#include "cuda/gradient_tile.h"
#include "cuda/task_sizes.h"
#include "cuda/tasks.h"
#include "cuda/thread_index.h"

namespace flatnoise::cuda {

// Like the launcher, for a grid of `blocks` blocks.
inline void ApplyNoiseOnHost(const ApplyNoiseTask& task, int64_t blocks) {
  DispatchApplyNoise(task, [&](auto variant, ApplyNoisePlan plan) {
    using Variant = decltype(variant);
    PlanRounds<typename Variant::Kind, typename Variant::Parameters>(blocks, &plan);
    for (int64_t block = 0; block < blocks; ++block) {
      for (int thread = 0; thread < kThreads; ++thread) {
        ApplyNoiseBody<typename Variant::Kind, typename Variant::Parameters>(
            task, plan, {block, blocks, thread})
            .Run();
      }
    }
  });
}

// Like GradientTilesKernel: runs all threads to a barrier, then all threads to the next.
template <class Kind, class Way>
void RunTiles(const ParameterGradientsTask& task, const GradientPass& pass, int64_t blocks) {
  using Body = GradientTileBody<Kind, Way>;
  std::vector<Body> threads;
  for (int thread = 0; thread < kThreads; ++thread) threads.emplace_back(task, pass.plan, thread);
  const auto shared = std::make_unique<typename Body::Shared>();
  for (int64_t block = blocks - 1; block >= 0; --block) {
    for (int64_t tile = block; tile < pass.plan.tiles(); tile += blocks) {
      for (Body& body : threads) body.Accumulate(tile);
      for (int k = 0; k < Kind::kParameters; ++k) {
        void* entries = pass.entries.of_parameter[k];
        if (entries == nullptr) continue;
        for (const Body& body : threads) body.Share(k, shared.get());
        for (int stride = threads[0].FirstStride(); stride > 0; stride /= 2) {
          for (const Body& body : threads) body.AddLanes(stride, shared.get());
        }
        for (const Body& body : threads) body.Write(tile, *shared, entries);
      }
    }
  }
}

// Like ReductionKernel.
template <class Scalar>
void RunReduction(const Reduction& reduction) {
  using Body = ReductionBody<Scalar>;
  typename Body::Shared shared;
  for (int64_t block = 0; block < reduction.blocks(); ++block) {
    const auto for_all = [&](const auto& act) {
      for (int thread = 0; thread < kThreads; ++thread) act(Body(reduction, block, thread));
    };
    for_all([&](const Body& body) { body.Accumulate(&shared); });
    for (int stride = reduction.shards / 2; stride > 0; stride /= 2) {
      for_all([&](const Body& body) { body.AddShards(stride, &shared); });
    }
    for_all([&](const Body& body) { body.Write(shared); });
  }
}

inline void ParameterGradientsOnHost(const ParameterGradientsTask& task, void* workspace,
                                     int64_t blocks) {
  VisitLinearNoise(task.type, task.noise, [&](auto kind) {
    using Kind = decltype(kind);
    const GradientPasses<Kind> passes(task, workspace);
    for (int i = 0; i < passes.size(); ++i) {
      const GradientPass& pass = passes[i];
      pass.plan.by_column ? RunTiles<Kind, ByColumn>(task, pass, blocks)
                          : RunTiles<Kind, ByRun>(task, pass, blocks);
      for (const Reductions& reductions : {pass.to_values, pass.to_scalars}) {
        for (const Reduction& reduction : reductions.of_parameter) {
          RunReduction<typename Kind::Scalar>(reduction);
        }
      }
    }
  });
}

// Uses a workspace filled with NaN.
inline void ParameterGradientsOnHost(const ParameterGradientsTask& task, int64_t blocks) {
  std::vector<double> workspace(WorkspaceBytes(task) / sizeof(double) + 1);
  std::memset(workspace.data(), 0xFF, workspace.size() * sizeof(double));
  ParameterGradientsOnHost(task, workspace.data(), blocks);
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_TESTS_CC_CUDA_HOST_GRID_H_
