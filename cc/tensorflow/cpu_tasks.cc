#include "tensorflow/cpu_tasks.h"

#include <algorithm>
#include <cmath>

#include "core/stream.h"
#include "tensorflow/invalid_argument.h"

namespace flatnoise {
namespace {

template <class Int>
Stream StreamOfPair(const void* seed) {
  const Int* values = static_cast<const Int*>(seed);
  return StreamFromSeed(static_cast<uint64_t>(int64_t{values[0]}),
                        static_cast<uint64_t>(int64_t{values[1]}));
}

Stream StreamOf(const OpInputs& inputs) {
  return inputs.seed_is_int64 ? StreamOfPair<int64_t>(inputs.seed)
                              : StreamOfPair<int32_t>(inputs.seed);
}

absl::Status CheckOffset(int64_t offset) {
  if (offset >= 0) return absl::Status();
  return InvalidArgument("offset must not be negative, got ", offset);
}

struct ParameterNames {
  const char* loc;
  const char* scale;
};

ParameterNames NamesOf(Distribution distribution) {
  if (distribution == Distribution::kNormal) return {"mean (loc)", "stddev (scale)"};
  return {"minval (loc)", "maxval - minval (scale)"};
}

template <class Scalar>
absl::Status CheckValues(const OpInputs& inputs, Distribution distribution) {
  const auto* loc = static_cast<const Scalar*>(inputs.loc.values);
  const auto* loc_end = loc + inputs.loc.count;
  const auto* bad_loc = std::find_if(loc, loc_end, [](Scalar a) { return !std::isfinite(a); });
  if (bad_loc != loc_end) {
    return InvalidArgument(NamesOf(distribution).loc, " must be finite, got ", *bad_loc);
  }
  const auto* scale = static_cast<const Scalar*>(inputs.scale.values);
  const auto* scale_end = scale + inputs.scale.count;
  const auto* bad_scale =
      std::find_if(scale, scale_end, [](Scalar a) { return !(std::isfinite(a) && a >= 0); });
  if (bad_scale != scale_end) {
    return InvalidArgument(NamesOf(distribution).scale, " must be finite and not negative, got ",
                           *bad_scale);
  }
  return absl::Status();
}

}  // namespace

absl::Status MakeApplyNoiseTask(const OpInputs& inputs, Distribution distribution,
                                Combination combination, bool validate_args, void* output,
                                cpu::ApplyNoiseTask* task) {
  absl::Status status = CheckOffset(*inputs.offset);
  if (status.ok() && validate_args) {
    status = inputs.type == ElementType::kDouble ? CheckValues<double>(inputs, distribution)
                                                 : CheckValues<float>(inputs, distribution);
  }
  if (!status.ok()) return status;
  *task = {inputs.type,
           distribution,
           combination,
           inputs.tensor,
           output,
           StreamOf(inputs),
           static_cast<uint64_t>(*inputs.offset),
           inputs.features,
           inputs.loc,
           inputs.scale};
  return absl::Status();
}

absl::Status MakeSumGradientsTask(const OpInputs& inputs, Distribution distribution,
                                  cpu::SumGradientsTask* task) {
  absl::Status status = CheckOffset(*inputs.offset);
  if (!status.ok()) return status;
  *task = {inputs.type,
           distribution,
           inputs.tensor,
           StreamOf(inputs),
           static_cast<uint64_t>(*inputs.offset),
           inputs.elements,
           /*columns=*/0};
  return absl::Status();
}

}  // namespace flatnoise
