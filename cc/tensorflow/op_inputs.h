// The ops' inputs as plain pointers, whoever runs the op and wherever its memory lies.
#ifndef FLATNOISE_CC_TENSORFLOW_OP_INPUTS_H_
#define FLATNOISE_CC_TENSORFLOW_OP_INPUTS_H_

#include <cstdint>

#include "core/number_types.h"
#include "core/parameter.h"
#include "tensorflow/arguments.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace flatnoise {

struct OpInputs {
  ElementType type;
  const void* tensor;
  int64_t elements;
  int64_t features;
  const void* seed;
  bool seed_is_int64;
  Parameter loc;
  Parameter scale;
  const int64_t* offset;
};

InputShapes ShapesOf(tensorflow::OpKernelContext* context);

// Of inputs whose shapes have been checked.
OpInputs InputsOf(tensorflow::OpKernelContext* context);

// The features over which gradients are summed apart: 1 where loc and scale are scalars.
int64_t GradientFeatures(const OpInputs& inputs);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_OP_INPUTS_H_
