// Creates an InvalidArgument error from the parts of its message.
#ifndef FLATNOISE_CC_TENSORFLOW_INVALID_ARGUMENT_H_
#define FLATNOISE_CC_TENSORFLOW_INVALID_ARGUMENT_H_

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace flatnoise {

template <class... Parts>
absl::Status InvalidArgument(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_INVALID_ARGUMENT_H_
