// Fewer page faults for large outputs.
#ifndef FLATNOISE_CC_CPU_HUGE_PAGES_H_
#define FLATNOISE_CC_CPU_HUGE_PAGES_H_

#include <cstdint>

namespace flatnoise::cpu {

// The environment variable that turns the advice off where it is "0".
inline constexpr char kHugePagesVariable[] = "FLATNOISE_HUGE_PAGES";

// Advises the kernel to back memory that is about to be written with huge pages. A large buffer is
// often fresh from mmap, and where the system's setting is `madvise` (Ubuntu's default) its first
// write otherwise faults in every 4 KiB apart, which takes longer than the noise. A hint: without
// effect on memory that is there already, on small buffers, and where the system isn't Linux.
void AdviseHugePages(void* memory, int64_t bytes);

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_HUGE_PAGES_H_
