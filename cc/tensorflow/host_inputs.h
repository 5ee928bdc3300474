// The ops' inputs as they lie in the host's memory, checked and turned into tasks for cc/cpu.
#ifndef FLATNOISE_CC_TENSORFLOW_HOST_INPUTS_H_
#define FLATNOISE_CC_TENSORFLOW_HOST_INPUTS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "cpu/tasks.h"

namespace flatnoise {

struct HostInputs {
  ElementType type;
  const void* tensor;
  int64_t elements;
  int64_t features;
  const void* seed;
  bool seed_is_int64;
  Parameter loc;
  Parameter scale;
  const int64_t* offset;
};

// An error where the offset is negative or, with `validate_args`, where the scale is negative or
// NaN or the loc is not finite.
absl::Status MakeAddNoiseTask(const HostInputs& inputs, Distribution distribution,
                              bool validate_args, void* output, cpu::AddNoiseTask* task);

absl::Status MakeSumGradientsTask(const HostInputs& inputs, Distribution distribution,
                                  cpu::SumGradientsTask* task);

// The features over which gradients are summed apart: 1 where loc and scale are scalars.
int64_t GradientFeatures(const HostInputs& inputs);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_HOST_INPUTS_H_
