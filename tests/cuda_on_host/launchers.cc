// Replaces the launchers in the .cu files of cc/cuda. Runs the kernel bodies on the host. Memory is
// filled first, to detect unwritten elements.
#include <cstdint>
#include <cstring>

#include "../cc/cuda_host_grid.h"
#include "core/number_types.h"
#include "cuda/apply_noise.h"
#include "cuda/parameter_gradients.h"
#include "cuda/task_sizes.h"
#include "host_stream.h"

namespace flatnoise::cuda {
namespace {

// More than one, but few enough that each thread processes several chunks.
constexpr int64_t kBlocks = 3;

// Not a NaN in any type.
constexpr int kUnwritten = 0x5A;
constexpr int kNaN = 0xFF;

void FillOutput(const ApplyNoiseTask& task) {
  if (task.output == task.input) return;
  const size_t element_size =
      Visit(task.type, [](auto element) { return sizeof(typename decltype(element)::type); });
  const size_t bytes = static_cast<size_t>(task.elements) * element_size;
  std::memset(task.output, kUnwritten, bytes);
  if (task.noise_output != nullptr) std::memset(task.noise_output, kUnwritten, bytes);
}

}  // namespace

cudaError_t CheckDevice() { return cudaSuccess; }

cudaError_t ApplyNoise(const ApplyNoiseTask& task, cudaStream_t stream) {
  if (task.elements == 0) return cudaSuccess;
  if (!SizesAgree(task)) return cudaErrorInvalidValue;
  return LaunchOnHost(stream, [&] {
    FillOutput(task);
    ApplyNoiseOnHost(task, kBlocks);
  });
}

size_t ParameterGradientsWorkspaceBytes(const ParameterGradientsTask& task) {
  return WorkspaceBytes(task);
}

cudaError_t ParameterGradients(const ParameterGradientsTask& task, void* workspace,
                               cudaStream_t stream) {
  if (!SizesAgree(task)) return cudaErrorInvalidValue;
  const size_t bytes = WorkspaceBytes(task);
  const bool fits = bytes == 0 || workspace != nullptr;
  if (!fits || reinterpret_cast<uintptr_t>(workspace) % 16 != 0) return cudaErrorMisalignedAddress;
  return LaunchOnHost(stream, [&] {
    if (bytes != 0) std::memset(workspace, kNaN, bytes);
    ParameterGradientsOnHost(task, workspace, kBlocks);
  });
}

}  // namespace flatnoise::cuda
