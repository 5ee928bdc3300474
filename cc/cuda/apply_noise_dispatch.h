// From a forward task to the template arguments of the kernel that it takes.
#ifndef FLATNOISE_CC_CUDA_APPLY_NOISE_DISPATCH_H_
#define FLATNOISE_CC_CUDA_APPLY_NOISE_DISPATCH_H_

#include <type_traits>

#include "core/combination.h"
#include "core/number_types.h"
#include "cuda/apply_noise_body.h"
#include "cuda/dispatch.h"
#include "cuda/parameters.h"
#include "cuda/tasks.h"

namespace flatnoise::cuda {

template <class T, Distribution distribution, Combination combination, class Parameters>
struct ApplyNoiseKind {
  using Element = T;
  using Body = ApplyNoiseBody<T, distribution, combination, Parameters>;
};

template <class T, Distribution distribution, Combination combination, class Run>
auto DispatchParameters(const ApplyNoiseTask& task, const ApplyNoisePlan& plan, const Run& run) {
  using Scalar = ComputeType<T>;
  using Constant = ConstantParameters<Scalar>;
  if (task.loc.count == 1 && task.scale.count == 1) {
    return run(ApplyNoiseKind<T, distribution, combination, Constant>{}, plan);
  }
  using Wide = FeatureParameters<Scalar, true>;
  if (plan.wide_parameters) {
    return run(ApplyNoiseKind<T, distribution, combination, Wide>{}, plan);
  }
  using Any = FeatureParameters<Scalar, false>;
  return run(ApplyNoiseKind<T, distribution, combination, Any>{}, plan);
}

// run(ApplyNoiseKind<...>{}, plan), with the part of the plan that does not depend on the grid.
template <class Run>
auto DispatchApplyNoise(const ApplyNoiseTask& task, const Run& run) {
  return Dispatch(task.type, task.distribution, [&](auto element, auto distribution) {
    using T = typename decltype(element)::type;
    constexpr Distribution d = decltype(distribution)::value;
    const ApplyNoisePlan plan = SplitIntoChunks<T>(task);
    if (task.combination == Combination::kMultiply) {
      return DispatchParameters<T, d, Combination::kMultiply>(task, plan, run);
    }
    return DispatchParameters<T, d, Combination::kAdd>(task, plan, run);
  });
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_APPLY_NOISE_DISPATCH_H_
