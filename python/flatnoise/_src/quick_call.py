"""A fast path to the compiled op for eager calls with common kinds of arguments.

For small tensors, full argument validation takes longer than the noise itself. Here, a few type
tests decide whether the op's own checks of shapes and values suffice. If the op raises an error, or
if an argument is of another kind, the slow path runs and gives detailed errors.
"""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from flatnoise._src import library, placement
from flatnoise._src.arguments import negative_zero
from flatnoise._src.arrays import is_negative_zero
from flatnoise._src.noises import Noise
from flatnoise._src.seeds import DrawnSeed
from flatnoise._src.tensorflow import tf

__all__ = ["quick_call"]

_EagerTensor = tf.__internal__.EagerTensor
# The dtypes with float32 parameters, which is TensorFlow's default for Python numbers.
_DTYPES = frozenset([tf.float16, tf.bfloat16, tf.float32])
_PAIR = tf.TensorShape([2])
_LARGEST_OFFSET = 2**63 - 1
_LEAST_INT32, _LARGEST_INT32 = -(2**31), 2**31 - 1


def quick_call(
    noise: Noise,
    inputs: Any,
    seed: Any,
    values: Sequence[Any],
    *,
    flatten: Any,
    offset: Any,
    implementation: str,
    name: str | None,
) -> Any:
    """The op's result, or None if the arguments are of an uncommon kind or the op raises."""
    if not isinstance(inputs, _EagerTensor) or inputs.dtype not in _DTYPES:
        return None
    if implementation not in ("auto", "native") or not tf.executing_eagerly():
        return None
    if type(flatten) is not bool or type(offset) is not int or not 0 <= offset <= _LARGEST_OFFSET:
        return None
    if type(seed) is int:
        seed = (seed, 0)
    if not isinstance(seed, DrawnSeed) and not _is_pair(seed):
        return None
    for value in values:
        if type(value) is not float:
            return None
    found = library.load()
    if not found.loaded or placement.eager_problem(inputs) is not None:
        return None
    parameters = [
        _negative_zero() if is_negative_zero(parameter) else parameter
        for parameter in _op_parameters(noise, values)
    ]
    try:
        return found.ops.flatnoise_flatten_noise(
            input=inputs,
            seed=_seed_tensor(seed),
            offset=offset,
            parameters=parameters,
            bounds=[],
            distribution=noise.distribution,
            combination=noise.combination.name,
            flatten=flatten,
            validate_args=True,
            name=name,
        )
    except (TypeError, ValueError, tf.errors.OpError):
        return None


def _is_pair(seed: Any) -> bool:
    """Whether `seed` is a tensor or two int32 integers. TensorFlow would wrap larger ones."""
    if isinstance(seed, _EagerTensor):
        return bool(seed.shape == _PAIR)  # the op interprets three integers as a generator's state
    if type(seed) not in (list, tuple) or len(seed) != 2:
        return False
    first, second = seed
    if type(first) is not int or type(second) is not int:
        return False
    return _LEAST_INT32 <= first <= _LARGEST_INT32 and _LEAST_INT32 <= second <= _LARGEST_INT32


def _seed_tensor(seed: Any) -> Any:
    if isinstance(seed, DrawnSeed):
        return seed.tensor()
    # With an explicit dtype, because TensorFlow is slow to infer the dtype of a list.
    return seed if isinstance(seed, _EagerTensor) else tf.constant(seed, tf.int32)


@functools.cache
def _negative_zero() -> Any:
    return negative_zero(tf.float32)


def _op_parameters(noise: Noise, values: Sequence[Any]) -> list[float]:
    if noise.passes_parameters:
        return list(values)
    with np.errstate(over="ignore"):  # the op rejects infinities
        if not noise.rounds_last:
            values = list(map(np.float32, values))
        return [float(parameter) for parameter in noise.to_op(np, *values)]
