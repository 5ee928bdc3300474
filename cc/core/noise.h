// A noise: a distribution and a combination, chosen at run time, and the one dispatch to the code
// that is compiled for them.
#ifndef FLATNOISE_CC_CORE_NOISE_H_
#define FLATNOISE_CC_CORE_NOISE_H_

#include "core/combinations.h"
#include "core/distributions.h"
#include "core/number_types.h"
#include "core/qualifiers.h"
#include "core/type_list.h"

namespace flatnoise {

struct Noise {
  Choice<Distributions> distribution;
  Choice<Combinations> combination;
};

template <class Distribution, class Combination>
inline constexpr Noise kNoise = {kChoice<Distributions, Distribution>,
                                 kChoice<Combinations, Combination>};

// What code is compiled for: an element type and a noise.
template <class T, class D, class C>
struct NoiseKind {
  using Element = T;
  using Scalar = ComputeType<T>;
  using Distribution = D;
  using Combination = C;
  static constexpr int kParameters = kParameterCount<C>;
};

// body(NoiseKind<T, Distribution, Combination>{})
template <class Body>
FLATNOISE_HOST_INLINE auto VisitNoise(ElementType type, const Noise& noise, const Body& body) {
  return Visit(type, [&](auto element) {
    return Visit(noise.distribution, [&](auto distribution) {
      return Visit(noise.combination, [&](auto combination) {
        return body(
            NoiseKind<typename decltype(element)::type, typename decltype(distribution)::type,
                      typename decltype(combination)::type>{});
      });
    });
  });
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_NOISE_H_
