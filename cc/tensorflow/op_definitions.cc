// The ops' interfaces and shape functions.
#include <cstdint>
#include <string>

#include "tensorflow/arguments.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/invalid_argument.h"

namespace flatnoise {
namespace {

using ::tensorflow::shape_inference::DimensionHandle;
using ::tensorflow::shape_inference::InferenceContext;
using ::tensorflow::shape_inference::ShapeHandle;

absl::Status RequireShape(InferenceContext* c, const char* argument, int index,
                          ShapeHandle expected) {
  ShapeHandle merged;
  if (c->Merge(c->input(index), expected, &merged).ok()) return absl::Status();
  return InvalidArgument(argument, " must have shape ", c->DebugString(expected), ", got ",
                         c->DebugString(c->input(index)));
}

absl::Status RequireBatch(InferenceContext* c, const char* argument, ShapeHandle shape) {
  if (!c->RankKnown(shape) || c->Rank(shape) > 0) return absl::Status();
  return InvalidArgument(argument, " must have a batch dimension (rank 1 or more), got a scalar");
}

// The product of all dimensions but the first.
absl::Status CountFeatures(InferenceContext* c, ShapeHandle shape, DimensionHandle* features) {
  if (!c->RankKnown(shape)) {
    *features = c->UnknownDim();
    return absl::Status();
  }
  *features = c->MakeDim(1);
  for (int i = 1; i < c->Rank(shape); ++i) {
    TF_RETURN_IF_ERROR(c->Multiply(*features, c->Dim(shape, i), features));
  }
  return absl::Status();
}

// loc or scale: a scalar, or a vector of one value per feature, which then tells their number.
absl::Status MergeParameter(InferenceContext* c, const char* argument, int index,
                            DimensionHandle* features) {
  const ShapeHandle shape = c->input(index);
  if (!c->RankKnown(shape) || c->Rank(shape) == 0) return absl::Status();
  DimensionHandle merged;  // a failed merge leaves nothing to print in its result
  if (c->Rank(shape) == 1 && c->Merge(*features, c->Dim(shape, 0), &merged).ok()) {
    *features = merged;
    return absl::Status();
  }
  return InvalidArgument(argument, " must be a scalar or a vector of one value per feature (",
                         c->DebugString(*features), " features), got shape ",
                         c->DebugString(shape));
}

// What the ops ask of their inputs; `tensor_name` is the first input's.
absl::Status CheckInputs(InferenceContext* c, const char* tensor_name, DimensionHandle* features) {
  TF_RETURN_IF_ERROR(RequireBatch(c, tensor_name, c->input(kTensor)));
  TF_RETURN_IF_ERROR(RequireShape(c, "seed", kSeed, c->Vector(2)));
  TF_RETURN_IF_ERROR(RequireShape(c, "offset", kOffset, c->Scalar()));
  TF_RETURN_IF_ERROR(CountFeatures(c, c->input(kTensor), features));
  TF_RETURN_IF_ERROR(MergeParameter(c, "loc", kLoc, features));
  return MergeParameter(c, "scale", kScale, features);
}

// The input's shape, its only unknown dimension besides the batch filled in from the features.
absl::Status RefineShape(InferenceContext* c, ShapeHandle shape, DimensionHandle features,
                         ShapeHandle* refined) {
  *refined = shape;
  if (!c->RankKnown(shape) || !c->ValueKnown(features)) return absl::Status();
  int unknown = 0;
  int64_t known = 1;
  for (int i = 1; i < c->Rank(shape); ++i) {
    if (c->ValueKnown(c->Dim(shape, i))) {
      known *= c->Value(c->Dim(shape, i));
    } else if (unknown == 0) {
      unknown = i;
    } else {
      return absl::Status();
    }
  }
  if (unknown == 0 || known == 0 || c->Value(features) % known != 0) return absl::Status();
  return c->ReplaceDim(shape, unknown, c->MakeDim(c->Value(features) / known), refined);
}

absl::Status InferFlattenNoise(InferenceContext* c) {
  DimensionHandle features;
  TF_RETURN_IF_ERROR(CheckInputs(c, "input", &features));
  const ShapeHandle input = c->input(kTensor);
  bool flatten;
  TF_RETURN_IF_ERROR(c->GetAttr("flatten", &flatten));
  ShapeHandle output;
  if (flatten) {
    output = c->Matrix(c->RankKnown(input) ? c->Dim(input, 0) : c->UnknownDim(), features);
  } else {
    TF_RETURN_IF_ERROR(RefineShape(c, input, features, &output));
  }
  c->set_output(0, output);
  return absl::Status();
}

absl::Status InferFlattenAddNoiseGrad(InferenceContext* c) {
  DimensionHandle features;
  TF_RETURN_IF_ERROR(CheckInputs(c, "grad", &features));
  c->set_output(0, c->input(kLoc));
  c->set_output(1, c->input(kScale));
  return absl::Status();
}

const char* const kNoiseOpArguments = R"doc(

input: A tensor of rank 1 or more, the batch first.
seed: Two integers that name the stream, as in `tf.random.stateless_*`.
loc: A scalar, or one value per feature; double for a double input, else float.
scale: Like loc.
offset: The index in the stream of the first element, not negative.
output: Of shape `[batch, features]`, or of the input's shape where not flattened.
distribution: Of z: standard normal, or uniform in [0, 1).
flatten: Whether to flatten all dimensions but the first.
validate_args: Whether to refuse a negative or NaN scale and a loc that is not finite.
)doc";

#define FLATNOISE_REGISTER_NOISE_OP(NAME, SUMMARY)            \
  REGISTER_OP(NAME)                                           \
      .Input("input: T")                                      \
      .Input("seed: Tseed")                                   \
      .Input("loc: U")                                        \
      .Input("scale: U")                                      \
      .Input("offset: int64")                                 \
      .Output("output: T")                                    \
      .Attr("T: {half, bfloat16, float, double}")             \
      .Attr("U: {float, double}")                             \
      .Attr("Tseed: {int32, int64}")                          \
      .Attr("distribution: {'normal', 'uniform'} = 'normal'") \
      .Attr("flatten: bool = true")                           \
      .Attr("validate_args: bool = false")                    \
      .SetShapeFn(InferFlattenNoise)                          \
      .Doc(std::string(SUMMARY) + kNoiseOpArguments)

FLATNOISE_REGISTER_NOISE_OP(
    "Flatnoise>FlattenAddNoise",
    "Adds loc + scale * z to every element, z the Philox stream's number for the element's index.");
FLATNOISE_REGISTER_NOISE_OP(
    "Flatnoise>FlattenMultiplyNoise",
    "Multiplies every element by loc + scale * z, z as in FlattenAddNoise.");
#undef FLATNOISE_REGISTER_NOISE_OP

REGISTER_OP("Flatnoise>FlattenAddNoiseGrad")
    .Input("grad: T")
    .Input("seed: Tseed")
    .Input("loc: U")
    .Input("scale: U")
    .Input("offset: int64")
    .Output("loc_grad: U")
    .Output("scale_grad: U")
    .Attr("T: {half, bfloat16, float, double}")
    .Attr("U: {float, double}")
    .Attr("Tseed: {int32, int64}")
    .Attr("distribution: {'normal', 'uniform'} = 'normal'")
    .SetShapeFn(InferFlattenAddNoiseGrad)
    .Doc(R"doc(
The gradients of FlattenAddNoise with respect to loc and scale, summed in a fixed order.

grad: The gradient of the output, flattened or not, the batch first.
loc: Gives its shape alone.
scale: Gives its shape alone.
loc_grad: The sum of grad over all elements, or over those of each feature.
scale_grad: Likewise of grad * z, with z made again from the seed.
)doc");

}  // namespace
}  // namespace flatnoise
