// The test cases for kernels: all instruction sets, types and noises.
#ifndef FLATNOISE_TESTS_CC_CASES_H_
#define FLATNOISE_TESTS_CC_CASES_H_

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "core/noise.h"
#include "core/noise_info.h"
#include "core/number_types.h"
#include "cpu/dispatch.h"

namespace flatnoise {

inline std::vector<ElementType> AllTypes() {
  std::vector<ElementType> types;
  for (int i = 0; i < ElementTypes::kSize; ++i) types.push_back({i});
  return types;
}

inline int ParametersOf(const Noise& noise) { return InfoOf(noise.combination).parameter_count; }

inline std::string NameOf(ElementType type, const Noise& noise) {
  return std::string(NameOf(type)) + "_" + std::string(NameOf(noise.distribution)) + "_" +
         std::string(NameOf(noise.combination));
}

// Calls body(T{}) with the selected type.
template <class Body>
void WithType(ElementType type, const Body& body) {
  Visit(type, [&](auto tag) { body(typename decltype(tag)::type{}); });
}

namespace cpu {

using Case = std::tuple<const Kernels*, ElementType, Noise>;

inline std::string CaseNameOf(const testing::TestParamInfo<Case>& info) {
  const auto& [kernels, type, noise] = info.param;
  return std::string(kernels->name) + "_" + flatnoise::NameOf(type, noise);
}

template <class List = Noises>
auto CasesOf(const std::vector<const Kernels*>& kernels) {
  return testing::Combine(testing::ValuesIn(kernels), testing::ValuesIn(AllTypes()),
                          testing::ValuesIn(AllNoises<List>()));
}

template <class List = Noises>
auto AllCases() {
  return CasesOf<List>(SupportedKernels());
}

// For slow tests, if another test compares the other instruction sets with the base set.
template <class List = Noises>
auto BaseSetCases() {
  return CasesOf<List>({SupportedKernels().back()});
}

}  // namespace cpu
}  // namespace flatnoise

#endif  // FLATNOISE_TESTS_CC_CASES_H_
