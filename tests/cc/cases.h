// What the kernels' tests vary over.
#ifndef FLATNOISE_TESTS_CC_CASES_H_
#define FLATNOISE_TESTS_CC_CASES_H_

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "core/combination.h"
#include "core/noise.h"
#include "core/number_types.h"
#include "cpu/dispatch.h"

namespace flatnoise::cpu {

using Case = std::tuple<const Kernels*, ElementType, Distribution>;

inline constexpr Combination kCombinations[] = {Combination::kAdd, Combination::kMultiply};

inline std::string NameOf(Combination combination) {
  return combination == Combination::kAdd ? "_add" : "_multiply";
}

inline std::string CaseName(const Case& parameters) {
  const char* const types[] = {"half", "bfloat16", "float", "double"};
  const auto& [kernels, type, distribution] = parameters;
  return std::string(kernels->name) + "_" + types[static_cast<int>(type)] + "_" +
         (distribution == Distribution::kNormal ? "normal" : "uniform");
}

inline std::string CaseNameOf(const testing::TestParamInfo<Case>& info) {
  return CaseName(info.param);
}

inline auto AllCases() {
  return testing::Combine(testing::ValuesIn(SupportedKernels()),
                          testing::Values(ElementType::kHalf, ElementType::kBFloat16,
                                          ElementType::kFloat, ElementType::kDouble),
                          testing::Values(Distribution::kNormal, Distribution::kUniform));
}

template <class Scalar>
Scalar ExpectedNoise(Distribution distribution, const Stream& stream, uint64_t index) {
  return distribution == Distribution::kNormal
             ? NoiseAt<Distribution::kNormal, Scalar>(stream, index)
             : NoiseAt<Distribution::kUniform, Scalar>(stream, index);
}

template <class Scalar>
Scalar ExpectedElement(Combination combination, Scalar x, Scalar loc, Scalar scale, Scalar z) {
  return combination == Combination::kAdd
             ? flatnoise::Combine<Combination::kAdd>(x, loc, scale, z)
             : flatnoise::Combine<Combination::kMultiply>(x, loc, scale, z);
}

// Calls body(T{}) with the type that `type` names.
template <class Body>
void WithType(ElementType type, const Body& body) {
  switch (type) {
    case ElementType::kHalf:
      return body(Half{});
    case ElementType::kBFloat16:
      return body(BFloat16{});
    case ElementType::kFloat:
      return body(float{});
    case ElementType::kDouble:
      return body(double{});
  }
}

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_TESTS_CC_CASES_H_
