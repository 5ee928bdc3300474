#include "tensorflow/xla_handlers.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>

#include "cpu/add_noise.h"
#include "cpu/sum_gradients.h"
#include "tensorflow/host_inputs.h"
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
      if (done_.fetch_add(1) + 1 == total_) Announce();
    }
  }

  void Wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    all_done_.wait(lock, [this] { return done_ == total_; });
  }

 private:
  void Announce() {
    const std::scoped_lock lock(mutex_);
    all_done_.notify_all();
  }

  std::function<void(int64_t)> run_;
  int64_t total_;
  std::atomic<int64_t> next_{0};
  std::atomic<int64_t> done_{0};
  std::mutex mutex_;
  std::condition_variable all_done_;
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

cpu::ElementType ElementTypeOf(ffi::DataType type) {
  switch (type) {
    case ffi::DataType::F16:
      return cpu::ElementType::kHalf;
    case ffi::DataType::BF16:
      return cpu::ElementType::kBFloat16;
    case ffi::DataType::F64:
      return cpu::ElementType::kDouble;
    default:
      return cpu::ElementType::kFloat;
  }
}

cpu::Parameter ParameterOf(const ffi::AnyBuffer& buffer) {
  return {buffer.untyped_data(), static_cast<int64_t>(buffer.element_count())};
}

HostInputs InputsOf(const ffi::AnyBuffer& tensor, const ffi::AnyBuffer& seed,
                    const ffi::AnyBuffer& loc, const ffi::AnyBuffer& scale,
                    const ffi::AnyBuffer& offset, int64_t features) {
  return {ElementTypeOf(tensor.element_type()),
          tensor.untyped_data(),
          static_cast<int64_t>(tensor.element_count()),
          features,
          seed.untyped_data(),
          seed.element_type() == ffi::DataType::S64,
          ParameterOf(loc),
          ParameterOf(scale),
          offset.typed_data<int64_t>()};
}

ffi::Error ToError(const absl::Status& status) {
  if (status.ok()) return ffi::Error();
  return ffi::Error(static_cast<XLA_FFI_Error_Code>(status.code()), std::string(status.message()));
}

Distribution DistributionOf(int64_t attribute) { return static_cast<Distribution>(attribute); }

ffi::Error AddNoise(ffi::ThreadPool pool, ffi::AnyBuffer tensor, ffi::AnyBuffer seed,
                    ffi::AnyBuffer loc, ffi::AnyBuffer scale, ffi::AnyBuffer offset,
                    ffi::Result<ffi::AnyBuffer> output, int64_t distribution, int64_t features,
                    int64_t validate_args) {
  const HostInputs inputs = InputsOf(tensor, seed, loc, scale, offset, features);
  cpu::AddNoiseTask task;
  const absl::Status status = MakeAddNoiseTask(inputs, DistributionOf(distribution),
                                               validate_args != 0, output->untyped_data(), &task);
  if (!status.ok()) return ToError(status);
  // A few pieces at a time, so that a small tensor stays on this thread.
  constexpr int64_t kPiecesAtOnce = 8;
  const int64_t pieces = cpu::CountPieces(task, inputs.elements);
  ParallelFor(pool, (pieces + kPiecesAtOnce - 1) / kPiecesAtOnce, [&](int64_t i) {
    cpu::AddNoisePieces(task, inputs.elements, i * kPiecesAtOnce,
                        std::min((i + 1) * kPiecesAtOnce, pieces));
  });
  return ffi::Error();
}

ffi::Error SumGradients(ffi::ThreadPool pool, ffi::AnyBuffer tensor, ffi::AnyBuffer seed,
                        ffi::AnyBuffer loc, ffi::AnyBuffer scale, ffi::AnyBuffer offset,
                        ffi::Result<ffi::AnyBuffer> loc_gradient,
                        ffi::Result<ffi::AnyBuffer> scale_gradient, int64_t distribution,
                        int64_t features) {
  const HostInputs inputs = InputsOf(tensor, seed, loc, scale, offset, features);
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

XLA_FFI_DEFINE_HANDLER_SYMBOL(FlatnoiseAddNoiseHost, flatnoise::AddNoise,
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
