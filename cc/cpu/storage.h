// The supported pairs of input and output types of a forward task.
#ifndef FLATNOISE_CC_CPU_STORAGE_H_
#define FLATNOISE_CC_CPU_STORAGE_H_

#include <cstdint>

#include "core/number_types.h"
#include "core/qualifiers.h"
#include "core/type_list.h"

namespace flatnoise::cpu {

// One of the pairs below.
struct Storage {
  constexpr Storage() : Storage(kElementType<float>) {}
  // NOLINTNEXTLINE(google-explicit-constructor): usually both are the same
  constexpr Storage(ElementType both) : Storage(Stored(both), Stored(both)) {}
  constexpr Storage(StoredType in, StoredType out) : input(in), output(out) {}

  constexpr bool is_alike() const { return input == output && input.index < ElementTypes::kSize; }

  StoredType input;
  StoredType output;
};

template <class In, class Out>
struct StorageType {
  using Input = In;
  using Output = Out;
};

template <class Scalar>
struct StoragesOf;

template <>
struct StoragesOf<float> {
  using type = TypeList<StorageType<float, float>, StorageType<BFloat16, BFloat16>,
                        StorageType<Half, Half>, StorageType<Nothing, float>,
                        StorageType<Nothing, BFloat16>, StorageType<Nothing, Half>,
                        StorageType<uint8_t, uint8_t>, StorageType<uint8_t, float>,
                        StorageType<uint8_t, BFloat16>, StorageType<uint8_t, Half>>;
};

template <>
struct StoragesOf<double> {
  using type = TypeList<StorageType<double, double>, StorageType<Nothing, double>>;
};

// The pairs with the same compute type.
template <class Scalar>
using Storages = typename StoragesOf<Scalar>::type;

namespace internal {

template <class... Types>
FLATNOISE_HOST_INLINE constexpr int PlaceOf(const Storage& storage, TypeList<Types...>) {
  const Storage storages[] = {
      {kStoredType<typename Types::Input>, kStoredType<typename Types::Output>}...};
  for (int i = 0; i < TypeList<Types...>::kSize; ++i) {
    if (storages[i].input == storage.input && storages[i].output == storage.output) return i;
  }
  return -1;
}

}  // namespace internal

// The index is -1 for a pair that isn't supported.
template <class Scalar>
FLATNOISE_HOST_INLINE constexpr Choice<Storages<Scalar>> PlaceOf(const Storage& storage) {
  return {internal::PlaceOf(storage, Storages<Scalar>{})};
}

// Whether a pair is supported, and its compute type.
inline bool IsKnown(const Storage& storage) {
  return PlaceOf<float>(storage).index >= 0 || PlaceOf<double>(storage).index >= 0;
}
inline Choice<ComputeTypes> ComputeTypeFor(const Storage& storage) {
  return storage.output == kStoredType<double> ? kChoice<ComputeTypes, double>
                                               : kChoice<ComputeTypes, float>;
}

// The distance between elements in bytes.
inline int64_t StrideOf(StoredType type) {
  return Visit(type, [](auto tag) -> int64_t {
    using T = typename decltype(tag)::type;
    return __is_same(T, Nothing) ? 0 : sizeof(T);
  });
}

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_STORAGE_H_
