"""What peers on TensorFlow share: work around a noise function, and the modes to run it in."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from flatnoise.bench import cases
from flatnoise.bench.cases import LOC, LOOPS, SCALE, Case
from flatnoise.bench.peers import Contender, NotMeasured

Function = Callable[..., Any]

WORKS = tuple(cases.WORKS)


def set_up(threads: int, device: str) -> None:
    """Fixes the number of threads, which TensorFlow takes only before it starts."""
    tf.get_logger().setLevel("ERROR")  # it takes the many functions for retracing
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    if device == "gpu" and not tf.config.list_physical_devices("GPU"):
        raise NotMeasured("TensorFlow sees no GPU")


def make_tensors(case: Case) -> tuple[Any, ...]:
    """The inputs x, seed, loc and scale: tensors all, so that nothing is known when compiling."""
    compute = "float64" if case.dtype == "float64" else "float32"
    features = case.input_elements // case.shape[0]
    shape = [features] if case.work == "per_feature" else []
    x = tf.constant(cases.make_input(case))
    loc = tf.fill(shape, tf.cast(LOC, compute))
    return x, tf.constant(cases.SEED), loc, tf.fill(shape, tf.cast(SCALE, compute))


# Work around the noise: each builder turns a noise function into one of tensors alone.


def _forward(case: Case, noise: Function) -> Function:
    return lambda x, seed, loc, scale: noise(x, seed, LOC, SCALE)


def _per_feature(case: Case, noise: Function) -> Function:
    return noise


def _chain(case: Case, noise: Function) -> Function:
    # x * x is a temporary, into which the result may be written.
    return lambda x, seed, loc, scale: noise(x * x, seed, LOC, SCALE)


def _loop(case: Case, noise: Function) -> Function:
    def repeat(x: Any, seed: Any, loc: Any, scale: Any) -> Any:
        def body(i: Any, h: Any) -> Any:
            return i + 1, tf.reshape(noise(h, seed + i, LOC, SCALE), case.shape)

        return tf.while_loop(lambda i, h: i < LOOPS, body, (0, x))[1]

    return repeat


def _from_above(x: Any) -> Any:
    """Any tensor of the output's shape does for its gradient, if not made from the output."""
    return tf.reshape(x, [tf.shape(x)[0], -1])


def _gradient(case: Case, noise: Function) -> Function:
    def backward(x: Any, seed: Any, loc: Any, scale: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([loc, scale])
            y = noise(x, seed, loc, scale)
        return tape.gradient(y, [loc, scale], output_gradients=_from_above(x))

    return backward


def _both_ways(case: Case, noise: Function) -> Function:
    def step(x: Any, seed: Any, loc: Any, scale: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([x, loc, scale])
            y = noise(x, seed, loc, scale)
        return y, tape.gradient(y, [x, loc, scale], output_gradients=_from_above(x))

    return step


_BUILDERS: dict[str, Callable[[Case, Function], Function]] = {
    "forward": _forward,
    "per_feature": _per_feature,
    "chain": _chain,
    "loop": _loop,
    "gradient": _gradient,
    "both_ways": _both_ways,
}


def modes(case: Case) -> tuple[str, ...]:
    """The modes in which a case makes sense."""
    # Eager execution can't leave out the forward pass; a loop in Python is another matter.
    return ("graph", "XLA") if case.work in ("gradient", "loop") else ("eager", "graph", "XLA")


def in_mode(function: Function, mode: str) -> Function:
    """A function to run eagerly, as a graph, or compiled by XLA."""
    if mode == "eager":
        return function
    compiled: Function = tf.function(
        function, jit_compile=mode == "XLA", autograph=False, reduce_retracing=True
    )
    return compiled


def to_completion(function: Function, tensors: tuple[Any, ...]) -> Function:
    """A call that returns when its result is there: GPUs work on after TensorFlow's call."""
    if not tf.config.list_physical_devices("GPU"):
        return lambda: function(*tensors)

    def run() -> Any:
        result = function(*tensors)
        tf.test.experimental.sync_devices()
        return result

    return run


def contender(
    case: Case, noise: Function, way: str, mode: str, tensors: tuple[Any, ...]
) -> Contender:
    """A case's work around a noise function, in a mode."""
    function = in_mode(_BUILDERS[case.work](case, noise), mode)
    return Contender(way, to_completion(function, tensors))
