"""Turns what users pass into the tensors that the op takes, and refuses what it can't take.

What Python values, types and static shapes tell is checked here and raises `ValueError`. What
only the values and run-time shapes of tensors tell is checked by the op that runs, which raises
`tf.errors.InvalidArgumentError`: nothing here waits for a device.
"""

import math
import operator
from typing import Any

import numpy as np

from flatnoise._tensorflow import tf
from flatnoise.shapes import feature_count

__all__ = [
    "IMPLEMENTATIONS",
    "check_choice",
    "compute_dtype",
    "convert_input",
    "convert_offset",
    "convert_parameter",
    "convert_seed",
    "is_tensor",
    "parameter_operand",
]

IMPLEMENTATIONS = ("auto", "native", "tensorflow")

_INPUT_DTYPES = frozenset([tf.float16, tf.bfloat16, tf.float32, tf.float64])
_PAIR = tf.TensorShape([2])
_INT32 = np.iinfo(np.int32)
_INT64 = np.iinfo(np.int64)
_LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


def _refusal(argument: str, expected: str, received: Any) -> ValueError:
    return ValueError(
        f"Invalid value received for argument `{argument}`. Expected {expected}. "
        f"Received: {argument}={received}"
    )


def _describe(value: Any) -> str:
    if is_tensor(value):
        return f"a {tf.as_dtype(value.dtype).name} tensor of shape {value.shape}"
    return repr(value)


def _as_tensor(argument: str, expected: str, value: Any) -> Any:
    """`value` as a tensor; TensorFlow's own errors don't name the argument."""
    if isinstance(value, tf.Tensor):
        return value
    try:
        return tf.convert_to_tensor(value)
    except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
        raise _refusal(argument, expected, _describe(value)) from error


def is_tensor(value: Any) -> bool:
    """Whether `value` is a tensor or a variable, of TensorFlow's or of Keras's."""
    # tf.is_tensor asks run-time protocols, which takes longer than a small op.
    return isinstance(value, (tf.Tensor, tf.Variable)) or hasattr(value, "__tf_tensor__")


def check_choice(argument: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuses a `value` that is none of `choices`."""
    if value not in choices:
        listed = ", ".join(f"'{choice}'" for choice in choices)
        raise _refusal(argument, f"one of {listed}", repr(value))


def compute_dtype(dtype: Any) -> Any:
    """The type that noise is computed in, and that of loc and scale."""
    return tf.float64 if dtype == tf.float64 else tf.float32


def convert_input(inputs: Any) -> Any:
    """A dense floating-point tensor of rank 1 or more."""
    expected = "a float16, bfloat16, float32 or float64 tensor of rank 1 or more"
    if isinstance(inputs, (tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices)):
        raise _refusal("inputs", f"a dense tensor ({expected})", f"a {type(inputs).__name__}")
    tensor = _as_tensor("inputs", expected, inputs)
    if tensor.dtype not in _INPUT_DTYPES or tensor.shape.rank == 0:
        raise _refusal("inputs", expected, _describe(tensor))
    if (feature_count(tensor.shape) or 0) > _INT64.max:  # an empty tensor's, then
        raise _refusal("inputs", "a tensor of at most 2**63 - 1 features", _describe(tensor))
    return tensor


def _exact_integer(value: Any) -> int | None:
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def _is_vector(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim == 1


def _integers(values: Any) -> list[int] | None:
    """The values of a sequence of integers; None where it is anything else."""
    if not isinstance(values, (list, tuple)) and not _is_vector(values):
        return None
    integers = [_exact_integer(value) for value in values]
    return None if None in integers else integers  # type: ignore[return-value]


def _convert_python_seed(seed: Any, expected: str) -> Any:
    pair = _integers(seed)
    if pair is None or len(pair) != 2:
        raise _refusal("seed", expected, repr(seed))
    if not all(_INT64.min <= value <= _INT64.max for value in pair):
        raise _refusal("seed", f"{expected}, each within int64", repr(seed))
    narrow = all(_INT32.min <= value <= _INT32.max for value in pair)
    return tf.constant(pair, tf.int32 if narrow else tf.int64)


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(is_tensor(item) for item in value)


def convert_seed(seed: Any) -> Any:
    """An int32 or int64 tensor of shape [2]."""
    expected = "two integers, or an int32 or int64 tensor of shape (2,)"
    if not is_tensor(seed) and not _holds_tensors(seed):
        return _convert_python_seed(seed, expected)
    tensor = _as_tensor("seed", expected, seed)
    if tensor.dtype not in (tf.int32, tf.int64) or not tensor.shape.is_compatible_with(_PAIR):
        raise _refusal("seed", expected, _describe(tensor))
    return tensor


def convert_offset(offset: Any) -> Any:
    """An int64 scalar: a Python integer as it is, a tensor as a tensor."""
    expected = "an integer from 0 to 2**63 - 1, or an int32 or int64 scalar tensor"
    if is_tensor(offset):
        tensor = _as_tensor("offset", expected, offset)
        if tensor.dtype not in (tf.int32, tf.int64) or tensor.shape.rank not in (0, None):
            raise _refusal("offset", expected, _describe(tensor))
        return tf.cast(tensor, tf.int64)
    integer = _exact_integer(offset)
    if integer is None or not 0 <= integer <= _INT64.max:
        raise _refusal("offset", expected, repr(offset))
    return integer


def _as_real_array(value: Any) -> Any:
    """`value` as a NumPy array of real numbers; None where it is anything else."""
    try:
        array = np.asarray(value)
    except ValueError:  # nested lists of unequal lengths
        return None
    # NumPy knows the types that extend it, such as bfloat16, as void.
    is_real = array.dtype.kind in "iuf" or array.dtype.name == "bfloat16"
    return array if is_real else None


def _is_number_or_vector(array: Any, features: int | None) -> bool:
    return array.ndim == 0 or (array.ndim == 1 and features in (None, len(array)))


def convert_parameter(argument: str, value: Any, dtype: Any, features: int | None) -> Any:
    """A scalar or `[features]` of `dtype`: NumPy's, of checked finite values, or a tensor.

    Tensors are cast differentiably.
    """
    if type(value) is float and abs(value) <= _LARGEST_FLOAT32:
        return dtype.as_numpy_dtype(value)  # what comes below, without its cost for small tensors
    length = "features" if features is None else f"{features} (one for each feature)"
    expected = f"a finite real number, or a vector of {length}"
    if is_tensor(value) or _holds_tensors(value):
        tensor = _as_tensor(argument, expected, value)
        fits = tensor.shape.rank in (0, None) or tensor.shape.is_compatible_with([features])
        if not tensor.dtype.is_floating or not fits:
            raise _refusal(argument, expected, _describe(value))
        return tf.cast(tensor, dtype)
    array = _as_real_array(value)
    if array is None or not _is_number_or_vector(array, features):
        raise _refusal(argument, expected, _describe(value))
    with np.errstate(over="ignore"):
        array = array.astype(dtype.as_numpy_dtype)
    if not np.isfinite(array).all():
        raise _refusal(argument, f"{expected}, finite in {dtype.name}", _describe(value))
    return array


def parameter_operand(parameter: Any, dtype: Any) -> Any:
    """What `convert_parameter` returns, as ops take it: a number for float32, or a tensor.

    TensorFlow takes Python's numbers for float32 and keeps their eager tensors at hand. It makes
    tensors of NumPy's numbers anew, which takes longer than a small op.
    """
    if is_tensor(parameter):
        return parameter
    if parameter.ndim != 0 or _is_negative_zero(parameter.item()):
        return tf.constant(parameter, dtype)
    return parameter.item() if dtype == tf.float32 else tf.constant(parameter.item(), dtype)


def _is_negative_zero(number: float) -> bool:
    """Whether TensorFlow, which looks numbers up by equality, may take `number` for 0.0."""
    return number == 0 and math.copysign(1, number) < 0
