// The forward kernels of every instruction set against the scalar definition.
#include <algorithm>

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
      : elements_(bytes.ConsumeIntegralInRange<int64_t>(0, kMostElements)),
        features_(bytes.ConsumeIntegralInRange<int64_t>(1, kMostElements)),
        in_place_(bytes.ConsumeBool()),
        input_(elements_, AnyShift(bytes)),
        output_(elements_, AnyShift(bytes)),
        loc_(bytes.ConsumeBool() ? features_ : 1, AnyShift(bytes)),
        scale_(bytes.ConsumeBool() ? features_ : 1, AnyShift(bytes)) {
    task_.type = ElementTypeOf<T>();
    task_.distribution = AnyDistribution(bytes);
    task_.combination = AnyCombination(bytes);
    task_.stream = AnyStream(bytes);
    task_.offset = AnyOffset(bytes);
    task_.features = features_;
    task_.loc = {loc_.data(), loc_.size()};
    task_.scale = {scale_.data(), scale_.size()};
    task_.input = in_place_ ? output_.data() : input_.data();
    task_.output = output_.data();
    input_.Fill(bytes);
    loc_.Fill(bytes);
    scale_.Fill(bytes);
    cut_ = bytes.ConsumeIntegralInRange<int64_t>(0, elements_);
    by_pieces_ = bytes.ConsumeBool();
  }

  void Check(const Kernels& kernels) {
    std::fill_n(output_.data(), elements_, T{});
    if (in_place_) std::copy_n(input_.data(), elements_, output_.data());
    Run(kernels);
    for (int64_t i = 0; i < elements_; ++i) {
      if (!SameNumber(output_[i], Expected(i))) {
        Fail("%s: element %lld of %lld, type %d, distribution %d, offset %llu: %a for %a",
             kernels.name, static_cast<long long>(i), static_cast<long long>(elements_),
             static_cast<int>(task_.type), static_cast<int>(task_.distribution),
             static_cast<unsigned long long>(task_.offset),
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
    if (!by_pieces_) {
      const IeeeArithmetic guard;
      kernels.apply_noise(task_, cut_, elements_);
      kernels.apply_noise(task_, 0, cut_);
      return;
    }
    for (int64_t piece = CountPieces(task_, elements_); piece-- > 0;) {
      ApplyNoisePieces(task_, elements_, piece, piece + 1, kernels);
    }
  }

  T Expected(int64_t i) const {
    const auto z = ExpectedNoise<Scalar>(task_.distribution, task_.stream,
                                         task_.offset + static_cast<uint64_t>(i));
    const Scalar x = ToCompute(input_[i]), loc = Of(loc_, i), scale = Of(scale_, i);
    return FromCompute<T>(task_.combination == Combination::kAdd
                              ? Combine<Combination::kAdd>(x, loc, scale, z)
                              : Combine<Combination::kMultiply>(x, loc, scale, z));
  }

  Scalar Of(const Memory<Scalar>& parameter, int64_t i) const {
    return parameter[parameter.size() == 1 ? 0 : i % features_];
  }

  int64_t elements_;
  int64_t features_;
  bool in_place_;
  Memory<T> input_, output_;
  Memory<Scalar> loc_, scale_;
  ApplyNoiseTask task_;
  int64_t cut_;
  bool by_pieces_;
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
