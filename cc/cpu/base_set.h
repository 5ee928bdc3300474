// The instruction set that every CPU of this architecture supports.
#ifndef FLATNOISE_CC_CPU_BASE_SET_H_
#define FLATNOISE_CC_CPU_BASE_SET_H_

#if defined(__x86_64__)
#define FLATNOISE_BASE_SET sse2
#elif defined(__aarch64__)
#define FLATNOISE_BASE_SET neon
#else
#error "flatnoise's loops are written for x86-64 and 64-bit Arm processors"
#endif

#endif  // FLATNOISE_CC_CPU_BASE_SET_H_
