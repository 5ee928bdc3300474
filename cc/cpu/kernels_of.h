// The loops of every type, compiled for one instruction set: included once by each translation unit
// that is built for one.
#ifndef FLATNOISE_CC_CPU_KERNELS_OF_H_
#define FLATNOISE_CC_CPU_KERNELS_OF_H_

#include <cstdint>

#include "core/number_types.h"
#include "cpu/apply_noise_loop.h"
#include "cpu/sum_gradients_loop.h"
#include "cpu/tasks.h"

namespace flatnoise::cpu {

template <class Isa>
struct KernelsOf {
  static void ApplyNoise(const ApplyNoiseTask& task, int64_t begin, int64_t end) {
    Dispatch(task, [&](auto element, auto distribution) {
      ApplyNoiseTo<typename decltype(element)::type, decltype(distribution)::value>(task, begin,
                                                                                    end);
    });
  }

  static void SumGradients(const SumGradientsTask& task, const GridTile& tile, double* loc_sums,
                           double* scale_sums) {
    Dispatch(task, [&](auto element, auto distribution) {
      SumTile<typename decltype(element)::type, decltype(distribution)::value>(task, tile, loc_sums,
                                                                               scale_sums);
    });
  }

 private:
  template <class T>
  struct Element {
    using type = T;
  };
  template <Distribution d>
  struct Noise {
    static constexpr Distribution value = d;
  };

  template <class Task, class Body>
  FLATNOISE_INLINE static void Dispatch(const Task& task, const Body& body) {
    switch (task.type) {
      case ElementType::kHalf:
        return DispatchNoise<Half>(task, body);
      case ElementType::kBFloat16:
        return DispatchNoise<BFloat16>(task, body);
      case ElementType::kFloat:
        return DispatchNoise<float>(task, body);
      case ElementType::kDouble:
        return DispatchNoise<double>(task, body);
    }
  }

  template <class T, class Task, class Body>
  FLATNOISE_INLINE static void DispatchNoise(const Task& task, const Body& body) {
    if (task.distribution == Distribution::kNormal)
      return body(Element<T>{}, Noise<Distribution::kNormal>{});
    body(Element<T>{}, Noise<Distribution::kUniform>{});
  }

  template <class T, Distribution distribution>
  static void ApplyNoiseTo(const ApplyNoiseTask& task, int64_t begin, int64_t end) {
    if (task.combination == Combination::kMultiply) {
      return CombineWith<T, distribution, Combination::kMultiply>(task, begin, end);
    }
    CombineWith<T, distribution, Combination::kAdd>(task, begin, end);
  }

  template <class T, Distribution distribution, Combination combination>
  static void CombineWith(const ApplyNoiseTask& task, int64_t begin, int64_t end) {
    using Scalar = ComputeType<T>;
    if (task.loc.count == 1 && task.scale.count == 1) {
      using Parameters = ConstantParameters<Isa, Scalar>;
      ApplyNoiseLoop<Isa, T, distribution, combination, Parameters>(task, begin).Run(end - begin);
    } else {
      using Parameters = FeatureParameters<Isa, Scalar>;
      ApplyNoiseLoop<Isa, T, distribution, combination, Parameters>(task, begin).Run(end - begin);
    }
  }

  template <class T, Distribution distribution>
  static void SumTile(const SumGradientsTask& task, const GridTile& tile, double* loc_sums,
                      double* scale_sums) {
    SumGradientsLoop<Isa, T, distribution> loop(task);
    for (int64_t row = tile.row_begin; row < tile.row_end; ++row) {
      const int64_t row_start = row * task.columns;
      const int64_t row_end = row_start + tile.column_end;
      loop.AddRow(row_start + tile.column_begin, row_end < task.elements ? row_end : task.elements,
                  loc_sums, scale_sums);
    }
  }
};

}  // namespace flatnoise::cpu

#endif  // FLATNOISE_CC_CPU_KERNELS_OF_H_
