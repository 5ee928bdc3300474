// A caller's thread may flush subnormal numbers to zero (TensorFlow's pool threads do, its Python
// thread does not) or round otherwise; the same bits on every thread need one setting.
#ifndef FLATNOISE_CC_CPU_FLOAT_ENVIRONMENT_H_
#define FLATNOISE_CC_CPU_FLOAT_ENVIRONMENT_H_

#include <xmmintrin.h>

namespace flatnoise::cpu {

// IEEE 754 arithmetic, rounding to nearest, while it lives.
class IeeeArithmetic {
 public:
  IeeeArithmetic() : saved_(_mm_getcsr()) { _mm_setcsr(kAllMasked); }
  ~IeeeArithmetic() { _mm_setcsr(saved_); }
  IeeeArithmetic(const IeeeArithmetic&) = delete;
  IeeeArithmetic& operator=(const IeeeArithmetic&) = delete;

 private:
  static constexpr unsigned kAllMasked = 0x1F80;
  unsigned saved_;
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_FLOAT_ENVIRONMENT_H_
