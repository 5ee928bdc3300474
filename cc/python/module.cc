// The core on NumPy arrays, without TensorFlow.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/philox.h"
#include "core/stream.h"
#include "cpu/apply_noise.h"
#include "cpu/dispatch.h"
#include "cpu/sum_gradients.h"

namespace py = pybind11;

namespace flatnoise {
namespace {

using Words = py::array_t<uint32_t, py::array::c_style | py::array::forcecast>;
using Seed = std::pair<int64_t, int64_t>;

std::string Show(const py::handle& object) { return py::cast<std::string>(py::repr(object)); }

std::string ShapeOf(const py::array& array) { return Show(array.attr("shape")); }

[[noreturn]] void Refuse(const std::string& argument, const std::string& expected,
                         const std::string& got) {
  throw py::value_error(argument + " must be " + expected + ", got " + got);
}

Distribution ParseDistribution(const std::string& name) {
  if (name == "normal") return Distribution::kNormal;
  if (name == "uniform") return Distribution::kUniform;
  Refuse("distribution", R"("normal" or "uniform")", "\"" + name + "\"");
}

ElementType ParseElementType(const char* argument, const py::dtype& type) {
  const auto name = py::cast<std::string>(type.attr("name"));
  if (name == "float16") return ElementType::kHalf;
  if (name == "bfloat16") return ElementType::kBFloat16;
  if (name == "float32") return ElementType::kFloat;
  if (name == "float64") return ElementType::kDouble;
  Refuse(argument, "an array of float16, bfloat16, float32 or float64", "dtype " + name);
}

py::dtype ComputeType(ElementType type) {
  return type == ElementType::kDouble ? py::dtype::of<double>() : py::dtype::of<float>();
}

Stream StreamOf(const Seed& seed) {
  return StreamFromSeed(static_cast<uint64_t>(seed.first), static_cast<uint64_t>(seed.second));
}

uint64_t CheckOffset(int64_t offset) {
  if (offset < 0) Refuse("offset", "at least 0", std::to_string(offset));
  return static_cast<uint64_t>(offset);
}

const cpu::Kernels& ChooseKernels(const std::optional<std::string>& name) {
  if (!name) return cpu::ActiveKernels();
  const cpu::Kernels* kernels = cpu::FindKernels(*name);
  if (kernels == nullptr) {
    std::string known;
    for (const auto* each : cpu::SupportedKernels()) known += std::string(" ") + each->name;
    Refuse("instruction_set", "one of this processor's:" + known, "\"" + *name + "\"");
  }
  return *kernels;
}

// As a contiguous array in the processor's byte order.
py::array AsArray(const char* argument, const py::object& object) {
  const py::object numpy = py::module_::import("numpy");
  try {
    py::array array = numpy.attr("asarray")(object, py::arg("order") = "C");
    if (array.dtype().byteorder() != '>') return array;
    return array.attr("astype")(array.dtype().attr("newbyteorder")("="));
  } catch (const py::error_already_set&) {  // nested lists of unequal lengths
    Refuse(argument, "an array", Show(object));
  }
}

Words ParseWords(const char* argument, const py::object& object) {
  const py::array array = AsArray(argument, object);
  const char kind = array.dtype().kind();
  if (kind == 'i' || kind == 'u') {
    const py::object words = array.attr("astype")(py::dtype::of<uint32_t>());
    if (py::cast<bool>(array.attr("__eq__")(words).attr("all")())) return words;
  }
  Refuse(argument, "integers from 0 to 2**32 - 1", Show(array));
}

// Rows of a batch: the product of all dimensions but the first.
int64_t CountFeatures(const char* argument, const py::array& array) {
  if (array.ndim() == 0) Refuse(argument, "an array of at least one dimension", "a scalar");
  int64_t features = 1;
  for (py::ssize_t i = 1; i < array.ndim(); ++i) features *= array.shape(i);
  return features;
}

// loc or scale in the compute type: a scalar, or one value per feature.
py::array ParseParameter(const char* argument, const py::object& object, const py::dtype& type,
                         int64_t features) {
  const py::array given = AsArray(argument, object);
  const char kind = given.dtype().kind();
  const bool is_real = kind == 'f' || kind == 'i' || kind == 'u' ||
                       py::cast<std::string>(given.dtype().attr("name")) == "bfloat16";
  if (!is_real) Refuse(argument, "a real number or an array of them", Show(object));
  const py::array array = given.attr("astype")(type);
  const bool fits = array.ndim() == 0 || (array.ndim() == 1 && array.shape(0) == features);
  if (!fits) {
    Refuse(argument, "a scalar or one value for each of " + std::to_string(features) + " features",
           "shape " + ShapeOf(array));
  }
  return array;
}

Words Philox4x32(const py::object& counter_words, const py::object& key_words) {
  const Words counter = ParseWords("counter", counter_words);
  const Words key = ParseWords("key", key_words);
  if (counter.ndim() != 2 || counter.shape(1) != 4) {
    Refuse("counter", "of shape [n, 4]", "shape " + ShapeOf(counter));
  }
  if (key.ndim() != 2 || key.shape(1) != 2 || key.shape(0) != counter.shape(0)) {
    Refuse("key", "of shape [n, 2] with n the counters' number", "shape " + ShapeOf(key));
  }
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
  constexpr int64_t kMostBlocks = int64_t{1} << 48;
  if (blocks < 0 || blocks > kMostBlocks) {
    Refuse("blocks", "from 0 to 2**48", std::to_string(blocks));
  }
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

template <Combination combination>
py::array ApplyNoise(const py::object& inputs, const Seed& seed, const py::object& loc,
                     const py::object& scale, const std::string& distribution, int64_t offset,
                     bool flatten, const std::optional<std::string>& instruction_set) {
  const py::array input = AsArray("inputs", inputs);
  const int64_t features = CountFeatures("inputs", input);
  const auto type = ParseElementType("inputs", input.dtype());
  const py::array locs = ParseParameter("loc", loc, ComputeType(type), features);
  const py::array scales = ParseParameter("scale", scale, ComputeType(type), features);
  std::vector<py::ssize_t> shape(input.shape(), input.shape() + input.ndim());
  if (flatten) shape = {input.shape(0), static_cast<py::ssize_t>(features)};
  py::array output(input.dtype(), shape);
  const cpu::ApplyNoiseTask task = {type,
                                    ParseDistribution(distribution),
                                    combination,
                                    input.data(),
                                    output.mutable_data(),
                                    StreamOf(seed),
                                    CheckOffset(offset),
                                    features,
                                    {locs.data(), locs.size()},
                                    {scales.data(), scales.size()}};
  const cpu::Kernels& kernels = ChooseKernels(instruction_set);
  const int64_t elements = input.size();
  const py::gil_scoped_release release;
  if (elements > 0) {
    cpu::ApplyNoisePieces(task, elements, 0, cpu::CountPieces(task, elements), kernels);
  }
  return output;
}

py::tuple SumGradients(const py::object& gradients, const Seed& seed,
                       const std::string& distribution, int64_t offset, bool per_feature,
                       const std::optional<std::string>& instruction_set) {
  const py::array gradient = AsArray("grad", gradients);
  const int64_t features = CountFeatures("grad", gradient);
  const auto type = ParseElementType("grad", gradient.dtype());
  const cpu::GradientSums sums({type, ParseDistribution(distribution), gradient.data(),
                                StreamOf(seed), CheckOffset(offset), gradient.size(),
                                /*columns=*/0},
                               per_feature ? features : 1);
  const cpu::Kernels& kernels = ChooseKernels(instruction_set);
  std::vector<py::ssize_t> shape;
  if (per_feature) shape.push_back(features);
  py::array loc(ComputeType(type), shape), scale(ComputeType(type), shape);
  void* loc_values = loc.mutable_data();
  void* scale_values = scale.mutable_data();
  {
    const py::gil_scoped_release release;
    std::vector<double> workspace(static_cast<size_t>(sums.workspace_size()));
    for (int64_t tile = 0; tile < sums.tiles(); ++tile) {
      sums.SumTile(tile, workspace.data(), kernels);
    }
    sums.Finish(workspace.data(), {loc_values, loc.size()}, {scale_values, scale.size()});
  }
  return py::make_tuple(loc, scale);
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
  m.doc() = "The noise stream on NumPy arrays, without TensorFlow.";
  m.def("philox4x32", &Philox4x32, py::arg("counter"), py::arg("key"),
        "Philox4x32-10 of counters [n, 4] under keys [n, 2]: n blocks of four words.");
  m.def("random_words", &RandomWords, py::arg("seed"), py::arg("blocks"),
        py::arg("first_block") = 0,
        "Blocks of four words of a seed's stream, of shape [blocks, 4].");
  const auto define_apply_noise = [&m](const char* name, auto function, const char* documentation) {
    m.def(name, function, py::arg("inputs"), py::arg("seed"), py::arg("loc") = 0.0,
          py::arg("scale") = 1.0, py::kw_only(), py::arg("distribution") = "normal",
          py::arg("offset") = 0, py::arg("flatten") = true, py::arg("instruction_set") = py::none(),
          documentation);
  };
  define_apply_noise("add_noise", &ApplyNoise<Combination::kAdd>,
                     "inputs + (loc + scale * z), z the stream's numbers from offset on.");
  define_apply_noise("multiply_noise", &ApplyNoise<Combination::kMultiply>,
                     "inputs * (loc + scale * z), z the stream's numbers from offset on.");
  m.def("sum_gradients", &SumGradients, py::arg("grad"), py::arg("seed"), py::kw_only(),
        py::arg("distribution") = "normal", py::arg("offset") = 0, py::arg("per_feature") = false,
        py::arg("instruction_set") = py::none(),
        "Sums of grad and of grad * z, over all elements or per feature.");
  m.def("build_info", &BuildInfo, "How this module was built and what it uses here.");
}
