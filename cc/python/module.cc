// The core for NumPy arrays, without TensorFlow. flatnoise/numpy.py checks all arrays and makes
// them contiguous and of the right dtypes.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/noise_info.h"
#include "core/parameter.h"
#include "core/philox.h"
#include "core/stream.h"
#include "cpu/apply_noise.h"
#include "cpu/dispatch.h"
#include "cpu/parameter_gradients.h"

namespace py = pybind11;

namespace flatnoise {
namespace {

using Words = py::array_t<uint32_t, py::array::c_style>;
using Seed = std::pair<int64_t, int64_t>;
using InstructionSet = std::optional<std::string>;

[[noreturn]] void Refuse(const std::string& argument, const std::string& expected,
                         const std::string& got) {
  throw py::value_error(argument + " must be " + expected + ", got " + got);
}

std::string Join(const std::vector<std::string_view>& names) {
  std::string joined;
  for (const auto name : names) joined += (joined.empty() ? "" : ", ") + std::string(name);
  return joined;
}

template <class List>
Choice<List> Choose(const std::string& argument, const std::string& name) {
  const auto choice = Find<List>(name);
  if (!choice) Refuse(argument, "one of " + Join(Names<List>()), name);
  return *choice;
}

Stream StreamOf(const Seed& seed) {
  return StreamFromSeed(static_cast<uint64_t>(seed.first), static_cast<uint64_t>(seed.second));
}

const cpu::Kernels& ChooseKernels(const InstructionSet& name) {
  if (!name) return cpu::ActiveKernels();
  const cpu::Kernels* kernels = cpu::FindKernels(*name);
  if (kernels != nullptr) return *kernels;
  std::vector<std::string_view> known;
  for (const auto* each : cpu::SupportedKernels()) known.emplace_back(each->name);
  Refuse("instruction_set", "one of this processor's: " + Join(known), *name);
}

std::vector<int64_t> SizesOf(const py::array& array) {
  return {array.shape(), array.shape() + array.ndim()};
}

BroadcastPattern PatternOf(const py::array& parameter, const py::array& tensor) {
  const auto sizes = SizesOf(parameter), whole = SizesOf(tensor);
  BroadcastPattern pattern;
  const BroadcastStatus status =
      Broadcast({sizes.data(), static_cast<int>(sizes.size())},
                {whole.data(), static_cast<int>(whole.size())}, &pattern);
  if (status != BroadcastStatus::kOk) {
    const auto show = [](const py::array& a) {
      return py::cast<std::string>(py::str(a.attr("shape")));
    };
    Refuse("parameters", "arrays that broadcast over one run of dimensions of " + show(tensor),
           "shape " + show(parameter));
  }
  return pattern;
}

template <class List>
void CheckNoise(const Noise& noise, const std::vector<py::array>& parameters) {
  if (!IsIn<List>(noise)) {
    Refuse("combination", "one that goes with the distribution and the function",
           std::string(NameOf(noise.combination)));
  }
  const auto expected = static_cast<size_t>(InfoOf(noise.combination).parameter_count);
  if (parameters.size() == expected) return;
  Refuse("parameters", std::to_string(expected) + " arrays", std::to_string(parameters.size()));
}

Words Philox4x32(const Words& counter, const Words& key) {
  Words result({counter.shape(0), py::ssize_t{4}});
  const uint32_t* in = counter.data();
  const uint32_t* keys = key.data();
  uint32_t* out = result.mutable_data();
  const py::ssize_t blocks = counter.shape(0);
  const py::gil_scoped_release release;
  for (py::ssize_t i = 0; i < blocks; ++i, in += 4, keys += 2, out += 4) {
    const auto block =
        Philox<ScalarWords>({{in[0], in[1], in[2], in[3]}}, ScheduleKey({{keys[0], keys[1]}}));
    for (int j = 0; j < 4; ++j) out[j] = block.word[j];
  }
  return result;
}

Words RandomWords(const Seed& seed, int64_t blocks, uint64_t first_block) {
  Words result({static_cast<py::ssize_t>(blocks), py::ssize_t{4}});
  uint32_t* out = result.mutable_data();
  const py::gil_scoped_release release;
  const Stream stream = StreamOf(seed);
  const PhiloxKeySchedule keys = ScheduleKey(stream.key);
  for (int64_t i = 0; i < blocks; ++i, out += 4) {
    const auto block =
        Philox<ScalarWords>(BlockCounter(stream, first_block + static_cast<uint64_t>(i)), keys);
    for (int j = 0; j < 4; ++j) out[j] = block.word[j];
  }
  return result;
}

Noise ParseNoise(const std::string& distribution, const std::string& combination) {
  return {Choose<Distributions>("distribution", distribution),
          Choose<Combinations>("combination", combination)};
}

ElementType ParseType(const py::array& array) {
  return Choose<ElementTypes>("dtype", py::cast<std::string>(array.dtype().attr("name")));
}

void FlattenNoise(const py::array& input, py::array output, const Seed& seed, uint64_t offset,
                  const std::vector<py::array>& parameters, const std::string& distribution,
                  const std::string& combination, const InstructionSet& instruction_set) {
  cpu::ApplyNoiseTask task = {ParseType(input),
                              ParseNoise(distribution, combination),
                              input.data(),
                              output.mutable_data(),
                              StreamOf(seed),
                              offset,
                              {}};
  CheckNoise<Noises>(task.noise, parameters);
  for (size_t k = 0; k < parameters.size(); ++k) {
    task.parameters[k] = {parameters[k].data(), PatternOf(parameters[k], output)};
  }
  const cpu::Kernels& kernels = ChooseKernels(instruction_set);
  const int64_t elements = input.size();
  const py::gil_scoped_release release;
  cpu::ApplyNoiseShards(task, elements, 0, cpu::CountShards(task, elements), kernels);
}

void FlattenNoiseGrad(const py::array& grad, const py::array& input,
                      std::vector<py::array> parameter_grads, const Seed& seed, uint64_t offset,
                      const std::string& distribution, const std::string& combination,
                      const InstructionSet& instruction_set) {
  const cpu::SumGradientsTask task = {ParseType(grad), ParseNoise(distribution, combination),
                                      grad.data(),     input.data(),
                                      StreamOf(seed),  offset,
                                      grad.size(),     /*columns=*/0};
  CheckNoise<LinearNoises>(task.noise, parameter_grads);
  BroadcastPattern patterns[kMostParameters];
  void* gradients[kMostParameters];
  for (size_t k = 0; k < parameter_grads.size(); ++k) {
    patterns[k] = PatternOf(parameter_grads[k], grad);
    gradients[k] = parameter_grads[k].mutable_data();
  }
  const cpu::Kernels& kernels = ChooseKernels(instruction_set);
  const py::gil_scoped_release release;
  const cpu::ParameterGradients sums(task, patterns);
  std::vector<double> workspace(static_cast<size_t>(sums.workspace_size()));
  for (int64_t tile = 0; tile < sums.tiles(); ++tile) {
    sums.SumTile(tile, workspace.data(), kernels);
  }
  sums.Finish(workspace.data(), gradients);
}

py::dict DescribeNoises() {
  py::dict combinations;
  for (int i = 0; i < Combinations::kSize; ++i) {
    const CombinationInfo info = InfoOf(Choice<Combinations>{i});
    std::vector<std::string> names;
    for (int k = 0; k < info.parameter_count; ++k) names.emplace_back(info.parameters[k].name);
    combinations[py::str(std::string(Names<Combinations>()[static_cast<size_t>(i)]))] = names;
  }
  py::dict noises;
  noises["distributions"] = Names<Distributions>();
  noises["combinations"] = combinations;
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (const Noise& noise : AllNoises()) {
    pairs.emplace_back(NameOf(noise.distribution), NameOf(noise.combination));
  }
  noises["noises"] = pairs;
  return noises;
}

py::dict BuildInfo() {
  std::vector<std::string> names;
  for (const auto* kernels : cpu::SupportedKernels()) names.emplace_back(kernels->name);
  py::dict info;
  info["version"] = FLATNOISE_VERSION;
  info["compiler"] = FLATNOISE_COMPILER;
  info["tensorflow_versions"] = py::str(FLATNOISE_TENSORFLOW_VERSIONS).attr("split")();
  info["instruction_sets"] = names;
  info["instruction_set"] = cpu::ActiveKernels().name;
  return info;
}

}  // namespace
}  // namespace flatnoise

PYBIND11_MODULE(_core, m) {
  using namespace flatnoise;  // NOLINT
  m.doc() = "The compiled core on NumPy arrays, without TensorFlow: see flatnoise.numpy.";
  m.def("philox4x32", &Philox4x32, py::arg("counter"), py::arg("key"),
        "Philox4x32-10 of counters [n, 4] under keys [n, 2]: n blocks of four words.");
  m.def("random_words", &RandomWords, py::arg("seed"), py::arg("blocks"), py::arg("first_block"),
        "Blocks of four words of a seed's stream, of shape [blocks, 4].");
  m.def("flatten_noise", &FlattenNoise, py::arg("input"), py::arg("output"), py::kw_only(),
        py::arg("seed"), py::arg("offset"), py::arg("parameters"), py::arg("distribution"),
        py::arg("combination"), py::arg("instruction_set"),
        "Writes the input with noise into an output of the output's shape.");
  m.def("flatten_noise_grad", &FlattenNoiseGrad, py::arg("grad"), py::arg("input"),
        py::arg("parameter_grads"), py::kw_only(), py::arg("seed"), py::arg("offset"),
        py::arg("distribution"), py::arg("combination"), py::arg("instruction_set"),
        "Writes the gradient of every parameter into arrays of the parameters' shapes.");
  m.def("noises", &DescribeNoises,
        "The distributions, the combinations with their parameters, the noises made of them.");
  m.def("build_info", &BuildInfo, "How this module was built and what it uses here.");
}
