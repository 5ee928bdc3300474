// Access to the parameters' values as a thread moves through the elements.
//
// A policy has
//     kIsScalars       whether all parameters are scalars
//     kMovesSlowly     whether Seek and Go take many instructions
//     kOnlyChunks      whether it supports no single elements
//     kChecksElements  whether parameters are checked for each element
//     Seek   moves to an element
//     Go     advances by one of the plan's steps, without divisions
//     Read   reads the parameters of the next `n` elements
#ifndef FLATNOISE_CC_CUDA_PARAMETERS_H_
#define FLATNOISE_CC_CUDA_PARAMETERS_H_

#include <cstdint>

#include "core/combinations.h"
#include "core/lanes.h"
#include "core/parameter.h"
#include "core/qualifiers.h"
#include "cuda/chunk.h"
#include "cuda/tasks.h"

namespace flatnoise::cuda {

template <class Scalar>
FLATNOISE_DEVICE_INLINE Scalar NotANumber() {
  using L = ScalarLanes<Scalar>;
  return L::FromBits(~typename L::Bits{0} >> 1);
}

// The steps of a thread: to its next chunk in the same round, in the next round or among the
// remaining chunks, or, for single elements, to its next block of the stream.
enum Step { kNextInRound, kNextRound, kNextChunk, kNextBlock };
inline constexpr int kSteps = 4;

// The size of a step in a parameter's values: a number of values, then a number of elements within
// the run of a value. Positions have the same form.
struct BroadcastStep {
  int64_t values;
  int64_t within;
};

struct BroadcastPlan {
  int64_t count;
  int64_t repeat;
  BroadcastStep steps[kSteps];
};

// The single run of a scalar has no end.
FLATNOISE_DEVICE_INLINE BroadcastPlan PlanBroadcast(const BroadcastPattern& pattern) {
  constexpr int64_t kEndless = INT64_MAX / 4;
  return {pattern.count, pattern.is_scalar() ? kEndless : pattern.repeat, {}};
}

FLATNOISE_DEVICE_INLINE void PlanStep(Step step, int64_t elements, BroadcastPlan* plan) {
  plan->steps[step] = {elements / plan->repeat % plan->count, elements % plan->repeat};
}

// Checks whether a combination's parameters have valid values.
template <class Combination>
class Validation {
 public:
  template <class Scalar>
  FLATNOISE_DEVICE_INLINE static bool Passes(const Scalar (&p)[kParameterCount<Combination>]) {
    bool passes = true;
    FLATNOISE_UNROLL
    for (int k = 0; k < kParameterCount<Combination>; ++k) {
      passes = passes && (!Has(kFinite, k) || p[k] - p[k] == 0);
      passes = passes && (!Has(kNotNegative, k) || p[k] >= 0);
      passes = passes && (!Has(kAtMostOne, k) || p[k] <= 1);
    }
    return passes;
  }

 private:
  struct Demands {
    bool finite, not_negative, at_most_one;
  };

  static constexpr Demands DemandsOf(ParameterValues values) {
    switch (values) {
      case ParameterValues::kAny:
        return {false, false, false};
      case ParameterValues::kFinite:
        return {true, false, false};
      case ParameterValues::kFiniteNotNegative:
        return {true, true, false};
      case ParameterValues::kProbability:
        return {false, true, true};
    }
    return {};
  }

  // Bit k is for parameter k. A bit mask, because device code can't read host arrays.
  static constexpr uint32_t BitsOf(bool Demands::* demand) {
    uint32_t bits = 0;
    for (int k = 0; k < kParameterCount<Combination>; ++k) {
      if (DemandsOf(Combination::kParameters[k].values).*demand) bits |= uint32_t{1} << k;
    }
    return bits;
  }

  static constexpr uint32_t kFinite = BitsOf(&Demands::finite);
  static constexpr uint32_t kNotNegative = BitsOf(&Demands::not_negative);
  static constexpr uint32_t kAtMostOne = BitsOf(&Demands::at_most_one);

  FLATNOISE_DEVICE_INLINE static constexpr bool Has(uint32_t bits, int k) {
    return (bits >> k & 1) != 0;
  }
};

// All parameters are scalars. They are checked once, because they apply to every element.
template <class Kind>
class ScalarParameters {
 public:
  using Scalar = typename Kind::Scalar;
  static constexpr bool kIsScalars = true;
  static constexpr bool kMovesSlowly = false;
  static constexpr bool kOnlyChunks = false;
  static constexpr bool kChecksElements = false;

  template <class Plan>
  FLATNOISE_DEVICE_INLINE ScalarParameters(const ApplyNoiseTask& task, const Plan&) {
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) {
      values_[k] = *static_cast<const Scalar*>(task.parameters[k].values);
    }
  }

  FLATNOISE_DEVICE_INLINE bool Pass() const {
    return Validation<typename Kind::Combination>::Passes(values_);
  }

  FLATNOISE_DEVICE_INLINE void Seek(int64_t) {}
  FLATNOISE_DEVICE_INLINE void Go(Step) {}

  template <int n>
  FLATNOISE_DEVICE_INLINE void Read(Scalar (&p)[n][Kind::kParameters]) const {
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) {
      FLATNOISE_UNROLL
      for (int k = 0; k < Kind::kParameters; ++k) p[i][k] = values_[k];
    }
  }

 private:
  Scalar values_[Kind::kParameters];
};

// Each parameter is a scalar or has one value per feature. The values for every chunk are
// contiguous and aligned.
template <class Kind>
class FeatureParameters {
 public:
  using Scalar = typename Kind::Scalar;
  static constexpr bool kIsScalars = false;
  static constexpr bool kMovesSlowly = false;
  static constexpr bool kOnlyChunks = true;
  static constexpr bool kChecksElements = true;

  template <class Plan>
  FLATNOISE_DEVICE_INLINE FeatureParameters(const ApplyNoiseTask& task, const Plan& plan)
      : plan_(plan.features), feature_(0) {
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) {
      values_[k] = static_cast<const Scalar*>(task.parameters[k].values);
      is_scalar_[k] = task.parameters[k].pattern.is_scalar();
    }
  }

  FLATNOISE_DEVICE_INLINE bool Pass() const { return true; }

  FLATNOISE_DEVICE_INLINE void Seek(int64_t element) { feature_ = element % plan_.count; }
  FLATNOISE_DEVICE_INLINE void Go(Step step) {
    feature_ += plan_.steps[step].values;
    if (feature_ >= plan_.count) feature_ -= plan_.count;
  }

  template <int n>
  FLATNOISE_DEVICE_INLINE void Read(Scalar (&p)[n][Kind::kParameters]) const {
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) {
      Scalar values[n];
      if (is_scalar_[k]) {
        FLATNOISE_UNROLL
        for (int i = 0; i < n; ++i) values[i] = values_[k][0];
      } else {
        FLATNOISE_UNROLL
        for (int i = 0; i < n; i += kChunk<Scalar>) {
          Unpack<Scalar>(LoadChunk(values_[k] + feature_ + i), values + i);
        }
      }
      FLATNOISE_UNROLL
      for (int i = 0; i < n; ++i) p[i][k] = values[i];
    }
  }

 private:
  const BroadcastPlan& plan_;
  const Scalar* values_[Kind::kParameters];
  bool is_scalar_[Kind::kParameters];
  int64_t feature_;
};

// Each parameter has any pattern.
template <class Kind>
class BroadcastParameters {
 public:
  using Scalar = typename Kind::Scalar;
  static constexpr bool kIsScalars = false;
  static constexpr bool kMovesSlowly = true;
  static constexpr bool kOnlyChunks = false;
  static constexpr bool kChecksElements = true;

  template <class Plan>
  FLATNOISE_DEVICE_INLINE BroadcastParameters(const ApplyNoiseTask& task, const Plan& plan)
      : plans_(plan.parameters) {
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) {
      values_[k] = static_cast<const Scalar*>(task.parameters[k].values);
      cursors_[k] = {0, 0};
    }
  }

  FLATNOISE_DEVICE_INLINE bool Pass() const { return true; }

  // `element` may be negative, because the first block of the stream may begin before the first
  // element.
  FLATNOISE_DEVICE_INLINE void Seek(int64_t element) {
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) {
      const BroadcastPlan& plan = plans_[k];
      int64_t run = element / plan.repeat;
      int64_t within = element % plan.repeat;
      if (within < 0) {
        within += plan.repeat;
        --run;
      }
      const int64_t value = run % plan.count;
      cursors_[k] = {value < 0 ? value + plan.count : value, within};
    }
  }

  FLATNOISE_DEVICE_INLINE void Go(Step step) {
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) {
      const BroadcastPlan& plan = plans_[k];
      BroadcastStep& cursor = cursors_[k];
      cursor.values += plan.steps[step].values;
      cursor.within += plan.steps[step].within;
      if (cursor.within >= plan.repeat) {
        cursor.within -= plan.repeat;
        ++cursor.values;
      }
      if (cursor.values >= plan.count) cursor.values -= plan.count;
    }
  }

  template <int n>
  FLATNOISE_DEVICE_INLINE void Read(Scalar (&p)[n][Kind::kParameters]) const {
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) {
      Scalar values[n];
      ReadOne(plans_[k], cursors_[k], values_[k], values);
      FLATNOISE_UNROLL
      for (int i = 0; i < n; ++i) p[i][k] = values[i];
    }
  }

 private:
  template <int n>
  FLATNOISE_DEVICE_INLINE static void ReadOne(const BroadcastPlan& plan,
                                              const BroadcastStep& cursor, const Scalar* values,
                                              Scalar (&result)[n]) {
    const Scalar* next = values + cursor.values;
    if (cursor.within + n <= plan.repeat) {
      const Scalar value = *next;
      FLATNOISE_UNROLL
      for (int i = 0; i < n; ++i) result[i] = value;
      return;
    }
    // The number of elements left in the run and of values left in the period, limited to what
    // matters here.
    const int run = AtMost<n>(plan.repeat), count = AtMost<n>(plan.count);
    int left = AtMost<n>(plan.repeat - cursor.within);
    int values_left = AtMost<n>(plan.count - cursor.values);
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) {
      result[i] = *next;
      if (--left > 0) continue;
      left = run;
      ++next;
      if (--values_left > 0) continue;
      values_left = count;
      next = values;
    }
  }

  template <int n>
  FLATNOISE_DEVICE_INLINE static int AtMost(int64_t a) {
    return static_cast<int>(a < n ? a : n);
  }

  const BroadcastPlan* plans_;
  const Scalar* values_[Kind::kParameters];
  BroadcastStep cursors_[Kind::kParameters];
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_PARAMETERS_H_
