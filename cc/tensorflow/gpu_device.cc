// Registers the kernels for NVIDIA GPUs with TensorFlow's GPU device.
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/gpu_kernels.h"
#include "xla/stream_executor/stream.h"

namespace flatnoise {

cudaStream_t StreamOf(tensorflow::OpKernelContext* context) {
  return static_cast<cudaStream_t>(
      context->op_device_context()->stream()->platform_specific_handle().stream);
}

namespace {

REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenNoise").Device(tensorflow::DEVICE_GPU),
                        FlattenNoiseGpuOp);
REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenNoiseWithZ").Device(tensorflow::DEVICE_GPU),
                        FlattenNoiseGpuOp);
REGISTER_KERNEL_BUILDER(Name("Flatnoise>Noise").Device(tensorflow::DEVICE_GPU).HostMemory("shape"),
                        FlattenNoiseGpuOp);
REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenNoiseGrad").Device(tensorflow::DEVICE_GPU),
                        FlattenNoiseGradGpuOp);

}  // namespace
}  // namespace flatnoise
