#include "tensorflow/cuda_tasks.h"

#include <algorithm>

namespace flatnoise {
namespace {

cuda::StreamStart StartOf(const NoiseInputs& inputs) {
  return {inputs.seed, inputs.seed_type, inputs.offset};
}

}  // namespace

cuda::ApplyNoiseTask CudaApplyNoiseTask(const NoiseAttributes& attributes,
                                        const NoiseInputs& inputs, const NoiseOutputs& outputs) {
  cuda::ApplyNoiseTask task = {};
  task.type = attributes.type();
  task.noise = attributes.noise;
  task.input = inputs.tensor;
  task.output = outputs.tensor;
  task.elements = inputs.elements;
  task.start = StartOf(inputs);
  std::copy_n(inputs.parameters, kMostParameters, task.parameters);
  task.validate_args = attributes.validate_args;
  task.bounds = inputs.bounds;
  task.noise_output = outputs.noise;
  return task;
}

cuda::ParameterGradientsTask CudaParameterGradientsTask(const NoiseAttributes& attributes,
                                                        const NoiseInputs& inputs,
                                                        void* const* gradients) {
  cuda::ParameterGradientsTask task = {};
  task.type = attributes.type();
  task.noise = attributes.noise;
  task.gradient = inputs.tensor;
  task.input = inputs.input;
  task.elements = inputs.elements;
  task.start = StartOf(inputs);
  // Linear noises don't have more parameters, but the compiler can't know that.
  const int parameters = std::min(attributes.combination().parameter_count, kMostGradients);
  for (int k = 0; k < parameters; ++k) {
    task.patterns[k] = inputs.parameters[k].pattern;
    task.gradients[k] = gradients[k];
  }
  return task;
}

}  // namespace flatnoise
