// Converts the ops' inputs in GPU memory to tasks for cc/cuda.
#ifndef FLATNOISE_CC_TENSORFLOW_CUDA_TASKS_H_
#define FLATNOISE_CC_TENSORFLOW_CUDA_TASKS_H_

#include "cuda/tasks.h"
#include "tensorflow/noise_attributes.h"
#include "tensorflow/noise_inputs.h"

namespace flatnoise {

cuda::ApplyNoiseTask CudaApplyNoiseTask(const NoiseAttributes& attributes,
                                        const NoiseInputs& inputs, const NoiseOutputs& outputs);

cuda::ParameterGradientsTask CudaParameterGradientsTask(const NoiseAttributes& attributes,
                                                        const NoiseInputs& inputs,
                                                        void* const* gradients);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_CUDA_TASKS_H_
