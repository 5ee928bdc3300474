// The core's functions over arrays, for tools/accuracy.py.
#include <cstdint>

#include "core/distributions.h"

namespace {

using flatnoise::BoxMuller;
using flatnoise::Gumbel;
using flatnoise::Laplace;
using flatnoise::Logistic;
using flatnoise::NegTwoLog;
using flatnoise::ScalarLanes;
using flatnoise::SinCos2Pi;
using flatnoise::TruncatedNormal;

// `log` is -2 log(u). `sine` and `cosine` are for the angle 2 pi u.
template <class Real>
void Elementary(const Real* u, int64_t count, Real* log, Real* sine, Real* cosine) {
  for (int64_t i = 0; i < count; ++i) {
    log[i] = NegTwoLog<ScalarLanes<Real>>(u[i]);
    const auto turn = SinCos2Pi<ScalarLanes<Real>>(u[i]);
    sine[i] = turn.sin;
    cosine[i] = turn.cos;
  }
}

// Normal numbers from pairs of random bits.
template <class Real, class Bits>
void Normal(const Bits* first, const Bits* second, int64_t count, Real* z1, Real* z2) {
  for (int64_t i = 0; i < count; ++i) {
    const auto pair = BoxMuller<ScalarLanes<Real>>(first[i], second[i]);
    z1[i] = pair.first;
    z2[i] = pair.second;
  }
}

// Numbers from inversion at uniform numbers.
template <class Real>
void Inversions(const Real* u, int64_t count, Real* laplace, Real* gumbel, Real* logistic,
                Real* truncated_normal) {
  using L = ScalarLanes<Real>;
  for (int64_t i = 0; i < count; ++i) {
    laplace[i] = Laplace::Value<L>(u[i]);
    gumbel[i] = Gumbel::Value<L>(u[i]);
    logistic[i] = Logistic::Value<L>(u[i]);
    truncated_normal[i] = TruncatedNormal::Value<L>(u[i]);
  }
}

}  // namespace

extern "C" {

void ElementaryFloat(const float* u, int64_t count, float* log, float* sine, float* cosine) {
  Elementary(u, count, log, sine, cosine);
}

void ElementaryDouble(const double* u, int64_t count, double* log, double* sine, double* cosine) {
  Elementary(u, count, log, sine, cosine);
}

void NormalFloat(const uint32_t* first, const uint32_t* second, int64_t count, float* z1,
                 float* z2) {
  Normal(first, second, count, z1, z2);
}

void NormalDouble(const uint64_t* first, const uint64_t* second, int64_t count, double* z1,
                  double* z2) {
  Normal(first, second, count, z1, z2);
}

void InversionsFloat(const float* u, int64_t count, float* laplace, float* gumbel, float* logistic,
                     float* truncated_normal) {
  Inversions(u, count, laplace, gumbel, logistic, truncated_normal);
}

void InversionsDouble(const double* u, int64_t count, double* laplace, double* gumbel,
                      double* logistic, double* truncated_normal) {
  Inversions(u, count, laplace, gumbel, logistic, truncated_normal);
}
}
