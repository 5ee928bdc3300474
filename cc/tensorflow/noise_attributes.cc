#include "tensorflow/noise_attributes.h"

#include <string>

#include "tensorflow/invalid_argument.h"
#include "tensorflow/noise_arguments.h"

namespace flatnoise {
namespace {

using ::tensorflow::DataType;
using ::tensorflow::OpKernelConstruction;

ElementType ElementTypeOf(DataType type) {
  switch (type) {
    case tensorflow::DT_HALF:
      return kElementType<Half>;
    case tensorflow::DT_BFLOAT16:
      return kElementType<BFloat16>;
    case tensorflow::DT_DOUBLE:
      return kElementType<double>;
    default:  // the op's definition allows no other
      return kElementType<float>;
  }
}

template <class List>
absl::Status ReadChoice(const OpKernelConstruction* construction, const char* attribute,
                        Choice<List>* choice) {
  std::string name;
  TF_RETURN_IF_ERROR(construction->GetAttr(attribute, &name));
  const auto found = Find<List>(name);
  if (!found) return InvalidArgument(attribute, " must be one of the op's, got '", name, "'");
  *choice = *found;
  return absl::Status();
}

absl::Status CheckParameterType(DataType tensor, DataType parameter) {
  const DataType expected =
      tensor == tensorflow::DT_DOUBLE ? tensorflow::DT_DOUBLE : tensorflow::DT_FLOAT;
  if (parameter == expected) return absl::Status();
  return InvalidArgument("parameters must be ", tensorflow::DataTypeString(expected), " for a ",
                         tensorflow::DataTypeString(tensor), " tensor, got ",
                         tensorflow::DataTypeString(parameter));
}

}  // namespace

absl::Status ReadAttributes(const OpKernelConstruction* construction, NoiseAttributes* attributes) {
  TF_RETURN_IF_ERROR(ReadChoice(construction, "distribution", &attributes->noise.distribution));
  TF_RETURN_IF_ERROR(ReadChoice(construction, "combination", &attributes->noise.combination));
  attributes->flatten = attributes->validate_args = false;
  const bool is_gradient = !construction->HasAttr("flatten");
  if (!is_gradient) {
    TF_RETURN_IF_ERROR(construction->GetAttr("flatten", &attributes->flatten));
    TF_RETURN_IF_ERROR(construction->GetAttr("validate_args", &attributes->validate_args));
  }
  int64_t parameters;
  DataType tensor_type, parameter_type;
  TF_RETURN_IF_ERROR(construction->GetAttr("num_parameters", &parameters));
  TF_RETURN_IF_ERROR(construction->GetAttr("T", &tensor_type));
  TF_RETURN_IF_ERROR(construction->GetAttr("U", &parameter_type));
  attributes->type = ElementTypeOf(tensor_type);
  TF_RETURN_IF_ERROR(is_gradient ? CheckNoiseOfGradient(attributes->noise, parameters)
                                 : CheckNoise(attributes->noise, parameters));
  return CheckParameterType(tensor_type, parameter_type);
}

}  // namespace flatnoise
