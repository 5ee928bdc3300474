// A caller's thread may flush subnormal numbers to zero (as TensorFlow's pool threads do, but its
// Python thread doesn't) or use another rounding mode. Bit-identical results on every thread
// require the same settings.
#ifndef FLATNOISE_CC_CPU_FLOAT_ENVIRONMENT_H_
#define FLATNOISE_CC_CPU_FLOAT_ENVIRONMENT_H_

#include <cstdint>

#ifdef __x86_64__
#include <xmmintrin.h>
#endif

namespace flatnoise::cpu {

// The control register of the vector unit. `kIeee` rounds to nearest, keeps subnormal numbers,
// propagates NaNs and disables traps. `kFlush` are the bits that flush subnormal inputs and outputs
// to zero.
#if defined(__x86_64__)
struct FloatControl {
  static constexpr uint64_t kIeee = 0x1F80, kFlush = 0x8040;  // in MXCSR
  static uint64_t Get() { return _mm_getcsr(); }
  static void Set(uint64_t control) { _mm_setcsr(static_cast<unsigned>(control)); }
};
#elif defined(__aarch64__)
struct FloatControl {
  static constexpr uint64_t kIeee = 0, kFlush = uint64_t{1} << 24;  // in FPCR
  static uint64_t Get() {
    uint64_t control;
    asm volatile("mrs %0, fpcr" : "=r"(control));
    return control;
  }
  static void Set(uint64_t control) { asm volatile("msr fpcr, %0" : : "r"(control) : "memory"); }
};
#endif

// Sets IEEE 754 arithmetic with rounding to nearest for the lifetime of the object.
class IeeeArithmetic {
 public:
  IeeeArithmetic() : saved_(FloatControl::Get()) { FloatControl::Set(FloatControl::kIeee); }
  ~IeeeArithmetic() { FloatControl::Set(saved_); }
  IeeeArithmetic(const IeeeArithmetic&) = delete;
  IeeeArithmetic& operator=(const IeeeArithmetic&) = delete;

 private:
  uint64_t saved_;
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_FLOAT_ENVIRONMENT_H_
