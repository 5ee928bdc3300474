// The combinations: how noise and the parameters change an element.
//
// A combination is a type with
//   kName                its value of the op's attribute
//   kFormula             what it computes, for the op's documentation
//   kParameters          its parameters, in the order of the op's inputs
//   kGradientReadsInput  whether the gradients of the parameters depend on the element
//   Apply                the element with noise in it
//   ParameterGradients   an element's share in the gradient of each parameter
// and a place in the list at the end, from which all else is made. `x` is the element, `p` its
// parameters, `z` its noise, `g` the gradient of the output.
#ifndef FLATNOISE_CC_CORE_COMBINATIONS_H_
#define FLATNOISE_CC_CORE_COMBINATIONS_H_

#include "core/qualifiers.h"
#include "core/type_list.h"

namespace flatnoise {

// The values that a parameter may take where they are validated.
enum class ParameterValues { kFinite, kFiniteNotNegative };

// What a distribution's users may have a name of their own for.
enum class ParameterMeaning { kLocation, kScale };

struct ParameterInfo {
  const char* name;
  ParameterMeaning meaning;
  ParameterValues values;
};

// Three roundings, no fused multiply-add: stock TensorFlow ops give the same bits.
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

  template <class Real>
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

  template <class Real>
  FLATNOISE_INLINE static Real Apply(Real x, const Real (&p)[2], Real z) {
    return x * LocScale(p, z);
  }

  template <class Real>
  FLATNOISE_INLINE static void ParameterGradients(Real g, Real x, Real z, Real (&terms)[2]) {
    terms[0] = g * x;
    terms[1] = terms[0] * z;
  }
};

using Combinations = TypeList<Add, Multiply>;

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

// Of any combination.
inline constexpr int kMostParameters = internal::MostParameters(Combinations{});

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_COMBINATIONS_H_
