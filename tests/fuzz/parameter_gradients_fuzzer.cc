// The gradient kernels are bit-identical for every instruction set, tile order and alignment. If
// all terms are finite, results match the sums in the definition.
#include <algorithm>
#include <vector>

#include "cpu/parameter_gradients.h"
#include "problem.h"

namespace flatnoise::cpu {
namespace {

constexpr int64_t kMostElements = 12000;
constexpr int64_t kMostShift = 17;

template <class Scalar>
using Gradients = std::vector<std::vector<Scalar>>;

template <class T>
class Problem {
 public:
  using Scalar = ComputeType<T>;

  explicit Problem(FuzzedDataProvider& bytes)
      : sizes_(AnySizes(bytes, kMostElements)),
        elements_(sizes_.elements()),
        gradient_(elements_, bytes.ConsumeIntegralInRange<int64_t>(0, kMostShift)),
        input_(elements_, bytes.ConsumeIntegralInRange<int64_t>(0, kMostShift)),
        task_{kElementType<T>,  AnyNoise<LinearNoises>(bytes),
              gradient_.data(), input_.data(),
              AnyStream(bytes), AnyOffset(bytes),
              elements_,        /*columns=*/0},
        first_tile_(bytes.ConsumeIntegral<uint16_t>()) {
    for (int k = 0; k < InfoOf(task_.noise.combination).parameter_count; ++k) {
      patterns_.push_back(AnyPattern(bytes, sizes_));
    }
    const bool any_bits = bytes.ConsumeBool();
    gradient_.Fill(bytes);
    input_.Fill(bytes);
    if (any_bits) return;
    for (int64_t i = 0; i < elements_; ++i) {
      gradient_[i] = Moderate(gradient_[i], i);
      input_[i] = Moderate(input_[i], i);
    }
  }

  Gradients<Scalar> Run(const Kernels& kernels) const {
    const ParameterGradients sums(task_, patterns_.data());
    Memory<double> workspace(sums.workspace_size(), 0);
    std::fill_n(workspace.data(), workspace.size(), NAN);
    for (int64_t i = 0; i < sums.tiles(); ++i) {
      sums.SumTile((first_tile_ + i) % sums.tiles(), workspace.data(), kernels);
    }
    Gradients<Scalar> gradients;
    std::vector<void*> pointers;
    for (const auto& pattern : patterns_) gradients.emplace_back(pattern.count);
    for (auto& gradient : gradients) pointers.push_back(gradient.data());
    sums.Finish(workspace.data(), pointers.data());
    return gradients;
  }

  void ExpectTheDefinition(const Gradients<Scalar>& got) const {
    for (int64_t i = 0; i < elements_; ++i) {
      // There is no error bound for infinite and huge terms.
      if (!IsModerate(gradient_[i]) || !IsModerate(input_[i])) return;
    }
    for (size_t k = 0; k < got.size(); ++k) ExpectNear(k, got[k]);
  }

 private:
  static constexpr double kModerate = 0x1p14;

  static bool IsModerate(T a) { return std::fabs(ToCompute(a)) <= static_cast<Scalar>(kModerate); }

  // The number itself if sums of numbers of this size can't overflow, else another number.
  static T Moderate(T a, int64_t i) {
    return IsModerate(a) ? a : FromCompute<T>(static_cast<Scalar>(i % 13 - 6));
  }

  long double Term(size_t k, int64_t i) const {
    const auto z = reference::NumberAt<Scalar>(task_.noise, task_.stream,
                                               task_.offset + static_cast<uint64_t>(i));
    const long double g = ToCompute(gradient_[i]);
    return g * reference::DerivativesOf(task_.noise, ToCompute(input_[i]), z)[k];
  }

  void ExpectNear(size_t k, const std::vector<Scalar>& got) const {
    std::vector<long double> sum(got.size()), size(got.size());
    for (int64_t i = 0; i < elements_; ++i) {
      const size_t value = reference::ValueIndex(patterns_[k], static_cast<size_t>(i));
      sum[value] += Term(k, i);
      size[value] += std::fabs(Term(k, i));
    }
    // One rounding per product and one for the result. Subnormal numbers lose more.
    const long double unit = sizeof(Scalar) == 4 ? 0x1p-21L : 0x1p-40L;
    const long double least = sizeof(Scalar) == 4 ? 0x1p-120L : 0x1p-1000L;
    for (size_t i = 0; i < got.size(); ++i) {
      if (std::fabs(got[i] - sum[i]) <= unit * size[i] + least) continue;
      Fail("gradient %zu of %zu of parameter %zu, type %d, %lld elements, offset %llu: %a for %La",
           i, got.size(), k, task_.type.index, static_cast<long long>(elements_),
           static_cast<unsigned long long>(task_.offset), static_cast<double>(got[i]), sum[i]);
    }
  }

  Sizes sizes_;
  int64_t elements_;
  Memory<T> gradient_, input_;
  SumGradientsTask task_;
  std::vector<BroadcastPattern> patterns_;
  int64_t first_tile_;
};

template <class Scalar>
void ExpectSame(const char* name, const Gradients<Scalar>& a, const Gradients<Scalar>& b) {
  for (size_t k = 0; k < a.size(); ++k) {
    if (std::equal(a[k].begin(), a[k].end(), b[k].begin(), b[k].end(), SameNumber<Scalar>)) {
      continue;
    }
    Fail("%s: sums differ from those of another instruction set", name);
  }
}

}  // namespace
}  // namespace flatnoise::cpu

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flatnoise::cpu;  // NOLINT(google-build-using-namespace)
  FuzzedDataProvider bytes(data, size);
  WithAnyType(bytes, [&](auto element) {
    const Problem<decltype(element)> problem(bytes);
    const auto reference = problem.Run(*SupportedKernels().back());
    problem.ExpectTheDefinition(reference);
    for (const Kernels* kernels : SupportedKernels()) {
      ExpectSame(kernels->name, problem.Run(*kernels), reference);
    }
  });
  return 0;
}
