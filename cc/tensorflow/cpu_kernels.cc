// The ops on the processor, shared out over TensorFlow's own intra-op threads.
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>

#include "core/stream.h"
#include "cpu/add_noise.h"
#include "cpu/sum_gradients.h"
#include "tensorflow/arguments.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/register_types.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/invalid_argument.h"

namespace flatnoise {
namespace {

using ::tensorflow::DataType;
using ::tensorflow::OpKernel;
using ::tensorflow::OpKernelConstruction;
using ::tensorflow::OpKernelContext;
using ::tensorflow::Tensor;

cpu::ElementType ElementTypeOf(DataType type) {
  switch (type) {
    case tensorflow::DT_HALF:
      return cpu::ElementType::kHalf;
    case tensorflow::DT_BFLOAT16:
      return cpu::ElementType::kBFloat16;
    case tensorflow::DT_DOUBLE:
      return cpu::ElementType::kDouble;
    default:
      return cpu::ElementType::kFloat;
  }
}

Stream StreamOf(const Tensor& seed) {
  if (seed.dtype() == tensorflow::DT_INT32) {
    const auto values = seed.flat<int32_t>();
    return StreamFromSeed(static_cast<uint64_t>(int64_t{values(0)}),
                          static_cast<uint64_t>(int64_t{values(1)}));
  }
  const auto values = seed.flat<int64_t>();
  return StreamFromSeed(static_cast<uint64_t>(values(0)), static_cast<uint64_t>(values(1)));
}

cpu::Parameter ParameterOf(const Tensor& tensor) { return {tensor.data(), tensor.NumElements()}; }

absl::Status OffsetOf(const Tensor& tensor, uint64_t* offset) {
  const int64_t value = tensor.scalar<int64_t>()();
  if (value < 0) return InvalidArgument("offset must not be negative, got ", value);
  *offset = static_cast<uint64_t>(value);
  return absl::Status();
}

struct ParameterNames {
  const char* loc;
  const char* scale;
};

ParameterNames NamesOf(Distribution distribution) {
  if (distribution == Distribution::kNormal) return {"mean (loc)", "stddev (scale)"};
  return {"minval (loc)", "maxval - minval (scale)"};
}

template <class U>
absl::Status CheckValues(const Tensor& loc, const Tensor& scale, const ParameterNames& names) {
  for (int64_t i = 0; i < loc.NumElements(); ++i) {
    const U value = loc.flat<U>()(i);
    if (!std::isfinite(value)) return InvalidArgument(names.loc, " must be finite, got ", value);
  }
  for (int64_t i = 0; i < scale.NumElements(); ++i) {
    const U value = scale.flat<U>()(i);
    if (!(std::isfinite(value) && value >= 0)) {
      return InvalidArgument(names.scale, " must be finite and not negative, got ", value);
    }
  }
  return absl::Status();
}

// Small totals run on the calling thread: the pool weighs its own cost against `nanoseconds_each`.
void ParallelFor(OpKernelContext* context, int64_t total, int64_t nanoseconds_each,
                 const std::function<void(int64_t, int64_t)>& work) {
  context->device()->tensorflow_cpu_worker_threads()->workers->ParallelFor(total, nanoseconds_each,
                                                                           work);
}

class FlattenAddNoiseOp : public OpKernel {
 public:
  explicit FlattenAddNoiseOp(OpKernelConstruction* construction) : OpKernel(construction) {
    std::string distribution;
    DataType parameter;
    OP_REQUIRES_OK(construction, construction->GetAttr("distribution", &distribution));
    OP_REQUIRES_OK(construction, ParseDistribution(distribution, &distribution_));
    OP_REQUIRES_OK(construction, construction->GetAttr("flatten", &flatten_));
    OP_REQUIRES_OK(construction, construction->GetAttr("validate_args", &validate_args_));
    OP_REQUIRES_OK(construction, construction->GetAttr("U", &parameter));
    OP_REQUIRES_OK(construction, CheckParameterType(construction->input_type(kTensor), parameter));
  }

  void Compute(OpKernelContext* context) override {
    OP_REQUIRES_OK(context, CheckShapes(context, "input"));
    uint64_t offset;
    OP_REQUIRES_OK(context, OffsetOf(context->input(kOffset), &offset));
    if (validate_args_) OP_REQUIRES_OK(context, CheckParameters(context));

    const Tensor& input = context->input(kTensor);
    const auto shape = flatten_ ? FlattenedShape(input.shape()) : input.shape();
    Tensor* output = nullptr;
    OP_REQUIRES_OK(context,
                   context->forward_input_or_allocate_output({kTensor}, 0, shape, &output));
    const bool in_place = output->data() == input.data();
    const cpu::AddNoiseTask task = {
        ElementTypeOf(input.dtype()),
        distribution_,
        input.data(),
        output->data(),
        StreamOf(context->input(kSeed)),
        offset,
        CountFeatures(input.shape()),
        ParameterOf(context->input(kLoc)),
        ParameterOf(context->input(kScale)),
        !in_place && cpu::ShouldBypassCache(static_cast<int64_t>(output->TotalBytes()))};
    const int64_t elements = input.NumElements();
    ParallelFor(context, cpu::CountPieces(task, elements), cpu::PieceNanoseconds(distribution_),
                [&task, elements](int64_t first, int64_t last) {
                  cpu::AddNoisePieces(task, elements, first, last);
                });
  }

 private:
  absl::Status CheckParameters(OpKernelContext* context) const {
    const Tensor& loc = context->input(kLoc);
    const Tensor& scale = context->input(kScale);
    const ParameterNames names = NamesOf(distribution_);
    return loc.dtype() == tensorflow::DT_DOUBLE ? CheckValues<double>(loc, scale, names)
                                                : CheckValues<float>(loc, scale, names);
  }

  Distribution distribution_;
  bool flatten_;
  bool validate_args_;
};

class FlattenAddNoiseGradOp : public OpKernel {
 public:
  explicit FlattenAddNoiseGradOp(OpKernelConstruction* construction) : OpKernel(construction) {
    std::string distribution;
    DataType parameter;
    OP_REQUIRES_OK(construction, construction->GetAttr("distribution", &distribution));
    OP_REQUIRES_OK(construction, ParseDistribution(distribution, &distribution_));
    OP_REQUIRES_OK(construction, construction->GetAttr("U", &parameter));
    OP_REQUIRES_OK(construction, CheckParameterType(construction->input_type(kTensor), parameter));
  }

  void Compute(OpKernelContext* context) override {
    OP_REQUIRES_OK(context, CheckShapes(context, "grad"));
    uint64_t offset;
    OP_REQUIRES_OK(context, OffsetOf(context->input(kOffset), &offset));

    const Tensor& gradient = context->input(kTensor);
    const Tensor& loc = context->input(kLoc);
    const Tensor& scale = context->input(kScale);
    const bool per_feature = loc.dims() > 0 || scale.dims() > 0;
    const cpu::GradientSums sums({ElementTypeOf(gradient.dtype()), distribution_, gradient.data(),
                                  StreamOf(context->input(kSeed)), offset, gradient.NumElements(),
                                  /*columns=*/0},
                                 per_feature ? CountFeatures(gradient.shape()) : 1);
    Tensor workspace;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_DOUBLE, {sums.workspace_size()},
                                                   &workspace));
    double* memory = workspace.flat<double>().data();
    ParallelFor(context, sums.tiles(), sums.tile_elements(), [&](int64_t first, int64_t last) {
      for (int64_t tile = first; tile < last; ++tile) sums.SumTile(tile, memory);
    });

    Tensor* loc_gradient = nullptr;
    Tensor* scale_gradient = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(0, loc.shape(), &loc_gradient));
    OP_REQUIRES_OK(context, context->allocate_output(1, scale.shape(), &scale_gradient));
    if (loc.dtype() == tensorflow::DT_DOUBLE) {
      Finish<double>(sums, memory, loc_gradient, scale_gradient);
    } else {
      Finish<float>(sums, memory, loc_gradient, scale_gradient);
    }
  }

 private:
  template <class U>
  static void Finish(const cpu::GradientSums& sums, double* memory, Tensor* loc, Tensor* scale) {
    sums.Finish(memory, loc->NumElements(), loc->flat<U>().data(), scale->NumElements(),
                scale->flat<U>().data());
  }

  Distribution distribution_;
};

#define FLATNOISE_REGISTER(T)                                                                      \
  REGISTER_KERNEL_BUILDER(                                                                         \
      Name("Flatnoise>FlattenAddNoise").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"),     \
      FlattenAddNoiseOp);                                                                          \
  REGISTER_KERNEL_BUILDER(                                                                         \
      Name("Flatnoise>FlattenAddNoiseGrad").Device(tensorflow::DEVICE_CPU).TypeConstraint<T>("T"), \
      FlattenAddNoiseGradOp)

FLATNOISE_REGISTER(Eigen::half);
FLATNOISE_REGISTER(Eigen::bfloat16);
FLATNOISE_REGISTER(float);
FLATNOISE_REGISTER(double);
#undef FLATNOISE_REGISTER

}  // namespace
}  // namespace flatnoise
