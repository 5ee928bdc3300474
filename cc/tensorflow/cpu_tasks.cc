#include "tensorflow/cpu_tasks.h"

#include <algorithm>
#include <cmath>

#include "core/stream.h"
#include "cpu/huge_pages.h"
#include "tensorflow/invalid_argument.h"

namespace flatnoise {
namespace {

absl::Status CheckOffset(int64_t offset) {
  if (offset >= 0) return absl::Status();
  return InvalidArgument("offset must not be negative, got ", offset);
}

template <class Scalar>
bool IsAllowed(ParameterValues allowed, Scalar a) {
  switch (allowed) {
    case ParameterValues::kAny:
      return true;
    case ParameterValues::kFinite:
      return std::isfinite(a);
    case ParameterValues::kFiniteNotNegative:
      return std::isfinite(a) && a >= 0;
    case ParameterValues::kProbability:
      return a >= 0 && a <= 1;
  }
  return false;
}

const char* Describe(ParameterValues allowed) {
  switch (allowed) {
    case ParameterValues::kAny:
      return "a number";
    case ParameterValues::kFinite:
      return "finite";
    case ParameterValues::kFiniteNotNegative:
      return "finite and not negative";
    case ParameterValues::kProbability:
      return "from 0 to 1";
  }
  return "";
}

template <class Scalar>
absl::Status CheckBounds(const Scalar* bounds) {
  if (bounds == nullptr || bounds[0] <= bounds[1]) return absl::Status();
  return InvalidArgument("bounds must be two numbers, the lower one first, got ", bounds[0],
                         " and ", bounds[1]);
}

template <class Scalar>
absl::Status CheckValues(const Noise& noise, const NoiseInputs& inputs) {
  const CombinationInfo info = InfoOf(noise.combination);
  for (int k = 0; k < info.parameter_count; ++k) {
    const ParameterInfo& parameter = info.parameters[k];
    const auto* values = static_cast<const Scalar*>(inputs.parameters[k].values);
    const auto* end = values + inputs.parameters[k].pattern.count;
    const auto* wrong =
        std::find_if_not(values, end, [&](Scalar a) { return IsAllowed(parameter.values, a); });
    if (wrong == end) continue;
    return InvalidArgument(LabelOf(noise.distribution, parameter), " must be ",
                           Describe(parameter.values), ", got ", *wrong);
  }
  return CheckBounds(static_cast<const Scalar*>(inputs.bounds));
}

}  // namespace

absl::Status MakeApplyNoiseTask(const NoiseAttributes& attributes, const NoiseInputs& inputs,
                                const NoiseOutputs& outputs, cpu::ApplyNoiseTask* task) {
  TF_RETURN_IF_ERROR(CheckOffset(*inputs.offset));
  if (attributes.validate_args) {
    TF_RETURN_IF_ERROR(attributes.output_type == kStoredType<double>
                           ? CheckValues<double>(attributes.noise, inputs)
                           : CheckValues<float>(attributes.noise, inputs));
  }
  *task = {{attributes.input_type, attributes.output_type},
           attributes.noise,
           inputs.tensor,
           outputs.tensor,
           ReadStream(inputs.seed, inputs.seed_type),
           static_cast<uint64_t>(*inputs.offset),
           {}};
  std::copy_n(inputs.parameters, kMostParameters, task->parameters);
  task->bounds = inputs.bounds;
  task->byte_scale = attributes.byte_scale;
  task->noise_output = outputs.noise;
  if (cpu::IsKnown(task->storage)) return absl::Status();
  return InvalidArgument("there are no loops from ", NameOf(attributes.input_type), " to ",
                         NameOf(attributes.output_type));
}

void AdviseHugePages(const cpu::ApplyNoiseTask& task, int64_t elements) {
  if (task.input == task.output) return;
  const int64_t element_size = cpu::StrideOf(task.storage.output);
  cpu::AdviseHugePages(task.output, elements * element_size);
}

absl::Status MakeSumGradientsTask(const NoiseAttributes& attributes, const NoiseInputs& inputs,
                                  cpu::SumGradientsTask* task) {
  absl::Status status = CheckOffset(*inputs.offset);
  if (!status.ok()) return status;
  *task = {attributes.type(),
           attributes.noise,
           inputs.tensor,
           inputs.input,
           ReadStream(inputs.seed, inputs.seed_type),
           static_cast<uint64_t>(*inputs.offset),
           inputs.elements,
           /*columns=*/0};
  return absl::Status();
}

cpu::ParameterGradients GradientsOf(const cpu::SumGradientsTask& task, const NoiseInputs& inputs) {
  BroadcastPattern patterns[kMostGradients];
  for (int k = 0; k < kMostGradients; ++k) patterns[k] = inputs.parameters[k].pattern;
  return cpu::ParameterGradients(task, patterns);
}

}  // namespace flatnoise
