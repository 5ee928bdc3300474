"""Shapes, static where they are known while a graph is built."""

import math
from typing import Any

from flatnoise._tensorflow import tf

__all__ = [
    "element_count",
    "elements_per_row",
    "feature_count",
    "flattened",
    "output_shape",
    "shape_of",
]


def feature_count(shape: Any) -> int | None:
    """The number of features of a static shape, the batch being the first dimension."""
    if shape.rank is None:
        return None
    features = shape.as_list()[1:]
    return None if None in features else math.prod(features)


def output_shape(shape: Any, flatten: bool) -> Any:
    """The static shape of the result for a static shape of the input."""
    if not flatten:
        return shape
    batch = None if shape.rank is None else shape[0]
    return tf.TensorShape([batch, feature_count(shape)])


def shape_of(tensor: Any) -> Any:
    """The shape, as a static one where possible, else as an int64 tensor."""
    if tensor.shape.is_fully_defined():
        return tensor.shape
    return tf.shape(tensor, out_type=tf.int64)


def element_count(tensor: Any) -> Any:
    """The number of elements, as a Python integer where possible, else as an int64 tensor."""
    count = tensor.shape.num_elements()
    return tf.size(tensor, out_type=tf.int64) if count is None else count


def elements_per_row(tensor: Any) -> Any:
    """The number of features, as a Python integer where possible, else as an int64 tensor."""
    count = feature_count(tensor.shape)
    if count is not None:
        return count
    return tf.reduce_prod(tf.shape(tensor, out_type=tf.int64)[1:])


def flattened(tensor: Any) -> Any:
    """`tensor` as `[batch, features]`."""
    static = output_shape(tensor.shape, flatten=True)
    if static.is_fully_defined():
        return tf.reshape(tensor, static)
    # Not [-1, features]: that is ambiguous where there are no features.
    shape = tf.shape(tensor, out_type=tf.int64)
    return tf.reshape(tensor, tf.stack([shape[0], tf.reduce_prod(shape[1:])]))
