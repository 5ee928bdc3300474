// The ops' inputs in a GPU's memory, turned into tasks for cc/cuda.
#ifndef FLATNOISE_CC_TENSORFLOW_CUDA_TASKS_H_
#define FLATNOISE_CC_TENSORFLOW_CUDA_TASKS_H_

#include "cuda/tasks.h"
#include "tensorflow/op_inputs.h"

namespace flatnoise {

cuda::ApplyNoiseTask CudaApplyNoiseTask(const OpInputs& inputs, Distribution distribution,
                                        Combination combination, bool validate_args, void* output);

cuda::SumGradientsTask CudaSumGradientsTask(const OpInputs& inputs, Distribution distribution,
                                            void* loc_gradient, void* scale_gradient);

}  // namespace flatnoise

#endif  // FLATNOISE_CC_TENSORFLOW_CUDA_TASKS_H_
