#include "tensorflow/xla_handlers.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <utility>

#include "absl/synchronization/notification.h"
#include "cpu/apply_noise.h"
#include "cpu/parameter_gradients.h"
#include "tensorflow/cpu_tasks.h"
#include "tensorflow/xla_calls.h"
#include "xla/ffi/api/ffi.h"

namespace flatnoise {
namespace {

namespace ffi = ::xla::ffi;

// Work shared between the caller and the pool's threads. The caller processes shards too and waits
// only for shards that a thread has started, so it never waits for a busy pool.
class SharedWork {
 public:
  SharedWork(int64_t total, std::function<void(int64_t)> run)
      : run_(std::move(run)), total_(total) {}

  void Help() {
    for (int64_t i = next_.fetch_add(1); i < total_; i = next_.fetch_add(1)) {
      run_(i);
      if (done_.fetch_add(1) + 1 == total_) all_done_.Notify();
    }
  }

  void Wait() { all_done_.WaitForNotification(); }

 private:
  std::function<void(int64_t)> run_;
  int64_t total_;
  std::atomic<int64_t> next_{0};
  std::atomic<int64_t> done_{0};
  absl::Notification all_done_;
};

// Calls run(i) for 0 <= i < total. Uses the pool's threads if there is more than one shard.
void ParallelFor(ffi::ThreadPool& pool, int64_t total, std::function<void(int64_t)> run) {
  const int64_t threads = std::min(pool.num_threads(), total);
  if (threads <= 1) {
    for (int64_t i = 0; i < total; ++i) run(i);
    return;
  }
  const auto work = std::make_shared<SharedWork>(total, std::move(run));
  for (int64_t i = 1; i < threads; ++i) pool.Schedule([work] { work->Help(); });
  work->Help();
  work->Wait();
}

absl::Status ApplyNoise(ffi::ThreadPool& pool, const NoiseCall& call) {
  cpu::ApplyNoiseTask task;
  TF_RETURN_IF_ERROR(MakeApplyNoiseTask(call.attributes, call.inputs, call.noise_outputs(), &task));
  AdviseHugePages(task, call.inputs.elements);
  // Several shards at a time, so that a small tensor stays on this thread.
  constexpr int64_t kShardsAtOnce = 8;
  const int64_t shards = cpu::CountShards(task, call.inputs.elements);
  ParallelFor(pool, (shards + kShardsAtOnce - 1) / kShardsAtOnce, [&](int64_t i) {
    cpu::ApplyNoiseShards(task, call.inputs.elements, i * kShardsAtOnce,
                          std::min((i + 1) * kShardsAtOnce, shards));
  });
  return absl::Status();
}

absl::Status ParameterGradients(ffi::ThreadPool& pool, const NoiseCall& call) {
  cpu::SumGradientsTask task;
  TF_RETURN_IF_ERROR(MakeSumGradientsTask(call.attributes, call.inputs, &task));
  const cpu::ParameterGradients sums = GradientsOf(task, call.inputs);
  const std::unique_ptr<double[]> workspace(
      new (std::nothrow) double[static_cast<size_t>(sums.workspace_size())]);
  if (workspace == nullptr) {
    return absl::ResourceExhaustedError("no memory for the gradients' sums");
  }
  ParallelFor(pool, sums.tiles(), [&](int64_t tile) { sums.SumTile(tile, workspace.get()); });
  sums.Finish(workspace.get(), call.outputs);
  return absl::Status();
}

ffi::Error HandleNoise(ffi::ThreadPool pool, ffi::RemainingArgs operands,
                       ffi::RemainingRets results, CallAttributes attributes) {
  NoiseCall call;
  absl::Status status = ReadCall(operands, results, attributes, /*is_gradient=*/false, &call);
  if (status.ok()) status = ApplyNoise(pool, call);
  return ToError(status);
}

ffi::Error HandleGradient(ffi::ThreadPool pool, ffi::RemainingArgs operands,
                          ffi::RemainingRets results, CallAttributes attributes) {
  NoiseCall call;
  absl::Status status = ReadCall(operands, results, attributes, /*is_gradient=*/true, &call);
  if (status.ok()) status = ParameterGradients(pool, call);
  return ToError(status);
}

}  // namespace
}  // namespace flatnoise

namespace ffi = ::xla::ffi;

XLA_FFI_DEFINE_HANDLER_SYMBOL(FlatnoiseNoiseHost, flatnoise::HandleNoise,
                              flatnoise::BindCall(ffi::Ffi::Bind().Ctx<ffi::ThreadPool>()));

XLA_FFI_DEFINE_HANDLER_SYMBOL(FlatnoiseNoiseGradHost, flatnoise::HandleGradient,
                              flatnoise::BindCall(ffi::Ffi::Bind().Ctx<ffi::ThreadPool>()));
