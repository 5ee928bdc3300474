"""Conversion and validation of user arguments for the op.

Python values, dtypes and static shapes are checked here and raise `ValueError`. The op checks the
values and run-time shapes of tensors and raises `tf.errors.InvalidArgumentError`. Nothing here
waits for a device.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from flatnoise._src import arrays, broadcasting, shapes
from flatnoise._src.broadcasting import Output
from flatnoise._src.errors import invalid_value
from flatnoise._src.noises import Noise, Parameter
from flatnoise._src.seeds import DrawnSeed
from flatnoise._src.tensorflow import keras, tf

__all__ = [
    "IMPLEMENTATIONS",
    "compute_dtype",
    "convert_dtype",
    "convert_flag",
    "convert_input",
    "convert_offset",
    "convert_parameters",
    "convert_seed",
    "is_checked",
    "is_tensor",
    "negative_zero",
    "parameter_arguments",
    "parameter_operand",
]

IMPLEMENTATIONS = ("auto", "native", "tensorflow")

_INPUT_DTYPES = frozenset([tf.float16, tf.bfloat16, tf.float32, tf.float64, tf.uint8])
_PAIR = tf.TensorShape([2])
_TENSOR = "a floating-point tensor"


def is_tensor(value: Any) -> bool:
    """Whether `value` is a tensor or variable of TensorFlow or Keras."""
    # tf.is_tensor checks runtime protocols, which takes longer than a small op.
    return isinstance(value, (tf.Tensor, tf.Variable)) or hasattr(value, "__tf_tensor__")


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(is_tensor(item) for item in value)


def _describe(value: Any) -> str:
    if is_tensor(value):
        return f"a {tf.as_dtype(value.dtype).name} tensor of shape {value.shape}"
    return arrays.describe(value)


def _as_tensor(argument: str, expected: str, value: Any) -> Any:
    """Converts `value` to a tensor. Unlike TensorFlow's errors, its errors name the argument."""
    if isinstance(value, tf.Tensor):
        return value
    try:
        return tf.convert_to_tensor(value)
    except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
        raise invalid_value(argument, expected, _describe(value)) from error


def compute_dtype(dtype: Any) -> Any:
    """The dtype of the noise computation and of the op's parameters."""
    return tf.float64 if dtype == tf.float64 else tf.float32


def convert_dtype(dtype: Any, allowed: Sequence[Any], inputs: str = "") -> Any:
    """Converts to one of the `allowed` dtypes. Errors mention `inputs`."""
    try:
        converted = tf.as_dtype(dtype)
    except TypeError:
        converted = None
    if converted not in allowed:
        names = " or ".join(each.name for each in allowed)
        raise invalid_value("dtype", f"{names}{inputs}", repr(dtype))
    return converted


def negative_zero(dtype: Any) -> Any:
    """A scalar tensor of -0, the additive identity for all numbers including -0."""
    # An array, because TensorFlow may return its cached tensor of 0.0 for the number -0.0.
    return tf.constant(np.asarray(-0.0, dtype.as_numpy_dtype))


def convert_flag(argument: str, value: Any) -> bool:
    """Converts a Python or NumPy boolean to a Python boolean."""
    if not isinstance(value, (bool, np.bool_)):
        raise invalid_value(argument, "a boolean", repr(value))
    return bool(value)


def convert_input(inputs: Any) -> Any:
    """Converts to a dense floating-point or uint8 tensor of rank 1 or more."""
    expected = "a float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more"
    if isinstance(inputs, (tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices)):
        raise invalid_value("inputs", f"a dense tensor ({expected})", f"a {type(inputs).__name__}")
    if isinstance(inputs, keras.KerasTensor):
        raise invalid_value(
            "inputs",
            f"{expected}. In a functional model, use one of flatnoise.layers, or call the function "
            "in the `call` of a custom layer",
            "a KerasTensor",
        )
    if _is_of_keras_2(inputs):
        raise invalid_value(
            "inputs",
            f"{expected}. In a Keras 2 model (tf_keras), call the function in the `call` of a "
            "custom layer: flatnoise.layers are Keras 3 layers",
            "a KerasTensor of Keras 2",
        )
    tensor = _as_tensor("inputs", expected, inputs)
    if tensor.dtype not in _INPUT_DTYPES or tensor.shape.rank == 0:
        raise invalid_value("inputs", expected, _describe(inputs))
    if (shapes.feature_count(tensor.shape) or 0) > arrays.INT64.max:  # possible for an empty tensor
        raise invalid_value("inputs", "a tensor of at most 2**63 - 1 features", _describe(tensor))
    return tensor


def _is_of_keras_2(inputs: Any) -> bool:
    """Whether `inputs` is a symbolic tensor of Keras 2.

    Keras 2 would wrap the op itself into a layer, which would always use the seed of this call.
    """
    kind = type(inputs)
    return kind.__name__ == "KerasTensor" and kind.__module__.startswith("tf_keras.")


def convert_seed(seed: Any) -> Any:
    """Converts to an int32 or int64 tensor of shape [2]. A drawn seed is used as is."""
    if isinstance(seed, keras.random.SeedGenerator):
        seed = DrawnSeed(seed)
    if isinstance(seed, DrawnSeed):
        return seed.tensor()
    expected = (
        "an integer, two integers, an int32 or int64 tensor of shape (2,), or a "
        "keras.random.SeedGenerator"
    )
    if not is_tensor(seed) and not _holds_tensors(seed):
        pair = arrays.integer_pair(seed, expected)
        is_narrow = all(arrays.INT32.min <= value <= arrays.INT32.max for value in pair)
        return tf.constant(pair, tf.int32 if is_narrow else tf.int64)
    tensor = _as_tensor("seed", expected, seed)
    if tensor.dtype not in (tf.int32, tf.int64) or not tensor.shape.is_compatible_with(_PAIR):
        raise invalid_value("seed", f"{expected}, such as 42 or [42, 0]", _describe(tensor))
    if tensor.shape.is_fully_defined():
        return tensor
    # The ops interpret three integers as a generator's state. The name shows up in the error.
    return tf.ensure_shape(tensor, _PAIR, name="seed_must_have_shape_2")


def convert_offset(offset: Any) -> Any:
    """Converts to an int64 scalar tensor. Python integers stay Python integers."""
    expected = "an integer from 0 to 2**63 - 1, or an int32 or int64 scalar tensor"
    if not is_tensor(offset):
        return arrays.integer_offset(offset, expected)
    tensor = _as_tensor("offset", expected, offset)
    if tensor.dtype not in (tf.int32, tf.int64) or tensor.shape.rank not in (0, None):
        raise invalid_value("offset", expected, _describe(tensor))
    return tf.cast(tensor, tf.int64)


def _convert_parameter(
    parameter: Parameter, value: Any, dtype: Any, array_dtype: Any, output: Callable[[], Output]
) -> Any:
    """Converts to a tensor of `dtype`, or to an array of `array_dtype` with checked values."""
    if arrays.is_plain_number(value):
        return array_dtype(value)  # a shortcut for speed with small tensors
    name, finite = parameter.name, parameter.must_be_finite
    if not is_tensor(value) and not _holds_tensors(value):
        return arrays.real_parameter(name, value, array_dtype, output(), finite)
    tensor = value
    if not isinstance(value, tf.Tensor):
        tensor = _as_tensor(name, arrays.expected_parameter(_TENSOR, output()), value)
    if not tensor.dtype.is_floating:
        raise invalid_value(name, arrays.expected_parameter(_TENSOR, output()), _describe(value))
    if not _fits(tensor.shape, output):
        expected = arrays.expected_parameter(_TENSOR, output(), shapes.sizes(tensor.shape))
        raise invalid_value(name, expected, _describe(value))
    if not parameter.is_differentiable:
        tensor = tf.stop_gradient(tensor)
    # Skip casts that do nothing, for speed.
    return tensor if tensor.dtype == dtype else tf.cast(tensor, dtype)


def _fits(shape: Any, output: Callable[[], Output]) -> bool:
    return shape.rank == 0 or broadcasting.fits(shapes.sizes(shape), output().shape)


def convert_parameters(
    noise: Noise, values: Sequence[Any], dtype: Any, output: Callable[[], Output]
) -> tuple[Any, ...]:
    """Computes the op's parameters: tensors, or NumPy scalars and arrays with checked values.

    Args:
        noise: The noise.
        values: The user's values for the noise's parameters.
        dtype: The dtype that the noise is computed in.
        output: Returns the known facts about the output. Called only if a parameter isn't a number.
    """
    op_dtype = dtype.as_numpy_dtype
    array_dtype = noise.array_dtype(op_dtype)
    converted = [
        _convert_parameter(parameter, value, dtype, array_dtype, output)
        for parameter, value in zip(noise.parameters, values, strict=True)
    ]
    known = [each if is_checked(each) else None for each in converted]
    noise.check(values, known)
    if noise.passes_parameters:
        return tuple(converted)
    # `is`, because arrays compare elementwise.
    xp = tf if any(each is None for each in known) else np
    parameters = noise.to_op(xp, *converted)
    return tuple(
        each if isinstance(each, tf.Tensor) else np.asarray(each, op_dtype) for each in parameters
    )


def parameter_arguments(
    noise: Noise, values: Sequence[Any], dtype: Any, output: Callable[[], Output]
) -> dict[str, Any]:
    """The op arguments that define the noise. See `convert_parameters` for the arguments."""
    parameters = convert_parameters(noise, values, dtype, output)
    return {
        "parameters": [parameter_operand(parameter, dtype) for parameter in parameters],
        "distribution": noise.distribution,
        "validate_args": not all(map(is_checked, parameters)),
    }


def is_checked(parameter: Any) -> bool:
    """Whether the values of a result of `convert_parameters` have been checked."""
    return isinstance(parameter, (np.generic, np.ndarray))


def parameter_operand(parameter: Any, dtype: Any) -> Any:
    """Converts a parameter to an op input: a Python number for float32, else a tensor.

    TensorFlow caches eager float32 tensors of Python numbers. For NumPy scalars, it creates a new
    tensor every time, which takes longer than a small op.
    """
    if not is_checked(parameter):
        return parameter
    if parameter.ndim != 0 or arrays.is_negative_zero(parameter.item()):
        return tf.constant(parameter, dtype)
    return parameter.item() if dtype == tf.float32 else tf.constant(parameter.item(), dtype)
