// Reference implementations for tests of kernels, independent of the code under test: Philox, bits
// to numbers, combinations and broadcasting. Only Box-Muller and the inversions are the core's
// scalar functions. elementary_test.cc, stream_test.cc and inversion_test.cc test their accuracy.
//
// Add new distributions and combinations here.
#ifndef FLATNOISE_TESTS_CC_REFERENCE_H_
#define FLATNOISE_TESTS_CC_REFERENCE_H_

#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "core/combinations.h"
#include "core/distributions.h"
#include "core/lanes.h"
#include "core/noise.h"
#include "core/parameter.h"
#include "core/stream.h"

namespace flatnoise::reference {

// A type so precise that its own errors are negligible. long double only where needed, because many
// processors compute with it in software.
template <class Scalar>
using Finer = std::conditional_t<sizeof(Scalar) == sizeof(float), double, long double>;

// Philox4x32-10 of block g of a stream (Salmon et al., 2011).
inline std::array<uint32_t, 4> Words(const Stream& stream, uint64_t g) {
  std::array<uint32_t, 4> c = {static_cast<uint32_t>(g), static_cast<uint32_t>(g >> 32),
                               stream.high[0], stream.high[1]};
  uint32_t key0 = stream.key.word[0], key1 = stream.key.word[1];
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0], p1 = uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ key0, static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ key1, static_cast<uint32_t>(p0)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return c;
}

template <class Scalar>
struct Numbers;

template <>
struct Numbers<float> {
  static constexpr uint64_t kInBlock = 4;
  static uint32_t Bits(const std::array<uint32_t, 4>& words, uint64_t i) { return words[i]; }
  static float Uniform(uint32_t bits) {
    return static_cast<float>(bits % (1u << 23)) / static_cast<float>(1u << 23);
  }
};

template <>
struct Numbers<double> {
  static constexpr uint64_t kInBlock = 2;
  static uint64_t Bits(const std::array<uint32_t, 4>& words, uint64_t i) {
    return uint64_t{words[2 * i]} << 32 | words[2 * i + 1];
  }
  static double Uniform(uint64_t bits) {
    constexpr uint64_t kOne = uint64_t{1} << 52;
    return static_cast<double>(bits % kOne) / static_cast<double>(kOne);
  }
};

template <class Distribution>
struct DistributionOf;

template <>
struct DistributionOf<Uniform> {
  template <class Scalar>
  static Scalar At(const Stream& stream, uint64_t index) {
    using N = Numbers<Scalar>;
    return N::Uniform(N::Bits(Words(stream, index / N::kInBlock), index % N::kInBlock));
  }
};

template <>
struct DistributionOf<Normal> {
  template <class Scalar>
  static Scalar At(const Stream& stream, uint64_t index) {
    using N = Numbers<Scalar>;
    const auto words = Words(stream, index / N::kInBlock);
    const uint64_t in_block = index % N::kInBlock, first = in_block / 2 * 2;
    const auto pair =
        BoxMuller<ScalarLanes<Scalar>>(N::Bits(words, first), N::Bits(words, first + 1));
    return in_block == first ? pair.first : pair.second;
  }
};

// Distributions that map each uniform number to one number.
template <class Distribution>
struct InversionOf {
  template <class Scalar>
  static Scalar At(const Stream& stream, uint64_t index) {
    const auto u = DistributionOf<Uniform>::At<Scalar>(stream, index);
    return Distribution::template Value<ScalarLanes<Scalar>>(u);
  }
};

template <>
struct DistributionOf<Laplace> : InversionOf<Laplace> {};
template <>
struct DistributionOf<Gumbel> : InversionOf<Gumbel> {};
template <>
struct DistributionOf<Logistic> : InversionOf<Logistic> {};
template <>
struct DistributionOf<TruncatedNormal> : InversionOf<TruncatedNormal> {};

template <class Combination>
struct CombinationOf;

template <>
struct CombinationOf<Add> {
  // Parameters that leave the element unchanged.
  static constexpr double kNeutral[] = {0, 0};

  template <class Scalar>
  static Scalar Output(Scalar x, const std::vector<Scalar>& p, Scalar z) {
    const Scalar noise = p[1] * z;
    const Scalar shifted = p[0] + noise;
    return x + shifted;
  }
  // The derivatives of the output with respect to the parameters.
  template <class Scalar>
  static std::array<Finer<Scalar>, 2> Derivatives(Scalar, Scalar z) {
    return {1, z};
  }
};

template <>
struct CombinationOf<Multiply> {
  static constexpr double kNeutral[] = {1, 0};

  template <class Scalar>
  static Scalar Output(Scalar x, const std::vector<Scalar>& p, Scalar z) {
    const Scalar noise = p[1] * z;
    const Scalar factor = p[0] + noise;
    return x * factor;
  }
  template <class Scalar>
  static std::array<Finer<Scalar>, 2> Derivatives(Scalar x, Scalar z) {
    return {x, static_cast<Finer<Scalar>>(x) * z};
  }
};

template <>
struct CombinationOf<Diffuse> {
  static constexpr double kNeutral[] = {1, 0};

  template <class Scalar>
  static Scalar Output(Scalar x, const std::vector<Scalar>& p, Scalar z) {
    const Scalar signal = p[0] * x;
    const Scalar noise = p[1] * z;
    return signal + noise;
  }
  template <class Scalar>
  static std::array<Finer<Scalar>, 2> Derivatives(Scalar x, Scalar z) {
    return {x, z};
  }
};

template <>
struct CombinationOf<Mask> {
  static constexpr double kNeutral[] = {0, 5, 1, -0.0};

  template <class Scalar>
  static Scalar Output(Scalar x, const std::vector<Scalar>& p, Scalar z) {
    if (z < p[0]) return p[1];
    const Scalar scaled = p[2] * x;
    return scaled + p[3];
  }
};

template <>
struct CombinationOf<SaltAndPepper> {
  static constexpr double kNeutral[] = {0, 0.5, 5, 6};

  template <class Scalar>
  static Scalar Output(Scalar x, const std::vector<Scalar>& p, Scalar z) {
    const Scalar salt = p[0] * p[1];
    const Scalar pepper_share = 1 - p[1];
    if (z < p[0] * pepper_share) return p[3];
    return z < 1 - salt ? x : p[2];
  }
};

template <class Scalar>
Scalar NumberAt(const Noise& noise, const Stream& stream, uint64_t index) {
  return Visit(noise.distribution, [&](auto tag) {
    return DistributionOf<typename decltype(tag)::type>::template At<Scalar>(stream, index);
  });
}

template <class Scalar>
Scalar OutputOf(const Noise& noise, Scalar x, const std::vector<Scalar>& parameters, Scalar z) {
  return Visit(noise.combination, [&](auto tag) {
    return CombinationOf<typename decltype(tag)::type>::Output(x, parameters, z);
  });
}

template <class Scalar>
std::array<Finer<Scalar>, kMostGradients> DerivativesOf(const Noise& noise, Scalar x, Scalar z) {
  return VisitLinearNoise(kElementType<Scalar>, noise, [&](auto kind) {
    return CombinationOf<typename decltype(kind)::Combination>::Derivatives(x, z);
  });
}

inline std::vector<double> NeutralParameters(const Noise& noise) {
  return Visit(noise.combination, [](auto tag) {
    const auto& neutral = CombinationOf<typename decltype(tag)::type>::kNeutral;
    return std::vector<double>(std::begin(neutral), std::end(neutral));
  });
}

inline size_t ValueIndex(const BroadcastPattern& pattern, size_t element) {
  return element / static_cast<size_t>(pattern.repeat) % static_cast<size_t>(pattern.count);
}

}  // namespace flatnoise::reference

#endif  // FLATNOISE_TESTS_CC_REFERENCE_H_
