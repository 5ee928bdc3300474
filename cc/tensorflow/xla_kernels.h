// The ops inside XLA: calls into the op library's own loops, so that a compiled function gives the
// same bits as one that is not compiled.
#ifndef FLATNOISE_CC_TENSORFLOW_XLA_KERNELS_H_
#define FLATNOISE_CC_TENSORFLOW_XLA_KERNELS_H_

#include "tensorflow/compiler/tf2xla/xla_op_kernel.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/noise_attributes.h"

namespace flatnoise {

class FlattenNoiseXlaOp : public tensorflow::XlaOpKernel {
 public:
  explicit FlattenNoiseXlaOp(tensorflow::OpKernelConstruction* construction);
  void Compile(tensorflow::XlaOpKernelContext* context) override;

 private:
  NoiseAttributes attributes_;
};

class FlattenNoiseGradXlaOp : public tensorflow::XlaOpKernel {
 public:
  explicit FlattenNoiseGradXlaOp(tensorflow::OpKernelConstruction* construction);
  void Compile(tensorflow::XlaOpKernelContext* context) override;

 private:
  NoiseAttributes attributes_;
};

// What XLA knows the calls' handlers by. Defined beside the registrations of handlers and kernels:
// the tests register the kernels with others.
extern const char kNoiseTarget[];
extern const char kNoiseGradTarget[];

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_XLA_KERNELS_H_
