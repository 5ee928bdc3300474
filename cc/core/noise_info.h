// Run-time information about the noises, for glue code. Kernels must not include this.
#ifndef FLATNOISE_CC_CORE_NOISE_INFO_H_
#define FLATNOISE_CC_CORE_NOISE_INFO_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/noise.h"
#include "core/number_types.h"
#include "core/type_list.h"

namespace flatnoise {

namespace internal {

template <class T>
inline constexpr const char* kNameOf = T::kName;
template <>
inline constexpr const char* kNameOf<Half> = "float16";
template <>
inline constexpr const char* kNameOf<BFloat16> = "bfloat16";
template <>
inline constexpr const char* kNameOf<float> = "float32";
template <>
inline constexpr const char* kNameOf<double> = "float64";
template <>
inline constexpr const char* kNameOf<uint8_t> = "uint8";
template <>
inline constexpr const char* kNameOf<Nothing> = "nothing";

template <class... Types>
std::vector<std::string_view> Names(TypeList<Types...>) {
  return {kNameOf<Types>...};
}

}  // namespace internal

// The names of the types in a list, in order.
template <class List>
std::vector<std::string_view> Names() {
  return internal::Names(List{});
}

template <class List>
std::string_view NameOf(Choice<List> choice) {
  return Names<List>()[static_cast<size_t>(choice.index)];
}

// The type with this name, if there is one.
template <class List>
std::optional<Choice<List>> Find(std::string_view name) {
  const auto names = Names<List>();
  for (int i = 0; i < List::kSize; ++i) {
    if (names[static_cast<size_t>(i)] == name) return Choice<List>{i};
  }
  return std::nullopt;
}

namespace internal {

template <class... Types>
std::vector<Noise> AllOf(TypeList<Types...>) {
  return {Types::kChosen...};
}

}  // namespace internal

// The noises in a list, in order.
template <class List = Noises>
std::vector<Noise> AllNoises() {
  return internal::AllOf(List{});
}

struct CombinationInfo {
  const ParameterInfo* parameters;
  int parameter_count;
  bool returns_noise;
};

inline CombinationInfo InfoOf(Choice<Combinations> combination) {
  return Visit(combination, [](auto tag) -> CombinationInfo {
    using C = typename decltype(tag)::type;
    return {C::kParameters, kParameterCount<C>, C::kReturnsNoise};
  });
}

// For linear noises only.
inline bool GradientReadsInput(const Noise& noise) {
  return VisitLinearNoise(kElementType<float>, noise, [](auto kind) {
    return decltype(kind)::Combination::kGradientReadsInput;
  });
}

// A parameter's name in errors: "mean (loc)", or just "loc" if users call it that too.
inline std::string LabelOf(Choice<Distributions> distribution, const ParameterInfo& parameter) {
  const std::string own_name = Visit(distribution, [&](auto tag) -> const char* {
    using D = typename decltype(tag)::type;
    switch (parameter.meaning) {
      case ParameterMeaning::kLocation:
        return D::kLocation;
      case ParameterMeaning::kScale:
        return D::kScale;
      case ParameterMeaning::kOwn:
        break;
    }
    return parameter.name;
  });
  return own_name == parameter.name ? own_name : own_name + " (" + parameter.name + ")";
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_NOISE_INFO_H_
