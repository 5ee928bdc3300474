// The fractions that tests of functions run through.
#ifndef FLATNOISE_TESTS_CC_EVERY_FLOAT_H_
#define FLATNOISE_TESTS_CC_EVERY_FLOAT_H_

#include <cstdint>

namespace flatnoise {

// The number of float uniform numbers.
inline constexpr uint32_t kFractions = 1u << 23;

// Every fraction, except under emulation, where that takes too long. The step is odd, so that all
// bits vary.
#ifdef FLATNOISE_TESTS_ARE_EMULATED
inline constexpr uint32_t kFractionStep = 31;
#else
inline constexpr uint32_t kFractionStep = 1;
#endif

}  // namespace flatnoise

#endif  // FLATNOISE_TESTS_CC_EVERY_FLOAT_H_
