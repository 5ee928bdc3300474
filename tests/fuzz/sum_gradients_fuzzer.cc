// The gradients' kernels: the same bits from every instruction set, tile order and alignment, and,
// where the terms are finite, the sums of the scalar definition.
#include <algorithm>
#include <vector>

#include "cpu/sum_gradients.h"
#include "problem.h"

namespace flatnoise::cpu {
namespace {

constexpr int64_t kMostElements = 12000;
constexpr int64_t kMostFeatures = 3000;
constexpr int64_t kMostShift = 17;

template <class Scalar>
struct Sums {
  std::vector<Scalar> loc, scale;
};

template <class T>
class Problem {
 public:
  using Scalar = ComputeType<T>;

  explicit Problem(FuzzedDataProvider& bytes)
      : features_(bytes.ConsumeIntegralInRange<int64_t>(1, kMostFeatures)),
        elements_(bytes.ConsumeIntegralInRange<int64_t>(0, kMostElements / features_) * features_),
        loc_count_(bytes.ConsumeBool() ? features_ : 1),
        scale_count_(bytes.ConsumeBool() ? features_ : 1),
        gradient_(elements_, bytes.ConsumeIntegralInRange<int64_t>(0, kMostShift)),
        task_{ElementTypeOf<T>(), AnyDistribution(bytes), gradient_.data(),
              AnyStream(bytes),   AnyOffset(bytes),       elements_,
              /*columns=*/0},
        first_tile_(bytes.ConsumeIntegral<uint16_t>()) {
    const bool any_bits = bytes.ConsumeBool();
    gradient_.Fill(bytes);
    if (any_bits) return;
    for (int64_t i = 0; i < elements_; ++i) gradient_[i] = Moderate(gradient_[i], i);
  }

  Sums<Scalar> Run(const Kernels& kernels) const {
    const bool per_feature = loc_count_ != 1 || scale_count_ != 1;
    const GradientSums sums(task_, per_feature ? features_ : 1);
    Memory<double> workspace(sums.workspace_size(), 0);
    std::fill_n(workspace.data(), workspace.size(), NAN);
    for (int64_t i = 0; i < sums.tiles(); ++i) {
      sums.SumTile((first_tile_ + i) % sums.tiles(), workspace.data(), kernels);
    }
    Sums<Scalar> result{std::vector<Scalar>(static_cast<size_t>(loc_count_)),
                        std::vector<Scalar>(static_cast<size_t>(scale_count_))};
    sums.Finish(workspace.data(), {result.loc.data(), loc_count_},
                {result.scale.data(), scale_count_});
    return result;
  }

  void ExpectTheDefinition(const Sums<Scalar>& got) const {
    const auto gradient = [this](int64_t i) { return static_cast<long double>(Gradient(i)); };
    ExpectNear("loc", got.loc, gradient);
    ExpectNear("scale", got.scale, [&](int64_t i) {
      return gradient(i) * ExpectedNoise<Scalar>(task_.distribution, task_.stream,
                                                 task_.offset + static_cast<uint64_t>(i));
    });
  }

 private:
  static constexpr double kModerate = 0x1p14;

  // The number itself where it is of a size that sums of can't overflow, else another.
  static T Moderate(T a, int64_t i) {
    const auto value = ToCompute(a);
    const bool moderate = std::fabs(value) <= static_cast<Scalar>(kModerate);
    return moderate ? a : FromCompute<T>(static_cast<Scalar>(i % 13 - 6));
  }

  Scalar Gradient(int64_t i) const { return ToCompute(gradient_[i]); }

  template <class Term>
  void ExpectNear(const char* name, const std::vector<Scalar>& got, const Term& term) const {
    std::vector<long double> sum(got.size()), size(got.size());
    for (int64_t i = 0; i < elements_; ++i) {
      // Infinite and huge terms leave no bound to check against.
      if (!(std::fabs(Gradient(i)) <= static_cast<Scalar>(kModerate))) return;
      const auto f = static_cast<size_t>(i) % got.size();
      sum[f] += term(i);
      size[f] += std::fabs(term(i));
    }
    // A rounding for each product and for the result; the smallest numbers lose more.
    const long double unit = sizeof(Scalar) == 4 ? 0x1p-22L : 0x1p-40L;
    const long double least = sizeof(Scalar) == 4 ? 0x1p-130L : 0x1p-1000L;
    for (size_t f = 0; f < got.size(); ++f) {
      if (std::fabs(got[f] - sum[f]) <= unit * size[f] + least) continue;
      Fail("%s gradient %zu of %zu, type %d, %lld elements, offset %llu: %a for %La", name, f,
           got.size(), static_cast<int>(task_.type), static_cast<long long>(elements_),
           static_cast<unsigned long long>(task_.offset), static_cast<double>(got[f]), sum[f]);
    }
  }

  int64_t features_;
  int64_t elements_;
  int64_t loc_count_;
  int64_t scale_count_;
  Memory<T> gradient_;
  SumGradientsTask task_;
  int64_t first_tile_;
};

template <class Scalar>
void ExpectSame(const char* name, const std::vector<Scalar>& a, const std::vector<Scalar>& b) {
  if (std::equal(a.begin(), a.end(), b.begin(), b.end(), SameNumber<Scalar>)) return;
  Fail("%s: sums differ from those of another instruction set", name);
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
      const auto sums = problem.Run(*kernels);
      ExpectSame(kernels->name, sums.loc, reference.loc);
      ExpectSame(kernels->name, sums.scale, reference.scale);
    }
  });
  return 0;
}
