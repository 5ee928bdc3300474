// What the fuzzers draw alike from the fuzzer's bytes.
#ifndef FLATNOISE_TESTS_FUZZ_PROBLEM_H_
#define FLATNOISE_TESTS_FUZZ_PROBLEM_H_

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <type_traits>

#include "core/noise.h"
#include "core/number_types.h"
#include "cpu/dispatch.h"
#include "cpu/float_environment.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

// Memory of exactly so many elements, the first of them `shift` elements past an aligned address:
// AddressSanitizer sees any access beyond them.
template <class T>
class Memory {
 public:
  Memory(int64_t elements, int64_t shift)
      : values_(new T[static_cast<size_t>(elements + shift)]), shift_(shift), size_(elements) {}

  T* data() { return values_.get() + shift_; }
  const T* data() const { return values_.get() + shift_; }
  int64_t size() const { return size_; }
  const T& operator[](int64_t i) const { return data()[i]; }
  T& operator[](int64_t i) { return data()[i]; }

  // Any bits: the fuzzer's while they last, then a mixture made from one more number of it.
  void Fill(FuzzedDataProvider& bytes) {
    const auto size = static_cast<size_t>(size_) * sizeof(T);
    auto* memory = reinterpret_cast<unsigned char*>(data());
    uint32_t state = bytes.ConsumeIntegral<uint32_t>();
    const size_t limit = bytes.ConsumeIntegralInRange<size_t>(0, 256);
    const size_t drawn = size == 0 ? 0 : bytes.ConsumeData(memory, std::min(size, limit));
    for (size_t i = drawn; i < size; ++i) {
      state = state * 1664525 + 1013904223;
      memory[i] = static_cast<unsigned char>(state >> 24);
    }
  }

 private:
  std::unique_ptr<T[]> values_;
  int64_t shift_;
  int64_t size_;
};

template <class T>
constexpr ElementType ElementTypeOf() {
  if (std::is_same_v<T, Half>) return ElementType::kHalf;
  if (std::is_same_v<T, BFloat16>) return ElementType::kBFloat16;
  return std::is_same_v<T, float> ? ElementType::kFloat : ElementType::kDouble;
}

// Calls body(T{}) with one of the element types.
template <class Body>
void WithAnyType(FuzzedDataProvider& bytes, const Body& body) {
  switch (bytes.ConsumeIntegralInRange(0, 3)) {
    case 0:
      return body(Half{});
    case 1:
      return body(BFloat16{});
    case 2:
      return body(float{});
    default:
      return body(double{});
  }
}

inline Distribution AnyDistribution(FuzzedDataProvider& bytes) {
  return bytes.ConsumeBool() ? Distribution::kNormal : Distribution::kUniform;
}

inline Combination AnyCombination(FuzzedDataProvider& bytes) {
  return bytes.ConsumeBool() ? Combination::kAdd : Combination::kMultiply;
}

inline Stream AnyStream(FuzzedDataProvider& bytes) {
  const auto seed = bytes.ConsumeIntegral<uint64_t>();
  return StreamFromSeed(seed, bytes.ConsumeIntegral<uint64_t>());
}

// Near where counters carry into the next word, or wrap.
inline uint64_t AnyOffset(FuzzedDataProvider& bytes) {
  const uint64_t near = bytes.PickValueInArray<uint64_t>(
      {0, uint64_t{1} << 32, uint64_t{1} << 33, uint64_t{1} << 34, uint64_t{1} << 62,
       uint64_t{1} << 63, bytes.ConsumeIntegral<uint64_t>()});
  return near + bytes.ConsumeIntegralInRange<uint64_t>(0, 8192) - 4096;
}

template <class Scalar>
Scalar ExpectedNoise(Distribution distribution, const Stream& stream, uint64_t index) {
  return distribution == Distribution::kNormal
             ? NoiseAt<Distribution::kNormal, Scalar>(stream, index)
             : NoiseAt<Distribution::kUniform, Scalar>(stream, index);
}

// To the bit; which of two NaNs a sum hands on is not promised.
template <class T>
bool SameNumber(T a, T b) {
  if (std::isnan(ToCompute(a)) && std::isnan(ToCompute(b))) return true;
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

[[noreturn, gnu::format(printf, 1, 2)]] inline void Fail(const char* format, ...) {
  va_list parts;
  va_start(parts, format);
  std::vfprintf(stderr, format, parts);
  va_end(parts);
  std::fprintf(stderr, "\n");
  std::abort();
}

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_TESTS_FUZZ_PROBLEM_H_
