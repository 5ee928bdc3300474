// Compares the scalar definition with the C++ library and the compiler's number types.
#include <cmath>

#include "core/stream.h"
#include "problem.h"

namespace flatnoise::cpu {
namespace {

// Checks normal pairs from any bits to 4 units in the last place of max(|z|, 1).
template <class Scalar>
void CheckBoxMuller(FuzzedDataProvider& bytes) {
  using L = ScalarLanes<Scalar>;
  const auto first = bytes.ConsumeIntegral<typename L::Bits>();
  const auto second = bytes.ConsumeIntegral<typename L::Bits>();
  const Scalar u1 = UnitUniform<L>(first), u2 = UnitUniform<L>(second);
  if (!(u1 >= 0 && u1 < 1 && u2 >= 0 && u2 < 1)) Fail("uniform outside [0, 1): %a %a", u1, u2);
  constexpr auto kSmallest = static_cast<Scalar>(sizeof(Scalar) == 4 ? 1.0e-7f : 1.0e-7);
  const long double radius =
      std::sqrt(-2 * std::log(static_cast<long double>(std::max(u1, kSmallest))));
  // TensorFlow also rounds the angle to the type.
  const auto angle = static_cast<Scalar>(static_cast<double>(u2) * 6.283185307179586);
  const auto expect = [&](Scalar got, long double expected) {
    const auto size = static_cast<Scalar>(std::max(std::fabs(expected), 1.0L));
    const long double unit = std::nextafter(size, Scalar{100}) - size;
    if (!(std::fabs(got - expected) <= 4 * unit)) {
      Fail("normal from %a, %a: %a for %La", static_cast<double>(u1), static_cast<double>(u2),
           static_cast<double>(got), expected);
    }
  };
  const auto pair = BoxMuller<L>(first, second);
  expect(pair.first, radius * std::sin(static_cast<long double>(angle)));
  expect(pair.second, radius * std::cos(static_cast<long double>(angle)));
}

void CheckHalf(FuzzedDataProvider& bytes) {
  const auto wide = BitCast<float>(bytes.ConsumeIntegral<uint32_t>());
  const auto expected = BitCast<Half>(static_cast<_Float16>(wide));
  if (!SameNumber(FromCompute<Half>(wide), expected)) Fail("half of %a", wide);
  const Half narrow = {bytes.ConsumeIntegral<uint16_t>()};
  const auto value = static_cast<float>(BitCast<_Float16>(narrow));
  if (!SameNumber(ToCompute(narrow), value)) Fail("float of half %x", narrow.bits);
}

// Expects the nearest neighbor, ties to even.
void CheckBFloat16(FuzzedDataProvider& bytes) {
  const auto bits = bytes.ConsumeIntegral<uint32_t>();
  const auto wide = BitCast<float>(bits);
  const BFloat16 got = FromCompute<BFloat16>(wide);
  if (std::isnan(wide) != std::isnan(ToCompute(got))) Fail("bfloat16 of %a is %x", wide, got.bits);
  if (!std::isfinite(wide)) return;
  const double below = ToCompute(BFloat16{static_cast<uint16_t>(bits >> 16)});
  const double unit = wide == 0 ? 0 : std::ldexp(1.0, std::max(std::ilogb(wide) - 7, -133));
  const double above = below + std::copysign(unit, static_cast<double>(wide));
  const double to_below = std::fabs(wide - below), to_above = std::fabs(above - wide);
  const bool even_below = (bits >> 16 & 1) == 0;
  const bool down = to_below < to_above || (to_below == to_above && even_below);
  const auto expected = static_cast<float>(down ? below : above);  // overflows to infinity
  const bool overflows = std::fabs(above) > 0x1.fep127 && !down;
  const float rounded = overflows ? std::copysign(INFINITY, wide) : expected;
  if (!SameNumber(ToCompute(got), rounded)) Fail("bfloat16 of %a is %x", wide, got.bits);
}

// Element i of a stream doesn't depend on the offset of the access.
void CheckAdvance(FuzzedDataProvider& bytes) {
  const Stream stream = AnyStream(bytes);
  const uint64_t a = bytes.ConsumeIntegral<uint64_t>();
  const uint64_t b = bytes.ConsumeIntegralInRange<uint64_t>(0, UINT64_MAX - a);
  const auto at_once = BlockCounter(stream, a + b);
  const auto in_steps = Advance(BlockCounter(stream, a), b);
  if (std::memcmp(&at_once, &in_steps, sizeof(at_once)) != 0) Fail("counters differ");
}

}  // namespace
}  // namespace flatnoise::cpu

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace flatnoise::cpu;  // NOLINT(google-build-using-namespace)
  FuzzedDataProvider bytes(data, size);
  CheckBoxMuller<float>(bytes);
  CheckBoxMuller<double>(bytes);
  CheckHalf(bytes);
  CheckBFloat16(bytes);
  CheckAdvance(bytes);
  return 0;
}
