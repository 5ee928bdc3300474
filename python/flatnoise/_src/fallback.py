"""The op as stock TensorFlow ops: same signature and same numbers, on any device.

It is used where the compiled op can't run. It can't use the stock ``tf.random.stateless_*`` ops:
for the same seed, XLA uses other bits of the same random words. Therefore, only the random words
come from TensorFlow, and the numbers are computed here.

Uniform noise and the masks made from it are bit-identical to the compiled op's. Other noise is
within 4 units in the last place of max(|z|, 1), because stock logarithms, sines and cosines differ
between eager mode and XLA, and even between the middle and the end of a buffer.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from flatnoise._src import noises, placement
from flatnoise._src.arguments import compute_dtype
from flatnoise._src.noises import OpParameter
from flatnoise._src.seeds import stateless_seed_of_state
from flatnoise._src.shapes import (
    aligned,
    element_count,
    output_shape_of,
    output_sizes,
    shape_of,
    sizes,
)
from flatnoise._src.tensorflow import tf

__all__ = ["combine", "flatten_noise", "flatten_noise_on_mesh", "noise", "stored"]

_PHILOX = 1
# An array, because TensorFlow may convert a number to int32.
_SEED_KEY = np.array([0x02461E293EC8F720], np.uint64)
_STATE = tf.TensorShape([3])
_WORDS_PER_BLOCK = 4
_WORDS_PER_NUMBER = {tf.float32: 1, tf.float64: 2}

# TensorFlow's bound, also for float64. It keeps the logarithm finite.
_SMALLEST_U1 = 1e-7


def _is_static(value: Any) -> bool:
    return isinstance(value, int)


def _int64(value: Any) -> Any:
    return tf.convert_to_tensor(value, tf.int64)


def _random_bits(count: Any, key: Any, counter: Any, dtype: Any) -> Any:
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=tf.reshape(_int64(count), [1]), key=key, counter=counter, alg=_PHILOX, dtype=dtype
    )


def _words(count: Any, seed: Any, first_block: Any) -> Any:
    if seed.shape == _STATE:
        seed = stateless_seed_of_state(seed)
    # TensorFlow's mapping from seeds to keys. Its op StatelessRandomGetKeyCounter can't be used,
    # because under XLA it drops the upper halves of the seeds.
    counter = tf.bitcast(tf.cast(seed, tf.int64), tf.uint64)
    key, high = tf.unstack(_random_bits(2, tf.constant(_SEED_KEY), counter, tf.uint64))
    # The low half starts at 0 and first_block < 2**62, so nothing carries into the high half.
    low = tf.bitcast(_int64(first_block), tf.uint64)
    return _random_bits(count, tf.reshape(key, [1]), tf.stack([low, high]), tf.uint32)


def _float32_from(words: Any) -> Any:
    fraction = tf.bitwise.bitwise_and(words, tf.constant(0x007FFFFF, tf.uint32))
    one_to_two = tf.bitwise.bitwise_or(fraction, tf.constant(0x3F800000, tf.uint32))
    return tf.bitcast(one_to_two, tf.float32) - 1.0


def _float64_from(words: Any) -> Any:
    pairs = tf.cast(tf.reshape(words, [-1, 2]), tf.uint64)
    high = tf.bitwise.bitwise_and(pairs[:, 0], tf.constant(0xFFFFF, tf.uint64))
    high = tf.bitwise.bitwise_or(high, tf.constant(0x3FF00000, tf.uint64))
    high = tf.bitwise.left_shift(high, tf.constant(32, tf.uint64))
    return tf.bitcast(tf.bitwise.bitwise_or(high, pairs[:, 1]), tf.float64) - 1.0


_UNIFORM_FROM = {tf.float32: _float32_from, tf.float64: _float64_from}


def _box_muller(uniform: Any) -> Any:
    """Box-Muller transform of consecutive pairs: sine first, then cosine."""
    pairs = tf.reshape(uniform, [-1, 2])
    u1 = tf.maximum(pairs[:, 0], tf.constant(_SMALLEST_U1, uniform.dtype))
    # Round the product once, as TensorFlow does: sine and cosine amplify its error.
    angle = tf.cast(tf.cast(pairs[:, 1], tf.float64) * (2.0 * math.pi), uniform.dtype)
    radius = tf.sqrt(-2.0 * tf.math.log(u1))
    return tf.reshape(tf.stack([tf.sin(angle), tf.cos(angle)], 1) * radius[:, None], [-1])


def _half_step(uniform: Any) -> float:
    """Half the spacing of uniform numbers, to move from an interval's start to its midpoint."""
    return 2.0**-24 if uniform.dtype == tf.float32 else 2.0**-53


def _signed_middle(uniform: Any) -> Any:
    """2 u' - 1 for the midpoint u' of a uniform number's interval. Exact and never 0."""
    return 2.0 * uniform + (2.0 * _half_step(uniform) - 1.0)


def _laplace(uniform: Any) -> Any:
    w = _signed_middle(uniform)
    return -tf.sign(w) * tf.math.log(1.0 - tf.abs(w))


def _gumbel(uniform: Any) -> Any:
    return -tf.math.log(-tf.math.log(uniform + _half_step(uniform)))


def _logistic(uniform: Any) -> Any:
    middle = uniform + _half_step(uniform)
    return tf.math.log(middle / (1.0 - middle))


def _truncated_normal(uniform: Any) -> Any:
    return math.sqrt(2.0) * tf.math.erfinv(math.erf(math.sqrt(2.0)) * _signed_middle(uniform))


_FROM_UNIFORM = {
    "normal": _box_muller,
    "uniform": tf.identity,
    "laplace": _laplace,
    "gumbel": _gumbel,
    "logistic": _logistic,
    "truncated_normal": _truncated_normal,
}


def noise(distribution: str, count: Any, seed: Any, offset: Any, dtype: Any) -> Any:
    """Elements offset ... offset + count - 1 of the stream. Arguments aren't checked."""
    words_per_number = _WORDS_PER_NUMBER[dtype]
    numbers_per_block = _WORDS_PER_BLOCK // words_per_number
    surplus = offset % numbers_per_block
    # XLA needs static sizes, so allow for the largest surplus if it is unknown.
    reserve = surplus if _is_static(surplus) else numbers_per_block - 1
    needed = count + reserve
    made = needed + needed % 2  # Box-Muller needs pairs
    words = _words(made * words_per_number, seed, offset // numbers_per_block)
    numbers = _FROM_UNIFORM[distribution](_UNIFORM_FROM[dtype](words))
    if placement.may_be_for_a_mesh():
        # DTensor would generate other numbers per shard. It can't split a gather.
        return tf.gather(numbers, surplus + tf.range(_int64(count)))
    if _is_static(made) and made == count:
        return numbers
    return tf.slice(numbers, tf.reshape(_int64(surplus), [1]), tf.reshape(_int64(count), [1]))


Requirement = tuple[Any, str]


def _input_requirements(input: Any) -> list[Requirement]:
    if input.shape.rank is not None:
        return []
    return [(tf.rank(input) >= 1, "input must have rank 1 or more")]


def _offset_requirements(offset: Any) -> list[Requirement]:
    if _is_static(offset):
        return []
    is_scalar = tf.equal(tf.rank(offset), 0)
    return [
        (is_scalar, "offset must be a scalar"),
        (tf.reduce_all(offset >= 0), "offset must not be negative"),
    ]


def _fits(parameter: Any, output: Any) -> Any:
    """Runtime version of `broadcasting.fits`."""
    shape, padded_output = aligned(parameter, output)
    has_no_more = tf.rank(parameter) <= tf.size(output)
    return has_no_more & tf.reduce_all((shape == 1) | (shape == padded_output))


def _shape_requirements(text: str, parameter: Any, input: Any, flatten: bool) -> list[Requirement]:
    shape, output = sizes(parameter.shape), output_sizes(input.shape, flatten)
    is_known = shape is not None and output is not None and None not in (*shape, *output)
    if shape == () or is_known:
        return []  # already checked by the caller
    fits = _fits(parameter, output_shape_of(input, flatten))
    return [(fits, f"{text} must have a shape that broadcasts to the output's")]


def _value_requirements(text: str, parameter: Any, rule: OpParameter) -> list[Requirement]:
    if rule.holds is None:
        return []
    return [(tf.reduce_all(rule.holds(parameter)), f"{text} must be {rule.expected}")]


def _assertions(requirements: list[Requirement]) -> list[Any]:
    checks = [tf.debugging.Assert(holds, [message]) for holds, message in requirements]
    return [check for check in checks if check is not None]  # eager assertions have already run


def _poisoned_unless(requirements: list[Requirement], output: Any) -> Any:
    """`output`, or NaN if a requirement isn't met. XLA drops assertions, but not this."""
    if not requirements:
        return output
    all_hold = tf.reduce_all([holds for holds, _ in requirements])
    return tf.where(all_hold, output, tf.constant(math.nan, output.dtype))


def _rounded(noise: Any) -> Any:
    # Graph optimization reassociates sums and products, which changes rounding. This op prevents
    # it.
    return tf.ensure_shape(noise, noise.shape)


def _clipped(output: Any, bounds: Sequence[Any]) -> Any:
    """Clips like the op, preserving NaN."""
    if not bounds:
        return output
    low, high = tf.unstack(tf.convert_to_tensor(bounds[0], output.dtype))
    return tf.where(output < low, low, tf.where(output > high, high, output))


def stored(output: Any, dtype: Any) -> Any:
    """Casts like the op. For uint8, rounds to nearest, ties to even, and turns NaN into 0."""
    if dtype != tf.uint8:
        return tf.cast(output, dtype)
    rounded = tf.clip_by_value(tf.round(output), 0.0, 255.0)
    return tf.cast(tf.where(tf.math.is_nan(output), 0.0, rounded), tf.uint8)


def flatten_noise(
    *,
    input: Any,
    seed: Any,
    offset: Any,
    parameters: Sequence[Any],
    distribution: str,
    combination: str,
    flatten: bool,
    validate_args: bool,
    name: str | None,
    bounds: Sequence[Any] = (),
    output_dtype: Any = None,
    byte_scale: float = 1.0,
    z: Any = None,
    return_noise: bool = False,
) -> Any:
    """Computes what the compiled op computes, with stock TensorFlow ops.

    The caller has checked dtypes and static shapes. Runtime checks raise
    `tf.errors.InvalidArgumentError`. Under XLA, which drops assertions, the result is NaN instead.

    Args:
        input: A floating-point tensor of rank 1 or more.
        seed: An int32 or int64 tensor of shape [2], or a generator's state, an int64 tensor of
            shape [3].
        offset: A Python integer or an int64 scalar tensor, at least 0.
        parameters: Numbers, or tensors of the compute dtype, that broadcast to the output's shape.
        distribution: One of `noises.DISTRIBUTIONS`.
        combination: One of `noises.COMBINATIONS`.
        flatten: Whether the result is [batch, features] or has the shape of `input`.
        validate_args: Whether to also check the values of the parameters.
        name: A name for the operations.
        bounds: Empty, or one tensor with the two numbers to clip the result to.
        output_dtype: The dtype of the result, if it isn't that of `input`.
        byte_scale: The factor for uint8 inputs.
        z: The noise, with a shape that broadcasts to that of `input`. By default, the stream's.
        return_noise: Whether to also return the noise.

    Returns:
        A tensor of the dtype of `input`, or a pair of this tensor and the noise.
    """
    kind = noises.COMBINATIONS[combination]
    dtype = compute_dtype(input.dtype)
    output_dtype = output_dtype or input.dtype
    with tf.name_scope(name or "FlattenNoise"):
        parameters = [tf.convert_to_tensor(parameter, dtype) for parameter in parameters]
        requirements = [
            *_input_requirements(input),
            *_offset_requirements(offset),
        ]
        texts = noises.op_parameter_texts(distribution, kind)
        for text, parameter, rule in zip(texts, parameters, kind.parameters, strict=True):
            requirements += _shape_requirements(text, parameter, input, flatten)
            if validate_args:
                requirements += _value_requirements(text, parameter, rule)
        shape = output_shape_of(input, flatten)
        with tf.control_dependencies(_assertions(requirements)):
            x = tf.cast(tf.reshape(input, shape), dtype)
            if input.dtype == tf.uint8:
                x = _rounded(x * byte_scale)
            if z is None:
                z = noise(distribution, element_count(input), seed, offset, dtype)
                z = tf.reshape(z, shape)
            elif flatten:
                z = tf.reshape(tf.broadcast_to(z, shape_of(input)), shape)
        noisy = _clipped(kind.combine(tf, x, z, parameters, _rounded), bounds)
        noisy = _poisoned_unless(requirements, noisy)
        # A no-op, unless XLA accepted an invalid parameter that enlarged the result.
        output = tf.reshape(stored(noisy, output_dtype), shape)
        output.set_shape(output_sizes(input.shape, flatten))
        return (output, stored(z, output_dtype)) if return_noise else output


def combine(
    x: Any,
    z: Any,
    parameters: Sequence[Any],
    *,
    distribution: str,
    combination: str,
    validate_args: bool,
    bounds: Sequence[Any] = (),
) -> Any:
    """Combines elements and numbers z of the compute dtype, like the op.

    For the same z, the result is bit-identical to the op's. Parameters broadcast by NumPy's rules.
    """
    kind = noises.COMBINATIONS[combination]
    requirements: list[Requirement] = []
    if validate_args:
        texts = noises.op_parameter_texts(distribution, kind)
        for text, parameter, rule in zip(texts, parameters, kind.parameters, strict=True):
            requirements += _value_requirements(text, parameter, rule)
    with tf.control_dependencies(_assertions(requirements)):
        noisy = kind.combine(tf, tf.identity(x), z, parameters, _rounded)
    return _poisoned_unless(requirements, _clipped(noisy, bounds))


_flatten_noise_as_function = tf.function(flatten_noise)


def flatten_noise_on_mesh(
    *, input: Any, offset: Any, parameters: Sequence[Any], **arguments: Any
) -> Any:
    """`flatten_noise` for eager calls on DTensors, which accept constants only in functions."""
    dtype = compute_dtype(input.dtype)
    return _flatten_noise_as_function(
        input=input,
        offset=_int64(offset),
        parameters=[tf.convert_to_tensor(parameter, dtype) for parameter in parameters],
        **arguments,
    )
