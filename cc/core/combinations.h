// The combinations: how noise and the parameters change an element.
//
// A combination is a type with
//   kName                   its value of the op's attribute
//   kFormula                the formula, for the op's documentation
//   kParameters             its parameters, in the order of the op's inputs
//   kReturnsNoise           whether an op can return z too
//   Apply<L>                applies noise to an element
// and an entry in the list at the end, from which everything else follows. A combination that is
// linear in its parameters also has
//   kGradientReadsInput     whether the gradients of the parameters depend on the element
//   ParameterGradients      an element's contribution to the gradient of each parameter
// The op itself computes the gradients of the other combinations. `x` is the element, `p` its
// parameters, `z` its noise and `g` the gradient of the output.
#ifndef FLATNOISE_CC_CORE_COMBINATIONS_H_
#define FLATNOISE_CC_CORE_COMBINATIONS_H_

#include "core/qualifiers.h"
#include "core/type_list.h"

namespace flatnoise {

// The values that validation allows for a parameter.
enum class ParameterValues { kAny, kFinite, kFiniteNotNegative, kProbability };

// The role of a parameter. Distributions may rename kLocation and kScale for users. kOwn parameters
// keep their names.
enum class ParameterMeaning { kLocation, kScale, kOwn };

struct ParameterInfo {
  const char* name;
  ParameterMeaning meaning;
  ParameterValues values;
};

// No fused multiply-add, so that the result is bit-identical to stock TensorFlow ops.
template <class Real>
FLATNOISE_INLINE Real LocScale(const Real (&p)[2], Real z) {
  return p[0] + p[1] * z;
}

inline constexpr ParameterInfo kLocScaleParameters[] = {
    {"loc", ParameterMeaning::kLocation, ParameterValues::kFinite},
    {"scale", ParameterMeaning::kScale, ParameterValues::kFiniteNotNegative},
};

// x + (loc + scale z)
struct Add {
  static constexpr char kName[] = "add";
  static constexpr char kFormula[] = "input + (loc + scale * z)";
  static constexpr auto& kParameters = kLocScaleParameters;
  static constexpr bool kGradientReadsInput = false;
  static constexpr bool kReturnsNoise = false;

  template <class L, class Real = typename L::Real>
  FLATNOISE_INLINE static Real Apply(Real x, const Real (&p)[2], Real z) {
    return x + LocScale(p, z);
  }

  template <class Real>
  FLATNOISE_INLINE static void ParameterGradients(Real g, Real /*x*/, Real z, Real (&terms)[2]) {
    terms[0] = g;
    terms[1] = g * z;
  }
};

// x (loc + scale z)
struct Multiply {
  static constexpr char kName[] = "multiply";
  static constexpr char kFormula[] = "input * (loc + scale * z)";
  static constexpr auto& kParameters = kLocScaleParameters;
  static constexpr bool kGradientReadsInput = true;
  static constexpr bool kReturnsNoise = false;

  template <class L, class Real = typename L::Real>
  FLATNOISE_INLINE static Real Apply(Real x, const Real (&p)[2], Real z) {
    return x * LocScale(p, z);
  }

  template <class Real>
  FLATNOISE_INLINE static void ParameterGradients(Real g, Real x, Real z, Real (&terms)[2]) {
    terms[0] = g * x;
    terms[1] = terms[0] * z;
  }
};

// signal_rate x + noise_rate z: the forward process of diffusion models (Ho, Jain and Abbeel,
// "Denoising Diffusion Probabilistic Models", 2020).
struct Diffuse {
  static constexpr char kName[] = "diffuse";
  static constexpr char kFormula[] = "signal_rate * input + noise_rate * z";
  static constexpr ParameterInfo kParameters[] = {
      {"signal_rate", ParameterMeaning::kOwn, ParameterValues::kFinite},
      {"noise_rate", ParameterMeaning::kOwn, ParameterValues::kFinite},
  };
  static constexpr bool kGradientReadsInput = true;
  static constexpr bool kReturnsNoise = true;

  template <class L, class Real = typename L::Real>
  FLATNOISE_INLINE static Real Apply(Real x, const Real (&p)[2], Real z) {
    return p[0] * x + p[1] * z;
  }

  template <class Real>
  FLATNOISE_INLINE static void ParameterGradients(Real g, Real x, Real z, Real (&terms)[2]) {
    terms[0] = g * x;
    terms[1] = g * z;
  }
};

// value where z < rate, else scale x + shift: dropout, masking and alpha dropout. A shift of -0
// leaves every product unchanged, whereas +0 would turn -0 into +0.
struct Mask {
  static constexpr char kName[] = "mask";
  static constexpr char kFormula[] = "value where z < rate, else scale * input + shift";
  static constexpr ParameterInfo kParameters[] = {
      {"rate", ParameterMeaning::kOwn, ParameterValues::kProbability},
      {"value", ParameterMeaning::kOwn, ParameterValues::kAny},
      {"scale", ParameterMeaning::kOwn, ParameterValues::kAny},
      {"shift", ParameterMeaning::kOwn, ParameterValues::kAny},
  };
  static constexpr bool kReturnsNoise = false;

  template <class L, class Real = typename L::Real>
  FLATNOISE_INLINE static Real Apply(Real x, const Real (&p)[4], Real z) {
    return L::SelectLess(z, p[0], p[1], p[2] * x + p[3]);
  }
};

// The lowest z become pepper, the highest salt. Their fractions add up to `amount`.
struct SaltAndPepper {
  static constexpr char kName[] = "salt_and_pepper";
  static constexpr char kFormula[] =
      "pepper where z < amount * (1 - salt_vs_pepper), salt where z >= 1 - amount * "
      "salt_vs_pepper, else input";
  static constexpr ParameterInfo kParameters[] = {
      {"amount", ParameterMeaning::kOwn, ParameterValues::kProbability},
      {"salt_vs_pepper", ParameterMeaning::kOwn, ParameterValues::kProbability},
      {"salt", ParameterMeaning::kOwn, ParameterValues::kAny},
      {"pepper", ParameterMeaning::kOwn, ParameterValues::kAny},
  };
  static constexpr bool kReturnsNoise = false;

  template <class L, class Real = typename L::Real>
  FLATNOISE_INLINE static Real Apply(Real x, const Real (&p)[4], Real z) {
    const Real one = L::Broadcast(1);
    const Real salted = L::SelectLess(z, one - p[0] * p[1], x, p[2]);
    return L::SelectLess(z, p[0] * (one - p[1]), p[3], salted);
  }
};

using Combinations = TypeList<Add, Multiply, Mask, SaltAndPepper, Diffuse>;

// Clips a result to the bounds. NaN stays NaN.
template <class L, class Real = typename L::Real>
FLATNOISE_INLINE Real Clip(Real y, Real low, Real high) {
  const Real least = L::SelectLess(y, low, low, y);
  return L::SelectLess(high, least, high, least);
}

template <class Combination>
inline constexpr int kParameterCount =
    static_cast<int>(sizeof(Combination::kParameters) / sizeof(ParameterInfo));

namespace internal {

template <class... Types>
constexpr int MostParameters(TypeList<Types...>) {
  const int counts[] = {kParameterCount<Types>...};
  int most = 0;
  for (const int count : counts) most = count > most ? count : most;
  return most;
}

}  // namespace internal

// The maximum over all combinations.
inline constexpr int kMostParameters = internal::MostParameters(Combinations{});

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_COMBINATIONS_H_
