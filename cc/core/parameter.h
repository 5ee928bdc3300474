// loc and scale as callers hand them over.
#ifndef FLATNOISE_CC_CORE_PARAMETER_H_
#define FLATNOISE_CC_CORE_PARAMETER_H_

#include <cstdint>

namespace flatnoise {

// One value for all elements (count 1) or one per feature (count = features), in the compute type
// of the elements: double for double, else float.
struct Parameter {
  const void* values;
  int64_t count;
};

}  // namespace flatnoise

#endif  // FLATNOISE_CC_CORE_PARAMETER_H_
