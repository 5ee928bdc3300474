// The noises: the pairs of distribution and combination that code is compiled for, and the dispatch
// to that code.
#ifndef FLATNOISE_CC_CORE_NOISE_H_
#define FLATNOISE_CC_CORE_NOISE_H_

#include "core/combinations.h"
#include "core/distributions.h"
#include "core/number_types.h"
#include "core/qualifiers.h"
#include "core/type_list.h"

namespace flatnoise {

// A noise selected at run time.
struct Noise {
  Choice<Distributions> distribution;
  Choice<Combinations> combination;

  FLATNOISE_INLINE friend constexpr bool operator==(const Noise& a, const Noise& b) {
    return a.distribution == b.distribution && a.combination == b.combination;
  }
};

template <class Distribution, class Combination>
inline constexpr Noise kNoise = {kChoice<Distributions, Distribution>,
                                 kChoice<Combinations, Combination>};

template <class D, class C>
struct NoiseType {
  using Distribution = D;
  using Combination = C;
  static constexpr Noise kChosen = kNoise<D, C>;
};

// Noises that are linear in their parameters. Their gradients have separate kernels.
using LinearNoises =
    TypeList<NoiseType<Normal, Add>, NoiseType<Uniform, Add>, NoiseType<Laplace, Add>,
             NoiseType<Gumbel, Add>, NoiseType<Logistic, Add>, NoiseType<TruncatedNormal, Add>,
             NoiseType<Normal, Multiply>, NoiseType<Normal, Diffuse>>;

// Noises that replace elements. The op itself computes their gradients.
using ReplacingNoises = TypeList<NoiseType<Uniform, Mask>, NoiseType<Uniform, SaltAndPepper>>;

using Noises = Concatenated<LinearNoises, ReplacingNoises>;

namespace internal {

// Always inlined, because the kernels of different instruction sets must not share symbols.
template <class... Types>
FLATNOISE_HOST_INLINE constexpr int PlaceIn(TypeList<Types...>, const Noise& noise) {
  const Noise noises[] = {Types::kChosen...};
  for (int i = 0; i < TypeList<Types...>::kSize; ++i) {
    if (noises[i] == noise) return i;
  }
  return -1;
}

template <class... Types>
constexpr int MostParametersOf(TypeList<Types...>) {
  return MostParameters(TypeList<typename Types::Combination...>{});
}

}  // namespace internal

// The maximum over all noises with gradient kernels.
inline constexpr int kMostGradients = internal::MostParametersOf(LinearNoises{});

template <class List>
constexpr bool IsIn(const Noise& noise) {
  return internal::PlaceIn(List{}, noise) >= 0;
}

// An element type and a noise that code is compiled for.
template <class T, class D, class C>
struct NoiseKind {
  using Element = T;
  using Scalar = ComputeType<T>;
  using Distribution = D;
  using Combination = C;
  static constexpr int kParameters = kParameterCount<C>;
};

// Calls body(NoiseKind<T, Distribution, Combination>{}) for a noise in the list and a type in
// `Types`.
template <class List, class Types, class Body>
FLATNOISE_HOST_INLINE auto VisitNoiseOf(Choice<Types> type, const Noise& noise, const Body& body) {
  return Visit(type, [&](auto element) {
    return Visit(Choice<List>{internal::PlaceIn(List{}, noise)}, [&](auto tag) {
      using Type = typename decltype(tag)::type;
      return body(NoiseKind<typename decltype(element)::type, typename Type::Distribution,
                            typename Type::Combination>{});
    });
  });
}

template <class Types, class Body>
FLATNOISE_HOST_INLINE auto VisitNoise(Choice<Types> type, const Noise& noise, const Body& body) {
  return VisitNoiseOf<Noises>(type, noise, body);
}

template <class Types, class Body>
FLATNOISE_HOST_INLINE auto VisitLinearNoise(Choice<Types> type, const Noise& noise,
                                            const Body& body) {
  return VisitNoiseOf<LinearNoises>(type, noise, body);
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_NOISE_H_
