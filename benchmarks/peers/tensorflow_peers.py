"""Flatnoise, TensorFlow's own ops and Keras's own layers: eager, in a graph, compiled by XLA."""

import os
from typing import Any

import keras
import tensorflow as tf

import cases
import flatnoise
from cases import LOC, LOOP_STEPS, SCALE, WORKLOADS, Case
from peers import Function, Peer, Unsupported, Variant, workload


def _set_threads(threads: int) -> None:
    tf.get_logger().setLevel("ERROR")  # it takes the many functions for retracing
    tf.config.threading.set_intra_op_parallelism_threads(threads)


def _make_tensors(case: Case) -> tuple[Any, ...]:
    """The arguments x, loc, scale and seed: tensors, so that nothing can be folded."""
    wide = "float64" if case.dtype == "float64" else "float32"
    loc, scale = (tf.fill(case.parameter_shape, tf.cast(value, wide)) for value in (LOC, SCALE))
    return tf.constant(cases.make_input(case)), loc, scale, tf.constant(cases.SEED)


def _rows(x: Any) -> Any:
    return tf.reshape(x, [tf.shape(x)[0], -1])


def _pull_back(add_noise: Function, first: int, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    of = arguments[first:3]
    with tf.GradientTape() as tape:
        tape.watch(of)
        y = add_noise(*arguments)
    return y, *tape.gradient(y, of, output_gradients=_rows(arguments[0]))


def _loop(add_noise: Function) -> Function:
    def repeat(x: Any, loc: Any, scale: Any, seed: Any) -> Any:
        def body(step: Any, h: Any) -> Any:
            return step + 1, tf.reshape(add_noise(h, LOC, SCALE, seed + step), x.shape)

        return tf.while_loop(lambda step, h: step < LOOP_STEPS, body, (0, x))[1]

    return repeat


def _workload(case: Case, add_noise: Function) -> Function:
    if case.workload == "loop":
        return _loop(add_noise)
    return workload(case, add_noise, _pull_back)


def _modes(case: Case) -> tuple[str, ...]:
    # Eager execution can't leave out the forward pass, and would loop in Python.
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
        arguments, function = _make_tensors(case), _workload(case, _flatnoise(case))
        # Without flatnoise's own XLA kernels, XLA would get stock ops.
        modes = [mode for mode in _modes(case) if self._has_xla or mode != "XLA"]
        return [_variant(mode, mode, function, arguments) for mode in modes]


def _flatnoise(case: Case) -> Function:
    if case.distribution == "normal":
        return lambda x, loc, scale, seed: flatnoise.flatten_add_normal(
            x, seed, loc, scale, implementation="native"
        )
    return lambda x, loc, scale, seed: flatnoise.flatten_add_uniform(
        x, seed, loc, loc + scale, implementation="native"
    )


# Of TensorFlow's generators, `stateful` is `tf.random.normal`, the others are the `alg` of
# `tf.random.stateless_normal`. Threefry has a kernel for CPUs inside XLA alone. There the
# default can be a hundred times slower than either algorithm by its name.
_OUTSIDE_XLA = ("stateful", "auto_select", "philox")
_GENERATORS = {"eager": _OUTSIDE_XLA, "graph": _OUTSIDE_XLA, "XLA": (*_OUTSIDE_XLA, "threefry")}


class TensorFlow(Peer):
    """`tf.reshape(x, ...) + tf.random...`, by every generator that runs in each mode."""

    workloads = tuple(WORKLOADS)

    def __init__(self, threads: int) -> None:
        _set_threads(threads)
        self.version = tf.__version__

    def variants(self, case: Case) -> list[Variant]:
        x, loc, scale, seed = _make_tensors(case)
        arguments = x, tf.cast(loc, case.dtype), tf.cast(scale, case.dtype), seed
        found = [
            _variant(
                f"{mode} {generator}", mode, _workload(case, _stock(case, generator)), arguments
            )
            for mode in _modes(case)
            for generator in _GENERATORS[mode]
        ]
        if case.is_one_pass:
            # The zero is a tensor, lest the optimizer leave the sum out.
            add = _variant("x + 0", "graph", lambda x, zero: x + zero, (x, tf.zeros([], x.dtype)))
            found.append(Variant(add.name, add.run, is_copy=True))
        return found


def _stock(case: Case, generator: str) -> Function:
    stateless = getattr(tf.random, f"stateless_{case.distribution}")
    stateful = getattr(tf.random, case.distribution)

    def draw(shape: Any, seed: Any, *bounds: Any) -> Any:
        if generator == "stateful":
            return stateful(shape, *bounds, dtype=case.dtype)
        return stateless(shape, seed, *bounds, dtype=case.dtype, alg=generator)

    def add_noise(x: Any, loc: Any, scale: Any, seed: Any) -> Any:
        rows = _rows(x)
        if isinstance(scale, float):  # numbers go into the op
            last = scale if case.distribution == "normal" else loc + scale
            return rows + draw(tf.shape(rows), seed, loc, last)
        return rows + (loc + scale * draw(tf.shape(rows), seed))

    return add_noise


class Keras(Peer):
    """`keras.layers.GaussianNoise`, then `Flatten`."""

    def __init__(self, threads: int) -> None:
        _set_threads(threads)
        self.version = keras.__version__

    def variants(self, case: Case) -> list[Variant]:
        if case.distribution != "normal":
            raise Unsupported(f"Keras has no layer that adds {case.distribution} noise")
        noise = keras.layers.GaussianNoise(SCALE, dtype=case.dtype)
        flatten = keras.layers.Flatten(dtype=case.dtype)
        arguments = _make_tensors(case)[:1]
        return [
            _variant(mode, mode, lambda x: flatten(noise(x, training=True)), arguments)
            for mode in _modes(case)
        ]
