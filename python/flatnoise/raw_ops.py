"""The compiled ops as they are registered, after the manner of ``tf.raw_ops``."""

from typing import Any

from flatnoise import gradients, library
from flatnoise._tensorflow import tf
from flatnoise.arguments import compute_dtype

__all__ = ["FlattenAddNoise", "FlattenMultiplyNoise"]

# Importing registers the ops, so that SavedModels that hold them can be loaded.
library.load()
gradients.register()


def FlattenAddNoise(
    *,
    input: Any,
    seed: Any,
    loc: Any,
    scale: Any,
    offset: Any,
    distribution: str = "normal",
    flatten: bool = True,
    name: str | None = None,
) -> Any:
    """Computes ``input + (loc + scale * noise)``, flattened to ``[batch, features]``.

    Takes arguments as they are: the shapes are checked, the sign of `scale` is not. Use
    `flatnoise.flatten_add_normal` and `flatnoise.flatten_add_uniform` for checked parameters
    and for a fallback where the compiled op can't run.

    Args:
        input: A `half`, `bfloat16`, `float32` or `float64` tensor of rank 1 or more.
        seed: An `int32` or `int64` tensor of shape `[2]`.
        loc: A `float32` tensor (`float64` for `float64` input), a scalar or `[features]`.
        scale: As `loc`.
        offset: An `int64` scalar, at least 0: the element of the stream to start at.
        distribution: `"normal"` (mean 0, variance 1) or `"uniform"` (on [0, 1)).
        flatten: Whether the result is `[batch, features]` or has the shape of `input`.
        name: A name for the operation.

    Returns:
        A tensor of the type of `input`.

    Raises:
        RuntimeError: If the compiled op can't be loaded; the message says why.
    """
    return _run("FlattenAddNoise", input, seed, loc, scale, offset, distribution, flatten, name)


def FlattenMultiplyNoise(
    *,
    input: Any,
    seed: Any,
    loc: Any,
    scale: Any,
    offset: Any,
    distribution: str = "normal",
    flatten: bool = True,
    name: str | None = None,
) -> Any:
    """Computes ``input * (loc + scale * noise)``, flattened to ``[batch, features]``.

    In all else as `FlattenAddNoise`; `flatnoise.flatten_multiply_normal` checks its parameters and
    falls back where the compiled op can't run.

    Args:
        input: A `half`, `bfloat16`, `float32` or `float64` tensor of rank 1 or more.
        seed: An `int32` or `int64` tensor of shape `[2]`.
        loc: A `float32` tensor (`float64` for `float64` input), a scalar or `[features]`.
        scale: As `loc`.
        offset: An `int64` scalar, at least 0: the element of the stream to start at.
        distribution: `"normal"` (mean 0, variance 1) or `"uniform"` (on [0, 1)).
        flatten: Whether the result is `[batch, features]` or has the shape of `input`.
        name: A name for the operation.

    Returns:
        A tensor of the type of `input`.

    Raises:
        RuntimeError: If the compiled op can't be loaded; the message says why.
    """
    return _run(
        "FlattenMultiplyNoise", input, seed, loc, scale, offset, distribution, flatten, name
    )


def _run(
    operation: str,
    input: Any,
    seed: Any,
    loc: Any,
    scale: Any,
    offset: Any,
    distribution: str,
    flatten: bool,
    name: str | None,
) -> Any:
    found = library.load()
    if not found.loaded:
        raise RuntimeError(f"{operation} needs the compiled op: {found.reason}.")
    run = {
        "FlattenAddNoise": found.ops.flatnoise_flatten_add_noise,
        "FlattenMultiplyNoise": found.ops.flatnoise_flatten_multiply_noise,
    }[operation]
    input = tf.convert_to_tensor(input)
    parameter_dtype = compute_dtype(input.dtype)
    return run(
        input=input,
        seed=seed,
        loc=tf.convert_to_tensor(loc, parameter_dtype),
        scale=tf.convert_to_tensor(scale, parameter_dtype),
        offset=tf.convert_to_tensor(offset, tf.int64),
        distribution=distribution,
        flatten=flatten,
        name=name,
    )
