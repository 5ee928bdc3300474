#include "cpu/huge_pages.h"

#ifdef __linux__

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

namespace flatnoise::cpu {
namespace {

constexpr uintptr_t kHugePage = uintptr_t{2} << 20;
// Smaller buffers mostly reuse memory that is already mapped.
constexpr int64_t kLeastBytes = int64_t{4} << 20;

bool IsWanted() {
  const char* setting = std::getenv(kHugePagesVariable);
  return setting == nullptr || std::strcmp(setting, "0") != 0;
}

}  // namespace

void AdviseHugePages(void* memory, int64_t bytes) {
  static const bool is_wanted = IsWanted();
  if (!is_wanted || bytes < kLeastBytes) return;
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage;
  const uintptr_t last = (begin + static_cast<uintptr_t>(bytes)) / kHugePage * kHugePage;
  if (first >= last) return;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the aligned interior of the buffer.
  madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
}

}  // namespace flatnoise::cpu

#else

namespace flatnoise::cpu {

void AdviseHugePages(void*, int64_t) {}

}  // namespace flatnoise::cpu

#endif  // __linux__
