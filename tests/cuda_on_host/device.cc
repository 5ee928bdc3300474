// Replaces gpu_device.cc. Registers the GPU op classes as CPU kernels under a label, so that tests
// can select them.
#include "host_stream.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/gpu_kernels.h"

namespace flatnoise {

cudaStream_t StreamOf(tensorflow::OpKernelContext*) { return cuda::HostStream(); }

namespace {

REGISTER_KERNEL_BUILDER(
    Name("Flatnoise>FlattenNoise").Device(tensorflow::DEVICE_CPU).Label("cuda_on_host"),
    FlattenNoiseGpuOp);
REGISTER_KERNEL_BUILDER(
    Name("Flatnoise>FlattenNoiseWithZ").Device(tensorflow::DEVICE_CPU).Label("cuda_on_host"),
    FlattenNoiseGpuOp);
REGISTER_KERNEL_BUILDER(Name("Flatnoise>Noise")
                            .Device(tensorflow::DEVICE_CPU)
                            .HostMemory("shape")
                            .Label("cuda_on_host"),
                        FlattenNoiseGpuOp);
REGISTER_KERNEL_BUILDER(
    Name("Flatnoise>FlattenNoiseGrad").Device(tensorflow::DEVICE_CPU).Label("cuda_on_host"),
    FlattenNoiseGradGpuOp);

}  // namespace
}  // namespace flatnoise
