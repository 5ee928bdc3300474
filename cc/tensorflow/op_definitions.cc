// The op definitions and shape functions.
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "core/noise_info.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"
#include "tensorflow/invalid_argument.h"
#include "tensorflow/noise_arguments.h"

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

absl::Status RequireSeed(InferenceContext* c) {
  ::tensorflow::DataType type;
  TF_RETURN_IF_ERROR(c->GetAttr("Tseed", &type));
  const bool is_int64 = type == ::tensorflow::DT_INT64;
  const ShapeHandle shape = c->input(kSeed);
  if (!c->RankKnown(shape)) return absl::Status();
  if (c->Rank(shape) == 1) {
    const DimensionHandle size = c->Dim(shape, 0);
    if (!c->ValueKnown(size) || IsSeedSize(c->Value(size), is_int64)) return absl::Status();
  }
  return WrongSeed(c->DebugString(shape), is_int64);
}

absl::Status RequireBatch(InferenceContext* c, const char* argument, ShapeHandle shape) {
  if (!c->RankKnown(shape) || c->Rank(shape) > 0) return absl::Status();
  return InvalidArgument(argument, " must have a batch dimension (rank 1 or more), got a scalar");
}

absl::Status Flatten(InferenceContext* c, ShapeHandle shape, ShapeHandle* flattened) {
  if (!c->RankKnown(shape)) {
    *flattened = c->Matrix(c->UnknownDim(), c->UnknownDim());
    return absl::Status();
  }
  DimensionHandle features = c->MakeDim(1);
  for (int i = 1; i < c->Rank(shape); ++i) {
    TF_RETURN_IF_ERROR(c->Multiply(features, c->Dim(shape, i), &features));
  }
  *flattened = c->Matrix(c->Dim(shape, 0), features);
  return absl::Status();
}

// Broadcasts a parameter over `tensor`. The parameter may determine unknown sizes of `tensor`.
absl::Status BroadcastOver(InferenceContext* c, const std::string& label, ShapeHandle parameter,
                           ShapeHandle* tensor) {
  if (!c->RankKnown(parameter) || !c->RankKnown(*tensor)) return absl::Status();
  const int leading = c->Rank(*tensor) - c->Rank(parameter);
  bool fits = leading >= 0;
  ShapeHandle refined = *tensor;
  for (int i = 0; fits && i < c->Rank(parameter); ++i) {
    const DimensionHandle size = c->Dim(parameter, i);
    if (!c->ValueKnown(size) || c->Value(size) == 1) continue;
    DimensionHandle merged;
    fits = c->Merge(c->Dim(*tensor, leading + i), size, &merged).ok();
    if (fits) TF_RETURN_IF_ERROR(c->ReplaceDim(refined, leading + i, merged, &refined));
  }
  if (!fits) {
    return InvalidArgument(label, " must have a shape that broadcasts to the output's shape ",
                           c->DebugString(*tensor), ", got shape ", c->DebugString(parameter));
  }
  *tensor = refined;
  return absl::Status();
}

template <class List>
absl::Status GetChoice(InferenceContext* c, const char* attribute, Choice<List>* choice) {
  std::string name;
  TF_RETURN_IF_ERROR(c->GetAttr(attribute, &name));
  *choice = *Find<List>(name);  // the op definition allows no other value
  return absl::Status();
}

using NoiseCheck = absl::Status (*)(const Noise& noise, int64_t parameters);

absl::Status BroadcastParameters(InferenceContext* c, NoiseCheck check, ShapeHandle* tensor) {
  Noise noise;
  int64_t parameters;
  TF_RETURN_IF_ERROR(GetChoice(c, "distribution", &noise.distribution));
  if (!GetChoice(c, "combination", &noise.combination).ok()) {
    noise.combination = kChoice<Combinations, Add>;  // the op without an input
  }
  TF_RETURN_IF_ERROR(c->GetAttr("num_parameters", &parameters));
  TF_RETURN_IF_ERROR(check(noise, parameters));
  const CombinationInfo info = InfoOf(noise.combination);
  for (int k = 0; k < info.parameter_count; ++k) {
    TF_RETURN_IF_ERROR(BroadcastOver(c, LabelOf(noise.distribution, info.parameters[k]),
                                     c->input(kFirstParameter + k), tensor));
  }
  return absl::Status();
}

absl::Status CheckStream(InferenceContext* c) {
  TF_RETURN_IF_ERROR(RequireSeed(c));
  return RequireShape(c, "offset", kOffset, c->Scalar());
}

absl::Status CheckBounds(InferenceContext* c) {
  int64_t bounds;
  if (!c->GetAttr("num_bounds", &bounds).ok()) return absl::Status();  // not every op has bounds
  if (bounds > 1) return InvalidArgument("bounds must be one tensor, or none, got ", bounds);
  if (bounds == 0) return absl::Status();
  return RequireShape(c, "bounds", c->num_inputs() - 1, c->Vector(2));
}

// All outputs have the same shape.
absl::Status SetOutputs(InferenceContext* c, ShapeHandle output) {
  TF_RETURN_IF_ERROR(BroadcastParameters(c, CheckNoise, &output));
  for (int i = 0; i < c->num_outputs(); ++i) c->set_output(i, output);
  return absl::Status();
}

absl::Status InferFlattenNoise(InferenceContext* c) {
  TF_RETURN_IF_ERROR(RequireBatch(c, "input", c->input(kTensor)));
  TF_RETURN_IF_ERROR(CheckStream(c));
  TF_RETURN_IF_ERROR(CheckBounds(c));
  bool flatten;
  TF_RETURN_IF_ERROR(c->GetAttr("flatten", &flatten));
  ShapeHandle output = c->input(kTensor);
  if (flatten) TF_RETURN_IF_ERROR(Flatten(c, c->input(kTensor), &output));
  return SetOutputs(c, output);
}

absl::Status InferNoise(InferenceContext* c) {
  TF_RETURN_IF_ERROR(CheckStream(c));
  ShapeHandle output;
  TF_RETURN_IF_ERROR(c->MakeShapeFromShapeTensor(kTensor, &output));
  TF_RETURN_IF_ERROR(RequireBatch(c, "shape", output));
  return SetOutputs(c, output);
}

absl::Status InferFlattenNoiseGrad(InferenceContext* c) {
  TF_RETURN_IF_ERROR(RequireBatch(c, "grad", c->input(kTensor)));
  TF_RETURN_IF_ERROR(CheckStream(c));
  ShapeHandle tensor = c->input(kTensor);
  TF_RETURN_IF_ERROR(BroadcastParameters(c, CheckNoiseOfGradient, &tensor));
  for (int k = 0; k < c->num_outputs(); ++k) c->set_output(k, c->input(kFirstParameter + k));
  return absl::Status();
}

// An attribute whose values are the names in a list. The first is the default.
template <class List>
std::string ChoiceAttribute(const char* name) {
  const auto names = Names<List>();
  return absl::StrCat(name, ": {'", absl::StrJoin(names, "', '"), "'} = '", names.front(), "'");
}

template <class... Types>
std::vector<std::string> DescribeCombinations(TypeList<Types...>) {
  return {absl::StrCat("\"", Types::kName, "\": ", Types::kFormula)...};
}

std::string DocumentNoise() {
  return absl::StrCat(R"doc(
Combines every element with noise z, the Philox stream's number at the element's index.

input: A tensor of rank 1 or more. Dimension 0 is the batch.
seed: Two integers that select the stream, as in `tf.random.stateless_*`, or the state of a
  `tf.random.Generator` with the Philox algorithm, as read by `RngReadAndSkip`: three int64
  integers. A state selects the stream of (key, counter / 256), each modulo 2**31 - 2, as in Keras.
offset: The index of the first element in the stream, at least 0.
parameters: The parameters of the combination. Each broadcasts to the output's shape and varies over
  contiguous dimensions. Double for a double input, else float.
bounds: Empty, or two numbers to clip the output to, the lower one first.
output: Has shape `[batch, features]`, or the input's shape if `flatten` is false.
distribution: The distribution of z.
combination: The formula for the output: )doc",
                      absl::StrJoin(DescribeCombinations(Combinations{}), ", "), R"doc(.
flatten: Whether to flatten all dimensions except the first.
validate_args: Whether to reject invalid parameters, for example infinite or negative ones.
)doc");
}

REGISTER_OP("Flatnoise>FlattenNoise")
    .Input("input: T")
    .Input("seed: Tseed")
    .Input("offset: int64")
    .Input("parameters: num_parameters * U")
    .Input("bounds: num_bounds * U")
    .Output("output: T")
    .Attr("T: {half, bfloat16, float, double}")
    .Attr("U: {float, double}")
    .Attr("Tseed: {int32, int64}")
    .Attr("num_parameters: int >= 1")
    .Attr("num_bounds: int >= 0 = 0")
    .Attr(ChoiceAttribute<Distributions>("distribution"))
    .Attr(ChoiceAttribute<Combinations>("combination"))
    .Attr("flatten: bool = true")
    .Attr("validate_args: bool = false")
    .SetShapeFn(InferFlattenNoise)
    .Doc(DocumentNoise());

REGISTER_OP("Flatnoise>FlattenNoiseWithZ")
    .Input("input: T")
    .Input("seed: Tseed")
    .Input("offset: int64")
    .Input("parameters: num_parameters * U")
    .Output("output: T")
    .Output("noise: T")
    .Attr("T: {half, bfloat16, float, double}")
    .Attr("U: {float, double}")
    .Attr("Tseed: {int32, int64}")
    .Attr("num_parameters: int >= 1")
    .Attr(ChoiceAttribute<Distributions>("distribution"))
    .Attr(ChoiceAttribute<Combinations>("combination"))
    .Attr("flatten: bool = true")
    .Attr("validate_args: bool = false")
    .SetShapeFn(InferFlattenNoise)
    .Doc(R"doc(
Like FlattenNoise, but also returns z. Only for the combination "diffuse".

noise: z, with the output's type and shape.
)doc");

REGISTER_OP("Flatnoise>FlattenNoiseOfBytes")
    .Input("input: uint8")
    .Input("seed: Tseed")
    .Input("offset: int64")
    .Input("parameters: num_parameters * float")
    .Input("bounds: num_bounds * float")
    .Output("output: T")
    .Attr("T: {half, bfloat16, float, uint8}")
    .Attr("Tseed: {int32, int64}")
    .Attr("num_parameters: int >= 1")
    .Attr("num_bounds: int >= 0 = 0")
    .Attr(ChoiceAttribute<Distributions>("distribution"))
    .Attr(ChoiceAttribute<Combinations>("combination"))
    .Attr("flatten: bool = true")
    .Attr("validate_args: bool = false")
    .Attr("byte_scale: float = 1.0")
    .SetShapeFn(InferFlattenNoise)
    .Doc(R"doc(
Like FlattenNoise, for uint8 inputs, which are multiplied by `byte_scale` first. uint8 outputs are
rounded to nearest, ties to even, and saturate at 0 and 255. NaN becomes 0.
)doc");

REGISTER_OP("Flatnoise>Noise")
    .Input("shape: Tshape")
    .Input("seed: Tseed")
    .Input("offset: int64")
    .Input("parameters: num_parameters * U")
    .Output("output: T")
    .Attr("Tshape: {int32, int64}")
    .Attr("T: {half, bfloat16, float, double}")
    .Attr("U: {float, double}")
    .Attr("Tseed: {int32, int64}")
    .Attr("num_parameters: int >= 1")
    .Attr(ChoiceAttribute<Distributions>("distribution"))
    .Attr("validate_args: bool = false")
    .SetShapeFn(InferNoise)
    .Doc(R"doc(
Generates noise without an input: loc + scale * z, with z as in FlattenNoise.

shape: The output's shape, of rank 1 or more.
parameters: loc and scale.
)doc");

REGISTER_OP("Flatnoise>FlattenNoiseGrad")
    .Input("grad: T")
    .Input("seed: Tseed")
    .Input("offset: int64")
    .Input("parameters: num_parameters * U")
    .Input("input: T")
    .Output("parameter_grads: num_parameters * U")
    .Attr("T: {half, bfloat16, float, double}")
    .Attr("U: {float, double}")
    .Attr("Tseed: {int32, int64}")
    .Attr("num_parameters: int >= 1")
    .Attr(ChoiceAttribute<Distributions>("distribution"))
    .Attr(ChoiceAttribute<Combinations>("combination"))
    .SetShapeFn(InferFlattenNoiseGrad)
    .Doc(R"doc(
Computes the gradients of FlattenNoise with respect to its parameters. Sums over broadcast
dimensions have a fixed order.

grad: The gradient of the output, with the output's shape.
parameters: The parameters of FlattenNoise. Only their shapes are used.
input: The input of FlattenNoise, of any shape. If the gradients don't depend on it, it isn't read
  and grad can be passed instead.
parameter_grads: The gradients, with the parameters' shapes. z is recomputed from the seed.
)doc");

}  // namespace
}  // namespace flatnoise
