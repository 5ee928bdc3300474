// The loops for every type and noise, compiled for one instruction set.
#ifndef FLATNOISE_CC_CPU_KERNELS_H_
#define FLATNOISE_CC_CPU_KERNELS_H_

#include <cstdint>

#include "core/noise.h"
#include "cpu/apply_noise_loop.h"
#include "cpu/memory.h"
#include "cpu/parameter_gradients_loop.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

template <class Isa>
struct KernelsOf {
  static void ApplyNoise(const ApplyNoiseTask& task, int64_t begin, int64_t end) {
    if (task.storage.is_alike() && task.bounds == nullptr) {
      VisitNoise(ElementType{task.storage.output.index}, task.noise, [&](auto kind) {
        RunKind<decltype(kind), PlainMemory<typename decltype(kind)::Element>>(task, begin, end);
      });
    } else {
      VisitNoise(ComputeTypeFor(task.storage), task.noise, [&](auto kind) {
        RunKind<decltype(kind), AnyMemory<typename decltype(kind)::Scalar>>(task, begin, end);
      });
    }
  }

  static void SumGradients(const SumGradientsTask& task, const GridTile& tile,
                           const ColumnSums& sums) {
    VisitLinearNoise(task.type, task.noise,
                     [&](auto kind) { SumTile<decltype(kind)>(task, tile, sums); });
  }

 private:
  template <class Kind, class Memory>
  FLATNOISE_INLINE static void RunKind(const ApplyNoiseTask& task, int64_t begin, int64_t end) {
    if (AllAreScalars<Kind>(task)) {
      RunLoop<Kind, ScalarParameters<Isa, Kind>, Memory>(task, begin, end);
    } else {
      RunLoop<Kind, BroadcastParameters<Isa, Kind>, Memory>(task, begin, end);
    }
  }

  template <class Kind>
  FLATNOISE_INLINE static bool AllAreScalars(const ApplyNoiseTask& task) {
    for (int k = 0; k < Kind::kParameters; ++k) {
      if (!task.parameters[k].pattern.is_scalar()) return false;
    }
    return true;
  }

  // A separate function for each loop, for better code from the compiler.
  template <class Kind, class Parameters, class Memory>
  static void RunLoop(const ApplyNoiseTask& task, int64_t begin, int64_t end) {
    ApplyNoiseLoop<Isa, Kind, Parameters, Memory>(task, begin).Run(end - begin);
  }

  template <class Kind>
  static void SumTile(const SumGradientsTask& task, const GridTile& tile, const ColumnSums& sums) {
    ParameterGradientsLoop<Isa, Kind>(task).AddTile(tile, task.columns, task.elements, sums);
  }
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_KERNELS_H_
