"""What is measured: the same work done by flatnoise, by stock TensorFlow and by a plain copy."""

import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import tensorflow as tf

import flatnoise

LARGE = (128, 224, 224, 3)
MIDDLE = (256, 64, 64, 3)
SMALL = (32, 28, 28, 1)
LOOPS = 100

Function = Callable[..., Any]


@dataclasses.dataclass(frozen=True)
class Case:
    """One piece of work; `kind` names a builder in `_KINDS`."""

    kind: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    distribution: str = "normal"
    with_xla: bool = True

    @property
    def elements(self) -> int:
        """How many elements are noised."""
        return int(np.prod(self.shape)) * (LOOPS if self.kind == "loop" else 1)

    @property
    def title(self) -> str:
        """How tables call it."""
        shape = "×".join(str(size) for size in self.shape)
        return f"{self.dtype} {shape} {self.distribution}, {_KINDS[self.kind].title}"


@dataclasses.dataclass(frozen=True, eq=False)
class Contender:
    """One way to do a case's work; `side` is flatnoise, stock or copy."""

    side: str
    name: str
    function: Function
    tensors: tuple[Any, ...] = ()

    def run(self) -> Any:
        """Does the work once."""
        return self.function(*self.tensors)


# Noise as a function of (inputs, seed, loc, scale), by every side.


def _flatnoise(case: Case) -> Function:
    if case.distribution == "normal":
        return lambda x, seed, loc, scale: flatnoise.flatten_add_normal(
            x, seed, loc, scale, implementation="native"
        )
    return lambda x, seed, loc, scale: flatnoise.flatten_add_uniform(
        x, seed, loc, loc + scale, implementation="native"
    )


def _stock_random(case: Case, stateless: bool) -> Function:
    """Noise of a shape; numbers for loc and scale go into the op, as users write it."""
    family = "stateless_" if stateless else ""
    draw = getattr(tf.random, family + case.distribution)

    def noise(shape: Any, seed: Any, loc: Any, scale: Any) -> Any:
        bounds = (loc, scale) if case.distribution == "normal" else (loc, loc + scale)
        seeds = {"seed": seed} if stateless else {}
        if isinstance(scale, float):
            return draw(shape, *seeds.values(), *bounds, dtype=case.dtype)
        return loc + scale * draw(shape, *seeds.values(), dtype=case.dtype)

    return noise


def _stock(case: Case, stateless: bool) -> Function:
    random = _stock_random(case, stateless)

    def add_noise(x: Any, seed: Any, loc: Any, scale: Any) -> Any:
        rows = tf.reshape(x, [tf.shape(x)[0], -1])
        return rows + random(tf.shape(rows), seed, loc, scale)

    return add_noise


# Work around the noise: each builder turns a noise function into one of tensors alone.


def _forward(case: Case, noise: Function) -> Function:
    return lambda x, seed, loc, scale: noise(x, seed, 0.0, 0.1)


def _per_feature(case: Case, noise: Function) -> Function:
    return noise


def _chain(case: Case, noise: Function) -> Function:
    # x * x is a temporary, into which the result may be written.
    return lambda x, seed, loc, scale: noise(x * x, seed, 0.0, 0.1)


def _loop(case: Case, noise: Function) -> Function:
    def repeat(x: Any, seed: Any, loc: Any, scale: Any) -> Any:
        def body(i: Any, h: Any) -> Any:
            return i + 1, tf.reshape(noise(h, seed + i, 0.0, 0.1), case.shape)

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


@dataclasses.dataclass(frozen=True)
class _Kind:
    title: str
    build: Callable[[Case, Function], Function]
    modes: tuple[str, ...] = ("eager", "graph", "XLA")
    parameters: str = "scalar"
    with_copies: bool = True


_KINDS = {
    "forward": _Kind("forward", _forward),
    "per_feature": _Kind("a level per feature", _per_feature, parameters="vector"),
    "chain": _Kind("after x * x, in place", _chain),
    "loop": _Kind(f"{LOOPS} times in a loop", _loop, modes=("graph", "XLA"), with_copies=False),
    # Eager execution can't leave out the forward pass.
    "gradient": _Kind("gradients of loc, scale", _gradient, modes=("graph", "XLA")),
    "both_ways": _Kind("forward and backward", _both_ways, with_copies=False),
}


def _in_mode(function: Function, mode: str) -> Function:
    if mode == "eager":
        return function
    return tf.function(function, jit_compile=mode == "XLA", autograph=False, reduce_retracing=True)


class _ThreadedCopy:
    """numpy.copyto into memory that is there already, in equal parts on threads."""

    def __init__(self, source: np.ndarray, threads: int) -> None:
        target = np.empty_like(source)
        target.fill(0)
        self._parts = list(
            zip(np.array_split(target, threads), np.array_split(source, threads), strict=True)
        )
        self._pool = ThreadPoolExecutor(threads)

    def __call__(self) -> None:
        if len(self._parts) == 1:
            np.copyto(*self._parts[0])
        else:
            list(self._pool.map(lambda part: np.copyto(*part), self._parts))


def make_tensors(case: Case) -> tuple[Any, ...]:
    """The inputs x, seed, loc and scale: tensors all, so that nothing is known when compiling."""
    kind = _KINDS[case.kind]
    compute = "float64" if case.dtype == "float64" else "float32"
    shape = [int(np.prod(case.shape[1:]))] if kind.parameters == "vector" else []
    x = tf.cast(tf.random.stateless_uniform(case.shape, [7, 8]), case.dtype)
    return x, tf.constant([1, 2]), tf.zeros(shape, compute), tf.fill(shape, tf.cast(0.1, compute))


def _stock_tensors(case: Case, tensors: tuple[Any, ...]) -> tuple[Any, ...]:
    x, seed, loc, scale = tensors
    return x, seed, tf.cast(loc, case.dtype), tf.cast(scale, case.dtype)


def noise_contenders(case: Case, tensors: tuple[Any, ...]) -> list[Contender]:
    """flatnoise and every form of stock TensorFlow."""
    kind = _KINDS[case.kind]
    contenders = []
    for mode in kind.modes:
        if mode == "XLA" and not case.with_xla:
            continue
        if mode != "XLA" or flatnoise.build_info()["xla_loaded"]:
            fused = _in_mode(kind.build(case, _flatnoise(case)), mode)
            contenders.append(Contender("flatnoise", mode, fused, tensors))
        # XLA makes both kinds of stock noise alike, and takes seconds over large tensors.
        for stateless in (True,) if mode == "XLA" else (False, True):
            stock = _in_mode(kind.build(case, _stock(case, stateless)), mode)
            inputs = _stock_tensors(case, tensors)
            name = f"{'stateless' if stateless else 'stateful'}, {mode}"
            contenders.append(Contender("stock", name, stock, inputs))
    return contenders


def copy_contenders(case: Case, tensors: tuple[Any, ...], threads: int) -> list[Contender]:
    """Plain copies of the input."""
    if not _KINDS[case.kind].with_copies:
        return []
    x = tensors[0]
    zero = tf.zeros([], x.dtype)  # a tensor, lest the graph's optimiser leave the sum out
    add_zero = tf.function(lambda x, zero: x + zero, autograph=False)
    words = x.numpy().view(f"u{x.dtype.size}")  # NumPy copies unsigned integers fastest
    return [
        Contender("copy", "x + 0 in TensorFlow", add_zero, (x, zero)),
        Contender("copy", "numpy.copyto", _ThreadedCopy(words.reshape(-1), threads)),
    ]


def all_cases() -> list[Case]:
    """The full list."""
    forward = [
        Case("forward", shape, dtype, distribution, with_xla=dtype == "float32")
        for shape in (LARGE, MIDDLE)
        for dtype in ("float32", "float16", "bfloat16", "float64")
        for distribution in ("normal", "uniform")
    ]
    return [*forward, *extra_cases(), *small_cases()]


def extra_cases() -> list[Case]:
    """Gradients, parameters per feature, in-place results."""
    return [
        *(
            Case(kind, MIDDLE, "float32", distribution)
            for kind in ("gradient", "both_ways")
            for distribution in ("normal", "uniform")
        ),
        Case("per_feature", MIDDLE),
        Case("chain", MIDDLE),
    ]


def small_cases() -> list[Case]:
    """Where overheads count."""
    return [
        Case(kind, SMALL, "float32", distribution)
        for kind in ("forward", "loop")
        for distribution in ("normal", "uniform")
    ]


def headline_cases() -> list[Case]:
    """What is measured again with other threads and instruction sets."""
    return [
        Case("forward", shape, "float32", distribution, with_xla=False)
        for shape in (LARGE, MIDDLE)
        for distribution in ("normal", "uniform")
    ]


def quick_cases() -> list[Case]:
    """A look in about a minute."""
    return [
        Case("forward", MIDDLE),
        Case("forward", MIDDLE, "float32", "uniform"),
        Case("forward", MIDDLE, "bfloat16"),
        Case("gradient", MIDDLE),
        Case("forward", SMALL),
    ]
