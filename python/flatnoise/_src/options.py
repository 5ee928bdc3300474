"""What every noise can be asked for besides its parameters: bounds, shared noise, other types."""

import dataclasses
import math
from typing import Any

import numpy as np

from flatnoise._src import arrays
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


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of a noise's function, as it takes them or checked."""

    # Between which numbers results stay.
    clip: Any = None
    # The shape of the noise, of which axes of size 1 share theirs; None for the inputs'.
    noise_shape: Any = None
    # The type of the output; None for the inputs'.
    dtype: Any = None
    # What inputs of bytes are multiplied by.
    input_scale: Any = 1.0


DEFAULT_OPTIONS = Options()


def checked_options(options: Options, inputs: Any) -> Options:
    """`options`, converted and checked for an input that is a tensor."""
    return Options(
        clip=convert_clip(options.clip),
        noise_shape=_convert_noise_shape(options.noise_shape, inputs.shape),
        dtype=_convert_dtype(options.dtype, inputs.dtype),
        input_scale=_convert_scale(options.input_scale, inputs.dtype),
    )


def convert_clip(clip: Any) -> tuple[float, float] | None:
    """Two numbers, the lower one first; infinite where there is no bound on a side."""
    if clip is None:
        return None
    expected = "two numbers (low, high) with low <= high, or None"
    is_pair = isinstance(clip, (tuple, list)) and len(clip) == 2
    numbers = [_number(each) for each in clip] if is_pair else [None]
    if None in numbers or not numbers[0] <= numbers[1]:  # type: ignore[operator]
        raise invalid_value("clip", expected, repr(clip))
    return numbers[0], numbers[1]  # type: ignore[return-value]


def convert_noise_shape(noise_shape: Any) -> tuple[int | None, ...] | None:
    """A tuple of sizes or None, before the inputs' shape is known that they have to fit."""
    if noise_shape is None:
        return None
    is_sequence = isinstance(noise_shape, (tuple, list))
    sizes = [_plain_size(each) for each in noise_shape] if is_sequence else [0]
    if 0 in sizes:
        expected = "a sequence with a size or None for each of the inputs' axes, or None"
        raise invalid_value("noise_shape", expected, repr(noise_shape))
    return tuple(sizes)


def _plain_size(given: Any) -> int | None:
    """A size that is 1 or more, or None; 0 where it is anything else."""
    if given is None:
        return None
    size = arrays.exact_integer(given)
    return 0 if size is None or size < 1 else size


def _number(value: Any) -> float | None:
    """`value` as a Python number; None where it is anything else, or NaN."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return None
    number = float(value)
    return None if math.isnan(number) else number


def _convert_noise_shape(noise_shape: Any, shape: Any) -> tuple[int | None, ...] | None:
    """Sizes that are 1 or the input's; None for an input's size."""
    if noise_shape is None:
        return None
    expected = (
        f"one size for each of the inputs' axes {shape}: 1 where elements share their noise along "
        "the axis, else the axis's size or None"
    )
    if isinstance(noise_shape, tf.TensorShape) and noise_shape.rank is not None:
        noise_shape = noise_shape.as_list()
    if shape.rank is None:
        raise invalid_value("noise_shape", "None for inputs of unknown rank", repr(noise_shape))
    if not isinstance(noise_shape, (tuple, list)) or len(noise_shape) != shape.rank:
        raise invalid_value("noise_shape", expected, repr(noise_shape))
    sizes = [_size(given, size) for given, size in zip(noise_shape, shape.as_list(), strict=True)]
    if 0 in sizes:
        raise invalid_value("noise_shape", expected, repr(noise_shape))
    return tuple(sizes)


def _size(given: Any, size: int | None) -> int | None:
    """1 where noise is shared, None where it isn't; 0 where `given` can't be right."""
    if given is None:
        return None
    integer = arrays.exact_integer(given)
    if integer == 1:
        return 1
    return None if integer is not None and size in (None, integer) else 0


def _convert_dtype(dtype: Any, input_dtype: Any) -> Any:
    if dtype is None:
        return input_dtype
    try:
        converted = tf.as_dtype(dtype)
    except TypeError as error:
        raise invalid_value("dtype", "a type of tensors", repr(dtype)) from error
    allowed = _BYTE_OUTPUTS if input_dtype == tf.uint8 else (input_dtype,)
    if converted not in allowed:
        names = " or ".join(each.name for each in allowed)
        raise invalid_value("dtype", f"{names} for {input_dtype.name} inputs", repr(dtype))
    return converted


def _convert_scale(scale: Any, input_dtype: Any) -> float:
    number = _number(scale)
    if number is None or not math.isfinite(number):
        raise invalid_value("input_scale", "a finite number", repr(scale))
    if number != 1.0 and input_dtype != tf.uint8:
        raise invalid_value("input_scale", f"1.0 for {input_dtype.name} inputs", repr(scale))
    return float(np.float32(number))
