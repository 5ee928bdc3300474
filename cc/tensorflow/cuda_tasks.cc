#include "tensorflow/cuda_tasks.h"

namespace flatnoise {
namespace {

cuda::StreamStart StartOf(const OpInputs& inputs) {
  return {inputs.seed, inputs.seed_is_int64, inputs.offset};
}

}  // namespace

cuda::ApplyNoiseTask CudaApplyNoiseTask(const OpInputs& inputs, Distribution distribution,
                                        Combination combination, bool validate_args, void* output) {
  return {inputs.type, distribution,    combination,     inputs.tensor,
          output,      inputs.elements, inputs.features, StartOf(inputs),
          inputs.loc,  inputs.scale,    validate_args};
}

cuda::SumGradientsTask CudaSumGradientsTask(const OpInputs& inputs, Distribution distribution,
                                            void* loc_gradient, void* scale_gradient) {
  return {inputs.type,
          distribution,
          inputs.tensor,
          inputs.elements,
          inputs.features,
          StartOf(inputs),
          {loc_gradient, inputs.loc.count},
          {scale_gradient, inputs.scale.count}};
}

}  // namespace flatnoise
