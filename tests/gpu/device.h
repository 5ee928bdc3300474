// Device memory and error checks for GPU test programs.
#ifndef FLATNOISE_TESTS_GPU_DEVICE_H_
#define FLATNOISE_TESTS_GPU_DEVICE_H_

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#define CHECK_CUDA(call)                                                 \
  do {                                                                   \
    const cudaError_t error_of_call = (call);                            \
    if (error_of_call != cudaSuccess) {                                  \
      std::fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, \
                   cudaGetErrorString(error_of_call));                   \
      std::exit(2);                                                      \
    }                                                                    \
  } while (0)

namespace flatnoise::cuda {

// Device memory with the lifetime of this object.
class DeviceBytes {
 public:
  explicit DeviceBytes(size_t bytes) { CHECK_CUDA(cudaMalloc(&memory_, bytes > 0 ? bytes : 1)); }
  ~DeviceBytes() { cudaFree(memory_); }
  DeviceBytes(DeviceBytes&& other) noexcept { std::swap(memory_, other.memory_); }
  DeviceBytes& operator=(DeviceBytes&& other) noexcept {
    std::swap(memory_, other.memory_);
    return *this;
  }

  char* data() const { return static_cast<char*>(memory_); }

 private:
  void* memory_ = nullptr;
};

// A device array that starts `shift` elements past an aligned address.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<T>& values, size_t shift = 0)
      : bytes_((values.size() + shift) * sizeof(T)), size_(values.size()), shift_(shift) {
    if (size_ == 0) return;
    CHECK_CUDA(cudaMemcpy(data(), values.data(), size_ * sizeof(T), cudaMemcpyHostToDevice));
  }

  T* data() const { return reinterpret_cast<T*>(bytes_.data()) + shift_; }
  std::vector<T> Read() const {
    std::vector<T> values(size_);
    if (size_ == 0) return values;
    CHECK_CUDA(cudaMemcpy(values.data(), data(), size_ * sizeof(T), cudaMemcpyDeviceToHost));
    return values;
  }

 private:
  DeviceBytes bytes_;
  size_t size_;
  size_t shift_;
};

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_TESTS_GPU_DEVICE_H_
