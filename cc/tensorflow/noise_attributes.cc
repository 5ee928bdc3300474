#include "tensorflow/noise_attributes.h"

#include <string>

#include "tensorflow/invalid_argument.h"
#include "tensorflow/noise_arguments.h"

namespace flatnoise {
namespace {

using ::tensorflow::DataType;
using ::tensorflow::OpKernelConstruction;

StoredType StoredTypeOf(DataType type) {
  switch (type) {
    case tensorflow::DT_HALF:
      return kStoredType<Half>;
    case tensorflow::DT_BFLOAT16:
      return kStoredType<BFloat16>;
    case tensorflow::DT_DOUBLE:
      return kStoredType<double>;
    case tensorflow::DT_UINT8:
      return kStoredType<uint8_t>;
    default:  // the op definitions allow no other type
      return kStoredType<float>;
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
  *attributes = {};
  const auto read = [&](const char* name, auto* value) {
    return construction->HasAttr(name) ? construction->GetAttr(name, value) : absl::Status();
  };
  TF_RETURN_IF_ERROR(ReadChoice(construction, "distribution", &attributes->noise.distribution));
  if (construction->HasAttr("combination")) {
    TF_RETURN_IF_ERROR(ReadChoice(construction, "combination", &attributes->noise.combination));
  }
  int64_t parameters, bounds = 0;
  DataType tensor_type = tensorflow::DT_FLOAT, parameter_type = tensorflow::DT_FLOAT;
  TF_RETURN_IF_ERROR(construction->GetAttr("num_parameters", &parameters));
  TF_RETURN_IF_ERROR(read("num_bounds", &bounds));
  TF_RETURN_IF_ERROR(read("T", &tensor_type));
  TF_RETURN_IF_ERROR(read("U", &parameter_type));
  TF_RETURN_IF_ERROR(read("flatten", &attributes->flatten));
  TF_RETURN_IF_ERROR(read("validate_args", &attributes->validate_args));
  TF_RETURN_IF_ERROR(read("byte_scale", &attributes->byte_scale));
  attributes->clips = bounds > 0;
  attributes->output_type = StoredTypeOf(tensor_type);
  attributes->input_type = attributes->output_type;
  if (construction->HasAttr("Tshape")) attributes->input_type = kStoredType<Nothing>;
  if (construction->HasAttr("byte_scale")) attributes->input_type = kStoredType<uint8_t>;
  const bool is_gradient = !construction->HasAttr("validate_args");
  attributes->returns_noise = !is_gradient && construction->num_outputs() == 2;
  TF_RETURN_IF_ERROR(is_gradient ? CheckNoiseOfGradient(attributes->noise, parameters)
                                 : CheckNoise(attributes->noise, parameters));
  if (attributes->returns_noise) TF_RETURN_IF_ERROR(CheckReturnsNoise(attributes->noise));
  return CheckParameterType(tensor_type, parameter_type);
}

}  // namespace flatnoise
