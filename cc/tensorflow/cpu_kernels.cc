// The ops on the processor, shared out over TensorFlow's own intra-op threads.
#include <cstdint>
#include <functional>

#include "cpu/apply_noise.h"
#include "cpu/sum_gradients.h"
#include "tensorflow/arguments.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/register_types.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/cpu_tasks.h"
#include "tensorflow/op_inputs.h"

namespace flatnoise {
namespace {

using ::tensorflow::OpKernel;
using ::tensorflow::OpKernelConstruction;
using ::tensorflow::OpKernelContext;
using ::tensorflow::Tensor;

// Small totals run on the calling thread: the pool weighs its own cost against `nanoseconds_each`.
void ParallelFor(OpKernelContext* context, int64_t total, int64_t nanoseconds_each,
                 const std::function<void(int64_t, int64_t)>& work) {
  context->device()->tensorflow_cpu_worker_threads()->workers->ParallelFor(total, nanoseconds_each,
                                                                           work);
}

class FlattenNoiseOp : public OpKernel {
 public:
  explicit FlattenNoiseOp(OpKernelConstruction* construction)
      : OpKernel(construction), combination_(CombinationOf(construction)) {
    OP_REQUIRES_OK(construction, ReadAttributes(construction, &distribution_));
    OP_REQUIRES_OK(construction, construction->GetAttr("flatten", &flatten_));
    OP_REQUIRES_OK(construction, construction->GetAttr("validate_args", &validate_args_));
  }

  void Compute(OpKernelContext* context) override {
    OP_REQUIRES_OK(context, CheckShapes(ShapesOf(context), "input"));
    const OpInputs inputs = InputsOf(context);
    const auto input_shape = context->input(kTensor).shape();
    Tensor* output = nullptr;
    OP_REQUIRES_OK(
        context, context->forward_input_or_allocate_output(
                     {kTensor}, 0, flatten_ ? FlattenedShape(input_shape) : input_shape, &output));
    cpu::ApplyNoiseTask task;
    OP_REQUIRES_OK(context, MakeApplyNoiseTask(inputs, distribution_, combination_, validate_args_,
                                               output->data(), &task));
    ParallelFor(context, cpu::CountPieces(task, inputs.elements),
                cpu::PieceNanoseconds(distribution_), [&](int64_t first, int64_t last) {
                  cpu::ApplyNoisePieces(task, inputs.elements, first, last);
                });
  }

 private:
  Combination combination_;
  Distribution distribution_;
  bool flatten_;
  bool validate_args_;
};

class FlattenNoiseGradOp : public OpKernel {
 public:
  explicit FlattenNoiseGradOp(OpKernelConstruction* construction) : OpKernel(construction) {
    OP_REQUIRES_OK(construction, ReadAttributes(construction, &distribution_));
  }

  void Compute(OpKernelContext* context) override {
    OP_REQUIRES_OK(context, CheckShapes(ShapesOf(context), "grad"));
    const OpInputs inputs = InputsOf(context);
    cpu::SumGradientsTask task;
    OP_REQUIRES_OK(context, MakeSumGradientsTask(inputs, distribution_, &task));
    const cpu::GradientSums sums(task, GradientFeatures(inputs));

    Tensor workspace;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_DOUBLE, {sums.workspace_size()},
                                                   &workspace));
    double* memory = workspace.flat<double>().data();
    ParallelFor(context, sums.tiles(), sums.tile_elements(), [&](int64_t first, int64_t last) {
      for (int64_t tile = first; tile < last; ++tile) sums.SumTile(tile, memory);
    });

    Tensor* loc_gradient = nullptr;
    Tensor* scale_gradient = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, context->input(kLoc).shape(), &loc_gradient));
    OP_REQUIRES_OK(context,
                   context->allocate_output(1, context->input(kScale).shape(), &scale_gradient));
    sums.Finish(memory, {loc_gradient->data(), inputs.loc.count},
                {scale_gradient->data(), inputs.scale.count});
  }

 private:
  Distribution distribution_;
};

#define FLATNOISE_REGISTER_OP(NAME, T, KERNEL) \
  REGISTER_KERNEL_BUILDER(Name(NAME).Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), KERNEL)
#define FLATNOISE_REGISTER(T)                                                 \
  FLATNOISE_REGISTER_OP("Flatnoise>FlattenAddNoise", T, FlattenNoiseOp);      \
  FLATNOISE_REGISTER_OP("Flatnoise>FlattenMultiplyNoise", T, FlattenNoiseOp); \
  FLATNOISE_REGISTER_OP("Flatnoise>FlattenAddNoiseGrad", T, FlattenNoiseGradOp)

FLATNOISE_REGISTER(Eigen::half);
FLATNOISE_REGISTER(Eigen::bfloat16);
FLATNOISE_REGISTER(float);
FLATNOISE_REGISTER(double);
#undef FLATNOISE_REGISTER
#undef FLATNOISE_REGISTER_OP

}  // namespace
}  // namespace flatnoise
