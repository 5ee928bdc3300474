// A chunk: the 16 bytes that a thread reads or writes at once.
#ifndef FLATNOISE_CC_CUDA_CHUNK_H_
#define FLATNOISE_CC_CUDA_CHUNK_H_

#include <cstdint>
#include <cstring>

#include "core/number_types.h"
#include "core/qualifiers.h"
#include "cuda/device_numbers.h"

#if defined(__CUDA_ARCH__)
#define FLATNOISE_UNROLL _Pragma("unroll")
#define FLATNOISE_UNROLLED_BY_4 _Pragma("unroll 4")
#define FLATNOISE_ROLLED _Pragma("unroll 1")
#else
#define FLATNOISE_UNROLL
#define FLATNOISE_UNROLLED_BY_4
#define FLATNOISE_ROLLED
#endif

namespace flatnoise::cuda {

inline constexpr int kChunkBytes = 16;

template <class T>
inline constexpr int kChunk = kChunkBytes / static_cast<int>(sizeof(T));

struct alignas(kChunkBytes) ChunkWords {
  uint32_t word[4];
};

FLATNOISE_DEVICE_INLINE int64_t BytesPastChunk(const void* p) {
  return static_cast<int64_t>(reinterpret_cast<uintptr_t>(p) % kChunkBytes);
}
FLATNOISE_DEVICE_INLINE bool IsAligned(const void* p) { return BytesPastChunk(p) == 0; }

// Requires an aligned address.
FLATNOISE_DEVICE_INLINE ChunkWords LoadChunk(const void* p) {
#if defined(__CUDA_ARCH__)
  // In inline assembly, like the store, because the compiler may split its own accesses.
  ChunkWords words;
  asm volatile("ld.global.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(words.word[0]), "=r"(words.word[1]), "=r"(words.word[2]), "=r"(words.word[3])
               : "l"(p)
               : "memory");
  return words;
#else
  ChunkWords words;
  memcpy(&words, p, sizeof(words));
  return words;
#endif
}

FLATNOISE_DEVICE_INLINE void StoreChunk(void* p, const ChunkWords& words) {
#if defined(__CUDA_ARCH__)
  asm volatile("st.global.v4.u32 [%0], {%1, %2, %3, %4};"
               :
               : "l"(p), "r"(words.word[0]), "r"(words.word[1]), "r"(words.word[2]),
                 "r"(words.word[3])
               : "memory");
#else
  memcpy(p, &words, sizeof(words));
#endif
}

// Converts a chunk's elements to numbers and back. All CUDA platforms are little-endian.
template <class T>
FLATNOISE_DEVICE_INLINE void Unpack(const ChunkWords& words, ComputeType<T>* values) {
  FLATNOISE_UNROLL
  for (int i = 0; i < kChunk<T>; ++i) {
    if constexpr (sizeof(T) == 2) {
      values[i] = Widen(T{static_cast<uint16_t>(words.word[i / 2] >> i % 2 * 16)});
    } else if constexpr (sizeof(T) == 4) {
      values[i] = BitCast<T>(words.word[i]);
    } else {
      values[i] = BitCast<T>(words.word[2 * i] | uint64_t{words.word[2 * i + 1]} << 32);
    }
  }
}

template <class T>
FLATNOISE_DEVICE_INLINE ChunkWords Pack(const ComputeType<T>* values) {
  ChunkWords words;
  FLATNOISE_UNROLL
  for (int i = 0; i < 4; ++i) {
    if constexpr (sizeof(T) == 2) {
      words.word[i] = NarrowPair<T>(values[2 * i], values[2 * i + 1]);
    } else if constexpr (sizeof(T) == 4) {
      words.word[i] = BitCast<uint32_t>(values[i]);
    } else {
      words.word[i] = static_cast<uint32_t>(BitCast<uint64_t>(values[i / 2]) >> i % 2 * 32);
    }
  }
  return words;
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_CHUNK_H_
