// Device-independent parts of the ops' kernels: attributes, shapes and memory.
#ifndef FLATNOISE_CC_TENSORFLOW_NOISE_KERNELS_H_
#define FLATNOISE_CC_TENSORFLOW_NOISE_KERNELS_H_

#include "absl/status/status.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/noise_attributes.h"
#include "tensorflow/noise_inputs.h"

namespace flatnoise {

// The kernel of all ops that generate noise. Their differences are in the attributes.
class FlattenNoiseKernel : public tensorflow::OpKernel {
 public:
  explicit FlattenNoiseKernel(tensorflow::OpKernelConstruction* construction);
  void Compute(tensorflow::OpKernelContext* context) final;

 protected:
  // Writes the outputs. The first may alias the input.
  virtual absl::Status Run(tensorflow::OpKernelContext* context, const NoiseAttributes& attributes,
                           const NoiseInputs& inputs, const NoiseOutputs& outputs) const = 0;

 private:
  NoiseAttributes attributes_;
};

class FlattenNoiseGradKernel : public tensorflow::OpKernel {
 public:
  explicit FlattenNoiseGradKernel(tensorflow::OpKernelConstruction* construction);
  void Compute(tensorflow::OpKernelContext* context) final;

 protected:
  // Writes the gradient of every parameter.
  virtual absl::Status Run(tensorflow::OpKernelContext* context, const NoiseAttributes& attributes,
                           const NoiseInputs& inputs, void* const* gradients) const = 0;

 private:
  NoiseAttributes attributes_;
};

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_NOISE_KERNELS_H_
