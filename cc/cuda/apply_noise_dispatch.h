// Maps a forward task to the template arguments of its kernel.
#ifndef FLATNOISE_CC_CUDA_APPLY_NOISE_DISPATCH_H_
#define FLATNOISE_CC_CUDA_APPLY_NOISE_DISPATCH_H_

#include "core/noise.h"
#include "cuda/apply_noise_body.h"
#include "cuda/parameters.h"
#include "cuda/tasks.h"

namespace flatnoise::cuda {

template <class K, class P>
struct ApplyNoiseVariant {
  using Kind = K;
  using Parameters = P;
};

// Calls run(ApplyNoiseVariant<...>{}, plan) with the part of the plan that doesn't depend on the
// grid.
template <class Run>
auto DispatchApplyNoise(const ApplyNoiseTask& task, const Run& run) {
  return VisitNoise(task.type, task.noise, [&](auto kind) {
    using Kind = decltype(kind);
    const ApplyNoisePlan plan = PlanChunks<Kind>(task);
    if (plan.all_scalars) return run(ApplyNoiseVariant<Kind, ScalarParameters<Kind>>{}, plan);
    if (plan.all_features) return run(ApplyNoiseVariant<Kind, FeatureParameters<Kind>>{}, plan);
    if (plan.all_runs) return run(ApplyNoiseVariant<Kind, RunParameters<Kind>>{}, plan);
    return run(ApplyNoiseVariant<Kind, BroadcastParameters<Kind>>{}, plan);
  });
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_APPLY_NOISE_DISPATCH_H_
