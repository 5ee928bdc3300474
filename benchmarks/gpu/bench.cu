// Times the kernels compared with a device copy, and the gradients compared with a plain sum.
// Prints a table and writes JSON: bench FILE
//
// bench --once runs each kernel once, in the order of the table, for a profiler.
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cub/device/device_reduce.cuh>
#include <functional>
#include <string>
#include <vector>

#include "core/noise.h"
#include "core/noise_info.h"
#include "core/number_types.h"
#include "core/parameter.h"
#include "cuda/apply_noise.h"
#include "cuda/parameter_gradients.h"
#include "device.h"

namespace flatnoise::cuda {
namespace {

constexpr int kRepeats = 21;
constexpr double kSampleMilliseconds = 5;

struct Contender {
  std::string name;
  double bytes;  // read and written
  std::function<void()> run;
  int calls = 1;
  std::vector<double> microseconds = {};
};

struct Row {
  std::string kind, type, noise;
  int64_t elements;
  std::vector<Contender> contenders;
};

class Timer {
 public:
  Timer() {
    CHECK_CUDA(cudaEventCreate(&begin_));
    CHECK_CUDA(cudaEventCreate(&end_));
  }
  // The time of one call in microseconds.
  double Time(const Contender& contender) {
    CHECK_CUDA(cudaEventRecord(begin_));
    for (int i = 0; i < contender.calls; ++i) contender.run();
    CHECK_CUDA(cudaEventRecord(end_));
    CHECK_CUDA(cudaEventSynchronize(end_));
    CHECK_CUDA(cudaGetLastError());
    float milliseconds = 0;
    CHECK_CUDA(cudaEventElapsedTime(&milliseconds, begin_, end_));
    return 1000.0 * milliseconds / contender.calls;
  }

 private:
  cudaEvent_t begin_, end_;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// The contenders alternate, so that all run under the same conditions.
void Measure(Row* row) {
  Timer timer;
  for (Contender& contender : row->contenders) {
    timer.Time(contender);
    timer.Time(contender);
    const double once = timer.Time(contender);
    contender.calls = static_cast<int>(std::clamp(1000 * kSampleMilliseconds / once, 1.0, 500.0));
  }
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    for (Contender& contender : row->contenders) {
      contender.microseconds.push_back(timer.Time(contender));
    }
  }
}

void Print(const Row& row) {
  const Contender& reference = row.contenders.back();
  const double rate = reference.bytes / Median(reference.microseconds);
  for (const Contender& contender : row.contenders) {
    const double median = Median(contender.microseconds);
    std::printf("%-22s %-9s %-16s %10lld  %-10s %10.2f us %8.0f GB/s %6.2f of %s\n",
                row.kind.c_str(), row.type.c_str(), row.noise.c_str(),
                static_cast<long long>(row.elements), contender.name.c_str(), median,
                contender.bytes / median / 1000, contender.bytes / median / rate,
                reference.name.c_str());
  }
}

void Write(std::FILE* file, const Row& row) {
  for (const Contender& contender : row.contenders) {
    auto sorted = contender.microseconds;
    std::sort(sorted.begin(), sorted.end());
    static bool first = true;
    std::fprintf(file,
                 "%s\n  {\"kind\": \"%s\", \"type\": \"%s\", \"noise\": \"%s\", "
                 "\"elements\": %lld, \"name\": \"%s\", \"bytes\": %.0f, \"microseconds\": %.4f, "
                 "\"least\": %.4f, \"most\": %.4f, \"samples\": %d}",
                 first ? "" : ",", row.kind.c_str(), row.type.c_str(), row.noise.c_str(),
                 static_cast<long long>(row.elements), contender.name.c_str(), contender.bytes,
                 Median(sorted), sorted.front(), sorted.back(), kRepeats);
    first = false;
  }
}

// Random words serve as elements, because the time doesn't depend on their values.
std::vector<uint32_t> RandomWords(size_t words) {
  std::vector<uint32_t> values(words);
  uint32_t state = 12345;
  for (uint32_t& value : values) {
    state = state * 1664525u + 1013904223u;
    // Neither infinite nor NaN, for any type.
    value = state & 0xBFFFBFFFu;
  }
  return values;
}

constexpr int64_t kLarge = int64_t{1} << 26;
constexpr int64_t kFeatures = 3072;
constexpr int64_t kSamples = kLarge / kFeatures;
constexpr int64_t kMostValues = std::max(kFeatures, kSamples);
constexpr BroadcastPattern kScalar = {1, 1};

class Bench {
 public:
  explicit Bench(size_t bytes)
      : input_(RandomWords(bytes / 4)),
        output_(bytes),
        seed_({1, 2}),
        offset_({0}),
        wide_(std::vector<double>(kMostValues, 0.1)),
        narrow_(std::vector<float>(kMostValues, 0.1f)),
        sums_(kMostGradients * kMostValues * sizeof(double)) {}

  Row Forward(ElementType type, const Noise& noise, int64_t elements,
              const BroadcastPattern& pattern) {
    const size_t size = SizeOf(type);
    const auto* values = static_cast<const char*>(ValuesOf(type));
    ApplyNoiseTask task = {type,
                           noise,
                           input_.data(),
                           output_.data(),
                           elements,
                           {seed_.data(), SeedType::kInt64Pair, offset_.data()},
                           {},
                           /*validate_args=*/false};
    for (Parameter& parameter : task.parameters) parameter = {values, pattern};
    const double bytes = 2.0 * static_cast<double>(size) * static_cast<double>(elements);
    return {"forward" + Text(pattern),
            std::string(NameOf(type)),
            Text(noise),
            elements,
            {{"flatnoise", bytes, [=] { CHECK_CUDA(ApplyNoise(task, nullptr)); }}, Copy(bytes)}};
  }

  Row Gradient(ElementType type, const Noise& noise, int64_t elements,
               const BroadcastPattern& pattern) {
    const size_t size = SizeOf(type);
    ParameterGradientsTask task = {type,
                                   noise,
                                   input_.data(),
                                   input_.data(),
                                   elements,
                                   {seed_.data(), SeedType::kInt64Pair, offset_.data()},
                                   {},
                                   {}};
    for (int k = 0; k < kMostGradients; ++k) {
      task.patterns[k] = pattern;
      task.gradients[k] = sums_.data() + static_cast<size_t>(k * kMostValues) * sizeof(double);
    }
    // The unused output serves as workspace.
    void* workspace = output_.data();
    const double tensors = GradientReadsInput(noise) ? 2 : 1;
    const double bytes = tensors * static_cast<double>(size) * static_cast<double>(elements);
    return {
        "gradient" + Text(pattern),
        std::string(NameOf(type)),
        Text(noise),
        elements,
        {{"flatnoise", bytes, [=] { CHECK_CUDA(ParameterGradients(task, workspace, nullptr)); }},
         Sum(bytes)}};
  }

 private:
  static size_t SizeOf(ElementType type) {
    return Visit(type, [](auto tag) { return sizeof(typename decltype(tag)::type); });
  }

  // Values in the compute type.
  const void* ValuesOf(ElementType type) const {
    if (type == kElementType<double>) return wide_.data();
    return narrow_.data();
  }

  static std::string Text(const Noise& noise) {
    return std::string(NameOf(noise.combination)) + " " + std::string(NameOf(noise.distribution));
  }
  static std::string Text(const BroadcastPattern& pattern) {
    if (pattern.is_scalar()) return "";
    return " {" + std::to_string(pattern.count) + ", " + std::to_string(pattern.repeat) + "}";
  }

  Contender Copy(double bytes) {
    const auto size = static_cast<size_t>(bytes / 2);
    return {"copy", bytes, [=] {
              CHECK_CUDA(cudaMemcpyAsync(output_.data(), input_.data(), size,
                                         cudaMemcpyDeviceToDevice, nullptr));
            }};
  }

  // A sum of this many bytes as floats.
  Contender Sum(double bytes) {
    const auto* values = reinterpret_cast<const float*>(input_.data());
    auto* sum = reinterpret_cast<float*>(sums_.data());
    const auto count = static_cast<int64_t>(bytes / 4);
    size_t size = 0;
    CHECK_CUDA(cub::DeviceReduce::Sum(nullptr, size, values, sum, count));
    void* workspace = output_.data();
    return {"sum", bytes, [=]() mutable {
              CHECK_CUDA(cub::DeviceReduce::Sum(workspace, size, values, sum, count));
            }};
  }

  DeviceArray<uint32_t> input_;
  DeviceBytes output_;
  DeviceArray<int64_t> seed_, offset_;
  DeviceArray<double> wide_;
  DeviceArray<float> narrow_;
  DeviceBytes sums_;
};

std::vector<Row> Rows(Bench* bench) {
  std::vector<Row> rows;
  const auto add = [&](ElementType type, const Noise& noise, int64_t elements,
                       const BroadcastPattern& pattern) {
    rows.push_back(bench->Forward(type, noise, elements, pattern));
    if (IsIn<LinearNoises>(noise)) rows.push_back(bench->Gradient(type, noise, elements, pattern));
  };
  const auto add_patterns = [&](ElementType type, const Noise& noise) {
    for (const BroadcastPattern& pattern :
         {BroadcastPattern{kFeatures, 1}, {kSamples, kFeatures}, {64, kFeatures}, {3, 1}}) {
      add(type, noise, kSamples * kFeatures, pattern);
    }
  };
  constexpr ElementType kFloat = kElementType<float>, kBFloat16 = kElementType<BFloat16>;
  for (const Noise& noise : AllNoises()) add(kFloat, noise, kLarge, kScalar);
  for (const Noise& noise : {kNoise<Normal, Add>, kNoise<Uniform, Add>}) {
    for (int type = 0; type < ElementTypes::kSize; ++type) {
      if (ElementType{type} != kFloat) add({type}, noise, kLarge, kScalar);
    }
    add_patterns(kFloat, noise);
    add_patterns(kBFloat16, noise);
    for (int64_t elements : {int64_t{1} << 10, int64_t{1} << 16, int64_t{1} << 20}) {
      add(kFloat, noise, elements, kScalar);
    }
  }
  for (ElementType type : {kFloat, kBFloat16}) {
    add(type, kNoise<Normal, Diffuse>, kSamples * kFeatures, {kSamples, kFeatures});
  }
  return rows;
}

void RunOnce(const std::vector<Row>& rows) {
  for (const Row& row : rows) row.contenders.front().run();
  CHECK_CUDA(cudaDeviceSynchronize());
}

int Time(std::vector<Row>* rows, const char* path) {
  cudaDeviceProp properties;
  int driver = 0, runtime = 0;
  CHECK_CUDA(cudaGetDeviceProperties(&properties, 0));
  CHECK_CUDA(cudaDriverGetVersion(&driver));
  CHECK_CUDA(cudaRuntimeGetVersion(&runtime));
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) {
    std::fprintf(stderr, "can't write %s\n", path);
    return 2;
  }
  std::fprintf(file,
               "{\"device\": \"%s\", \"multiprocessors\": %d, \"cuda_driver\": %d, "
               "\"cuda_runtime\": %d, \"rows\": [",
               properties.name, properties.multiProcessorCount, driver, runtime);
  for (Row& row : *rows) {
    Measure(&row);
    Print(row);
    Write(file, row);
  }
  std::fprintf(file, "\n]}\n");
  std::fclose(file);
  return 0;
}

int Main(const std::string& argument) {
  Bench bench(kLarge * 8);
  std::vector<Row> rows = Rows(&bench);
  if (argument != "--once") return Time(&rows, argument.c_str());
  RunOnce(rows);
  return 0;
}

}  // namespace
}  // namespace flatnoise::cuda

int main(int argc, char** argv) { return flatnoise::cuda::Main(argc > 1 ? argv[1] : "bench.json"); }
