// The ops' inputs, checked and turned into what the kernels take.
#ifndef FLATNOISE_CC_TENSORFLOW_ARGUMENTS_H_
#define FLATNOISE_CC_TENSORFLOW_ARGUMENTS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "core/distributions.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor.h"

namespace flatnoise {

// Inputs 0 to 4 of both ops: the tensor, seed, loc, scale and offset.
inline constexpr int kTensor = 0, kSeed = 1, kLoc = 2, kScale = 3, kOffset = 4;

absl::Status ParseDistribution(const std::string& name, Distribution* distribution);

// loc and scale are double where the tensor is, else float.
absl::Status CheckParameterType(tensorflow::DataType tensor, tensorflow::DataType parameter);

// The product of all dimensions but the first, 1 for rank 1.
int64_t CountFeatures(const tensorflow::TensorShape& shape);

tensorflow::TensorShape FlattenedShape(const tensorflow::TensorShape& shape);

// Whether all shapes fit each other; `tensor_name` is the first input's.
absl::Status CheckShapes(tensorflow::OpKernelContext* context, const char* tensor_name);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_ARGUMENTS_H_
