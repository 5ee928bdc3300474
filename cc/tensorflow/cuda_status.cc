#include "tensorflow/cuda_status.h"

#include "absl/strings/str_cat.h"
#include "cuda/device.h"

namespace flatnoise {
namespace {

// "13.0" for 13000.
std::string VersionName(int version) {
  return absl::StrCat(version / 1000, ".", version % 1000 / 10);
}

std::string DriverName() {
  const int version = cuda::DriverVersion();
  if (version == 0) return "no driver was found";
  return absl::StrCat("the driver is one for CUDA ", VersionName(version));
}

std::string DeviceName() {
  const auto [major, minor] = cuda::CurrentComputeCapability();
  return major == 0 ? "" : absl::StrCat(" (compute capability ", major, ".", minor, ")");
}

}  // namespace

std::string ExplainCudaError(cudaError_t error) {
  std::string what = absl::StrCat("CUDA reports \"", cuda::Describe(error), "\"");
  switch (error) {
    case cudaErrorInsufficientDriver:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorUnsupportedPtxVersion:
      return absl::StrCat(what, ": flatnoise's kernels were built with CUDA ",
                          VersionName(cuda::ToolkitVersion()), " and ", DriverName(),
                          "; install an NVIDIA driver for CUDA ", cuda::ToolkitVersion() / 1000,
                          ".0 or newer");
    case cudaErrorNoKernelImageForDevice:
      return absl::StrCat(what, ": flatnoise was built for the architectures ",
                          cuda::Architectures(), ", none of which this GPU", DeviceName(),
                          " can run");
    default:
      return what;
  }
}

absl::Status ToStatus(cudaError_t error) {
  if (error == cudaSuccess) return absl::Status();
  return absl::InternalError(absl::StrCat("flatnoise's kernel did not start on the GPU; ",
                                          ExplainCudaError(error),
                                          ". implementation=\"tensorflow\" uses stock ops."));
}

}  // namespace flatnoise
