"""Turns what users pass into the tensors that the op takes, and refuses what it can't take.

What Python values, types and static shapes tell is checked here and raises `ValueError`. What
only the values and run-time shapes of tensors tell is checked by the op that runs, which raises
`tf.errors.InvalidArgumentError`: nothing here waits for a device.
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
    """Whether `value` is a tensor or a variable, of TensorFlow's or of Keras's."""
    # tf.is_tensor asks run-time protocols, which takes longer than a small op.
    return isinstance(value, (tf.Tensor, tf.Variable)) or hasattr(value, "__tf_tensor__")


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(is_tensor(item) for item in value)


def _describe(value: Any) -> str:
    if is_tensor(value):
        return f"a {tf.as_dtype(value.dtype).name} tensor of shape {value.shape}"
    return arrays.describe(value)


def _as_tensor(argument: str, expected: str, value: Any) -> Any:
    """`value` as a tensor; TensorFlow's own errors don't name the argument."""
    if isinstance(value, tf.Tensor):
        return value
    try:
        return tf.convert_to_tensor(value)
    except (TypeError, ValueError, tf.errors.InvalidArgumentError) as error:
        raise invalid_value(argument, expected, _describe(value)) from error


def compute_dtype(dtype: Any) -> Any:
    """The type that noise is computed in, and that of its parameters."""
    return tf.float64 if dtype == tf.float64 else tf.float32


def convert_dtype(dtype: Any, allowed: Sequence[Any], inputs: str = "") -> Any:
    """One of the `allowed` types, for `inputs` that errors name."""
    try:
        converted = tf.as_dtype(dtype)
    except TypeError:
        converted = None
    if converted not in allowed:
        names = " or ".join(each.name for each in allowed)
        raise invalid_value("dtype", f"{names}{inputs}", repr(dtype))
    return converted


def negative_zero(dtype: Any) -> Any:
    """A tensor of -0: what is added to it stays as it is."""
    # As an array: for the number, TensorFlow may give the tensor that it has kept of 0.0.
    return tf.constant(np.asarray(-0.0, dtype.as_numpy_dtype))


def convert_flag(argument: str, value: Any) -> bool:
    """Python's boolean, of one of Python's or of NumPy's."""
    if not isinstance(value, (bool, np.bool_)):
        raise invalid_value(argument, "a boolean", repr(value))
    return bool(value)


def convert_input(inputs: Any) -> Any:
    """A dense tensor of rank 1 or more, of floating-point numbers or bytes."""
    expected = "a float16, bfloat16, float32, float64 or uint8 tensor of rank 1 or more"
    if isinstance(inputs, (tf.RaggedTensor, tf.SparseTensor, tf.IndexedSlices)):
        raise invalid_value("inputs", f"a dense tensor ({expected})", f"a {type(inputs).__name__}")
    if isinstance(inputs, keras.KerasTensor):
        raise invalid_value(
            "inputs",
            f"{expected}. In a functional model take one of flatnoise.layers, or call the function "
            "in the `call` of a layer of your own",
            "a KerasTensor",
        )
    if _is_of_keras_2(inputs):
        raise invalid_value(
            "inputs",
            f"{expected}. In a model of Keras 2 (tf_keras), call the function in the `call` of a "
            "layer of your own: flatnoise.layers are layers of Keras 3",
            "a KerasTensor of Keras 2",
        )
    tensor = _as_tensor("inputs", expected, inputs)
    if tensor.dtype not in _INPUT_DTYPES or tensor.shape.rank == 0:
        raise invalid_value("inputs", expected, _describe(inputs))
    if (shapes.feature_count(tensor.shape) or 0) > arrays.INT64.max:  # an empty tensor's, then
        raise invalid_value("inputs", "a tensor of at most 2**63 - 1 features", _describe(tensor))
    return tensor


def _is_of_keras_2(inputs: Any) -> bool:
    """Whether `inputs` stands for a tensor while a model of Keras 2 is made.

    Keras 2 would make a layer of the op alone, with the seed of this one call for ever.
    """
    kind = type(inputs)
    return kind.__name__ == "KerasTensor" and kind.__module__.startswith("tf_keras.")


def convert_seed(seed: Any) -> Any:
    """An int32 or int64 tensor of shape [2]; what a generator draws as it is."""
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
    # The ops would take three integers for a generator's state. The name is part of the error.
    return tf.ensure_shape(tensor, _PAIR, name="seed_must_have_shape_2")


def convert_offset(offset: Any) -> Any:
    """An int64 scalar: a Python integer as it is, a tensor as a tensor."""
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
    """A tensor of `dtype`, or else an array of `array_dtype` whose values are checked."""
    if arrays.is_plain_number(value):
        return array_dtype(value)  # what comes below, without its cost for small tensors
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
    # A cast is differentiable; none takes less time.
    return tensor if tensor.dtype == dtype else tf.cast(tensor, dtype)


def _fits(shape: Any, output: Callable[[], Output]) -> bool:
    return shape.rank == 0 or broadcasting.fits(shapes.sizes(shape), output().shape)


def convert_parameters(
    noise: Noise, values: Sequence[Any], dtype: Any, output: Callable[[], Output]
) -> tuple[Any, ...]:
    """The op's parameters of `dtype`: tensors, or NumPy's numbers and arrays of checked values.

    Args:
        noise: The noise.
        values: What the user passed for the noise's parameters.
        dtype: The type that the noise is computed in.
        output: Gives what is known of the output. It is asked where a parameter isn't a number.
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
    # By identity: arrays compare element by element.
    xp = tf if any(each is None for each in known) else np
    parameters = noise.to_op(xp, *converted)
    return tuple(
        each if isinstance(each, tf.Tensor) else np.asarray(each, op_dtype) for each in parameters
    )


def parameter_arguments(
    noise: Noise, values: Sequence[Any], dtype: Any, output: Callable[[], Output]
) -> dict[str, Any]:
    """The arguments of an op that say which noise it makes, as `convert_parameters` takes them."""
    parameters = convert_parameters(noise, values, dtype, output)
    return {
        "parameters": [parameter_operand(parameter, dtype) for parameter in parameters],
        "distribution": noise.distribution,
        "validate_args": not all(map(is_checked, parameters)),
    }


def is_checked(parameter: Any) -> bool:
    """Whether the values of what `convert_parameters` returns have been checked."""
    return isinstance(parameter, (np.generic, np.ndarray))


def parameter_operand(parameter: Any, dtype: Any) -> Any:
    """A parameter as ops take it: a number for float32, or a tensor.

    TensorFlow takes Python's numbers for float32 and keeps their eager tensors at hand. It makes
    tensors of NumPy's numbers anew, which takes longer than a small op.
    """
    if not is_checked(parameter):
        return parameter
    if parameter.ndim != 0 or arrays.is_negative_zero(parameter.item()):
        return tf.constant(parameter, dtype)
    return parameter.item() if dtype == tf.float32 else tf.constant(parameter.item(), dtype)
