// loc and scale as a thread walks from chunk to chunk.
#ifndef FLATNOISE_CC_CUDA_PARAMETERS_H_
#define FLATNOISE_CC_CUDA_PARAMETERS_H_

#include <cstdint>

#include "core/distributions.h"
#include "core/lanes.h"
#include "core/qualifiers.h"
#include "cuda/chunk.h"
#include "cuda/tasks.h"

namespace flatnoise::cuda {

template <class Scalar>
FLATNOISE_INLINE Scalar NotANumber() {
  using L = ScalarLanes<Scalar>;
  return L::FromBits(~typename L::Bits{0} >> 1);
}

template <class Scalar>
FLATNOISE_INLINE bool IsFinite(Scalar a) {
  return a - a == 0;
}

// What is wrong with the arguments goes into loc, as a NaN: the sum then needs no further test.
template <class Scalar>
class Poison {
 public:
  FLATNOISE_INLINE explicit Poison(const ApplyNoiseTask& task)
      : always_(*task.start.offset < 0), validate_(task.validate_args) {}

  FLATNOISE_INLINE Scalar Checked(Scalar loc, Scalar scale) const {
    const bool wrong = validate_ && !(IsFinite(loc) && IsFinite(scale) && scale >= 0);
    return always_ || wrong ? NotANumber<Scalar>() : loc;
  }

 private:
  bool always_;
  bool validate_;
};

// Constant along the tensor.
template <class S>
class ConstantParameters {
 public:
  using Scalar = S;

  FLATNOISE_INLINE explicit ConstantParameters(const ApplyNoiseTask& task)
      : scale_(*static_cast<const Scalar*>(task.scale.values)),
        loc_(Poison<Scalar>(task).Checked(*static_cast<const Scalar*>(task.loc.values), scale_)) {}

  FLATNOISE_INLINE void Seek(int64_t) {}
  FLATNOISE_INLINE void Step(int64_t) {}

  template <int n>
  FLATNOISE_INLINE void Read(Scalar (&loc)[n], Scalar (&scale)[n]) const {
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) {
      loc[i] = loc_;
      scale[i] = scale_;
    }
  }
  FLATNOISE_INLINE void ReadAt(int64_t, Scalar* loc, Scalar* scale) const {
    *loc = loc_;
    *scale = scale_;
  }

 private:
  Scalar scale_;
  Scalar loc_;
};

// At least one of them with a value per feature. `wide`: every chunk finds its values side by side
// and aligned.
template <class S, bool wide>
class FeatureParameters {
 public:
  using Scalar = S;

  FLATNOISE_INLINE explicit FeatureParameters(const ApplyNoiseTask& task)
      : poison_(task),
        loc_(static_cast<const Scalar*>(task.loc.values)),
        scale_(static_cast<const Scalar*>(task.scale.values)),
        has_loc_(task.loc.count != 1),
        has_scale_(task.scale.count != 1),
        features_(task.features),
        feature_(0) {}

  // To the chunk that begins with this element.
  FLATNOISE_INLINE void Seek(int64_t element) { feature_ = element % features_; }

  // On by so many features, fewer than there are.
  FLATNOISE_INLINE void Step(int64_t features) {
    feature_ += features;
    if (feature_ >= features_) feature_ -= features_;
  }

  template <int n>
  FLATNOISE_INLINE void Read(Scalar (&loc)[n], Scalar (&scale)[n]) const {
    ReadOne(loc_, has_loc_, loc);
    ReadOne(scale_, has_scale_, scale);
    FLATNOISE_UNROLL
    for (int i = 0; i < n; ++i) loc[i] = poison_.Checked(loc[i], scale[i]);
  }

  FLATNOISE_INLINE void ReadAt(int64_t element, Scalar* loc, Scalar* scale) const {
    const int64_t feature = element % features_;
    *scale = scale_[has_scale_ ? feature : 0];
    *loc = poison_.Checked(loc_[has_loc_ ? feature : 0], *scale);
  }

 private:
  template <int n>
  FLATNOISE_INLINE void ReadOne(const Scalar* values, bool per_feature, Scalar (&result)[n]) const {
    if constexpr (wide) {
      ReadWide(values, per_feature, result);
    } else {
      const int64_t step = per_feature ? 1 : 0;
      int64_t feature = feature_;
      FLATNOISE_UNROLL
      for (int i = 0; i < n; ++i) {
        result[i] = values[feature * step];
        if (++feature == features_) feature = 0;
      }
    }
  }

  template <int n>
  FLATNOISE_INLINE void ReadWide(const Scalar* values, bool per_feature,
                                 Scalar (&result)[n]) const {
    constexpr int kWide = kChunk<Scalar>;
    if (per_feature) {
      FLATNOISE_UNROLL
      for (int i = 0; i < n; i += kWide) {
        Unpack<Scalar>(LoadChunk(values + feature_ + i), result + i);
      }
    } else {
      FLATNOISE_UNROLL
      for (int i = 0; i < n; ++i) result[i] = values[0];
    }
  }

  Poison<Scalar> poison_;
  const Scalar* loc_;
  const Scalar* scale_;
  bool has_loc_;
  bool has_scale_;
  int64_t features_;
  int64_t feature_;
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_PARAMETERS_H_
