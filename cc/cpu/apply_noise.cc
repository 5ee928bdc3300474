#include "cpu/apply_noise.h"

#include <algorithm>

#include "cpu/float_environment.h"

namespace flatnoise::cpu {
namespace {

int64_t PastPiece(const ApplyNoiseTask& task) {
  return static_cast<int64_t>(task.offset % kPieceElements);
}

}  // namespace

int64_t CountPieces(const ApplyNoiseTask& task, int64_t elements) {
  if (elements == 0) return 0;
  return (PastPiece(task) + elements + kPieceElements - 1) / kPieceElements;
}

int64_t PieceNanoseconds(Distribution distribution) {
  return distribution == Distribution::kNormal ? kPieceElements : kPieceElements / 2;
}

void ApplyNoisePieces(const ApplyNoiseTask& task, int64_t elements, int64_t first, int64_t last,
                      const Kernels& kernels) {
  const IeeeArithmetic guard;
  const int64_t shift = PastPiece(task);
  const int64_t begin = std::max<int64_t>(first * kPieceElements - shift, 0);
  const int64_t end = std::min(last * kPieceElements - shift, elements);
  kernels.apply_noise(task, begin, end);
}

}  // namespace flatnoise::cpu
