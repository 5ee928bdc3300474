// Lists of types. Each type describes one item.
#ifndef FLATNOISE_CC_CORE_TYPE_LIST_H_
#define FLATNOISE_CC_CORE_TYPE_LIST_H_

#include <stdlib.h>

#include "core/qualifiers.h"

namespace flatnoise {

template <class T>
struct TypeTag {
  using type = T;
};

template <class... Types>
struct TypeList {
  static constexpr int kSize = sizeof...(Types);
};

namespace internal {

template <class... First, class... Second>
TypeList<First..., Second...> Concatenate(TypeList<First...>, TypeList<Second...>);

}  // namespace internal

template <class First, class Second>
using Concatenated = decltype(internal::Concatenate(First{}, Second{}));

// One type of a list, selected at run time.
template <class List>
struct Choice {
  int index;

  FLATNOISE_INLINE friend constexpr bool operator==(Choice a, Choice b) {
    return a.index == b.index;
  }
  FLATNOISE_INLINE friend constexpr bool operator!=(Choice a, Choice b) { return !(a == b); }
};

namespace internal {

template <class T, class... Types>
constexpr int IndexOf(TypeList<Types...>) {
  const bool is_type[] = {__is_same(T, Types)...};
  for (int i = 0; i < TypeList<Types...>::kSize; ++i) {
    if (is_type[i]) return i;
  }
  return -1;
}

template <class Body, class First, class... Rest>
FLATNOISE_HOST_INLINE auto VisitAt(TypeList<First, Rest...>, int index, const Body& body) {
  if (index == 0) return body(TypeTag<First>{});
  if constexpr (sizeof...(Rest) > 0) {
    return VisitAt(TypeList<Rest...>{}, index - 1, body);
  } else {
    abort();  // unreachable
  }
}

}  // namespace internal

// The choice that stands for T.
template <class List, class T>
inline constexpr Choice<List> kChoice = [] {
  constexpr int index = internal::IndexOf<T>(List{});
  static_assert(index >= 0, "the list has no such type");
  return Choice<List>{index};
}();

// Calls body(TypeTag<T>{}) with the selected type.
template <class List, class Body>
FLATNOISE_HOST_INLINE auto Visit(Choice<List> choice, const Body& body) {
  return internal::VisitAt(List{}, choice.index < 0 ? List::kSize : choice.index, body);
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_TYPE_LIST_H_
