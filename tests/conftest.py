"""Fixtures that run tests on every implementation, in every mode, for every dtype.

Tests don't depend on these. They take `variant`, `dtype` and `noise` and call `variant.run`, or
they take `distribution` and call `variant.add`. The noises are those in the package's table.
"""

import dataclasses
import functools
import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# pytest's processes already keep every CPU busy. More threads would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
import tensorflow as tf

# Four devices for the tests of tf.distribute. Must be configured before TensorFlow starts.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 4
)

import flatnoise  # noqa: E402
from flatnoise._src import library, noises  # noqa: E402

NOISES = {noise.name: noise for noise in noises.NOISES}
FUNCTIONS = {name: getattr(flatnoise, noise.function) for name, noise in NOISES.items()}
NAMES = {
    name: tuple(parameter.name for parameter in noise.parameters) for name, noise in NOISES.items()
}
# The additive noises, by distribution.
ADDITIVE = {n.distribution: n.name for n in NOISES.values() if n.combination.name == "add"}
ADD = {distribution: FUNCTIONS[name] for distribution, name in ADDITIVE.items()}
PARAMETERS = {distribution: NAMES[name] for distribution, name in ADDITIVE.items()}
COMPILE = {
    "eager": lambda function: function,
    "function": tf.function,
    "xla": functools.partial(tf.function, jit_compile=True),
}
COMPUTE_DTYPE = {
    "float16": "float32",
    "bfloat16": "float32",
    "float32": "float32",
    "float64": "float64",
}
WIDE = ("float32", "float64")
# The distributions that TensorFlow has too. All other distributions transform uniform numbers, so
# only tests of the transform need all distributions. For other tests, these two suffice.
STOCK = ("normal", "uniform")
PROBABILITIES = ("rate", "amount", "salt_vs_pepper")
# An additive and a replacing noise, for which tests of errors try all cases.
THOROUGH = ("add_normal", "salt_and_pepper")


def valid_range(name, place):
    """The range for a parameter. The range of a second parameter is above that of the first."""
    if name in PROBABILITIES:
        return 0.05, 0.95
    return ((-1.0, 0.25), (0.5, 2.0))[place % 2]


def valid_values(parameters):
    """A number for each parameter of a noise or the op, exact in every dtype."""
    return [
        0.375 if parameter.name in PROBABILITIES else (0.25, 1.5)[place % 2]
        for place, parameter in enumerate(parameters)
    ]


def noises_and_cases(cases, few):
    """Each noise with some of the named cases: all for thorough noises, otherwise a few."""
    return [
        pytest.param(noise, case, id=f"{name}-{case}")
        for name, noise in NOISES.items()
        for case in (cases if name in THOROUGH else few)
    ]


@functools.cache
def compiled(implementation, mode, name, flatten):
    def run(inputs, seed, parameters, offset):
        return FUNCTIONS[name](
            inputs,
            seed,
            *parameters,
            offset=offset,
            flatten=flatten,
            implementation=implementation,
        )

    return COMPILE[mode](run)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One implementation in one mode. Seeds, parameters and offsets are run-time values."""

    implementation: str
    mode: str

    def compile(self, function):
        return COMPILE[self.mode](function)

    def run(self, name, inputs, seed, parameters, offset=0, flatten=True):
        """Calls the function of the named noise."""
        inputs = tf.convert_to_tensor(inputs)
        parameter_dtype = COMPUTE_DTYPE[inputs.dtype.name]
        return compiled(self.implementation, self.mode, name, flatten)(
            inputs,
            tf.constant(seed, tf.int64),
            [tf.cast(parameter, parameter_dtype) for parameter in parameters],
            tf.constant(offset, tf.int64),
        )

    def add(self, distribution, inputs, seed, first=0.0, second=1.0, offset=0, flatten=True):
        name = ADDITIVE[distribution]
        return self.run(name, inputs, seed, (first, second), offset=offset, flatten=flatten)

    def call(self, distribution, inputs, seed, **options):
        """Calls the functional API directly, for functions that the test compiles itself."""
        return ADD[distribution](inputs, seed, implementation=self.implementation, **options)

    def tolerance(self, dtype, numbers):
        """The tolerance for normal noise, in units in the last place of max(|z|, 1).

        Inside XLA, the fallback must use XLA's logarithm, sine and cosine, which are less accurate.
        """
        units = {("tensorflow", "xla"): 32}.get((self.implementation, self.mode), 4)
        size = np.maximum(np.abs(np.asarray(numbers, np.float64)), 1.0)
        return units * np.spacing(size.astype(COMPUTE_DTYPE[dtype])).astype(np.float64)


def require_native():
    found = library.load()
    if not found.loaded:
        pytest.skip("native library not built")


def require_native_in_xla():
    require_native()
    if not library.load().has_xla_kernels:
        pytest.skip(str(library.load().xla_reason))


@pytest.fixture
def native_in_xla():
    """For tests of only the compiled op's XLA kernels."""
    require_native_in_xla()


@pytest.fixture
def native():
    """For tests of only the compiled op."""
    require_native()


NEEDS = {"native": require_native, "tensorflow": lambda: None}
NEEDS_IN_XLA = {"native": require_native_in_xla, "tensorflow": lambda: None}
VARIANTS = [
    Variant("native", "eager"),
    Variant("native", "function"),
    Variant("native", "xla"),
    Variant("tensorflow", "eager"),
    Variant("tensorflow", "function"),
    Variant("tensorflow", "xla"),
]


def is_fallback_in_xla(values):
    if "variant" in values:
        return values["variant"] == Variant("tensorflow", "xla")
    return values.get("implementation") == "tensorflow" and values.get("jit_compile", False)


def is_left_out(item):
    marker = item.get_closest_marker("fallback_in_xla")
    if marker is None or not is_fallback_in_xla(item.callspec.params):
        return False
    return any(item.callspec.params[name] not in few for name, few in marker.kwargs.items())


def pytest_collection_finish():
    # From here on, collections of garbage skip the hundreds of thousands of objects that live as
    # long as the process: TensorFlow's and the tests.
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config, items):
    left_out = {item for item in items if is_left_out(item)}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(params=VARIANTS, ids=lambda v: f"{v.implementation}-{v.mode}")
def variant(request):
    needs = NEEDS_IN_XLA if request.param.mode == "xla" else NEEDS
    needs[request.param.implementation]()
    return request.param


@pytest.fixture(params=["native", "tensorflow"])
def implementation(request):
    NEEDS[request.param]()
    return request.param


@pytest.fixture(params=list(NOISES))
def noise(request):
    return NOISES[request.param]


@pytest.fixture(params=noises.DISTRIBUTIONS)
def distribution(request):
    return request.param


@pytest.fixture(params=list(COMPUTE_DTYPE))
def dtype(request):
    return request.param
