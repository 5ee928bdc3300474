// Checks the ops' inputs in host memory and converts them to tasks for cc/cpu.
#ifndef FLATNOISE_CC_TENSORFLOW_CPU_TASKS_H_
#define FLATNOISE_CC_TENSORFLOW_CPU_TASKS_H_

#include "absl/status/status.h"
#include "cpu/parameter_gradients.h"
#include "cpu/tasks.h"
#include "tensorflow/noise_arguments.h"
#include "tensorflow/noise_attributes.h"
#include "tensorflow/noise_inputs.h"

namespace flatnoise {

// Returns an error if the offset is negative or, with `validate_args`, if a parameter has an
// invalid value.
absl::Status MakeApplyNoiseTask(const NoiseAttributes& attributes, const NoiseInputs& inputs,
                                const NoiseOutputs& outputs, cpu::ApplyNoiseTask* task);

absl::Status MakeSumGradientsTask(const NoiseAttributes& attributes, const NoiseInputs& inputs,
                                  cpu::SumGradientsTask* task);

// Call for outputs in fresh memory. Does nothing if the output reuses the input's memory.
void AdviseHugePages(const cpu::ApplyNoiseTask& task, int64_t elements);

// The work of a gradient task with the parameters in `inputs`.
cpu::ParameterGradients GradientsOf(const cpu::SumGradientsTask& task, const NoiseInputs& inputs);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_CPU_TASKS_H_
