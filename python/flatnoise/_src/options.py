"""Options common to all noises: clipping, shared noise and output dtypes."""

import math
from typing import Any, NamedTuple

import numpy as np

from flatnoise._src import arrays
from flatnoise._src.arguments import convert_dtype
from flatnoise._src.errors import invalid_value
from flatnoise._src.tensorflow import tf

__all__ = [
    "DEFAULT_OPTIONS",
    "Options",
    "checked_options",
    "convert_clip",
    "convert_noise_shape",
]

_BYTE_OUTPUTS = (tf.uint8, tf.float16, tf.bfloat16, tf.float32)


class Options(NamedTuple):
    """Options of a noise's function, before or after validation."""

    # The range that results are clipped to.
    clip: Any = None
    # The shape of the noise, with 1 for axes that share noise. None for the inputs' shape.
    noise_shape: Any = None
    # The output's dtype. None for the inputs' dtype.
    dtype: Any = None
    # The factor for uint8 inputs.
    input_scale: Any = 1.0

    @property
    def are_default(self) -> bool:
        """Whether all options have their defaults. Uses `is`: arrays compare elementwise."""
        clip, noise_shape, dtype, input_scale = self
        is_one = type(input_scale) is float and input_scale == 1.0
        return clip is None and noise_shape is None and dtype is None and is_one


DEFAULT_OPTIONS = Options()


def checked_options(options: Options, inputs: Any) -> Options:
    """Converts and checks `options` for an input tensor."""
    return Options(
        clip=convert_clip(options.clip),
        noise_shape=_fitting_noise_shape(options.noise_shape, inputs.shape),
        dtype=_convert_dtype(options.dtype, inputs.dtype),
        input_scale=_convert_scale(options.input_scale, inputs.dtype),
    )


def convert_clip(clip: Any) -> tuple[float, float] | None:
    """Converts to two numbers, the lower one first. A side without a bound is infinite."""
    if clip is None:
        return None
    expected = "two numbers (low, high) with low <= high, or None"
    is_pair = isinstance(clip, (tuple, list)) and len(clip) == 2
    numbers = [_number(each) for each in clip] if is_pair else [None]
    if None in numbers or not numbers[0] <= numbers[1]:  # type: ignore[operator]
        raise invalid_value("clip", expected, repr(clip))
    return numbers[0], numbers[1]  # type: ignore[return-value]


def convert_noise_shape(
    noise_shape: Any, expected: str = "a size or None for each of the inputs' axes, or None"
) -> tuple[int | None, ...] | None:
    """Converts to a tuple of sizes or None. The inputs' shape isn't known here."""
    if noise_shape is None:
        return None
    if isinstance(noise_shape, tf.TensorShape) and noise_shape.rank is not None:
        noise_shape = noise_shape.as_list()
    is_sequence = isinstance(noise_shape, (tuple, list))
    sizes = [_size(each) for each in noise_shape] if is_sequence else [0]
    if 0 in sizes:
        raise invalid_value("noise_shape", expected, repr(noise_shape))
    return tuple(sizes)


def _size(given: Any) -> int | None:
    """Converts a size of 1 or more, or None. Returns 0 for anything else."""
    if given is None:
        return None
    size = arrays.exact_integer(given)
    return 0 if size is None or size < 1 else size


def _number(value: Any) -> float | None:
    """`value` as a Python number, or None if it isn't one or is NaN."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return None
    number = float(value)
    return None if math.isnan(number) else number


def _fitting_noise_shape(noise_shape: Any, shape: Any) -> tuple[int | None, ...] | None:
    """Returns 1 for each axis that shares noise and None for the others."""
    expected = (
        f"one size for each of the inputs' axes {shape}: 1 where elements share their noise along "
        "the axis, else the axis's size or None"
    )
    sizes = convert_noise_shape(noise_shape, expected)
    if sizes is None:
        return None
    if shape.rank is None:
        raise invalid_value("noise_shape", "None for inputs of unknown rank", repr(noise_shape))
    fits = len(sizes) == shape.rank and all(
        size in (None, 1) or total in (None, size)
        for size, total in zip(sizes, shape.as_list(), strict=True)
    )
    if not fits:
        raise invalid_value("noise_shape", expected, repr(noise_shape))
    return tuple(1 if size == 1 else None for size in sizes)


def _convert_dtype(dtype: Any, input_dtype: Any) -> Any:
    if dtype is None:
        return input_dtype
    allowed = _BYTE_OUTPUTS if input_dtype == tf.uint8 else (input_dtype,)
    return convert_dtype(dtype, allowed, f" for {input_dtype.name} inputs")


def _convert_scale(scale: Any, input_dtype: Any) -> float:
    number = _number(scale)
    if number is None or not math.isfinite(number):
        raise invalid_value("input_scale", "a finite number", repr(scale))
    if number != 1.0 and input_dtype != tf.uint8:
        raise invalid_value("input_scale", f"1.0 for {input_dtype.name} inputs", repr(scale))
    return float(np.float32(number))
