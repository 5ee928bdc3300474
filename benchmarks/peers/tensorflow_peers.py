"""Flatnoise, TensorFlow ops and Keras layers: eager, in a graph, and compiled by XLA."""

import os
from typing import Any

import keras
import tensorflow as tf

import cases
import flatnoise
from cases import DROPOUT, LOC, LOOP_STEPS, RATE, SCALE, WORKLOADS, Case
from peers import Function, Peer, Unsupported, Variant, workload


def _set_threads(threads: int) -> None:
    tf.get_logger().setLevel("ERROR")  # no retracing warnings because of the many functions
    tf.config.threading.set_intra_op_parallelism_threads(threads)


def _make_tensors(case: Case, parameter_dtype: str) -> tuple[Any, ...]:
    """The arguments of a workload, as tensors to prevent constant folding."""
    parameters = (
        tf.fill(case.parameter_shape, tf.cast(value, parameter_dtype)) for value in case.parameters
    )
    upstream = [tf.constant(cases.make_upstream(case))] if case.is_backward else []
    return tf.constant(cases.make_input(case)), *parameters, tf.constant(cases.SEED), *upstream


def _rows(x: Any) -> Any:
    return tf.reshape(x, [tf.shape(x)[0], -1])


def _pull_back(
    make_noise: Function, of: slice, arguments: tuple[Any, ...], upstream: Any
) -> tuple[Any, ...]:
    given = arguments[of]
    with tf.GradientTape() as tape:
        tape.watch(given)
        y = make_noise(*arguments)
    return y, *tape.gradient(y, given, output_gradients=upstream)


def _loop(add_noise: Function) -> Function:
    def repeat(x: Any, loc: Any, scale: Any, seed: Any) -> Any:
        def body(step: Any, h: Any) -> Any:
            return step + 1, tf.reshape(add_noise(h, LOC, SCALE, seed + step), x.shape)

        return tf.while_loop(lambda step, h: step < LOOP_STEPS, body, (0, x))[1]

    return repeat


def _workload(case: Case, make_noise: Function) -> Function:
    if case.workload == "loop":
        return _loop(make_noise)
    return workload(case, make_noise, _pull_back)


def _modes(case: Case) -> tuple[str, ...]:
    # Eager execution can't skip the forward pass, and would loop in Python.
    return ("graph", "XLA") if case.workload in ("gradient", "loop") else ("eager", "graph", "XLA")


def _variant(name: str, mode: str, function: Function, arguments: tuple[Any, ...]) -> Variant:
    if mode != "eager":
        function = tf.function(function, jit_compile=mode == "XLA", autograph=False)
    return Variant(name, lambda: function(*arguments))


class Flatnoise(Peer):
    workloads = tuple(WORKLOADS)

    def __init__(self, threads: int) -> None:
        _set_threads(threads)
        info = flatnoise.build_info()
        if not info["native_loaded"]:
            raise Unsupported(f"the compiled op did not load: {info['native_error']}")
        self.version, self.instruction_set = flatnoise.__version__, info["instruction_set"]
        self._has_xla = info["xla_loaded"]
        wanted = os.environ.get("FLATNOISE_INSTRUCTION_SET", "")
        if wanted not in ("", self.instruction_set):
            raise Unsupported(f"{wanted} is not among {info['instruction_sets']}")

    def variants(self, case: Case) -> list[Variant]:
        wide = "float64" if case.dtype == "float64" else "float32"
        arguments, function = _make_tensors(case, wide), _workload(case, _flatnoise(case))
        # Without flatnoise's XLA kernels, XLA would use stock ops.
        modes = [mode for mode in _modes(case) if self._has_xla or mode != "XLA"]
        return [_variant(mode, mode, function, arguments) for mode in modes]


def _flatnoise(case: Case) -> Function:
    if case.noise == DROPOUT:
        return lambda x, seed: flatnoise.flatten_dropout(
            x, seed, RATE, flatten=False, implementation="native"
        )
    if case.workload == "diffuse":
        return lambda x, signal_rate, noise_rate, seed: flatnoise.diffuse(
            x, seed, signal_rate, noise_rate, return_noise=True, implementation="native"
        )
    if case.noise == "normal":
        return lambda x, loc, scale, seed: flatnoise.flatten_add_normal(
            x, seed, loc, scale, implementation="native"
        )
    return lambda x, loc, scale, seed: flatnoise.flatten_add_uniform(
        x, seed, loc, loc + scale, implementation="native"
    )


# TensorFlow's generators: `stateful` is `tf.random.normal` or `tf.nn.dropout`, and the others are
# the `alg` of `tf.random.stateless_normal` or the `rng_alg` of `stateless_dropout`. On CPUs,
# Threefry only works inside XLA. There, the default can be a hundred times slower than either
# algorithm selected by name.
_OUTSIDE_XLA = ("stateful", "auto_select", "philox")
_GENERATORS = {"eager": _OUTSIDE_XLA, "graph": _OUTSIDE_XLA, "XLA": (*_OUTSIDE_XLA, "threefry")}


class TensorFlow(Peer):
    """`tf.reshape(x, ...) + tf.random...`, or dropout, with every generator in each mode."""

    workloads = tuple(WORKLOADS)

    def __init__(self, threads: int) -> None:
        _set_threads(threads)
        self.version = tf.__version__

    def variants(self, case: Case) -> list[Variant]:
        arguments = _make_tensors(case, case.dtype)
        x = arguments[0]
        found = [
            _variant(
                f"{mode} {generator}", mode, _workload(case, _stock(case, generator)), arguments
            )
            for mode in _modes(case)
            for generator in _GENERATORS[mode]
        ]
        if case.is_one_pass:
            # The zero is a tensor, so that the optimizer can't remove the sum.
            add = _variant("x + 0", "graph", lambda x, zero: x + zero, (x, tf.zeros([], x.dtype)))
            found.append(Variant(add.name, add.run, is_copy=True))
        return found


def _stock(case: Case, generator: str) -> Function:
    if case.noise == DROPOUT:
        return _stock_dropout(generator)
    stateless = getattr(tf.random, f"stateless_{case.noise}")
    stateful = getattr(tf.random, case.noise)

    def draw(shape: Any, seed: Any, *bounds: Any) -> Any:
        if generator == "stateful":
            return stateful(shape, *bounds, dtype=case.dtype)
        return stateless(shape, seed, *bounds, dtype=case.dtype, alg=generator)

    def diffuse(x: Any, signal_rate: Any, noise_rate: Any, seed: Any) -> Any:
        noise = draw(tf.shape(x), seed)
        return signal_rate * x + noise_rate * noise, noise

    def add_noise(x: Any, loc: Any, scale: Any, seed: Any) -> Any:
        rows = _rows(x)
        if isinstance(scale, float):  # numbers are passed to the op
            last = scale if case.noise == "normal" else loc + scale
            return rows + draw(tf.shape(rows), seed, loc, last)
        return rows + (loc + scale * draw(tf.shape(rows), seed))

    return diffuse if case.workload == "diffuse" else add_noise


def _stock_dropout(generator: str) -> Function:
    if generator == "stateful":
        return lambda x, seed: tf.nn.dropout(x, RATE)
    return lambda x, seed: tf.nn.experimental.stateless_dropout(
        x, RATE, seed=seed, rng_alg=generator
    )


class Keras(Peer):
    """`keras.layers.GaussianNoise`, then `Flatten`; `keras.layers.Dropout`."""

    workloads = ("forward", "forward_backward")

    def __init__(self, threads: int) -> None:
        _set_threads(threads)
        self.version = keras.__version__

    def variants(self, case: Case) -> list[Variant]:
        function, arguments = _workload(case, _keras(case)), _make_tensors(case, case.dtype)
        return [_variant(mode, mode, function, arguments) for mode in _modes(case)]


def _keras(case: Case) -> Function:
    if case.noise == DROPOUT:
        dropout = keras.layers.Dropout(RATE, dtype=case.dtype)
        return lambda x, seed: dropout(x, training=True)
    if case.noise != "normal":
        raise Unsupported(f"Keras has no layer that adds {case.noise} noise")
    if case.workload != "forward":
        raise Unsupported("Keras's noise has no gradients of loc and scale")
    noise = keras.layers.GaussianNoise(SCALE, dtype=case.dtype)
    flatten = keras.layers.Flatten(dtype=case.dtype)
    return lambda x, loc, scale, seed: flatten(noise(x, training=True))
