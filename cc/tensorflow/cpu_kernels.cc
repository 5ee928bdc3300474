// The ops on the CPU, sharded over TensorFlow's intra-op thread pool.
#include <cstdint>
#include <functional>

#include "cpu/apply_noise.h"
#include "cpu/parameter_gradients.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/cpu_tasks.h"
#include "tensorflow/noise_kernels.h"

namespace flatnoise {
namespace {

using ::tensorflow::OpKernelContext;
using ::tensorflow::Tensor;

// Small totals run on the calling thread, because the pool compares its overhead with
// `nanoseconds_each`.
void ParallelFor(OpKernelContext* context, int64_t total, int64_t nanoseconds_each,
                 const std::function<void(int64_t, int64_t)>& work) {
  context->device()->tensorflow_cpu_worker_threads()->workers->ParallelFor(total, nanoseconds_each,
                                                                           work);
}

class FlattenNoiseCpuOp : public FlattenNoiseKernel {
 public:
  using FlattenNoiseKernel::FlattenNoiseKernel;

 protected:
  absl::Status Run(OpKernelContext* context, const NoiseAttributes& attributes,
                   const NoiseInputs& inputs, const NoiseOutputs& outputs) const override {
    cpu::ApplyNoiseTask task;
    TF_RETURN_IF_ERROR(MakeApplyNoiseTask(attributes, inputs, outputs, &task));
    AdviseHugePages(task, inputs.elements);
    ParallelFor(context, cpu::CountShards(task, inputs.elements),
                cpu::ShardNanoseconds(attributes.noise), [&](int64_t first, int64_t last) {
                  cpu::ApplyNoiseShards(task, inputs.elements, first, last);
                });
    return absl::Status();
  }
};

class FlattenNoiseGradCpuOp : public FlattenNoiseGradKernel {
 public:
  using FlattenNoiseGradKernel::FlattenNoiseGradKernel;

 protected:
  absl::Status Run(OpKernelContext* context, const NoiseAttributes& attributes,
                   const NoiseInputs& inputs, void* const* gradients) const override {
    cpu::SumGradientsTask task;
    TF_RETURN_IF_ERROR(MakeSumGradientsTask(attributes, inputs, &task));
    const cpu::ParameterGradients sums = GradientsOf(task, inputs);
    Tensor workspace;
    TF_RETURN_IF_ERROR(
        context->allocate_temp(tensorflow::DT_DOUBLE, {sums.workspace_size()}, &workspace));
    double* memory = workspace.flat<double>().data();
    ParallelFor(context, sums.tiles(), sums.tile_elements(), [&](int64_t first, int64_t last) {
      for (int64_t tile = first; tile < last; ++tile) sums.SumTile(tile, memory);
    });
    sums.Finish(memory, gradients);
    return absl::Status();
  }
};

REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenNoise").Device(tensorflow::DEVICE_CPU),
                        FlattenNoiseCpuOp);
REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenNoiseWithZ").Device(tensorflow::DEVICE_CPU),
                        FlattenNoiseCpuOp);
REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenNoiseOfBytes").Device(tensorflow::DEVICE_CPU),
                        FlattenNoiseCpuOp);
REGISTER_KERNEL_BUILDER(Name("Flatnoise>Noise").Device(tensorflow::DEVICE_CPU), FlattenNoiseCpuOp);
REGISTER_KERNEL_BUILDER(Name("Flatnoise>FlattenNoiseGrad").Device(tensorflow::DEVICE_CPU),
                        FlattenNoiseGradCpuOp);

}  // namespace
}  // namespace flatnoise
