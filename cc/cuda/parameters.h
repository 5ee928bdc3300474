// Access to the parameters' values as a thread moves through the elements.
//
// A policy has
//     kIsScalars    whether all parameters are scalars
//     kMovesSlowly  whether it takes many instructions to move
//     kOnlyChunks   whether it supports no single elements
//     kHoldsChunk   whether it holds the values of a whole chunk in registers
//     Pass       whether the values are valid, if they are the same for all elements
//     Seek       moves to an element
//     Prefetch   starts to load the parameters of the next `n` chunks, or leaves it to the next
//     ReadChunk  reads the parameters of the chunk with this index among them, in order
// and unless it supports only chunks,
//     ReadBlock  reads the parameters of a block of the stream
//     NextBlock  moves to the thread's next block
// It moves without divisions, and reads NaN for elements with invalid parameters.
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

inline constexpr int kMostChunksInFlight = 3;

template <class Scalar>
FLATNOISE_DEVICE_INLINE Scalar NotANumber() {
  using L = ScalarLanes<Scalar>;
  return L::FromBits(~typename L::Bits{0} >> 1);
}

// The steps of a thread: to its next chunk, or, for single elements, to its next block of the
// stream.
enum Step { kNextChunk, kNextBlock };
inline constexpr int kSteps = 2;

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

// The one pattern of all parameters that aren't scalars. Positions are in 32 bits, which halves the
// instructions.
struct OnePatternPlan {
  static constexpr int64_t kLongestPeriod = int64_t{1} << 30;

  int32_t count;
  int32_t repeat;
  // The step from one chunk of a thread to the next.
  int32_t step_values;
  int32_t step_within;
  bool values_stay;       // whether all chunks of a thread have the same values
  bool has_whole_chunks;  // whether the values of every chunk are contiguous and aligned
};

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
  static constexpr bool kHoldsChunk = false;

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
  template <int n>
  FLATNOISE_DEVICE_INLINE void Prefetch() {}
  template <int n>
  FLATNOISE_DEVICE_INLINE void ReadChunk(int, Scalar (&p)[n][Kind::kParameters]) const {
    Read(p);
  }
  template <int n>
  FLATNOISE_DEVICE_INLINE void ReadBlock(Scalar (&p)[n][Kind::kParameters]) const {
    Read(p);
  }
  FLATNOISE_DEVICE_INLINE void NextBlock() {}

  FLATNOISE_DEVICE_INLINE const Scalar (&values() const)[Kind::kParameters] { return values_; }

 private:
  template <int n>
  FLATNOISE_DEVICE_INLINE void Read(Scalar (&p)[n][Kind::kParameters]) const {
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) {
      FLATNOISE_UNROLL
      for (int k = 0; k < Kind::kParameters; ++k) p[i][k] = values_[k];
    }
  }

  Scalar values_[Kind::kParameters];
};

// Turns the parameters of elements with invalid ones into NaN, which turns the results into NaN.
template <class Kind, int n>
FLATNOISE_DEVICE_INLINE void ReplaceInvalid(typename Kind::Scalar (&p)[n][Kind::kParameters]) {
  FLATNOISE_UNROLL
  for (int i = 0; i < n; ++i) {
    if (Validation<typename Kind::Combination>::Passes(p[i])) continue;
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) p[i][k] = NotANumber<typename Kind::Scalar>();
  }
}

// Each parameter is a scalar or has one value per feature, the same number for all. The values of
// a chunk stay in registers until the next chunk needs others.
template <class Kind>
class FeatureParameters {
 public:
  using Scalar = typename Kind::Scalar;
  static constexpr bool kIsScalars = false;
  static constexpr bool kMovesSlowly = false;
  static constexpr bool kOnlyChunks = true;
  static constexpr bool kHoldsChunk = true;
  static constexpr int kWidth = kChunk<typename Kind::Element>;

  template <class Plan>
  FLATNOISE_DEVICE_INLINE FeatureParameters(const ApplyNoiseTask& task, const Plan& plan)
      : task_(task), plan_(plan.one_pattern), feature_(0) {}

  FLATNOISE_DEVICE_INLINE bool Pass() const { return true; }

  FLATNOISE_DEVICE_INLINE void Seek(int64_t element) {
    feature_ = static_cast<int32_t>(element % plan_.count);
    if (plan_.values_stay) Load();
  }

  template <int n>
  FLATNOISE_DEVICE_INLINE void Prefetch() {}

  FLATNOISE_DEVICE_INLINE void ReadChunk(int, Scalar (&p)[kWidth][Kind::kParameters]) {
    if (!plan_.values_stay) {
      Load();
      feature_ += plan_.step_values;
      if (feature_ >= plan_.count) feature_ -= plan_.count;
    }
    FLATNOISE_UNROLL
    for (int i = 0; i < kWidth; ++i) {
      FLATNOISE_UNROLL
      for (int k = 0; k < Kind::kParameters; ++k) p[i][k] = values_[i][k];
    }
  }

 private:
  FLATNOISE_DEVICE_INLINE void Load() {
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) {
      const Parameter& parameter = task_.parameters[k];
      const auto* values = static_cast<const Scalar*>(parameter.values);
      Scalar loaded[kWidth];
      if (parameter.pattern.is_scalar()) {
        const Scalar same = *values;
        FLATNOISE_UNROLL
        for (int i = 0; i < kWidth; ++i) loaded[i] = same;
      } else if (plan_.has_whole_chunks) {
        FLATNOISE_UNROLL
        for (int i = 0; i < kWidth; i += kChunk<Scalar>) {
          Unpack<Scalar>(LoadChunk(values + feature_ + i), loaded + i);
        }
      } else {
        LoadEach(values, loaded);
      }
      FLATNOISE_UNROLL
      for (int i = 0; i < kWidth; ++i) values_[i][k] = loaded[i];
    }
    if (task_.validate_args) ReplaceInvalid<Kind>(values_);
  }

  FLATNOISE_DEVICE_INLINE void LoadEach(const Scalar* values, Scalar (&loaded)[kWidth]) const {
    int32_t feature = feature_;
    FLATNOISE_UNROLL
    for (int i = 0; i < kWidth; ++i) {
      loaded[i] = values[feature];
      feature = feature + 1 < plan_.count ? feature + 1 : 0;
    }
  }

  const ApplyNoiseTask& task_;
  const OnePatternPlan& plan_;
  int32_t feature_;
  Scalar values_[kWidth][Kind::kParameters];
};

// Each parameter is a scalar or has values for runs of elements, the same runs for all. Every chunk
// is within a run.
template <class Kind>
class RunParameters {
 public:
  using Scalar = typename Kind::Scalar;
  static constexpr bool kIsScalars = false;
  static constexpr bool kMovesSlowly = false;
  static constexpr bool kOnlyChunks = true;
  static constexpr bool kHoldsChunk = false;
  static constexpr int kWidth = kChunk<typename Kind::Element>;

  template <class Plan>
  FLATNOISE_DEVICE_INLINE RunParameters(const ApplyNoiseTask& task, const Plan& plan)
      : task_(task), plan_(plan.one_pattern), value_(0), within_(0) {
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) {
      start_[k] = static_cast<const Scalar*>(task.parameters[k].values);
      is_scalar_[k] = task.parameters[k].pattern.is_scalar();
    }
  }

  FLATNOISE_DEVICE_INLINE bool Pass() const { return true; }

  FLATNOISE_DEVICE_INLINE void Seek(int64_t element) {
    value_ = static_cast<int32_t>(element / plan_.repeat % plan_.count);
    within_ = static_cast<int32_t>(element % plan_.repeat);
  }

  template <int n>
  FLATNOISE_DEVICE_INLINE void Prefetch() {
    static_assert(n <= kMostChunksInFlight);
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) {
      FLATNOISE_UNROLL
      for (int k = 0; k < Kind::kParameters; ++k) {
        values_[i][k] = start_[k][is_scalar_[k] ? 0 : value_];
      }
      Move();
    }
  }

  FLATNOISE_DEVICE_INLINE void ReadChunk(int chunk, Scalar (&p)[kWidth][Kind::kParameters]) const {
    Scalar same[1][Kind::kParameters];
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) same[0][k] = values_[chunk][k];
    if (task_.validate_args) ReplaceInvalid<Kind>(same);
    FLATNOISE_UNROLL
    for (int i = 0; i < kWidth; ++i) {
      FLATNOISE_UNROLL
      for (int k = 0; k < Kind::kParameters; ++k) p[i][k] = same[0][k];
    }
  }

 private:
  FLATNOISE_DEVICE_INLINE void Move() {
    value_ += plan_.step_values;
    within_ += plan_.step_within;
    if (within_ >= plan_.repeat) {
      within_ -= plan_.repeat;
      ++value_;
    }
    if (value_ >= plan_.count) value_ -= plan_.count;
  }

  const ApplyNoiseTask& task_;
  const OnePatternPlan& plan_;
  const Scalar* start_[Kind::kParameters];
  bool is_scalar_[Kind::kParameters];
  int32_t value_;
  int32_t within_;
  Scalar values_[kMostChunksInFlight][Kind::kParameters];
};

// Each parameter has any pattern.
template <class Kind>
class BroadcastParameters {
 public:
  using Scalar = typename Kind::Scalar;
  static constexpr bool kIsScalars = false;
  static constexpr bool kMovesSlowly = true;
  static constexpr bool kOnlyChunks = false;
  static constexpr bool kHoldsChunk = false;

  template <class Plan>
  FLATNOISE_DEVICE_INLINE BroadcastParameters(const ApplyNoiseTask& task, const Plan& plan)
      : plans_(plan.parameters), validate_args_(task.validate_args) {
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

  template <int n>
  FLATNOISE_DEVICE_INLINE void Prefetch() {}

  template <int n>
  FLATNOISE_DEVICE_INLINE void ReadChunk(int, Scalar (&p)[n][Kind::kParameters]) {
    ReadBlock(p);
    Go(kNextChunk);
  }

  template <int n>
  FLATNOISE_DEVICE_INLINE void ReadBlock(Scalar (&p)[n][Kind::kParameters]) const {
    FLATNOISE_UNROLL
    for (int k = 0; k < Kind::kParameters; ++k) {
      Scalar values[n];
      ReadOne(plans_[k], cursors_[k], values_[k], values);
      FLATNOISE_UNROLL
      for (int i = 0; i < n; ++i) p[i][k] = values[i];
    }
    if (validate_args_) ReplaceInvalid<Kind>(p);
  }

  FLATNOISE_DEVICE_INLINE void NextBlock() { Go(kNextBlock); }

 private:
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
  bool validate_args_;
  const Scalar* values_[Kind::kParameters];
  BroadcastStep cursors_[Kind::kParameters];
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_PARAMETERS_H_
