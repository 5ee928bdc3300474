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
#include "cpu/sum_gradients.h"
#include "tensorflow/cpu_tasks.h"
#include "tensorflow/xla_inputs.h"
#include "xla/ffi/api/ffi.h"

namespace flatnoise {
namespace {

namespace ffi = ::xla::ffi;

// Work shared between the caller and the pool's threads. The caller takes pieces too and waits only
// for pieces that a thread has begun, so it never waits for a thread that the pool can't spare.
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

// Calls run(i) for 0 <= i < total, on the pool's threads where there is more than one piece.
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

ffi::Error ApplyNoise(ffi::ThreadPool pool, ffi::AnyBuffer tensor, ffi::AnyBuffer seed,
                      ffi::AnyBuffer loc, ffi::AnyBuffer scale, ffi::AnyBuffer offset,
                      ffi::Result<ffi::AnyBuffer> output, int64_t distribution, int64_t features,
                      int64_t combination, int64_t validate_args) {
  const OpInputs inputs = InputsOf(tensor, seed, loc, scale, offset, features);
  cpu::ApplyNoiseTask task;
  const absl::Status status =
      MakeApplyNoiseTask(inputs, DistributionOf(distribution), CombinationOf(combination),
                         validate_args != 0, output->untyped_data(), &task);
  if (!status.ok()) return ToError(status);
  // A few pieces at a time, so that a small tensor stays on this thread.
  constexpr int64_t kPiecesAtOnce = 8;
  const int64_t pieces = cpu::CountPieces(task, inputs.elements);
  ParallelFor(pool, (pieces + kPiecesAtOnce - 1) / kPiecesAtOnce, [&](int64_t i) {
    cpu::ApplyNoisePieces(task, inputs.elements, i * kPiecesAtOnce,
                          std::min((i + 1) * kPiecesAtOnce, pieces));
  });
  return ffi::Error();
}

ffi::Error SumGradients(ffi::ThreadPool pool, ffi::AnyBuffer tensor, ffi::AnyBuffer seed,
                        ffi::AnyBuffer loc, ffi::AnyBuffer scale, ffi::AnyBuffer offset,
                        ffi::Result<ffi::AnyBuffer> loc_gradient,
                        ffi::Result<ffi::AnyBuffer> scale_gradient, int64_t distribution,
                        int64_t features) {
  const OpInputs inputs = InputsOf(tensor, seed, loc, scale, offset, features);
  cpu::SumGradientsTask task;
  const absl::Status status = MakeSumGradientsTask(inputs, DistributionOf(distribution), &task);
  if (!status.ok()) return ToError(status);
  const cpu::GradientSums sums(task, GradientFeatures(inputs));
  const std::unique_ptr<double[]> workspace(
      new (std::nothrow) double[static_cast<size_t>(sums.workspace_size())]);
  if (workspace == nullptr) {
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, "no memory for the gradients' sums");
  }
  ParallelFor(pool, sums.tiles(), [&](int64_t tile) { sums.SumTile(tile, workspace.get()); });
  sums.Finish(workspace.get(), {loc_gradient->untyped_data(), inputs.loc.count},
              {scale_gradient->untyped_data(), inputs.scale.count});
  return ffi::Error();
}

}  // namespace
}  // namespace flatnoise

namespace ffi = ::xla::ffi;

XLA_FFI_DEFINE_HANDLER_SYMBOL(FlatnoiseApplyNoiseHost, flatnoise::ApplyNoise,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("distribution")
                                  .Attr<int64_t>("features")
                                  .Attr<int64_t>("combination")
                                  .Attr<int64_t>("validate_args"));

XLA_FFI_DEFINE_HANDLER_SYMBOL(FlatnoiseSumGradientsHost, flatnoise::SumGradients,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Arg<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Ret<ffi::AnyBuffer>()
                                  .Attr<int64_t>("distribution")
                                  .Attr<int64_t>("features"));
