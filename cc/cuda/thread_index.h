// The index of a thread in a grid.
#ifndef FLATNOISE_CC_CUDA_THREAD_INDEX_H_
#define FLATNOISE_CC_CUDA_THREAD_INDEX_H_

#include <cstdint>

#include "core/qualifiers.h"

namespace flatnoise::cuda {

// The number of threads per block in all kernels.
inline constexpr int kThreads = 256;

struct ThreadIndex {
  int64_t block;
  int64_t blocks;
  int thread;  // in the block

  FLATNOISE_DEVICE_INLINE int64_t in_grid() const { return block * kThreads + thread; }
  FLATNOISE_DEVICE_INLINE int64_t threads() const { return blocks * kThreads; }
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_CC_CUDA_THREAD_INDEX_H_
