// The ops' inputs in the host's memory, checked and turned into tasks for cc/cpu.
#ifndef FLATNOISE_CC_TENSORFLOW_CPU_TASKS_H_
#define FLATNOISE_CC_TENSORFLOW_CPU_TASKS_H_

#include "absl/status/status.h"
#include "cpu/tasks.h"
#include "tensorflow/op_inputs.h"

namespace flatnoise {

// An error where the offset is negative or, with `validate_args`, where the scale is negative or
// NaN or the loc is not finite.
absl::Status MakeApplyNoiseTask(const OpInputs& inputs, Distribution distribution,
                                Combination combination, bool validate_args, void* output,
                                cpu::ApplyNoiseTask* task);

absl::Status MakeSumGradientsTask(const OpInputs& inputs, Distribution distribution,
                                  cpu::SumGradientsTask* task);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_CPU_TASKS_H_
