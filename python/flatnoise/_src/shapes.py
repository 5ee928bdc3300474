"""Shapes of tensors, static if known at graph construction time."""

from collections.abc import Callable
from typing import Any

from flatnoise._src import broadcasting
from flatnoise._src.broadcasting import Output, Shape
from flatnoise._src.tensorflow import tf

__all__ = [
    "aligned",
    "as_one_run",
    "as_one_run_of",
    "element_count",
    "feature_count",
    "flattened",
    "output_of",
    "output_shape_of",
    "output_sizes",
    "shape_of",
    "sizes",
]


def sizes(shape: Any) -> Shape:
    """A static shape as a tuple of sizes."""
    return None if shape.rank is None else tuple(shape.as_list())


def feature_count(shape: Any) -> int | None:
    """The number of features of a static shape. The first dimension is the batch."""
    return None if shape.rank is None else broadcasting.flattened(shape.as_list())[1]


def output_of(shape: Any, flatten: bool) -> Output:
    """The output for an input with a static shape."""
    return Output(sizes(shape), flatten)


def output_sizes(shape: Any, flatten: bool) -> Shape:
    """The static shape of the result, from the input's static shape."""
    return output_of(shape, flatten).shape


def shape_of(tensor: Any) -> Any:
    """The static shape if possible, else the shape as an int64 tensor."""
    if tensor.shape.is_fully_defined():
        return tensor.shape
    return tf.shape(tensor, out_type=tf.int64)


def element_count(tensor: Any) -> Any:
    """The number of elements, as a Python integer if possible, else as an int64 tensor."""
    count = tensor.shape.num_elements()
    return tf.size(tensor, out_type=tf.int64) if count is None else count


def output_shape_of(tensor: Any, flatten: bool) -> Any:
    """The shape of the result for an input, in the form of `shape_of`."""
    if not flatten:
        return shape_of(tensor)
    static = tf.TensorShape(output_sizes(tensor.shape, flatten=True))
    if static.is_fully_defined():
        return static
    # Not [-1, features], which is ambiguous for 0 features.
    shape = tf.shape(tensor, out_type=tf.int64)
    return tf.concat([shape[:1], tf.reduce_prod(shape[1:], keepdims=True)], axis=0)


def flattened(tensor: Any) -> Any:
    """`tensor` as `[batch, features]`."""
    return tf.reshape(tensor, output_shape_of(tensor, flatten=True))


def _padded(shape: Any, rank: Any) -> Any:
    """A shape tensor, padded with leading ones to `rank` dimensions."""
    ones = tf.ones([tf.maximum(rank - tf.size(shape), 0)], shape.dtype)
    return tf.concat([ones, shape], axis=0)


def aligned(parameter: Any, output: Any) -> tuple[Any, Any]:
    """The shapes of a parameter and the output, as int64 tensors of the same length."""
    shape = tf.shape(parameter, out_type=tf.int64)
    output = tf.convert_to_tensor(output, tf.int64)
    return _padded(shape, tf.size(output)), _padded(output, tf.size(shape))


def _one_run_shape(parameter: Any, output: Any) -> Any:
    """Runtime version of `broadcasting.one_run_shape`. The op rejects shapes that don't fit."""
    shape, output = aligned(parameter, output)
    varies = tf.cast(shape != 1, tf.int64)
    is_inside = tf.cumsum(varies) * tf.cumsum(varies, reverse=True) > 0
    return tf.where(is_inside & (shape == 1), output, shape)


def as_one_run(parameter: Any, inputs: Any, flatten: bool) -> Any:
    """Expands a parameter as far as the compiled op requires, for a given input."""
    if isinstance(parameter, float) or parameter.shape.rank == 0:
        return parameter
    output = output_sizes(inputs.shape, flatten)
    return as_one_run_of(parameter, output, lambda: output_shape_of(inputs, flatten))


def as_one_run_of(parameter: Any, output: Shape, make_output: Callable[[], Any]) -> Any:
    """Expands a tensor as far as the compiled op requires, which is rarely necessary.

    Args:
        parameter: The tensor.
        output: The output's static shape.
        make_output: Returns the output's shape in the form of `shape_of`. Called only if the static
            shape doesn't suffice.
    """
    shape = sizes(parameter.shape)
    if broadcasting.is_one_run(shape, output):
        return parameter
    expanded = None if shape is None else broadcasting.one_run_shape(shape, output)
    if expanded is None or None in expanded:
        expanded = _one_run_shape(parameter, make_output())
    return tf.broadcast_to(parameter, expanded)
