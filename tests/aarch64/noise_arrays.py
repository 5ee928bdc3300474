"""Writes the results of every noise on this machine, or compares them with another machine's.

    python noise_arrays.py write FOLDER
    python noise_arrays.py compare FOLDER [--write OTHER]

FOLDER gets arrays for all noises in the package's table, dtypes and modes, with gradients, and a
Keras model with all layers. A comparison recomputes the arrays and loads the model. Both must be
bit-identical. It fails on the first difference and reports where it is.
"""

import argparse
import functools
import inspect
import itertools
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

import flatnoise
from flatnoise._src.noise_layer import NoiseLayer
from flatnoise._src.noises import COMBINATIONS, DISTRIBUTIONS, NOISES

Arrays = dict[str, np.ndarray]

DTYPES = {
    tf.float16: tf.float32,
    tf.bfloat16: tf.float32,
    tf.float32: tf.float32,
    tf.float64: tf.float64,
}
MODES = {
    "eager": lambda function: function,
    "graph": tf.function,
    "xla": functools.partial(tf.function, jit_compile=True),
}
SEED = (2**40 + 3, -4)
OFFSETS = (0, 5, 2**40 + 3)
# Valid values for every parameter, including rates.
VALUES = (0.25, 0.75, 0.5, 0.625)
# The first elements of an input.
SPECIAL = (np.inf, -np.inf, np.nan, -np.nan, 0.0, -0.0, 6e-8, -1e-40, 5e-324, 65504.0)
SHAPE = (6, 5, 7)
LARGE = (33, 4099)  # several shards, with boundaries inside blocks
ARRAYS, MODEL = "arrays.npz", "model.keras"


def _inputs(shape: tuple[int, ...], dtype: tf.DType, special: bool) -> tf.Tensor:
    """Numbers that are the same on both machines: from integers, by exact operations."""
    numbers = (np.arange(np.prod(shape)) * 7919 % 2053 - 1026) / 512
    if special:
        numbers[: len(SPECIAL)] = SPECIAL
    # Convert with NumPy, because TensorFlow may flush subnormal numbers.
    return tf.constant(numbers.reshape(shape).astype(dtype.as_numpy_dtype))


def _parameters(count: int, width: int, dtype: tf.DType) -> list[tf.Tensor]:
    """Numbers, or if `width` isn't 0, vectors with one number per feature."""
    if count > len(VALUES):
        raise SystemExit(f"a noise has {count} parameters, and VALUES has {len(VALUES)} numbers")
    steps = np.arange(width) / (8 * max(width, 1)) if width else 0.0
    return [tf.constant(value + steps, dtype) for value in VALUES[:count]]


def _forward(noise: Any, dtype: tf.DType) -> Iterator[tuple[str, tf.Tensor]]:
    function = getattr(flatnoise, noise.function)
    count = len(noise.parameters)
    for flatten, offset in itertools.product((True, False), OFFSETS):
        x = _inputs(SHAPE, dtype, special=True)
        scalars = _parameters(count, 0, DTYPES[dtype])
        y = function(x, SEED, *scalars, flatten=flatten, offset=offset, implementation="native")
        yield f"flatten={flatten}, offset={offset}", y
    x = _inputs(SHAPE, dtype, special=False)
    for flatten, width in ((True, SHAPE[1] * SHAPE[2]), (False, SHAPE[2])):
        vectors = _parameters(count, width, DTYPES[dtype])
        y = function(x, SEED, *vectors, flatten=flatten, implementation="native")
        yield f"flatten={flatten}, parameters of {width}", y
    x = _inputs(LARGE, dtype, special=False)
    y = function(x, SEED, *_parameters(count, 0, DTYPES[dtype]), implementation="native")
    yield "large", y


def _gradients(noise: Any, dtype: tf.DType) -> Iterator[tuple[str, tf.Tensor]]:
    function = getattr(flatnoise, noise.function)
    for width in (0, LARGE[1]):
        x = _inputs(LARGE, dtype, special=False)
        weights = _inputs(LARGE, dtype, special=False) + tf.constant(0.5, dtype)
        parameters = _parameters(len(noise.parameters), width, DTYPES[dtype])
        with tf.GradientTape() as tape:
            tape.watch([x, *parameters])
            y = function(x, SEED, *parameters, offset=5, implementation="native")
        names = ["input", *(parameter.name for parameter in noise.parameters)]
        gradients = tape.gradient(y, [x, *parameters], output_gradients=weights)
        for name, gradient in zip(names, gradients, strict=True):
            if gradient is not None:  # rates have no gradient
                yield f"gradient of {name}, parameters of {width}", gradient


def _all_of(noise: Any) -> dict[str, tf.Tensor]:
    return {
        f"{dtype.name}: {what}": tensor
        for dtype in DTYPES
        for what, tensor in (*_forward(noise, dtype), *_gradients(noise, dtype))
    }


def _raw_op(distribution: str, combination: Any) -> dict[str, tf.Tensor]:
    count = len(combination.parameters)
    return {
        dtype.name: flatnoise.raw_ops.FlattenNoise(
            input=_inputs(SHAPE, dtype, special=True),
            seed=tf.constant(SEED, tf.int64),
            offset=tf.constant(OFFSETS[-1], tf.int64),
            parameters=_parameters(count, 0, DTYPES[dtype]),
            distribution=distribution,
            combination=combination.name,
        )
        for dtype in DTYPES
    }


def _of_numpy(noise: Any) -> dict[str, np.ndarray]:
    function = getattr(flatnoise.numpy, noise.function)
    values = VALUES[: len(noise.parameters)]
    return {
        dtype.name: function(_inputs(SHAPE, dtype, special=True).numpy(), SEED, *values, offset=5)
        for dtype in DTYPES
    }


def _run(mode: str, function: Callable[..., dict[str, Any]], *arguments: Any) -> Arrays:
    results = MODES[mode](lambda: function(*arguments))()
    return {key: np.asarray(value) for key, value in results.items()}


def _named(prefix: str, arrays: Arrays) -> Arrays:
    return {f"{prefix}: {key}": array for key, array in arrays.items()}


def _progress(what: str) -> None:
    print(f"  {what}", flush=True)


def noise_arrays() -> Arrays:
    """Returns the results of every noise, by the name of the case."""
    arrays: Arrays = {}
    for noise in NOISES:
        _progress(noise.name)
        for mode in MODES:
            arrays |= _named(f"{noise.function}, {mode}", _run(mode, _all_of, noise))
        arrays |= _named(f"flatnoise.numpy.{noise.function}", _of_numpy(noise))
    used = {(noise.distribution, noise.combination.name) for noise in NOISES}
    for distribution, combination in itertools.product(DISTRIBUTIONS, COMBINATIONS.values()):
        name = f"FlattenNoise of {distribution}, {combination.name}"
        _progress(name)
        try:
            made = [_run(mode, _raw_op, distribution, combination) for mode in MODES]
        except (tf.errors.InvalidArgumentError, ValueError) as error:
            # The op rejects pairs that no noise uses.
            if (distribution, combination.name) in used:
                raise
            _progress(f"refused: {error}")
            continue
        for mode, results in zip(MODES, made, strict=True):
            arrays |= _named(f"{name}, {mode}", results)
    return arrays


def _layers() -> Iterator[keras.layers.Layer]:
    """Every layer that saves the state of its noise, with the required arguments."""
    for name in flatnoise.layers.__all__:
        cls = getattr(flatnoise.layers, name)
        if not issubclass(cls, NoiseLayer):
            continue  # Keras's own layers don't save the state of their seeds
        parameters = inspect.signature(cls).parameters
        required = {
            each.name: VALUES[0]
            for each in parameters.values()
            if each.default is each.empty and each.kind is not each.VAR_KEYWORD
        }
        if "noise_type" not in parameters:
            yield cls(**required, seed=7)
            continue
        for noise in NOISES:
            if noise.noise_type:
                yield cls(**{**required, "noise_type": noise.noise_type}, seed=7)


def _model() -> keras.Model:
    """A model with every layer on an input of suitable rank, and one output per layer."""
    inputs: dict[int, Any] = {}
    outputs = []
    for layer in _layers():
        rank = getattr(layer.input_spec, "ndim", None) or 4
        inputs.setdefault(rank, keras.Input((*range(4, 3 + rank), 3)[-(rank - 1) :]))
        outputs.append(layer(inputs[rank], training=True))
    return keras.Model(list(inputs.values()), outputs)


def _of_model(model: keras.Model) -> Arrays:
    """The results of the model's first calls."""
    x = [_inputs((2, *each.shape[1:]), tf.float32, special=False) for each in model.inputs]
    arrays = {}
    for call in range(2):
        outputs = model(x, training=True)
        names = [f"{index} {tensor.shape}" for index, tensor in enumerate(outputs)]
        values = dict(zip(names, map(np.asarray, outputs), strict=True))
        arrays |= _named(f"model, call {call}", values)
    return arrays


def _bits(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).view(f"u{array.dtype.itemsize}")


def write(folder: Path, arrays: Arrays) -> None:
    """Writes the arrays, a model after some calls, and its next results."""
    folder.mkdir(parents=True, exist_ok=True)
    model = _model()
    _of_model(model)
    model.save(folder / MODEL)
    arrays = arrays | _of_model(model)
    np.savez_compressed(folder / ARRAYS, **{key: _bits(each) for key, each in arrays.items()})
    print(f"{len(arrays)} arrays and a model of {len(model.outputs)} layers are in {folder}")


def _difference(key: str, ours: np.ndarray, theirs: np.ndarray) -> str:
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f"{key}: {ours.dtype}{ours.shape} here, {theirs.dtype}{theirs.shape} there"
    places = np.argwhere(ours != theirs)
    first = tuple(map(int, places[0]))
    return (
        f"{key}: {len(places)} of {ours.size} elements differ, the first at {first}: "
        f"bits {ours[first]:#x} here, {theirs[first]:#x} there"
    )


def compare(folder: Path, arrays: Arrays) -> None:
    """Raises SystemExit unless the arrays, and those of the saved model, equal the saved ones."""
    arrays = arrays | _of_model(keras.models.load_model(folder / MODEL))
    with np.load(folder / ARRAYS) as archive:
        theirs = dict(archive)
    ours = {key: _bits(array) for key, array in arrays.items()}
    if missing := sorted(ours.keys() ^ theirs.keys()):
        raise SystemExit(f"only one machine made these: {', '.join(missing)}")
    unequal = [key for key in ours if not np.array_equal(ours[key], theirs[key])]
    if unequal:
        lines = [_difference(key, ours[key], theirs[key]) for key in unequal]
        raise SystemExit("\n".join([f"{len(unequal)} of {len(ours)} arrays differ", *lines[:20]]))
    elements = sum(array.size for array in ours.values())
    print(f"{len(ours)} arrays of {elements} elements have the bits of {folder}")


def main() -> None:
    """Computes the arrays, compares and writes them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["write", "compare"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", type=Path, help="a folder for this machine's own arrays")
    options = parser.parse_args()
    facts = flatnoise.build_info()
    if not (facts["xla_loaded"] and facts["instruction_set"]):
        why = facts["native_error"] or facts["xla_error"] or "flatnoise._core is missing"
        sys.exit(f"all that is compiled has to load, and doesn't: {why}")
    print(
        f"{platform.machine()}, TensorFlow {facts['tensorflow_version']}, "
        f"instruction set {facts['instruction_set']}, made by {facts['compiler']}"
    )
    tf.get_logger().setLevel("ERROR")  # no retracing warnings: every function here is traced once
    arrays = noise_arrays()
    if options.what == "compare":
        compare(options.folder, arrays)
    folder = options.folder if options.what == "write" else options.write
    if folder is not None:
        write(folder, arrays)


if __name__ == "__main__":
    main()
