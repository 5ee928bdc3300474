// Random inputs common to all fuzzers.
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

#include "../cc/reference.h"
#include "core/noise.h"
#include "core/noise_info.h"
#include "core/number_types.h"
#include "cpu/dispatch.h"
#include "cpu/float_environment.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

// Memory for an exact number of elements, starting `shift` elements past an aligned address.
// AddressSanitizer detects accesses beyond them.
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

  // Fills with the fuzzer's bits while they last, then with pseudorandom bits.
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

template <class List>
Choice<List> AnyChoice(FuzzedDataProvider& bytes) {
  return {bytes.ConsumeIntegralInRange<int>(0, List::kSize - 1)};
}

// Calls body(T{}) with one of the element types.
template <class Body>
void WithAnyType(FuzzedDataProvider& bytes, const Body& body) {
  Visit(AnyChoice<ElementTypes>(bytes), [&](auto tag) { body(typename decltype(tag)::type{}); });
}

template <class List = Noises>
Noise AnyNoise(FuzzedDataProvider& bytes) {
  return AllNoises<List>()[static_cast<size_t>(AnyChoice<List>(bytes).index)];
}

// The sizes of a tensor with outer x middle x inner elements.
struct Sizes {
  int64_t outer, middle, inner;

  int64_t elements() const { return outer * middle * inner; }
};

inline Sizes AnySizes(FuzzedDataProvider& bytes, int64_t most) {
  const auto inner = bytes.ConsumeIntegralInRange<int64_t>(1, most);
  const auto middle = bytes.ConsumeIntegralInRange<int64_t>(1, most / inner);
  return {bytes.ConsumeIntegralInRange<int64_t>(0, most / inner / middle), middle, inner};
}

// Any way for a parameter to broadcast over the tensor.
inline BroadcastPattern AnyPattern(FuzzedDataProvider& bytes, const Sizes& sizes) {
  const auto [outer, middle, inner] = sizes;
  const BroadcastPattern patterns[] = {{1, 1},
                                       {inner, 1},
                                       {middle, inner},
                                       {middle * inner, 1},
                                       {outer, middle * inner},
                                       {outer * middle, inner},
                                       {outer * middle * inner, 1}};
  return bytes.PickValueInArray(patterns);
}

inline Stream AnyStream(FuzzedDataProvider& bytes) {
  const auto seed = bytes.ConsumeIntegral<uint64_t>();
  return StreamFromSeed(seed, bytes.ConsumeIntegral<uint64_t>());
}

// Often near a carry into the next word or a wraparound of counters.
inline uint64_t AnyOffset(FuzzedDataProvider& bytes) {
  const uint64_t near = bytes.PickValueInArray<uint64_t>(
      {0, uint64_t{1} << 32, uint64_t{1} << 33, uint64_t{1} << 34, uint64_t{1} << 62,
       uint64_t{1} << 63, bytes.ConsumeIntegral<uint64_t>()});
  return near + bytes.ConsumeIntegralInRange<uint64_t>(0, 8192) - 4096;
}

// Bit-identical, except for NaN payloads, which are unspecified for sums.
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
