"""The table of noises matches the compiled core, and the public API follows from it."""

import inspect
import re

import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import FUNCTIONS, NAMES
from flatnoise import layers
from flatnoise._src import noises


def test_the_table_is_that_of_the_compiled_core():
    core = pytest.importorskip("flatnoise._core")
    assert core.noises() == {
        "distributions": list(noises.DISTRIBUTIONS),
        "combinations": {
            name: [parameter.name for parameter in combination.parameters]
            for name, combination in noises.COMBINATIONS.items()
        },
        "noises": list(noises.KINDS),
    }


@pytest.mark.parametrize("module", [flatnoise, flatnoise.numpy])
def test_functions_take_the_parameters_of_the_table(noise, module):
    signature = inspect.signature(getattr(module, noise.function))
    parameters = list(signature.parameters.values())[2 : 2 + len(noise.parameters)]
    assert [(each.name, each.default) for each in parameters] == [
        (each.name, each.default) for each in noise.parameters
    ]


def test_add_noise_knows_every_type_of_the_table():
    types = {noise.noise_type: noise for noise in noises.NOISES if noise.noise_type}
    for noise_type, noise in types.items():
        layer = layers.AddNoise(noise_type=noise_type, seed=1)
        values = {name: getattr(layer, name) for name in NAMES[noise.name]}
        if noise_type == "speckle":
            values["mean"] += 1.0
        expected = FUNCTIONS[noise.name](tf.zeros([2, 3]), (1, 0), **values)
        np.testing.assert_array_equal(layer(tf.zeros([2, 3])), expected)


PUBLIC = {
    "functions": [getattr(flatnoise, noise.function) for noise in noises.NOISES],
    "numpy": [getattr(flatnoise.numpy, name) for name in flatnoise.numpy.__all__],
    "raw_ops": [getattr(flatnoise.raw_ops, name) for name in flatnoise.raw_ops.__all__],
    "layers": [getattr(layers, name) for name in layers.__all__],
    "callbacks": [flatnoise.callbacks.NoiseSchedule],
    "schedules": [getattr(flatnoise.schedules, name) for name in flatnoise.schedules.__all__],
}
# Names with several meanings, and the number of different texts for them.
DIFFERENT = {
    ("functions", "mean"): 2,  # noise, factors
    ("functions", "stddev"): 3,  # noise, factors, before truncation
    ("functions", "rate"): 2,  # also less than 1, for alpha dropout
    ("numpy", "mean"): 2,
    ("numpy", "stddev"): 3,
    ("numpy", "rate"): 2,
    ("numpy", "inputs"): 2,  # functions, gradients
    ("numpy", "parameters"): 2,  # values, shapes
    ("raw_ops", "parameters"): 2,
    ("raw_ops", "input"): 3,  # also uint8
    ("raw_ops", "T"): 2,
    ("layers", "mean"): 2,
    ("layers", "stddev"): 5,  # also learned, and Keras's
    ("layers", "noise_shape"): 2,  # Keras's
    ("layers", "rate"): 4,  # also Keras's for elements, channels and factors
}
# Names with the same meaning in several modules.
SHARED = {
    "flatten": ["functions", "numpy", "layers"],
    "implementation": ["functions", "layers"],
    "distribution": ["numpy", "raw_ops"],
    "combination": ["numpy", "raw_ops"],
    "name": ["functions", "raw_ops"],
}
ENTRY = re.compile(r"^(\**\w+): (.*(?:\n +.*)*)", re.MULTILINE)


def entries(thing):
    """The arguments in a docstring, with their descriptions."""
    section = inspect.getdoc(thing).partition("\nArgs:\n")[2]
    section = re.split(r"\n(?=\S)", section)[0]
    return {name: " ".join(text.split()) for name, text in ENTRY.findall(inspect.cleandoc(section))}


def texts(module, name):
    """The descriptions of a name, except for references to other functions."""
    found = [entries(thing) for thing in PUBLIC[module]]
    said = {each[name] for each in found if name in each}
    return {text for text in said if not text.startswith("As in `")}


@pytest.mark.parametrize(
    "thing", [thing for things in PUBLIC.values() for thing in things], ids=lambda t: t.__name__
)
def test_every_argument_is_documented(thing):
    function = thing.__init__ if isinstance(thing, type) else thing
    documented = {name.lstrip("*") for name in entries(thing)}
    assert documented == set(inspect.signature(function).parameters) - {"self"}


@pytest.mark.parametrize("module", PUBLIC)
def test_what_means_the_same_is_documented_in_the_same_words(module):
    for name in {name for thing in PUBLIC[module] for name in entries(thing)}:
        assert len(texts(module, name)) == DIFFERENT.get((module, name), 1), texts(module, name)


@pytest.mark.parametrize("name", SHARED)
def test_modules_share_words(name):
    assert len(set.union(*[texts(module, name) for module in SHARED[name]])) == 1


@pytest.mark.parametrize(
    "module, things",
    [
        ("flatnoise", [*PUBLIC["functions"], flatnoise.build_info]),
        ("flatnoise.numpy", PUBLIC["numpy"]),
        ("flatnoise.raw_ops", PUBLIC["raw_ops"]),
        ("flatnoise.layers", PUBLIC["layers"]),
        ("flatnoise.callbacks", PUBLIC["callbacks"]),
        ("flatnoise.schedules", PUBLIC["schedules"]),
    ],
)
def test_public_objects_show_public_paths(module, things):
    assert {thing.__module__ for thing in things} == {module}
