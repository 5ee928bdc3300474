#include "tensorflow/cuda_status.h"

#include "absl/strings/str_cat.h"

namespace flatnoise {
namespace {

std::string DriverVersion() {
  int version = 0;
  if (cudaDriverGetVersion(&version) != cudaSuccess || version == 0) return "no driver was found";
  return absl::StrCat("the driver is one for CUDA ", CudaVersionName(version));
}

std::string ComputeCapability() {
  int device = 0, major = 0, minor = 0;
  const bool known =
      cudaGetDevice(&device) == cudaSuccess &&
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
      cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device) == cudaSuccess;
  return known ? absl::StrCat(" (compute capability ", major, ".", minor, ")") : "";
}

}  // namespace

std::string CudaVersionName(int version) {
  return absl::StrCat(version / 1000, ".", version % 1000 / 10);
}

std::string ExplainCudaError(cudaError_t error) {
  std::string what = absl::StrCat("CUDA reports \"", cudaGetErrorString(error), "\"");
  switch (error) {
    case cudaErrorInsufficientDriver:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorUnsupportedPtxVersion:
      return absl::StrCat(what, ": flatnoise's kernels were built with CUDA ",
                          CudaVersionName(CUDART_VERSION), " and ", DriverVersion(),
                          "; install an NVIDIA driver for CUDA ", CUDART_VERSION / 1000,
                          ".0 or newer");
    case cudaErrorNoKernelImageForDevice:
      return absl::StrCat(what, ": flatnoise was built for the architectures ",
                          FLATNOISE_CUDA_ARCHITECTURES, ", none of which this GPU",
                          ComputeCapability(), " can run");
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
