// Test cases for the CUDA kernels, on the host and on a device, with expected results. Noises and
// element types come from the core's lists.
#ifndef FLATNOISE_TESTS_CC_CUDA_CASES_H_
#define FLATNOISE_TESTS_CC_CUDA_CASES_H_

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/noise.h"
#include "core/noise_info.h"
#include "core/number_types.h"
#include "core/parameter.h"
#include "core/stream.h"
#include "core/stream_values.h"
#include "cpu/apply_noise.h"
#include "once.h"

namespace flatnoise::cuda {

inline constexpr int64_t kSeed[2] = {11, -7};
inline constexpr int32_t kShortSeed[2] = {11, -7};
// A generator's state, which draws -7 and the floor of -1000 / 256, modulo 2^31 - 2.
inline constexpr int64_t kState[3] = {-1000, 99, -7};
inline constexpr int64_t kPairOfState[2] = {2147483639, 2147483642};

inline constexpr SeedType kSeedTypes[] = {SeedType::kInt64Pair, SeedType::kInt32Pair,
                                          SeedType::kState};

inline const void* TestSeed(SeedType type) {
  if (type == SeedType::kState) return kState;
  return type == SeedType::kInt64Pair ? static_cast<const void*>(kSeed) : kShortSeed;
}

inline Stream TestStream(SeedType type) {
  const auto& pair = type == SeedType::kState ? kPairOfState : kSeed;
  return StreamFromSeed(static_cast<uint64_t>(pair[0]), static_cast<uint64_t>(pair[1]));
}

struct KindCase {
  ElementType type;
  Noise noise;

  std::string Name() const {
    return std::string(NameOf(type)) + "_" + std::string(NameOf(noise.distribution)) + "_" +
           std::string(NameOf(noise.combination));
  }
};

template <class List = Noises>
std::vector<KindCase> AllKinds() {
  std::vector<KindCase> kinds;
  for (int type = 0; type < ElementTypes::kSize; ++type) {
    for (const Noise& noise : AllNoises<List>()) kinds.push_back({{type}, noise});
  }
  return kinds;
}

using Patterns = std::array<BroadcastPattern, kMostParameters>;

inline constexpr BroadcastPattern kScalar = {1, 1};

// `pattern` for parameters whose bit is set, `other` for the rest.
inline Patterns PatternsWhere(unsigned bits, BroadcastPattern pattern,
                              BroadcastPattern other = kScalar) {
  Patterns patterns;
  for (size_t k = 0; k < patterns.size(); ++k) patterns[k] = (bits >> k & 1) != 0 ? pattern : other;
  return patterns;
}

inline Patterns Scalars() { return PatternsWhere(0, kScalar); }

// Each of this many parameters separately, and all together.
inline std::vector<unsigned> ParameterSets(int parameters = kMostParameters) {
  std::vector<unsigned> sets = {~0u};
  for (int k = 0; k < parameters; ++k) sets.push_back(1u << k);
  return sets;
}

// A tensor [samples, channels, pixels].
struct Shape {
  int64_t samples, channels, pixels;

  int64_t elements() const { return samples * channels * pixels; }

  // The ways to broadcast over the tensor.
  std::vector<BroadcastPattern> patterns() const {
    return {kScalar,
            {pixels, 1},
            {channels * pixels, 1},
            {samples, channels * pixels},
            {channels, pixels},
            {samples * channels, pixels},
            {elements(), 1}};
  }
};

struct ForwardCase {
  int64_t elements = 0;
  int64_t offset = 0;
  Patterns patterns = Scalars();
  int64_t input_shift = 0;
  int64_t output_shift = 0;
  int64_t parameter_shift = 0;
  bool in_place = false;
  bool validate_args = false;
  bool special_values = false;  // NaN, infinities, subnormals and invalid parameters
  SeedType seed = SeedType::kInt64Pair;
  bool clips = false;          // to kBounds
  bool no_input = false;       // not in place
  bool returns_noise = false;  // if the combination does
  // Values of the first two parameters, if they aren't random.
  std::optional<std::pair<double, double>> first_two = {};

  std::string Text() const {
    std::string text = std::to_string(elements) + " elements, offset " + std::to_string(offset) +
                       ", shifts " + std::to_string(input_shift) + " " +
                       std::to_string(output_shift) + " " + std::to_string(parameter_shift);
    for (const BroadcastPattern& pattern : patterns) {
      text += ", {" + std::to_string(pattern.count) + ", " + std::to_string(pattern.repeat) + "}";
    }
    for (const auto& [is_so, name] : {std::pair{in_place, ", in place"},
                                      {validate_args, ", validated"},
                                      {special_values, ", special values"},
                                      {seed == SeedType::kInt32Pair, ", short seed"},
                                      {seed == SeedType::kState, ", state as seed"},
                                      {clips, ", clipped"},
                                      {no_input, ", no input"},
                                      {returns_noise, ", with the noise"}}) {
      if (is_so) text += name;
    }
    if (first_two) {
      text += ", parameters " + std::to_string(first_two->first) + ", " +
              std::to_string(first_two->second);
    }
    return text;
  }
};

using ForwardCases = std::vector<ForwardCase>;

template <class Scalar>
inline constexpr Scalar kBounds[] = {Scalar(-0.3), Scalar(0.9)};

inline ForwardCases LengthCases(int64_t step) {
  ForwardCases cases;
  for (int64_t n = 0; n <= 700; n += step) {
    cases.push_back({n});
    cases.push_back({n, 1 + n % 8});
    cases.back().seed = n % 2 == 0 ? SeedType::kInt32Pair : SeedType::kState;
  }
  for (int64_t n : {1023, 1024, 1025, 2047, 2048, 2049, 4000, 4095, 4096, 4097}) {
    cases.push_back({n});
    cases.push_back({n, n % 7});
  }
  return cases;
}

inline ForwardCases OffsetCases() {
  ForwardCases cases;
  for (int64_t offset = 0; offset <= 16; ++offset) cases.push_back({333, offset});
  for (int64_t base : {int64_t{1} << 33, int64_t{1} << 34, int64_t{1} << 62, INT64_MAX - 333}) {
    for (int64_t offset = base - 5; offset < base + 5; ++offset) cases.push_back({333, offset});
  }
  for (int64_t offset = INT64_MAX - 3; offset < INT64_MAX; ++offset) {
    cases.push_back({333, offset + 1});
  }
  return cases;
}

// All elements must be written, even if stream positions exceed 2^64.
inline ForwardCases NegativeOffsetCases() {
  ForwardCases cases;
  for (int64_t n : {1, 2, 3, 5, 8, 17, 100, 333, 2500}) {
    for (int64_t offset : {int64_t{-1}, int64_t{-2}, int64_t{-3}, int64_t{-4}, int64_t{-9}, -n,
                           1 - n, -n / 2 - 1, INT64_MIN, INT64_MIN + 5}) {
      if (offset >= 0) continue;
      for (int64_t input : {0, 1, 3}) {
        for (int64_t output : {0, 1}) {
          for (const BroadcastPattern& pattern : {kScalar, BroadcastPattern{8, 1}, {3, 5}}) {
            cases.push_back({n, offset, PatternsWhere(~0u, pattern), input, output});
          }
        }
      }
    }
  }
  // Larger than the work of one thread.
  cases.push_back({100000, -3, Scalars(), 1, 0});
  cases.push_back({100000, -3, Scalars(), 1, 1});
  return cases;
}

inline ForwardCases AlignmentCases(int64_t step) {
  ForwardCases cases;
  for (int64_t input = 0; input < 9; input += step) {
    for (int64_t output : {input, int64_t{0}, int64_t{1}, int64_t{5}}) {
      for (int64_t n : {0, 1, 5, 7, 8, 100, 1027}) {
        cases.push_back({n, input % 5, Scalars(), input, output});
        cases.push_back({n, output, PatternsWhere(~0u, {12, 1}), input, output, input % 3});
        cases.push_back({n, output + 1, PatternsWhere(~0u, {7, 3}), input, output, 1});
      }
    }
  }
  for (int64_t shift : {0, 1, 2, 3, 7}) {
    for (int64_t n : {1, 64, 333, 4097}) {
      cases.push_back({n, shift, Scalars(), shift, shift});
      cases.back().in_place = true;
    }
  }
  return cases;
}

inline ForwardCases FeatureCases() {
  ForwardCases cases;
  for (int64_t features : {1, 2, 3, 4, 7, 8, 16, 63, 64, 65, 100, 1024, 1025, 3000}) {
    for (unsigned set : ParameterSets()) {
      const Patterns patterns = PatternsWhere(set, {features, 1});
      for (int64_t shift : {0, 1, 3}) {
        cases.push_back({2 * features + 130, 5, patterns, shift, shift, shift});
      }
      cases.push_back({4 * features + 64, 4, patterns});
      cases.push_back({4 * features, 0, patterns});
      cases.push_back({4 * features, 3, patterns});
      cases.back().validate_args = true;
      cases.back().special_values = true;
    }
  }
  return cases;
}

inline constexpr Shape kForwardShapes[] = {{6, 3, 50},  {5, 4, 64}, {7, 1, 33}, {4, 8, 16},
                                           {3, 2, 1},   {2, 5, 2},  {9, 16, 4}, {1, 1, 1},
                                           {2, 3, 400}, {40, 2, 8}};

// Every pair of ways to broadcast, for two parameters.
inline ForwardCases BroadcastCases() {
  constexpr unsigned kEveryOther = 0x55555555;
  ForwardCases cases;
  for (const Shape& shape : kForwardShapes) {
    for (const BroadcastPattern& one : shape.patterns()) {
      for (const BroadcastPattern& other : shape.patterns()) {
        const auto i = static_cast<int64_t>(cases.size());
        const Patterns patterns = PatternsWhere(kEveryOther, one, other);
        cases.push_back({shape.elements(), i % 5, patterns, 0, 0, i % 3});
        if (i % 4 == 0) cases.back().input_shift = 1;
        if (i % 8 == 0) cases.back().output_shift = 1;
        cases.back().validate_args = i % 2 == 1;
        cases.back().special_values = i % 3 == 0;
      }
    }
  }
  return cases;
}

// One pattern of all parameters, or of all that aren't scalars: features that do and don't return
// for a thread's next chunk, and runs of whole chunks.
inline ForwardCases OnePatternCases() {
  constexpr int64_t kElements = 21 << 9;
  constexpr BroadcastPattern kPatterns[] = {{3, 1},    {2, 1},         {24, 1},   {1001, 1},
                                            {3072, 1}, {kElements, 1}, {1344, 8}, {2, 8},
                                            {21, 512}, {5, 1000},      {3, 4000}};
  ForwardCases cases;
  for (const BroadcastPattern& pattern : kPatterns) {
    for (unsigned set : {~0u, cases.size() % 8 < 4 ? 1u : 2u}) {
      for (int64_t offset : {0, 3}) {
        const auto i = cases.size();
        ForwardCase c = {kElements, offset, PatternsWhere(set, pattern)};
        c.parameter_shift = i % 5 == 0 ? 1 : 0;
        c.validate_args = i % 4 < 2;
        c.special_values = i % 3 == 0;
        c.clips = i % 7 == 0;
        c.no_input = i % 11 == 0;
        c.returns_noise = i % 13 == 0;
        cases.push_back(c);
      }
    }
  }
  return cases;
}

// Bounds, no input, and returned noise: separately and together.
inline ForwardCases OptionCases() {
  ForwardCases cases;
  for (unsigned options = 1; options < 8; ++options) {
    for (int64_t n : {1, 7, 64, 333, 4097}) {
      for (const Patterns& patterns :
           {Scalars(), PatternsWhere(~0u, {8, 1}), PatternsWhere(1, {3, 5}, {n, 1})}) {
        for (int64_t shift : {0, 3}) {
          ForwardCase c = {n / 8 * 8 + (n < 8 ? n : shift), n % 6, patterns, shift, shift};
          if (shift != 0 && options % 2 == 0) c.output_shift = 1;
          c.clips = (options & 1) != 0;
          c.no_input = (options & 2) != 0;
          c.returns_noise = (options & 4) != 0;
          c.special_values = n % 3 == 0;
          c.validate_args = n % 3 == 0 && shift == 0;
          if (n == 333 && shift == 0) c.offset = -1 - n;
          cases.push_back(c);
        }
      }
    }
  }
  return cases;
}

// Values for which a kernel may compute differently: a loc of 0, products that underflow.
inline ForwardCases ShortcutCases() {
  using Limits = std::numeric_limits<double>;
  ForwardCases cases;
  for (double first : {0.0, -0.0, 0x1p-149, 0.25}) {
    for (double second : {0.1, 0x1p-60, 0x1.fffffep-61, 0x1p-126, 0x1p-147, 0x1p-149, 0.0, -0.0,
                          -0.1, 0x1p127, Limits::infinity(), Limits::quiet_NaN()}) {
      for (int64_t n : {5, 333, 4097}) {
        for (bool no_input : {false, true}) {
          ForwardCase c = {n};
          c.first_two = {first, second};
          c.special_values = true;
          c.no_input = no_input;
          c.validate_args = n == 333;
          cases.push_back(c);
        }
      }
    }
  }
  return cases;
}

class RandomCases {
 public:
  explicit RandomCases(uint64_t seed) : random_(seed) {}

  int64_t Below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }

  // Half of all numbers are 1, half of the others below 8, ...
  int64_t Size(int64_t most) {
    int64_t bound = 1;
    while (bound < most && Below(2) == 0) bound = bound * 8 < most ? bound * 8 : most;
    return 1 + Below(bound);
  }

  Shape AnyShape() { return {Size(600), Size(40), Size(1000)}; }

  Patterns AnyPatterns(const Shape& shape) {
    Patterns patterns;
    const auto choices = shape.patterns();
    for (BroadcastPattern& pattern : patterns) {
      pattern = choices[static_cast<size_t>(Below(static_cast<int64_t>(choices.size())))];
    }
    return patterns;
  }

  int64_t Offset() {
    const int64_t near[] = {1 << 10,          int64_t{1} << 33, int64_t{1} << 34,
                            int64_t{1} << 62, INT64_MAX - 2000, INT64_MAX - 40000};
    switch (Below(4)) {
      case 0:
        return 0;
      case 1:
        return Below(100);
      default:
        return near[Below(std::size(near))] + Below(2000) - 1000;
    }
  }

  SeedType Seed() { return kSeedTypes[Below(std::size(kSeedTypes))]; }

  ForwardCase Forward() {
    Shape shape = AnyShape();
    while (shape.elements() > 20000) shape = AnyShape();
    ForwardCase c = {shape.elements(), Offset(), AnyPatterns(shape)};
    if (Below(10) == 0) c.offset = -1 - Below(c.elements + 10);
    if (Below(3) == 0) c.patterns = Scalars();
    if (Below(4) == 0) c.patterns = PatternsWhere(static_cast<unsigned>(Below(16)), c.patterns[0]);
    if (Below(2) == 0) c.input_shift = c.output_shift = Below(9);
    if (Below(4) == 0) c.output_shift = Below(9);
    c.parameter_shift = Below(2) * Below(4);
    c.in_place = Below(4) == 0;
    c.validate_args = Below(2) == 0;
    c.special_values = Below(2) == 0;
    c.seed = Seed();
    c.clips = Below(3) == 0;
    c.no_input = Below(5) == 0;
    c.returns_noise = Below(2) == 0;
    if (Below(4) == 0) c.first_two = {0, 0.1};
    return c;
  }

  template <class List = Noises>
  KindCase Kind() {
    const auto kinds = AllKinds<List>();
    return kinds[static_cast<size_t>(Below(static_cast<int64_t>(kinds.size())))];
  }

 private:
  std::mt19937_64 random_;
};

template <class T>
std::vector<T> MakeTestElements(int64_t count, bool special_values) {
  using Scalar = ComputeType<T>;
  using Limits = std::numeric_limits<Scalar>;
  std::mt19937 random(static_cast<unsigned>(count + 3));
  std::normal_distribution<double> normal;
  std::vector<T> elements(static_cast<size_t>(count));
  for (T& element : elements) element = FromCompute<T>(static_cast<Scalar>(normal(random)));
  if (!special_values) return elements;
  const Scalar special[] = {Limits::quiet_NaN(), Limits::infinity(),   -Limits::infinity(),
                            Scalar(-0.0),        Limits::denorm_min(), -Limits::min() / 2,
                            Limits::max(),
                            Scalar(0x1p-24),  // the smallest half
                            Scalar(65520)};   // rounds to infinity there
  for (T& element : elements) {
    if (random() % 5 == 0) element = FromCompute<T>(special[random() % std::size(special)]);
  }
  return elements;
}

template <class T>
const std::vector<T>& TestElements(int64_t count, bool special_values) {
  return Once(std::pair{count, special_values},
              [&] { return MakeTestElements<T>(count, special_values); });
}

// Valid values for a parameter, and with special values, also invalid ones.
template <class Scalar>
std::vector<Scalar> TestParameter(int k, int64_t count, bool special_values) {
  std::vector<Scalar> values(static_cast<size_t>(count));
  std::mt19937 random(static_cast<unsigned>(count + 1000 * k));
  for (Scalar& value : values) value = Scalar(0.1 + 0.009 * static_cast<double>(random() % 97));
  if (!special_values) return values;
  const Scalar special[] = {std::numeric_limits<Scalar>::quiet_NaN(),
                            std::numeric_limits<Scalar>::infinity(),
                            -std::numeric_limits<Scalar>::infinity(), Scalar(-1), Scalar(-0.0)};
  for (Scalar& value : values) {
    if (random() % 6 == 0) value = special[random() % std::size(special)];
  }
  return values;
}

template <class Scalar>
struct TestParameters {
  std::vector<Scalar> values[kMostParameters];

  TestParameters(int parameters, const ForwardCase& c) {
    for (int k = 0; k < parameters; ++k) {
      values[k] =
          TestParameter<Scalar>(k, c.patterns[static_cast<size_t>(k)].count, c.special_values);
    }
    if (!c.first_two) return;
    values[0].assign(values[0].size(), static_cast<Scalar>(c.first_two->first));
    values[1].assign(values[1].size(), static_cast<Scalar>(c.first_two->second));
  }
};

template <class Scalar>
bool IsAllowed(ParameterValues allowed, Scalar value) {
  switch (allowed) {
    case ParameterValues::kAny:
      return true;
    case ParameterValues::kFinite:
      return std::isfinite(value);
    case ParameterValues::kFiniteNotNegative:
      return std::isfinite(value) && value >= 0;
    case ParameterValues::kProbability:
      return value >= 0 && value <= 1;
  }
  return false;
}

inline bool ReturnsNoise(const KindCase& kind, const ForwardCase& c) {
  return c.returns_noise && InfoOf(kind.noise.combination).returns_noise;
}

template <class T>
struct ExpectedTensors {
  std::vector<T> output;
  std::vector<T> noise;
};

// The CPU's results for a case, with NaN for invalid arguments.
template <class T>
ExpectedTensors<T> ExpectedOutput(const KindCase& kind, const ForwardCase& c,
                                  const std::vector<T>& input,
                                  const TestParameters<ComputeType<T>>& parameters) {
  using Scalar = ComputeType<T>;
  const T nan = FromCompute<T>(std::numeric_limits<Scalar>::quiet_NaN());
  std::vector<T> output(input.size()), noise(input.size());
  const CombinationInfo info = InfoOf(kind.noise.combination);
  cpu::ApplyNoiseTask task = {kind.type,
                              kind.noise,
                              input.data(),
                              output.data(),
                              TestStream(c.seed),
                              static_cast<uint64_t>(c.offset),
                              {}};
  bool all_scalars = true;
  for (int k = 0; k < info.parameter_count; ++k) {
    task.parameters[k] = {parameters.values[k].data(), c.patterns[static_cast<size_t>(k)]};
    all_scalars = all_scalars && task.parameters[k].pattern.is_scalar();
  }
  if (c.clips) task.bounds = kBounds<Scalar>;
  if (c.no_input && !c.in_place) task.storage.input = kStoredType<Nothing>;
  if (ReturnsNoise(kind, c)) task.noise_output = noise.data();
  if (c.offset >= 0) {
    cpu::ApplyNoiseShards(task, c.elements, 0, cpu::CountShards(task, c.elements));
  }
  for (int64_t i = 0; i < c.elements; ++i) {
    bool is_right = c.offset >= 0;
    for (int k = 0; k < info.parameter_count && c.validate_args; ++k) {
      const BroadcastPattern& pattern = c.patterns[static_cast<size_t>(k)];
      const auto value = static_cast<size_t>(i / pattern.repeat % pattern.count);
      is_right = is_right && IsAllowed(info.parameters[k].values, parameters.values[k][value]);
    }
    if (is_right) continue;
    output[static_cast<size_t>(i)] = nan;
    // Errors that affect all elements are detected before noise is generated.
    if (c.offset < 0 || all_scalars) noise[static_cast<size_t>(i)] = nan;
  }
  return {output, noise};
}

// Bit-identical, except for NaN payloads, which are unspecified.
template <class T>
bool SameElements(const T* a, const T* b, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const bool both_nan = std::isnan(ToCompute(a[i])) && std::isnan(ToCompute(b[i]));
    if (!both_nan && std::memcmp(a + i, b + i, sizeof(T)) != 0) return false;
  }
  return true;
}

struct GradientCase {
  int64_t elements = 0;
  int64_t offset = 0;
  Patterns patterns = Scalars();
  int64_t gradient_shift = 0;
  int64_t input_shift = 0;
  SeedType seed = SeedType::kInt64Pair;

  std::string Text() const {
    ForwardCase c = {elements, offset, patterns, input_shift, gradient_shift};
    c.seed = seed;
    return c.Text();
  }
};

using GradientCases = std::vector<GradientCase>;

// Every way to broadcast for all parameters, then different ways.
inline GradientCases GradientCasesOf(const Shape& shape) {
  constexpr unsigned kEveryOther = 0x55555555;
  GradientCases cases;
  const auto ways = shape.patterns();
  for (size_t i = 0; i < ways.size(); ++i) {
    for (unsigned set : ParameterSets(kMostGradients)) {
      cases.push_back({shape.elements(), 0, PatternsWhere(set, ways[i])});
    }
    cases.push_back({shape.elements(), 13, PatternsWhere(~0u, ways[i])});
    const BroadcastPattern& next = ways[(i + 1) % ways.size()];
    cases.push_back({shape.elements(), 2, PatternsWhere(kEveryOther, ways[i], next)});
    // The last period may be partial.
    cases.push_back({shape.elements() * 3 / 4 + 1, 1, PatternsWhere(~0u, ways[i])});
  }
  return cases;
}

inline constexpr Shape kGradientShapes[] = {{1, 1, 1},    {3, 1, 5},    {700, 1, 3},  {37, 1, 100},
                                            {9, 1, 1023}, {5, 1, 1024}, {3, 1, 1025}, {2, 1, 5000},
                                            {130, 1, 64}, {40, 3, 16},  {33, 5, 2},   {70, 7, 3},
                                            {2, 3, 700},  {3, 2, 4100}, {500, 2, 2},  {64, 33, 9}};

inline GradientCase RandomGradientCase(RandomCases* random) {
  Shape shape = random->AnyShape();
  while (shape.elements() > 30000) shape = random->AnyShape();
  return {shape.elements(),
          random->Offset(),
          random->AnyPatterns(shape),
          random->Below(2) * random->Below(9),
          random->Below(2) * random->Below(9),
          random->Seed()};
}

}  // namespace flatnoise::cuda

#endif  // FLATNOISE_TESTS_CC_CUDA_CASES_H_
