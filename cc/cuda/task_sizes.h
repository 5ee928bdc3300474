// Checks of a task before any launch: whether its sizes are consistent, and its workspace size.
#ifndef FLATNOISE_CC_CUDA_TASK_SIZES_H_
#define FLATNOISE_CC_CUDA_TASK_SIZES_H_

#include <cstddef>
#include <cstdint>

#include "core/noise.h"
#include "core/parameter.h"
#include "cuda/gradient_reduction.h"
#include "cuda/tasks.h"

namespace flatnoise::cuda {

// Whether every parameter has values, unless the tensor is empty.
inline bool SizesAgree(const ApplyNoiseTask& task) {
  return VisitNoise(task.type, task.noise, [&](auto kind) {
    for (int k = 0; k < decltype(kind)::kParameters; ++k) {
      const BroadcastPattern& pattern = task.parameters[k].pattern;
      if (pattern.count <= 0 || pattern.repeat <= 0) return false;
    }
    return task.elements >= 0;
  });
}

// Likewise for gradients.
inline bool SizesAgree(const ParameterGradientsTask& task) {
  return VisitLinearNoise(task.type, task.noise, [&](auto kind) {
    const int64_t least = task.elements > 0 ? 1 : 0;
    for (int k = 0; k < decltype(kind)::kParameters; ++k) {
      if (task.patterns[k].count < least || task.patterns[k].repeat <= 0) return false;
    }
    return task.elements >= 0;
  });
}

// The workspace size for the partial sums, or 0 if sizes are inconsistent.
inline size_t WorkspaceBytes(const ParameterGradientsTask& task) {
  if (!SizesAgree(task)) return 0;
  return VisitLinearNoise(task.type, task.noise, [&](auto kind) {
    using Kind = decltype(kind);
    const GradientPasses<Kind> passes(task, nullptr);
    return static_cast<size_t>(passes.workspace_size()) * sizeof(typename Kind::Scalar);
  });
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_TASK_SIZES_H_
