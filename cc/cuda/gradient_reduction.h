// The reduction of the tiles' entries to the gradients of a task's parameters.
#ifndef FLATNOISE_CC_CUDA_GRADIENT_REDUCTION_H_
#define FLATNOISE_CC_CUDA_GRADIENT_REDUCTION_H_

#include <cstdint>

#include "core/combinations.h"
#include "core/parameter.h"
#include "core/qualifiers.h"
#include "cuda/chunk.h"
#include "cuda/gradient_plan.h"
#include "cuda/gradient_tile.h"
#include "cuda/tasks.h"
#include "cuda/thread_index.h"

namespace flatnoise::cuda {

// values[v] = sum of the entries for value v. `shards` threads share a value. A reduction without
// values does nothing.
struct Reduction {
  const void* entries;
  void* values;
  int64_t count;  // the number of entries
  BroadcastPattern pattern;
  int64_t entries_per_value;  // at most
  int shards = 1;             // a power of two, at most kThreads

  FLATNOISE_DEVICE_INLINE int values_per_block() const { return kThreads / shards; }
  FLATNOISE_DEVICE_INLINE int64_t blocks() const {
    return CeilingOf(pattern.count, values_per_block());
  }
};

FLATNOISE_DEVICE_INLINE Reduction PlanReduction(const void* entries, int64_t count,
                                                const BroadcastPattern& pattern, void* values) {
  constexpr int kLeastEntries = 8;  // for a shard
  const int64_t periods = pattern.count == 0 ? 0 : CeilingOf(count, pattern.period());
  Reduction reduction = {entries, values, count, pattern, periods * pattern.repeat, 1};
  while (reduction.shards < kThreads &&
         reduction.shards * kLeastEntries < reduction.entries_per_value) {
    reduction.shards *= 2;
  }
  return reduction;
}

// The body of the reduction kernel for one thread.
template <class Scalar>
class ReductionBody {
 public:
  struct Shared {
    double value[kThreads];
  };

  FLATNOISE_DEVICE_INLINE ReductionBody(const Reduction& reduction, int64_t block, int thread)
      : reduction_(reduction),
        thread_(thread),
        shard_(thread / reduction.values_per_block()),
        value_(block * reduction.values_per_block() + thread % reduction.values_per_block()) {}

  // Runs before the first barrier. The entries of each value come in runs of `repeat`. A thread
  // steps from entry to entry without divisions, which would take longer than the additions.
  FLATNOISE_DEVICE_INLINE void Accumulate(Shared* shared) const {
    double sum = 0;
    if (value_ < reduction_.pattern.count) {
      const auto* entries = static_cast<const Scalar*>(reduction_.entries);
      const int64_t repeat = reduction_.pattern.repeat;
      const int64_t period = reduction_.pattern.count * repeat;
      const int64_t runs = reduction_.shards / repeat, step_within = reduction_.shards % repeat;
      int64_t within = shard_ % repeat;
      int64_t entry = shard_ / repeat * period + value_ * repeat + within;
      FLATNOISE_UNROLLED_BY_4
      for (int64_t i = shard_; i < reduction_.entries_per_value; i += reduction_.shards) {
        if (entry < reduction_.count) sum += static_cast<double>(entries[entry]);
        entry += runs * period + step_within;
        within += step_within;
        if (within >= repeat) {
          within -= repeat;
          entry += period - repeat;
        }
      }
    }
    shared->value[thread_] = sum;
  }

  // Runs between barriers, for `stride` = shards / 2, shards / 4, ..., 1.
  FLATNOISE_DEVICE_INLINE void AddShards(int stride, Shared* shared) const {
    if (shard_ < stride) {
      shared->value[thread_] += shared->value[thread_ + stride * reduction_.values_per_block()];
    }
  }

  // Runs after the last barrier.
  FLATNOISE_DEVICE_INLINE void Write(const Shared& shared) const {
    if (shard_ != 0 || value_ >= reduction_.pattern.count) return;
    static_cast<Scalar*>(reduction_.values)[value_] = static_cast<Scalar>(shared.value[thread_]);
  }

 private:
  const Reduction& reduction_;
  int thread_;
  int shard_;
  int64_t value_;
};

// One reduction for each parameter.
struct Reductions {
  Reduction of_parameter[kMostGradients];
};

// The gradients of all parameters with the same broadcast pattern, and of scalars: tiles, then a
// reduction to the pattern's values, then a reduction of these to the scalars.
struct GradientPass {
  GradientPlan plan;
  GradientEntries entries;
  Reductions to_values;
  Reductions to_scalars;
};

// The most values that one block adds up for a scalar. With more values, the scalar has its own
// pass.
inline constexpr int64_t kMostValuesBesideScalar = 65536;

// The passes of a task. They run in sequence and share the workspace.
template <class Kind>
class GradientPasses {
 public:
  GradientPasses(const ParameterGradientsTask& task, void* workspace)
      : task_(task), workspace_(static_cast<Scalar*>(workspace)) {
    // Scalars last, because they join an existing pass if there is one.
    for (const bool scalars : {false, true}) {
      for (int k = 0; k < kParameters; ++k) {
        if (task.patterns[k].is_scalar() == scalars) pass_of_[k] = FindPass(task.patterns[k]);
      }
    }
    for (int i = 0; i < size_; ++i) PlanPass(i);
  }

  int size() const { return size_; }
  const GradientPass& operator[](int i) const { return passes_[i]; }

  // The size of the workspace, in numbers of the compute type.
  int64_t workspace_size() const { return workspace_size_; }

 private:
  using Scalar = typename Kind::Scalar;
  static constexpr int kParameters = Kind::kParameters;

  int FindPass(const BroadcastPattern& pattern) {
    for (int i = 0; i < size_; ++i) {
      const bool joins = pattern.is_scalar() && patterns_[i].count <= kMostValuesBesideScalar;
      if (joins || pattern == patterns_[i]) return i;
    }
    patterns_[size_] = pattern;
    return size_++;
  }

  void PlanPass(int i) {
    GradientPass& pass = passes_[i];
    pass = {};
    pass.plan = PlanGradient(task_.elements, patterns_[i], kChunk<typename Kind::Element>);
    used_ = 0;
    for (int k = 0; k < kParameters; ++k) {
      if (pass_of_[k] == i) PlanParameter(k, task_.patterns[k].count == patterns_[i].count, &pass);
    }
    if (used_ > workspace_size_) workspace_size_ = used_;
  }

  // Complete sums are written directly to the gradient.
  void PlanParameter(int k, bool has_pattern, GradientPass* pass) {
    const GradientPlan& plan = pass->plan;
    void* values = has_pattern ? task_.gradients[k] : Take(plan.pattern.count);
    void* entries = plan.is_complete() ? values : Take(plan.entries);
    pass->entries.of_parameter[k] = entries;
    if (!plan.is_complete()) {
      pass->to_values.of_parameter[k] = PlanReduction(entries, plan.entries, plan.pattern, values);
    }
    if (!has_pattern) {
      pass->to_scalars.of_parameter[k] =
          PlanReduction(values, plan.pattern.count, {1, 1}, task_.gradients[k]);
    }
  }

  Scalar* Take(int64_t numbers) {
    Scalar* taken = workspace_ == nullptr ? nullptr : workspace_ + used_;
    used_ += numbers;
    return taken;
  }

  const ParameterGradientsTask& task_;
  Scalar* workspace_;
  int64_t used_ = 0;
  int64_t workspace_size_ = 0;
  int size_ = 0;
  BroadcastPattern patterns_[kParameters] = {};
  int pass_of_[kParameters];
  GradientPass passes_[kParameters];
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_GRADIENT_REDUCTION_H_
