// Huge pages for large outputs, to reduce page faults.
#ifndef FLATNOISE_CC_CPU_HUGE_PAGES_H_
#define FLATNOISE_CC_CPU_HUGE_PAGES_H_

#include <cstdint>

#include "core/export.h"

namespace flatnoise::cpu {

// The environment variable that disables huge pages if set to "0".
inline constexpr char kHugePagesVariable[] = "FLATNOISE_HUGE_PAGES";

// Advises the OS to back memory that is about to be written with huge pages. Large buffers are
// often freshly mapped. With the system setting `madvise` (Ubuntu's default), writing them would
// otherwise cause a page fault for every 4 KiB, which takes longer than the noise. This is a hint.
// It has no effect on memory that is already resident, on small buffers, or on systems other than
// Linux.
FLATNOISE_EXPORT void AdviseHugePages(void* memory, int64_t bytes);

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_HUGE_PAGES_H_
