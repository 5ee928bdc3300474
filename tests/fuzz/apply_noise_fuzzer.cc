// Compares the forward kernels of every instruction set with the definition.
#include <algorithm>
#include <vector>

#include "cpu/apply_noise.h"
#include "problem.h"

namespace flatnoise::cpu {
namespace {

constexpr int64_t kMostElements = 1500;
constexpr int64_t kMostShift = 17;

template <class T>
class Problem {
 public:
  using Scalar = ComputeType<T>;

  explicit Problem(FuzzedDataProvider& bytes)
      : sizes_(AnySizes(bytes, kMostElements)),
        elements_(sizes_.elements()),
        in_place_(bytes.ConsumeBool()),
        input_(elements_, AnyShift(bytes)),
        output_(elements_, AnyShift(bytes)) {
    task_.storage = kElementType<T>;
    task_.noise = AnyNoise(bytes);
    task_.stream = AnyStream(bytes);
    task_.offset = AnyOffset(bytes);
    task_.input = in_place_ ? output_.data() : input_.data();
    task_.output = output_.data();
    input_.Fill(bytes);
    for (int k = 0; k < InfoOf(task_.noise.combination).parameter_count; ++k) {
      const BroadcastPattern pattern = AnyPattern(bytes, sizes_);
      parameters_.emplace_back(pattern.count, AnyShift(bytes));
      parameters_.back().Fill(bytes);
      task_.parameters[k] = {parameters_.back().data(), pattern};
    }
    cut_ = bytes.ConsumeIntegralInRange<int64_t>(0, elements_);
    by_shards_ = bytes.ConsumeBool();
  }

  void Check(const Kernels& kernels) {
    std::fill_n(output_.data(), elements_, T{});
    if (in_place_) std::copy_n(input_.data(), elements_, output_.data());
    Run(kernels);
    for (int64_t i = 0; i < elements_; ++i) {
      if (!SameNumber(output_[i], Expected(i))) {
        Fail(
            "%s: element %lld of %lld, type %d, distribution %d, combination %d, offset %llu: "
            "%a for %a",
            kernels.name, static_cast<long long>(i), static_cast<long long>(elements_),
            task_.storage.output.index, task_.noise.distribution.index,
            task_.noise.combination.index, static_cast<unsigned long long>(task_.offset),
            static_cast<double>(ToCompute(output_[i])),
            static_cast<double>(ToCompute(Expected(i))));
      }
    }
  }

 private:
  static int64_t AnyShift(FuzzedDataProvider& bytes) {
    return bytes.ConsumeIntegralInRange<int64_t>(0, kMostShift);
  }

  void Run(const Kernels& kernels) const {
    if (elements_ == 0) return;
    if (!by_shards_) {
      const IeeeArithmetic guard;
      kernels.apply_noise(task_, cut_, elements_);
      kernels.apply_noise(task_, 0, cut_);
      return;
    }
    for (int64_t shard = CountShards(task_, elements_); shard-- > 0;) {
      ApplyNoiseShards(task_, elements_, shard, shard + 1, kernels);
    }
  }

  T Expected(int64_t i) const {
    const auto z = reference::NumberAt<Scalar>(task_.noise, task_.stream,
                                               task_.offset + static_cast<uint64_t>(i));
    std::vector<Scalar> p;
    for (size_t k = 0; k < parameters_.size(); ++k) {
      const BroadcastPattern& pattern = task_.parameters[k].pattern;
      p.push_back(parameters_[k][i / pattern.repeat % pattern.count]);
    }
    return FromCompute<T>(reference::OutputOf(task_.noise, ToCompute(input_[i]), p, z));
  }

  Sizes sizes_;
  int64_t elements_;
  bool in_place_;
  Memory<T> input_, output_;
  std::vector<Memory<Scalar>> parameters_;
  ApplyNoiseTask task_;
  int64_t cut_;
  bool by_shards_;
};

}  // namespace
}  // namespace flatnoise::cpu

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flatnoise::cpu;  // NOLINT(google-build-using-namespace)
  FuzzedDataProvider bytes(data, size);
  WithAnyType(bytes, [&](auto element) {
    Problem<decltype(element)> problem(bytes);
    for (const Kernels* kernels : SupportedKernels()) problem.Check(*kernels);
  });
  return 0;
}
