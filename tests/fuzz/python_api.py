"""Calls the Python API with random arguments, valid and invalid, and reports the results.

    python tests/fuzz/python_api.py [calls] [--seed N] [--hang SECONDS]

A valid call must be bit-identical to `flatnoise.numpy` and agree with stock ops within the
documented tolerance. An invalid call must raise a ValueError, TypeError or InvalidArgumentError
that names the argument. A crash ends the process. A call that hangs is aborted with a traceback.
"""

import argparse
import collections
import dataclasses
import faulthandler
import os
import random
import re
import sys
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import ml_dtypes
import numpy as np
import tensorflow as tf

import flatnoise
from flatnoise._src import noises

# Values for probabilities. Other parameters alternate between two ranges.
PROBABILITIES = ("rate", "amount", "salt_vs_pepper")
RANGES = [(-2, 0), (0, 3)]
DTYPES = {
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "float32": np.float32,
    "float64": np.float64,
}
ERRORS = (ValueError, TypeError, tf.errors.InvalidArgumentError)
INT64 = 2**63

# The frequency of each way of calling: tracing takes as long as hundreds of eager calls.
WAYS = {"eager": 600, "core": 380, "graph": 16, "xla": 4}


@dataclasses.dataclass
class Call:
    """A valid call. `changes` are the invalid arguments, as passed."""

    noise: noises.Noise
    inputs: np.ndarray
    seed: tuple[int, int]
    values: dict[str, Any]
    offset: int
    flatten: bool
    # Whether the values are passed as tensors, which are rounded before they are used.
    as_tensors: bool
    changes: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def compute_dtype(self):
        return np.float64 if self.inputs.dtype == np.float64 else np.float32

    @property
    def output_shape(self):
        return output_shape(self.inputs.shape, self.flatten)

    def op_parameters(self):
        if self.as_tensors:
            parameters = self.noise.to_op(tf, *self.tensors().values())
        else:
            dtype = np.float64 if self.noise.rounds_last else self.compute_dtype
            values = [np.asarray(value, dtype) for value in self.values.values()]
            parameters = self.noise.to_op(np, *values)
        return [np.asarray(parameter, self.compute_dtype) for parameter in parameters]

    def tensors(self):
        dtype = self.compute_dtype
        return {name: tf.constant(value, dtype) for name, value in self.values.items()}


def output_shape(shape, flatten):
    return (shape[0], int(np.prod(shape[1:], dtype=np.int64))) if flatten else tuple(shape)


def random_call(rng):
    """A call with a small or multi-shard shape, and any kind of dtype and parameters."""
    dtype = DTYPES[rng.choice(list(DTYPES))]
    rank = rng.randint(1, 4)
    largest = rng.choice([3, 9, 9, 30]) if rank > 1 else rng.choice([5, 100, 40000])
    shape = [rng.randint(0 if rng.random() < 0.1 else 1, largest) for _ in range(rank)]
    numbers = np.random.default_rng(rng.getrandbits(32))
    inputs = (numbers.normal(size=shape) * 10.0 ** rng.randint(-3, 3)).astype(dtype)
    noise = rng.choice(noises.NOISES)
    flatten = rng.random() < 0.7

    def value(place, name):
        low, high = (0, 0.99) if name in PROBABILITIES else RANGES[place % 2]
        return numbers.uniform(low, high, broadcastable(output_shape(shape, flatten), rng))

    edge = rng.choice([0, 0, 2**32, 2**33, 2**34, INT64 - 2**20, rng.randrange(INT64 - 2**20)])
    return Call(
        noise,
        inputs,
        tuple(rng.choice([rng.randint(-9, 9), rng.randrange(-INT64, INT64)]) for _ in range(2)),
        {each.name: value(place, each.name) for place, each in enumerate(noise.parameters)},
        edge + rng.randint(0, 9999),
        flatten,
        rng.random() < 0.3,
    )


def broadcastable(shape, rng):
    """A shape that broadcasts to `shape`, usually that of a scalar."""
    if rng.random() < 0.6:
        return ()
    sizes = [size if rng.random() < 0.5 else 1 for size in shape]
    return tuple(sizes[rng.randint(0, len(sizes)) :])


def other_length(call):
    return call.output_shape[-1] + 2


def broken_parameters(call, rng):
    values = [
        float("nan"),
        float("-inf"),
        "0.5",
        None,
        True,
        1j,
        object(),
        1e39 if call.compute_dtype is np.float32 else float("inf"),
        [0.5] * other_length(call),
        np.full([1] * (len(call.output_shape) + 1), 0.5),
        [[1.0], [2.0, 3.0]],
        {"a": 1},
        tf.zeros([other_length(call)]),
        tf.zeros([1] * (len(call.output_shape) + 1)),
        tf.constant(1),
        tf.constant("a"),
        tf.constant(float("nan")),
    ]
    return rng.choice(values)


BROKEN_FOR_API = {
    "inputs": lambda call, rng: rng.choice(
        [
            np.zeros([]),
            1.0,
            None,
            "text",
            [[1.0], [2.0, 3.0]],
            np.zeros([2, 3], np.int32),
            np.zeros([2], np.complex64),
            tf.ragged.constant([[1.0], [2.0, 3.0]]),
            tf.sparse.from_dense([[1.0]]),
            tf.zeros([0, 2**31, 2**32]),
            object(),
        ]
    ),
    "seed": lambda call, rng: rng.choice(
        [
            None,
            5,
            (1,),
            (1, 2, 3),
            (1.0, 2.0),
            (True, False),
            (INT64, 0),
            (-INT64 - 1, 0),
            "ab",
            np.zeros([1, 2], np.int64),
            np.zeros(2),
            tf.constant([1.0, 2.0]),
            tf.constant([1, 2], tf.uint64),
            tf.constant(1),
            tf.constant([256, 0, 1], tf.int64),
            {1, 2},
        ]
    ),
    "offset": lambda call, rng: rng.choice(
        [-1, INT64, 1.0, None, "1", True, [0], tf.constant(-1), tf.constant(0.0), tf.zeros([1])]
    ),
    "implementation": lambda call, rng: rng.choice(["fast", None, 1, ""]),
}
BROKEN_FOR_CORE = {
    "inputs": lambda call, rng: rng.choice(
        [np.float32(1), None, "text", [[1.0], [2.0, 3.0]], [1, 2], np.zeros(2, np.complex64)]
    ),
    "seed": lambda call, rng: rng.choice([None, 5, (1,), (1, 2, 3), (1.5, 2), (INT64, 0), "ab"]),
    "parameters": lambda call, rng: rng.choice([None, [], [0.5], [0.5] * 5]),
    "parameter": lambda call, rng: rng.choice(
        [None, "x", 1j, True, [[1.0], [2.0, 3.0]], [0.5] * other_length(call), object()]
    ),
    "offset": lambda call, rng: rng.choice([-1, INT64, None, "1", 1.5]),
    "combination": lambda call, rng: rng.choice(["divide", "", None, 1]),
    "distribution": lambda call, rng: rng.choice(["cauchy", "", None, 1]),
    "instruction_set": lambda call, rng: rng.choice(["neon", "", 1]),
}

# The names of arguments in the op's run-time errors.
RUN_TIME_NAMES = {
    "inputs": "inputs?",
    "mean": "mean|loc",
    "stddev": "stddev|scale",
    "minval": "minval|maxval|loc|scale",
    "maxval": "minval|maxval|scale",
    "parameter": "loc|rate|amount",
}


def broken(call, way, rng):
    """The call with one invalid argument, and the argument's name."""
    makers = dict(BROKEN_FOR_CORE if way == "core" else BROKEN_FOR_API)
    if way != "core":
        makers.update(
            (each.name, broken_parameters)
            for each in call.noise.parameters
            if each.must_be_finite  # others have no invalid values
        )
    name = rng.choice(sorted(makers))
    return dataclasses.replace(call, changes={name: makers[name](call, rng)}), name


def call_core(call, instruction_set=None):
    changes = dict(call.changes)
    first, *others = call.op_parameters()
    options = {
        "inputs": call.inputs,
        "seed": call.seed,
        "parameters": [changes.pop("parameter", first), *others],
        "offset": call.offset,
        "flatten": call.flatten,
        "distribution": call.noise.distribution,
        "combination": call.noise.combination.name,
        "instruction_set": instruction_set,
    }
    return flatnoise.numpy.flatten_noise(**{**options, **changes})


def call_api(call, implementation, rng):
    options = {
        "inputs": call.inputs,
        "seed": tf.constant(call.seed, tf.int64) if rng.random() < 0.3 else call.seed,
        **(call.tensors() if call.as_tensors else call.values),
        "offset": tf.constant(call.offset, tf.int64) if rng.random() < 0.3 else call.offset,
        "flatten": call.flatten,
        "implementation": implementation,
    }
    return getattr(flatnoise, call.noise.function)(**{**options, **call.changes})


def call_way(way, call, implementation, rng):
    if way == "core":
        return call_core(call, rng.choice([None, *flatnoise.build_info()["instruction_sets"]]))
    if way == "eager":
        return call_api(call, implementation, rng)
    function = tf.function(
        lambda: call_api(call, implementation, rng), autograph=False, jit_compile=way == "xla"
    )
    return function()


def check_fallback(call, native, stock, way):
    """Checks for equality (uniform noise outside XLA), or for 4 ULP of z, 32 under XLA."""
    exact = call.noise.distribution == "uniform" and way != "xla"
    native, stock = (np.asarray(a).astype(np.float64) for a in (native, stock))
    if exact:
        np.testing.assert_array_equal(native, stock)
        return
    if not call.noise.combination.is_linear:
        np.testing.assert_allclose(
            native, stock, rtol=2.0**-7 if call.inputs.itemsize == 2 else 1e-6
        )
        return
    loc, scale = call.op_parameters()
    epsilon = np.finfo(call.compute_dtype).eps
    units = 32 if way == "xla" else 4
    # z can be as large as 16, or 36 in float64.
    largest = np.max(np.abs(scale), initial=0) * 36 + np.max(np.abs(loc), initial=0)
    if call.noise.combination.name == "multiply":
        largest = largest * np.abs(call.inputs.astype(np.float64)).reshape(native.shape)
    size = np.maximum(np.abs(native), largest)
    stored = {np.float16: 2.0**-10, ml_dtypes.bfloat16: 2.0**-7}.get(call.inputs.dtype.type, 0)
    # The error of the noise, the three roundings of the result, and the rounding to the stored
    # type.
    allowed = epsilon * (units * largest + 4 * size) + stored * np.abs(native) + 6e-8 * bool(stored)
    with np.errstate(invalid="ignore"):  # products that overflow float16 are infinite in both
        error = np.where(native == stock, 0, np.abs(native - stock))
    assert np.all(error <= allowed), f"off by {error.max()}, allowed {allowed.min()}"


def check_valid(way, call, rng):
    result = np.asarray(call_way(way, call, "native", rng))
    assert result.shape == call.output_shape, f"{result.shape}, expected {call.output_shape}"
    assert result.dtype == call.inputs.dtype, result.dtype
    # XLA may round differently if it computes the op's parameters from tensors.
    if way != "xla" or not (call.as_tensors and call.noise.rounds_last):
        np.testing.assert_array_equal(
            result.view(f"u{result.itemsize}"), call_core(call).view(f"u{result.itemsize}")
        )
    if way != "core":
        check_fallback(call, result, call_way(way, call, "tensorflow", rng), way)


def check_broken(way, call, name, rng):
    implementation = rng.choice(["native", "tensorflow", "auto"]) if way != "xla" else "native"
    try:
        result = call_way(way, call, implementation, rng)
    except ERRORS as error:
        pattern = rf"\b({RUN_TIME_NAMES.get(name, name)})\b"
        assert re.search(pattern, str(error)), f"error doesn't name {name}: {error}"
    else:
        raise AssertionError(f"{name} accepted: {np.ravel(result)[:3]}")


def one_call(rng, counts):
    way = rng.choices(list(WAYS), list(WAYS.values()))[0]
    call = random_call(rng)
    if rng.random() < 0.6:
        counts[way, "valid"] += 1
        return call, lambda: check_valid(way, call, rng)
    call, name = broken(call, way, rng)
    counts[way, "broken"] += 1
    return call, lambda: check_broken(way, call, name, rng)


def describe(value):
    """Like `repr`, but also works for tensors that are too large for NumPy."""
    try:
        return repr(value)
    except Exception:
        return f"{type(value).__name__} of shape {getattr(value, 'shape', None)}"


def describe_call(call):
    fields = {field.name: getattr(call, field.name) for field in dataclasses.fields(call)}
    fields["noise"] = call.noise.name
    changes = fields.pop("changes")
    parts = [f"{name}={describe(value)[:200]}" for name, value in fields.items()]
    broken_parts = [f"{name}: {describe(value)}" for name, value in changes.items()]
    return f"{', '.join(parts)}; broken: {', '.join(broken_parts) or 'none'}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("calls", nargs="?", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1, help="seed of the random arguments")
    parser.add_argument("--hang", type=float, default=120, help="time limit per call, in seconds")
    options = parser.parse_args()

    counts: collections.Counter = collections.Counter()
    failures: collections.Counter = collections.Counter()
    for index in range(options.calls):
        rng = random.Random(f"{options.seed} {index}")
        faulthandler.dump_traceback_later(options.hang, exit=True)
        call, check = one_call(rng, counts)
        try:
            check()
        except Exception as error:
            what = f"{type(error).__name__}: {str(error)[:400]}"
            failures[what] += 1
            if failures[what] == 1:
                print(f"call {index}: {what}\n  {describe_call(call)[:1200]}", flush=True)
        if index % 1000 == 999:
            tf.keras.backend.clear_session()
            print(f"{index + 1} calls so far", file=sys.stderr, flush=True)
    faulthandler.cancel_dump_traceback_later()
    for (way, kind), count in sorted(counts.items()):
        print(f"{way:6} {kind:6} {count}")
    print(f"{sum(counts.values())} calls, {sum(failures.values())} failures")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
