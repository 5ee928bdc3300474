// The distributions: how random bits become random numbers, as in TensorFlow's random ops.
//
// A distribution is a type with
//   kName                   its value of the op's attribute
//   kLocation, kScale       the user-facing names of a combination's "loc" and "scale"
//   kPicosecondsPerElement  the approximate time per element on a CPU, for sharding
//   Values<L>               converts an even number of bit patterns to as many numbers
// and an entry in the list at the end, from which everything else follows.
#ifndef FLATNOISE_CC_CORE_DISTRIBUTIONS_H_
#define FLATNOISE_CC_CORE_DISTRIBUTIONS_H_

#include <cstdint>

#include "core/elementary.h"
#include "core/inversion.h"
#include "core/qualifiers.h"
#include "core/type_list.h"

namespace flatnoise {

template <class Scalar>
struct UnitFraction;

template <>
struct UnitFraction<float> {
  static constexpr uint32_t kMask = 0x007FFFFF;
  static constexpr uint32_t kOne = 0x3F800000;
};

template <>
struct UnitFraction<double> {
  static constexpr uint64_t kMask = 0x000FFFFFFFFFFFFF;
  static constexpr uint64_t kOne = 0x3FF0000000000000;
};

// Uniform in [0, 1): the low bits become the fraction of a number in [1, 2), minus 1.
template <class L>
FLATNOISE_INLINE typename L::Real UnitUniform(typename L::Bits bits) {
  using F = UnitFraction<typename L::Scalar>;
  return L::FromBits((bits & F::kMask) | F::kOne) - L::Broadcast(1);
}

template <class Real>
struct NormalPair {
  Real first;
  Real second;
};

// TensorFlow bounds the first uniform number of Box-Muller below by this, so |z| <= sqrt(-2 log
// 1e-7) = 5.68.
template <class Scalar>
inline constexpr auto kSmallestUniform =
    static_cast<Scalar>(sizeof(Scalar) == 4 ? 1.0e-7f : 1.0e-7);

// Two standard normal numbers (Box and Muller, "A Note on the Generation of Random Normal
// Deviates", 1958).
template <class L>
FLATNOISE_INLINE NormalPair<typename L::Real> BoxMuller(typename L::Bits first,
                                                        typename L::Bits second) {
  const auto u = L::Max(UnitUniform<L>(first), L::Broadcast(kSmallestUniform<typename L::Scalar>));
  const auto radius = L::Sqrt(NegTwoLog<L>(u));
  const auto direction = SinCos2Pi<L>(UnitUniform<L>(second));
  return {direction.sin * radius, direction.cos * radius};
}

// Mean 0, variance 1, in pairs.
struct Normal {
  static constexpr char kName[] = "normal";
  static constexpr char kLocation[] = "mean";
  static constexpr char kScale[] = "stddev";
  static constexpr int kPicosecondsPerElement = 1000;

  template <class L>
  FLATNOISE_INLINE static void Values(const typename L::Bits* bits, typename L::Real* values,
                                      int count) {
    for (int i = 0; i < count; i += 2) {
      const auto pair = BoxMuller<L>(bits[i], bits[i + 1]);
      values[i] = pair.first;
      values[i + 1] = pair.second;
    }
  }
};

// Base class of distributions that map each uniform number to one number, by
// `Distribution::Value<L>(u)`.
template <class Distribution>
struct FromUniform {
  template <class L>
  FLATNOISE_INLINE static void Values(const typename L::Bits* bits, typename L::Real* values,
                                      int count) {
    for (int i = 0; i < count; ++i) {
      values[i] = Distribution::template Value<L>(UnitUniform<L>(bits[i]));
    }
  }
};

// On [0, 1).
struct Uniform : FromUniform<Uniform> {
  static constexpr char kName[] = "uniform";
  static constexpr char kLocation[] = "minval";
  static constexpr char kScale[] = "maxval - minval";
  static constexpr int kPicosecondsPerElement = 500;

  template <class L>
  FLATNOISE_INLINE static typename L::Real Value(typename L::Real u) {
    return u;
  }
};

// Density exp(-|z|) / 2: mean 0, variance 2.
struct Laplace : FromUniform<Laplace> {
  static constexpr char kName[] = "laplace";
  static constexpr char kLocation[] = "loc";
  static constexpr char kScale[] = "scale";
  static constexpr int kPicosecondsPerElement = 700;

  template <class L>
  FLATNOISE_INLINE static typename L::Real Value(typename L::Real u) {
    return LaplaceFromUniform<L>(u);
  }
};

// Distribution function exp(-exp(-z)): mode 0, variance pi^2 / 6.
struct Gumbel : FromUniform<Gumbel> {
  static constexpr char kName[] = "gumbel";
  static constexpr char kLocation[] = "loc";
  static constexpr char kScale[] = "scale";
  static constexpr int kPicosecondsPerElement = 800;

  template <class L>
  FLATNOISE_INLINE static typename L::Real Value(typename L::Real u) {
    return GumbelFromUniform<L>(u);
  }
};

// Distribution function 1 / (1 + exp(-z)): mean 0, variance pi^2 / 3.
struct Logistic : FromUniform<Logistic> {
  static constexpr char kName[] = "logistic";
  static constexpr char kLocation[] = "loc";
  static constexpr char kScale[] = "scale";
  static constexpr int kPicosecondsPerElement = 800;

  template <class L>
  FLATNOISE_INLINE static typename L::Real Value(typename L::Real u) {
    return LogisticFromUniform<L>(u);
  }
};

// The normal distribution between -2 and 2: mean 0, variance 0.774.
struct TruncatedNormal : FromUniform<TruncatedNormal> {
  static constexpr char kName[] = "truncated_normal";
  static constexpr char kLocation[] = "mean";
  static constexpr char kScale[] = "stddev";
  static constexpr int kPicosecondsPerElement = 900;

  template <class L>
  FLATNOISE_INLINE static typename L::Real Value(typename L::Real u) {
    return TruncatedNormalFromUniform<L>(u);
  }
};

using Distributions = TypeList<Normal, Uniform, Laplace, Gumbel, Logistic, TruncatedNormal>;

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_DISTRIBUTIONS_H_
