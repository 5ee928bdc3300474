// Several vectors that run the same operations in lockstep, so that independent instructions hide
// the latency of each dependency chain.
//
// A recursive struct, because the compiler would keep an array in memory.
#ifndef FLATNOISE_CC_CPU_PACK_H_
#define FLATNOISE_CC_CPU_PACK_H_

#include <cstdint>

#include "core/qualifiers.h"

namespace flatnoise::cpu {

template <class V, int n>
struct Pack {
  V first;
  Pack<V, n - 1> rest;
};

template <class V>
struct Pack<V, 1> {
  V first;
};

// Applies f to every vector, together with the corresponding vectors of further packs.
template <class F, class V, int n, class... Vs>
FLATNOISE_INLINE auto Map(const F& f, const Pack<V, n>& pack, const Pack<Vs, n>&... packs)
    -> Pack<decltype(f(pack.first, packs.first...)), n> {
  if constexpr (n == 1) {
    return {f(pack.first, packs.first...)};
  } else {
    return {f(pack.first, packs.first...), Map(f, pack.rest, packs.rest...)};
  }
}

template <int n, class V>
FLATNOISE_INLINE Pack<V, n> Repeat(V v) {
  if constexpr (n == 1) {
    return {v};
  } else {
    return {v, Repeat<n - 1>(v)};
  }
}

template <int i, class V, int n>
FLATNOISE_INLINE V& Get(Pack<V, n>& pack) {
  if constexpr (i == 0) {
    return pack.first;
  } else {
    return Get<i - 1>(pack.rest);
  }
}

#define FLATNOISE_PACK_OPERATOR(op)                                                        \
  template <class V, int n>                                                                \
  FLATNOISE_INLINE auto operator op(const Pack<V, n>& a, const Pack<V, n>& b) {            \
    return Map([](V x, V y) __attribute__((always_inline)) { return (V)(x op y); }, a, b); \
  }                                                                                        \
  template <class V, int n, class Number>                                                  \
  FLATNOISE_INLINE auto operator op(const Pack<V, n>& a, Number b)                         \
      ->decltype(a.first op b, Pack<V, n>{}) {                                             \
    return Map([b](V x) __attribute__((always_inline)) { return (V)(x op b); }, a);        \
  }

FLATNOISE_PACK_OPERATOR(+)
FLATNOISE_PACK_OPERATOR(-)
FLATNOISE_PACK_OPERATOR(*)
FLATNOISE_PACK_OPERATOR(/)
FLATNOISE_PACK_OPERATOR(&)
FLATNOISE_PACK_OPERATOR(|)
FLATNOISE_PACK_OPERATOR(^)
FLATNOISE_PACK_OPERATOR(<<)
FLATNOISE_PACK_OPERATOR(>>)
#undef FLATNOISE_PACK_OPERATOR

// The policies of simd_lanes.h for packs.
template <class W, int n>
struct PackWords {
  using Word = Pack<typename W::Word, n>;
  using Key = typename W::Key;
  using Product = Pack<typename W::Product, n>;

  FLATNOISE_INLINE static Product Multiply(const Word& a, uint32_t b) {
    return Map([b](auto x) __attribute__((always_inline)) { return W::Multiply(x, b); }, a);
  }
  FLATNOISE_INLINE static Word High(const Product& p) {
    return Map([](auto x) __attribute__((always_inline)) { return W::High(x); }, p);
  }
  FLATNOISE_INLINE static Word Low(const Product& p) {
    return Map([](auto x) __attribute__((always_inline)) { return W::Low(x); }, p);
  }
  FLATNOISE_INLINE static Word Xor(const Word& a, const Word& b, Key c) {
    return Map([c](auto x, auto y) __attribute__((always_inline)) { return W::Xor(x, y, c); }, a,
               b);
  }
  FLATNOISE_INLINE static Word Xor(const Word& a, Key b) {
    return Map([b](auto x) __attribute__((always_inline)) { return W::Xor(x, b); }, a);
  }
  FLATNOISE_INLINE static Key BroadcastKey(uint32_t a) { return W::BroadcastKey(a); }
  FLATNOISE_INLINE static auto SideBySide(const Word& a, const Word& b) {
    return Map([](auto x, auto y) __attribute__((always_inline)) { return W::SideBySide(x, y); }, a,
               b);
  }
  FLATNOISE_INLINE static auto Joined(const Word& high, const Word& low) {
    return Map([](auto x, auto y) __attribute__((always_inline)) { return W::Joined(x, y); }, high,
               low);
  }
};

template <class L, int n>
struct PackLanes {
  using Scalar = typename L::Scalar;
  using Real = Pack<typename L::Real, n>;
  using Bits = Pack<typename L::Bits, n>;

  FLATNOISE_INLINE static Real Broadcast(Scalar a) { return Repeat<n>(L::Broadcast(a)); }
  FLATNOISE_INLINE static Real Fma(const Real& a, const Real& b, const Real& c) {
    return Map([](auto x, auto y, auto z)
                   __attribute__((always_inline)) { return L::Fma(x, y, z); },
               a, b, c);
  }
  FLATNOISE_INLINE static Real Sqrt(const Real& a) {
    return Map([](auto x) __attribute__((always_inline)) { return L::Sqrt(x); }, a);
  }
  FLATNOISE_INLINE static Real Max(const Real& a, const Real& b) {
    return Map([](auto x, auto y) __attribute__((always_inline)) { return L::Max(x, y); }, a, b);
  }
  FLATNOISE_INLINE static Bits ToBits(const Real& a) {
    return Map([](auto x) __attribute__((always_inline)) { return L::ToBits(x); }, a);
  }
  FLATNOISE_INLINE static Real FromBits(const Bits& a) {
    return Map([](auto x) __attribute__((always_inline)) { return L::FromBits(x); }, a);
  }
  FLATNOISE_INLINE static Real ExponentToReal(const Bits& a) {
    return Map([](auto x) __attribute__((always_inline)) { return L::ExponentToReal(x); }, a);
  }
  FLATNOISE_INLINE static Real SelectBySign(const Bits& a, const Real& if_set,
                                            const Real& if_clear) {
    return Map([](auto x, auto y, auto z)
                   __attribute__((always_inline)) { return L::SelectBySign(x, y, z); },
               a, if_set, if_clear);
  }
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_PACK_H_
