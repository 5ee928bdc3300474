// Times the kernels against a copy on the device, and the gradient against a plain sum. Prints a
// table and writes JSON:  bench FILE
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cub/device/device_reduce.cuh>
#include <functional>
#include <string>
#include <vector>

#include "cuda/apply_noise.h"
#include "cuda/sum_gradients.h"
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
  std::string kind, type, distribution;
  int64_t elements;
  std::vector<Contender> contenders;
};

class Timer {
 public:
  Timer() {
    CHECK_CUDA(cudaEventCreate(&begin_));
    CHECK_CUDA(cudaEventCreate(&end_));
  }
  // Microseconds of one call.
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

// The contenders take turns, so that all see the same device.
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
    std::printf("%-9s %-9s %-8s %10lld  %-10s %10.2f us %8.0f GB/s %6.2f of %s\n", row.kind.c_str(),
                row.type.c_str(), row.distribution.c_str(), static_cast<long long>(row.elements),
                contender.name.c_str(), median, contender.bytes / median / 1000,
                contender.bytes / median / rate, reference.name.c_str());
  }
}

void Write(std::FILE* file, const Row& row) {
  for (const Contender& contender : row.contenders) {
    auto sorted = contender.microseconds;
    std::sort(sorted.begin(), sorted.end());
    static bool first = true;
    std::fprintf(file,
                 "%s\n  {\"kind\": \"%s\", \"type\": \"%s\", \"distribution\": \"%s\", "
                 "\"elements\": %lld, \"name\": \"%s\", \"bytes\": %.0f, \"microseconds\": %.4f, "
                 "\"least\": %.4f, \"most\": %.4f, \"samples\": %d}",
                 first ? "" : ",", row.kind.c_str(), row.type.c_str(), row.distribution.c_str(),
                 static_cast<long long>(row.elements), contender.name.c_str(), contender.bytes,
                 Median(sorted), sorted.front(), sorted.back(), kRepeats);
    first = false;
  }
}

struct Type {
  ElementType type;
  const char* name;
  size_t size;
};
constexpr Type kTypes[] = {{ElementType::kFloat, "float32", 4},
                           {ElementType::kHalf, "float16", 2},
                           {ElementType::kBFloat16, "bfloat16", 2},
                           {ElementType::kDouble, "float64", 8}};

// Random words stand for elements: the time does not depend on their values, and NaN do no harm.
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

class Bench {
 public:
  explicit Bench(size_t bytes)
      : input_(RandomWords(bytes / 4)),
        output_(bytes),
        seed_({1, 2}),
        offset_({0}),
        wide_({0.0, 0.1}),
        narrow_({0.0f, 0.1f}),
        features_(std::vector<float>(2 * kFeatures, 0.1f)),
        sums_(4 * kFeatures * sizeof(double)) {}

  Row Forward(const Type& type, Distribution distribution, int64_t elements, bool per_feature) {
    const int64_t count = per_feature ? kFeatures : 1;
    const void* loc = narrow_.data();
    const void* scale = narrow_.data() + 1;
    if (type.type == ElementType::kDouble) {
      loc = wide_.data();
      scale = wide_.data() + 1;
    } else if (per_feature) {
      loc = features_.data();
      scale = features_.data() + kFeatures;
    }
    const ApplyNoiseTask task = {type.type,
                                 distribution,
                                 Combination::kAdd,
                                 input_.data(),
                                 output_.data(),
                                 elements,
                                 count,
                                 {seed_.data(), true, offset_.data()},
                                 {loc, count},
                                 {scale, count},
                                 false};
    const double bytes = 2.0 * static_cast<double>(type.size) * static_cast<double>(elements);
    return {per_feature ? "feature" : "forward",
            type.name,
            Name(distribution),
            elements,
            {{"flatnoise", bytes, [=] { CHECK_CUDA(ApplyNoise(task, nullptr)); }}, Copy(bytes)}};
  }

  Row Gradient(const Type& type, Distribution distribution, int64_t elements, bool per_feature) {
    const int64_t count = per_feature ? kFeatures : 1;
    const SumGradientsTask task = {type.type,
                                   distribution,
                                   input_.data(),
                                   elements,
                                   count,
                                   {seed_.data(), true, offset_.data()},
                                   {sums_.data(), count},
                                   {sums_.data() + 2 * kFeatures * sizeof(double), count}};
    // The output is not in use: it serves as workspace.
    void* workspace = output_.data();
    const double bytes = static_cast<double>(type.size) * static_cast<double>(elements);
    return {per_feature ? "by column" : "gradient",
            type.name,
            Name(distribution),
            elements,
            {{"flatnoise", bytes, [=] { CHECK_CUDA(SumGradients(task, workspace, nullptr)); }},
             Sum(bytes)}};
  }

 private:
  static constexpr int64_t kFeatures = 3072;

  static const char* Name(Distribution distribution) {
    return distribution == Distribution::kNormal ? "normal" : "uniform";
  }

  Contender Copy(double bytes) {
    const auto size = static_cast<size_t>(bytes / 2);
    return {"copy", bytes, [=] {
              CHECK_CUDA(cudaMemcpyAsync(output_.data(), input_.data(), size,
                                         cudaMemcpyDeviceToDevice, nullptr));
            }};
  }

  // Of as many bytes, as float.
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
  DeviceArray<float> narrow_, features_;
  DeviceBytes sums_;
};

int Main(const char* path) {
  cudaDeviceProp properties;
  int driver = 0, runtime = 0;
  CHECK_CUDA(cudaGetDeviceProperties(&properties, 0));
  CHECK_CUDA(cudaDriverGetVersion(&driver));
  CHECK_CUDA(cudaRuntimeGetVersion(&runtime));
  constexpr int64_t kLarge = int64_t{1} << 26;
  Bench bench(kLarge * 8);
  std::vector<Row> rows;
  for (const Type& type : kTypes) {
    for (const auto distribution : {Distribution::kNormal, Distribution::kUniform}) {
      rows.push_back(bench.Forward(type, distribution, kLarge, false));
      rows.push_back(bench.Gradient(type, distribution, kLarge, false));
    }
  }
  for (const auto distribution : {Distribution::kNormal, Distribution::kUniform}) {
    rows.push_back(bench.Forward(kTypes[0], distribution, kLarge / 3072 * 3072, true));
    rows.push_back(bench.Gradient(kTypes[0], distribution, kLarge / 3072 * 3072, true));
    for (int64_t elements : {int64_t{1} << 10, int64_t{1} << 16, int64_t{1} << 20}) {
      rows.push_back(bench.Forward(kTypes[0], distribution, elements, false));
      rows.push_back(bench.Gradient(kTypes[0], distribution, elements, false));
    }
  }
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) {
    std::fprintf(stderr, "can't write %s\n", path);
    return 2;
  }
  std::fprintf(file,
               "{\"device\": \"%s\", \"multiprocessors\": %d, \"cuda_driver\": %d, "
               "\"cuda_runtime\": %d, \"rows\": [",
               properties.name, properties.multiProcessorCount, driver, runtime);
  for (Row& row : rows) {
    Measure(&row);
    Print(row);
    Write(file, row);
  }
  std::fprintf(file, "\n]}\n");
  std::fclose(file);
  return 0;
}

}  // namespace
}  // namespace flatnoise::cuda

int main(int argc, char** argv) { return flatnoise::cuda::Main(argc > 1 ? argv[1] : "bench.json"); }
