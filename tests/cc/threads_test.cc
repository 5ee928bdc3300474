// Kernels that are sharded over threads like in the op and write concurrently into one tensor are
// bit-identical to a single thread. scripts/sanitize.sh runs this under ThreadSanitizer.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "cases.h"
#include "cpu/apply_noise.h"
#include "cpu/parameter_gradients.h"

namespace flatnoise::cpu {
namespace {

constexpr int kThreads = 4;
constexpr int64_t kFeatures = 1500;
constexpr int64_t kElements = 37 * kFeatures;
// Shards begin within the stream's groups and end within the rows.
constexpr uint64_t kOffset = 8190;

// Calls run(i) for 0 <= i < total on any available thread.
void ForEachOnThreads(int64_t total, const std::function<void(int64_t)>& run) {
  std::atomic<int64_t> next{0};
  std::vector<std::thread> threads(kThreads);
  for (auto& thread : threads) {
    thread = std::thread([&] {
      for (int64_t i = next.fetch_add(1); i < total; i = next.fetch_add(1)) run(i);
    });
  }
  for (auto& thread : threads) thread.join();
}

class Threads : public testing::TestWithParam<Case> {
 protected:
  Threads()
      : tensor_(kElements * sizeof(double)), output_(tensor_.size()), parameters_(2 * kFeatures) {
    for (size_t i = 0; i < tensor_.size(); ++i) tensor_[i] = static_cast<unsigned char>(i % 61);
  }

  const Kernels& kernels() const { return *std::get<0>(GetParam()); }
  ElementType type() const { return std::get<1>(GetParam()); }
  const Noise& noise() const { return std::get<2>(GetParam()); }

  ApplyNoiseTask TaskTo(void* output) const {
    ApplyNoiseTask task = {type(), noise(), tensor_.data(), output, kStream, kOffset, {}};
    for (int k = 0; k < ParametersOf(noise()); ++k) {
      task.parameters[k] = {parameters_.data(), {kFeatures, 1}};
    }
    return task;
  }

  static constexpr Stream kStream = {{{1, 2}}, {3, 4}};
  std::vector<unsigned char> tensor_, output_;
  std::vector<double> parameters_;
};

TEST_P(Threads, GiveShardsTheBitsOfOneThread) {
  std::vector<unsigned char> expected(output_.size());
  const ApplyNoiseTask task = TaskTo(output_.data());
  const int64_t shards = CountShards(task, kElements);
  ASSERT_GT(shards, kThreads);
  ApplyNoiseShards(TaskTo(expected.data()), kElements, 0, shards, kernels());
  ForEachOnThreads(shards, [&](int64_t shard) {
    ApplyNoiseShards(task, kElements, shard, shard + 1, kernels());
  });
  EXPECT_EQ(output_, expected);
}

TEST_P(Threads, GiveShardsTheBitsOfOneThreadInPlace) {
  const ApplyNoiseTask task = TaskTo(output_.data());
  const int64_t shards = CountShards(task, kElements);
  ApplyNoiseShards(task, kElements, 0, shards, kernels());
  ApplyNoiseTask in_place = TaskTo(tensor_.data());
  ForEachOnThreads(shards, [&](int64_t shard) {
    ApplyNoiseShards(in_place, kElements, shard, shard + 1, kernels());
  });
  const auto size = [&] {
    size_t bytes = 0;
    WithType(type(), [&](auto t) { bytes = sizeof(t) * kElements; });
    return static_cast<std::ptrdiff_t>(bytes);
  }();
  EXPECT_TRUE(std::equal(tensor_.begin(), tensor_.begin() + size, output_.begin()));
}

class ThreadsOfGradients : public Threads {};

TEST_P(ThreadsOfGradients, GiveTilesTheBitsOfOneThread) {
  for (const BroadcastPattern& pattern :
       {BroadcastPattern{1, 1}, BroadcastPattern{kFeatures, 1}, BroadcastPattern{37, kFeatures}}) {
    const std::vector<BroadcastPattern> patterns(kMostParameters, pattern);
    const ParameterGradients sums({type(), noise(), tensor_.data(), tensor_.data(), kStream,
                                   kOffset, kElements, /*columns=*/0},
                                  patterns.data());
    ASSERT_GT(sums.tiles(), 1);
    const auto size = static_cast<size_t>(sums.workspace_size());
    std::vector<double> workspace(size), expected(size);
    for (int64_t tile = 0; tile < sums.tiles(); ++tile) {
      sums.SumTile(tile, expected.data(), kernels());
    }
    ForEachOnThreads(sums.tiles(),
                     [&](int64_t tile) { sums.SumTile(tile, workspace.data(), kernels()); });
    EXPECT_EQ(workspace, expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Threads, AllCases(), CaseNameOf);
INSTANTIATE_TEST_SUITE_P(Kernels, ThreadsOfGradients, AllCases<LinearNoises>(), CaseNameOf);

TEST(ActiveKernels, AreChosenOnce) {
  std::vector<const Kernels*> chosen(kThreads);
  ForEachOnThreads(kThreads, [&](int64_t i) { chosen[static_cast<size_t>(i)] = &ActiveKernels(); });
  EXPECT_EQ(std::count(chosen.begin(), chosen.end(), chosen[0]), kThreads);
}

}  // namespace
}  // namespace flatnoise::cpu
