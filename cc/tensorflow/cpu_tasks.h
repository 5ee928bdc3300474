// The ops' inputs in the host's memory, checked and turned into tasks for cc/cpu.
#ifndef FLATNOISE_CC_TENSORFLOW_CPU_TASKS_H_
#define FLATNOISE_CC_TENSORFLOW_CPU_TASKS_H_

#include "absl/status/status.h"
#include "cpu/parameter_gradients.h"
#include "cpu/tasks.h"
#include "tensorflow/noise_arguments.h"
#include "tensorflow/noise_attributes.h"
#include "tensorflow/noise_inputs.h"

namespace flatnoise {

// An error where the offset is negative or, with `validate_args`, where a parameter has a value
// that the noise does not allow.
absl::Status MakeApplyNoiseTask(const NoiseAttributes& attributes, const NoiseInputs& inputs,
                                const NoiseOutputs& outputs, cpu::ApplyNoiseTask* task);

absl::Status MakeSumGradientsTask(const NoiseAttributes& attributes, const NoiseInputs& inputs,
                                  cpu::SumGradientsTask* task);

// For an output that may be fresh memory, which one that is the input's is not.
void AdviseHugePages(const cpu::ApplyNoiseTask& task, int64_t elements);

// The work of a gradient task whose parameters are `inputs`'.
cpu::ParameterGradients GradientsOf(const cpu::SumGradientsTask& task, const NoiseInputs& inputs);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_CPU_TASKS_H_
