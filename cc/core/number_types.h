// The element types of tensors, and their compute types.
#ifndef FLATNOISE_CC_CORE_NUMBER_TYPES_H_
#define FLATNOISE_CC_CORE_NUMBER_TYPES_H_

#include <cstdint>

#include "core/lanes.h"
#include "core/qualifiers.h"
#include "core/type_list.h"

namespace flatnoise {

// The in-memory representation of IEEE binary16 and bfloat16.
struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

using ElementTypes = TypeList<Half, BFloat16, float, double>;
using ElementType = Choice<ElementTypes>;

template <class T>
inline constexpr ElementType kElementType = kChoice<ElementTypes, T>;

// The element type of an absent input. Its elements are -0, the additive identity.
struct Nothing {};

// The element types of tensors whose compute type is one of the above.
using StoredTypes = Concatenated<ElementTypes, TypeList<uint8_t, Nothing>>;
using StoredType = Choice<StoredTypes>;

template <class T>
inline constexpr StoredType kStoredType = kChoice<StoredTypes, T>;

FLATNOISE_INLINE constexpr StoredType Stored(ElementType type) { return {type.index}; }

template <class T>
struct ComputeTypeOf {
  using type = T;
};
template <>
struct ComputeTypeOf<Half> {
  using type = float;
};
template <>
struct ComputeTypeOf<BFloat16> {
  using type = float;
};
template <>
struct ComputeTypeOf<uint8_t> {
  using type = float;
};
template <class T>
using ComputeType = typename ComputeTypeOf<T>::type;

using ComputeTypes = TypeList<float, double>;

FLATNOISE_INLINE float ToCompute(float a) { return a; }
FLATNOISE_INLINE double ToCompute(double a) { return a; }
FLATNOISE_INLINE float ToCompute(uint8_t a) { return static_cast<float>(a); }
FLATNOISE_INLINE float ToCompute(BFloat16 a) { return BitCast<float>(uint32_t{a.bits} << 16); }

FLATNOISE_INLINE float ToCompute(Half a) {
  const uint32_t sign = uint32_t{a.bits & 0x8000u} << 16;
  const uint32_t magnitude = a.bits & 0x7FFFu;
  if (magnitude >= 0x7C00) return BitCast<float>(sign | 0x7F800000 | (magnitude & 0x03FF) << 13);
  if (magnitude >= 0x0400) return BitCast<float>(sign | ((magnitude << 13) + 0x38000000));
  const float subnormal = static_cast<float>(magnitude) * 0x1p-24f;
  return BitCast<float>(sign | BitCast<uint32_t>(subnormal));
}

// Rounds to nearest, ties to even. NaN stays NaN. uint8 saturates at 0 and 255, and NaN becomes 0.
template <class T>
FLATNOISE_INLINE T FromCompute(ComputeType<T> a);

template <>
FLATNOISE_INLINE float FromCompute<float>(float a) {
  return a;
}
template <>
FLATNOISE_INLINE double FromCompute<double>(double a) {
  return a;
}

template <>
FLATNOISE_INLINE BFloat16 FromCompute<BFloat16>(float a) {
  const auto bits = BitCast<uint32_t>(a);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return {static_cast<uint16_t>(bits >> 16 | 0x0040)};
  return {static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)};
}

template <>
FLATNOISE_INLINE Half FromCompute<Half>(float a) {
  const auto bits = BitCast<uint32_t>(a);
  const uint32_t sign = bits >> 16 & 0x8000;
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) {
    return {static_cast<uint16_t>(sign | 0x7E00 | (magnitude >> 13 & 0x03FF))};
  }
  if (magnitude >= 0x47800000) return {static_cast<uint16_t>(sign | 0x7C00)};  // 65536 and above
  if (magnitude < 0x38800000) {  // < 2^-14: adding 1/2 rounds to 2^-24, the ULP
    const auto rounded = BitCast<uint32_t>(BitCast<float>(magnitude) + 0.5f) - 0x3F000000;
    return {static_cast<uint16_t>(sign | rounded)};
  }
  const uint32_t rebased = magnitude - 0x38000000;
  return {static_cast<uint16_t>(sign | (rebased + 0x0FFF + (rebased >> 13 & 1)) >> 13)};
}

template <>
FLATNOISE_INLINE uint8_t FromCompute<uint8_t>(float a) {
  const float least = a > 0 ? a : 0;
  const float within = least < 255 ? least : 255;
  return static_cast<uint8_t>(BitCast<uint32_t>(within + 0x1p23f));  // one unit is the last bit
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_NUMBER_TYPES_H_
