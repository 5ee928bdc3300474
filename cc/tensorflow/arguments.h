// What the ops ask of their inputs' types and shapes, whoever runs them.
#ifndef FLATNOISE_CC_TENSORFLOW_ARGUMENTS_H_
#define FLATNOISE_CC_TENSORFLOW_ARGUMENTS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "core/combination.h"
#include "core/distributions.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/framework/tensor_shape.h"

namespace flatnoise {

// Inputs 0 to 4 of every op: the tensor, seed, loc, scale and offset.
inline constexpr int kTensor = 0, kSeed = 1, kLoc = 2, kScale = 3, kOffset = 4;

// The attribute "distribution", after a check that loc and scale are double where the tensor is,
// else float.
absl::Status ReadAttributes(const tensorflow::OpKernelConstruction* construction,
                            Distribution* distribution);

// Add for FlattenAddNoise, multiply for FlattenMultiplyNoise.
Combination CombinationOf(const tensorflow::OpKernelConstruction* construction);

// The product of all dimensions but the first, 1 for rank 1.
int64_t CountFeatures(const tensorflow::TensorShape& shape);

tensorflow::TensorShape FlattenedShape(const tensorflow::TensorShape& shape);

struct InputShapes {
  tensorflow::TensorShape tensor, seed, loc, scale, offset;
};

// Whether all shapes fit each other; `tensor_name` is the first input's.
absl::Status CheckShapes(const InputShapes& shapes, const char* tensor_name);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_ARGUMENTS_H_
