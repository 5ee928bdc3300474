"""Turns what users pass into the tensors that the op takes, and refuses what it can't take.

What Python values, types and static shapes tell is checked here and raises `ValueError`. What
only the values and run-time shapes of tensors tell is checked by the op that runs, which raises
`tf.errors.InvalidArgumentError`: nothing here waits for a device.
"""

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
]

IMPLEMENTATIONS = ("auto", "native", "tensorflow")

_INPUT_DTYPES = (tf.float16, tf.bfloat16, tf.float32, tf.float64)
_INT32 = np.iinfo(np.int32)
_INT64 = np.iinfo(np.int64)


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


def _integers(values: Any) -> list[int] | None:
    """The values of a sequence of integers; None where it is anything else."""
    if not isinstance(values, (list, tuple, np.ndarray)) or np.ndim(values) != 1:
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
    if tensor.dtype not in (tf.int32, tf.int64) or not tensor.shape.is_compatible_with([2]):
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
    is_real = np.issubdtype(array.dtype, np.integer) or np.issubdtype(array.dtype, np.floating)
    # NumPy calls the types that extend it, such as bfloat16, neither: it knows them as void.
    return array if is_real or array.dtype.name == "bfloat16" else None


def convert_parameter(argument: str, value: Any, dtype: Any, features: int | None) -> Any:
    """A scalar or `[features]` of `dtype`: a NumPy array of checked finite values, or a tensor.

    Tensors are cast differentiably.
    """
    length = "features" if features is None else f"{features} (one for each feature)"
    expected = f"a finite real number, or a vector of {length}"
    if is_tensor(value) or _holds_tensors(value):
        array = _as_tensor(argument, expected, value)
        is_number = array.dtype.is_floating
        shape = array.shape
    else:
        array = _as_real_array(value)
        is_number = array is not None
        shape = tf.TensorShape(None if array is None else array.shape)
    fits = shape.rank in (0, None) or shape.is_compatible_with([features])
    if not is_number or not fits:
        raise _refusal(argument, expected, _describe(value))
    if is_tensor(array):
        return tf.cast(array, dtype)
    with np.errstate(over="ignore"):
        array = array.astype(dtype.as_numpy_dtype)
    if not np.all(np.isfinite(array)):
        raise _refusal(argument, f"{expected}, finite in {dtype.name}", _describe(value))
    return array
