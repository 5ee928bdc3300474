// The custom calls from XLA's compiled code, for all platforms: how the kernels for XLA devices
// write them, and how the handlers read them.
//
// The operands are the op's inputs and the results its outputs, in order. The attributes are listed
// here.
#ifndef FLATNOISE_CC_TENSORFLOW_XLA_CALLS_H_
#define FLATNOISE_CC_TENSORFLOW_XLA_CALLS_H_

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "tensorflow/invalid_argument.h"
#include "tensorflow/noise_arguments.h"
#include "tensorflow/noise_attributes.h"
#include "tensorflow/noise_inputs.h"
#include "xla/ffi/api/ffi.h"

namespace flatnoise {

// An op's attributes in a call.
struct CallAttributes {
  std::string_view input_type;
  std::string_view output_type;
  std::string_view distribution;
  std::string_view combination;
  bool validate_args;
  float byte_scale;
};

}  // namespace flatnoise

XLA_FFI_REGISTER_STRUCT_ATTR_DECODING(::flatnoise::CallAttributes,
                                      StructMember<std::string_view>("input_type"),
                                      StructMember<std::string_view>("output_type"),
                                      StructMember<std::string_view>("distribution"),
                                      StructMember<std::string_view>("combination"),
                                      StructMember<bool>("validate_args"),
                                      StructMember<float>("byte_scale"));

namespace flatnoise {

// Completes a handler's binding, which already has the contexts for its platform.
template <class Binding>
auto BindCall(Binding binding) {
  return std::move(binding).RemainingArgs().RemainingRets().template Attrs<CallAttributes>();
}

// A decoded call.
struct NoiseCall {
  NoiseAttributes attributes;
  NoiseInputs inputs;
  void* outputs[kMostParameters];  // null after the last result

  NoiseOutputs noise_outputs() const { return {outputs[0], outputs[1]}; }
};

inline absl::Status ReadAttributes(const CallAttributes& call, bool is_gradient,
                                   NoiseAttributes* attributes) {
  const auto input_type = Find<StoredTypes>(call.input_type);
  const auto output_type = Find<StoredTypes>(call.output_type);
  const auto distribution = Find<Distributions>(call.distribution);
  const auto combination = Find<Combinations>(call.combination);
  const bool is_known =
      distribution && combination &&
      (is_gradient ? IsIn<LinearNoises> : IsIn<Noises>)(Noise{*distribution, *combination});
  if (!input_type || !output_type || !is_known) {
    return InvalidArgument("this flatnoise knows no noise of types ", call.input_type, " and ",
                           call.output_type, ", distribution ", call.distribution,
                           " and combination ", call.combination);
  }
  *attributes = {};
  attributes->input_type = *input_type;
  attributes->output_type = *output_type;
  attributes->noise = {*distribution, *combination};
  attributes->validate_args = call.validate_args;
  attributes->byte_scale = call.byte_scale;
  return absl::Status();
}

inline Dimensions DimensionsOf(const xla::ffi::AnyBuffer& buffer) {
  return {buffer.dimensions().begin(), static_cast<int>(buffer.dimensions().size())};
}

// Reads a call. The parameters broadcast over result 0 in the op, and over operand 0 in the
// gradient op.
inline absl::Status ReadCall(const xla::ffi::RemainingArgs& operands,
                             const xla::ffi::RemainingRets& results,
                             const CallAttributes& attributes, bool is_gradient, NoiseCall* call) {
  TF_RETURN_IF_ERROR(ReadAttributes(attributes, is_gradient, &call->attributes));
  const int parameters = call->attributes.combination().parameter_count;
  const auto operand = [&](int i) {
    return *operands.get<xla::ffi::AnyBuffer>(static_cast<size_t>(i));
  };
  const auto result = [&](int i) {
    return **results.get<xla::ffi::AnyBuffer>(static_cast<size_t>(i));
  };
  // The operand after the parameters is the forward op's input in a gradient op, or the bounds, if
  // any, in other ops.
  const int last = kFirstParameter + parameters;
  const bool has_last = operands.size() > static_cast<size_t>(last);
  const bool fits = operands.size() <= static_cast<size_t>(last) + 1 &&
                    operands.size() >= static_cast<size_t>(last) + (is_gradient ? 1 : 0);
  const bool results_fit = is_gradient ? results.size() == static_cast<size_t>(parameters)
                                       : results.size() == 1 || results.size() == 2;
  if (!fits || !results_fit) {
    return InvalidArgument("a call of a noise with ", parameters, " parameters has ",
                           operands.size(), " operands and ", results.size(), " results");
  }
  const xla::ffi::AnyBuffer tensor = operand(kTensor), seed = operand(kSeed);
  call->inputs = {};
  std::fill(std::begin(call->outputs), std::end(call->outputs), nullptr);
  call->inputs.tensor = tensor.untyped_data();
  call->inputs.elements = static_cast<int64_t>((is_gradient ? tensor : result(0)).element_count());
  call->inputs.seed = seed.untyped_data();
  call->inputs.seed_type = SeedTypeOf(static_cast<int64_t>(seed.element_count()),
                                      seed.element_type() == xla::ffi::DataType::S64);
  call->inputs.offset = static_cast<const int64_t*>(operand(kOffset).untyped_data());
  if (call->attributes.input_type == kStoredType<Nothing>) call->inputs.tensor = nullptr;
  call->attributes.clips = has_last && !is_gradient;
  if (call->attributes.clips) call->inputs.bounds = operand(last).untyped_data();
  if (is_gradient) call->inputs.input = operand(last).untyped_data();
  for (size_t i = 0; i < results.size(); ++i) {
    call->outputs[i] = result(static_cast<int>(i)).untyped_data();
  }
  const xla::ffi::AnyBuffer broadcast_over = is_gradient ? tensor : result(0);
  for (int k = 0; k < parameters; ++k) {
    const xla::ffi::AnyBuffer parameter = operand(kFirstParameter + k);
    Parameter& read = call->inputs.parameters[k];
    read.values = parameter.untyped_data();
    TF_RETURN_IF_ERROR(BroadcastParameter(call->attributes.noise, k, DimensionsOf(parameter),
                                          DimensionsOf(broadcast_over), &read.pattern));
  }
  return absl::Status();
}

inline xla::ffi::Error ToError(const absl::Status& status) {
  if (status.ok()) return xla::ffi::Error();
  return xla::ffi::Error(static_cast<XLA_FFI_Error_Code>(status.code()),
                         std::string(status.message()));
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_XLA_CALLS_H_
