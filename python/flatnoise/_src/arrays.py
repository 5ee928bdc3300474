"""Validation of arguments that aren't tensors. Nothing here needs TensorFlow."""

import math
import operator
import reprlib
from typing import Any

import numpy as np

from flatnoise._src import broadcasting
from flatnoise._src.broadcasting import Output, Shape
from flatnoise._src.errors import invalid_value

__all__ = [
    "INT32",
    "INT64",
    "as_real_array",
    "describe",
    "exact_integer",
    "expected_parameter",
    "integer_offset",
    "integer_pair",
    "is_negative_zero",
    "is_plain_number",
    "real_parameter",
    "show_shape",
]

INT32 = np.iinfo(np.int32)
INT64 = np.iinfo(np.int64)
_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


def show_shape(shape: Shape) -> str:
    """Formats a shape for an error."""
    return "of unknown rank" if shape is None else str(tuple(shape))


def describe(value: Any) -> str:
    """Formats a value for an error, with its shape if it has one."""
    if isinstance(value, np.ndarray) and value.ndim > 0:
        return f"a {value.dtype.name} array of shape {value.shape}"
    if not isinstance(value, (list, tuple)):
        return repr(value)
    try:
        return f"{reprlib.repr(value)} of shape {np.shape(value)}"
    except ValueError:  # ragged nested lists
        return reprlib.repr(value)


def exact_integer(value: Any) -> int | None:
    """`value` as an integer, or None if it isn't one. Booleans aren't integers."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def _integers(values: Any) -> list[int] | None:
    """The values of a sequence of integers, or None if it isn't one."""
    is_vector = isinstance(values, np.ndarray) and values.ndim == 1
    if not is_vector and not isinstance(values, (list, tuple)):
        return None
    integers = [exact_integer(value) for value in values]
    return None if None in integers else integers  # type: ignore[return-value]


def integer_pair(seed: Any, expected: str = "an integer, or two") -> tuple[int, int]:
    """The two int64 integers of a seed. A single integer is paired with 0."""
    first = exact_integer(seed)
    pair = _integers(seed) if first is None else [first, 0]
    if pair is None or len(pair) != 2:
        raise invalid_value("seed", f"{expected}, such as 42 or [42, 0]", repr(seed))
    if not all(INT64.min <= value <= INT64.max for value in pair):
        raise invalid_value("seed", f"{expected}, each within int64", repr(seed))
    return pair[0], pair[1]


def integer_offset(offset: Any, expected: str = "an integer from 0 to 2**63 - 1") -> int:
    """Checks and returns an offset, an integer from 0 to 2**63 - 1."""
    integer = exact_integer(offset)
    if integer is None or not 0 <= integer <= INT64.max:
        raise invalid_value("offset", expected, repr(offset))
    return integer


def as_real_array(value: Any) -> Any:
    """`value` as a NumPy array of real numbers, or None if it isn't one."""
    try:
        array = np.asarray(value)
    except ValueError:  # ragged nested lists
        return None
    # NumPy reports extension dtypes such as bfloat16 as void.
    is_real = array.dtype.kind in "iuf" or array.dtype.name == "bfloat16"
    return array if is_real else None


def expected_parameter(kind: str, output: Output, shape: Shape = None) -> str:
    """The error text for the expected parameter, with hints based on its shape."""
    expected = f"{kind} that broadcasts to the output's shape {show_shape(output.shape)}"
    reshaped, otherwise = broadcasting.remedies(shape, output)
    if reshaped is not None:
        expected += f", as shape {show_shape(reshaped)} does"
    if otherwise is not None:
        expected += f", or with flatten={not output.flatten} to {show_shape(otherwise)}"
    return expected


def real_parameter(
    argument: str, value: Any, dtype: Any, output: Output, finite: bool = True
) -> Any:
    """Converts a parameter to a NumPy array of `dtype` and checks its shape and values."""
    kind = f"{'a finite' if finite else 'a'} real number or an array of them"
    array = as_real_array(value)
    if array is None:
        raise invalid_value(argument, expected_parameter(kind, output), describe(value))
    if not broadcasting.fits(array.shape, output.shape):
        expected = expected_parameter(kind, output, array.shape)
        raise invalid_value(argument, expected, describe(value))
    with np.errstate(over="ignore"):
        array = array.astype(dtype)
    if finite and not np.isfinite(array).all():
        expected = f"{expected_parameter(kind, output)}, finite in {array.dtype.name}"
        raise invalid_value(argument, expected, describe(value))
    return array


def is_plain_number(value: Any) -> bool:
    """Whether `value` is a Python float that is finite in float32, so that it needs no checks."""
    return type(value) is float and abs(value) <= _LARGEST_FLOAT32


def is_negative_zero(number: float) -> bool:
    """Whether `number` is -0.0, which TensorFlow's cache of numbers may confuse with 0.0."""
    return number == 0 and math.copysign(1, number) < 0
