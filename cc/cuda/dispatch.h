// From a task's type and distribution to template arguments.
#ifndef FLATNOISE_CC_CUDA_DISPATCH_H_
#define FLATNOISE_CC_CUDA_DISPATCH_H_

#include <type_traits>

#include "core/distributions.h"
#include "core/number_types.h"
#include "cuda/tasks.h"

namespace flatnoise::cuda {

template <class T>
struct ElementTag {
  using type = T;
};

template <class T, class Body>
auto DispatchDistribution(Distribution distribution, const Body& body) {
  if (distribution == Distribution::kNormal) {
    return body(ElementTag<T>{}, std::integral_constant<Distribution, Distribution::kNormal>{});
  }
  return body(ElementTag<T>{}, std::integral_constant<Distribution, Distribution::kUniform>{});
}

// body(ElementTag<T>{}, integral_constant<Distribution, d>{}).
template <class Body>
auto Dispatch(ElementType type, Distribution distribution, const Body& body) {
  switch (type) {
    case ElementType::kHalf:
      return DispatchDistribution<Half>(distribution, body);
    case ElementType::kBFloat16:
      return DispatchDistribution<BFloat16>(distribution, body);
    case ElementType::kDouble:
      return DispatchDistribution<double>(distribution, body);
    case ElementType::kFloat:
      break;
  }
  return DispatchDistribution<float>(distribution, body);
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_DISPATCH_H_
