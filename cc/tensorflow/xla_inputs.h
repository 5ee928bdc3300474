// What XLA hands to its custom calls, as the ops' own inputs.
#ifndef FLATNOISE_CC_TENSORFLOW_XLA_INPUTS_H_
#define FLATNOISE_CC_TENSORFLOW_XLA_INPUTS_H_

#include <cstdint>

#include "core/combination.h"
#include "core/distributions.h"
#include "tensorflow/op_inputs.h"
#include "xla/ffi/api/ffi.h"

namespace flatnoise {

inline ElementType ElementTypeOf(xla::ffi::DataType type) {
  switch (type) {
    case xla::ffi::DataType::F16:
      return ElementType::kHalf;
    case xla::ffi::DataType::BF16:
      return ElementType::kBFloat16;
    case xla::ffi::DataType::F64:
      return ElementType::kDouble;
    default:
      return ElementType::kFloat;
  }
}

inline Parameter ParameterOf(const xla::ffi::AnyBuffer& buffer) {
  return {buffer.untyped_data(), static_cast<int64_t>(buffer.element_count())};
}

inline OpInputs InputsOf(const xla::ffi::AnyBuffer& tensor, const xla::ffi::AnyBuffer& seed,
                         const xla::ffi::AnyBuffer& loc, const xla::ffi::AnyBuffer& scale,
                         const xla::ffi::AnyBuffer& offset, int64_t features) {
  return {ElementTypeOf(tensor.element_type()),
          tensor.untyped_data(),
          static_cast<int64_t>(tensor.element_count()),
          features,
          seed.untyped_data(),
          seed.element_type() == xla::ffi::DataType::S64,
          ParameterOf(loc),
          ParameterOf(scale),
          offset.typed_data<int64_t>()};
}

inline Distribution DistributionOf(int64_t attribute) {
  return static_cast<Distribution>(attribute);
}

inline Combination CombinationOf(int64_t attribute) { return static_cast<Combination>(attribute); }

inline xla::ffi::Error ToError(const absl::Status& status) {
  if (status.ok()) return xla::ffi::Error();
  return xla::ffi::Error(static_cast<XLA_FFI_Error_Code>(status.code()),
                         std::string(status.message()));
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_XLA_INPUTS_H_
