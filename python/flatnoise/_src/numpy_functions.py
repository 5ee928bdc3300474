"""The functions of `flatnoise.numpy`."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from flatnoise._src import arrays, broadcasting, noises
from flatnoise._src.broadcasting import Output
from flatnoise._src.compiled import load_core
from flatnoise._src.errors import check_choice, invalid_value
from flatnoise._src.export import export
from flatnoise._src.noises import Combination, Noise

__all__ = [
    "flatten_add_gumbel",
    "flatten_add_laplace",
    "flatten_add_logistic",
    "flatten_add_normal",
    "flatten_add_truncated_normal",
    "flatten_add_uniform",
    "flatten_alpha_dropout",
    "flatten_dropout",
    "flatten_mask",
    "flatten_multiply_normal",
    "flatten_noise",
    "flatten_noise_grad",
    "flatten_salt_and_pepper",
    "philox4x32",
    "random_words",
]

_DTYPES = ("float16", "bfloat16", "float32", "float64")
_MOST_BLOCKS = 2**48
_ALL_BLOCKS = 2**64
_UINT32 = np.iinfo(np.uint32)

Array = npt.NDArray[Any]


@export("flatnoise.numpy")
def flatten_add_normal(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    mean: npt.ArrayLike = 0.0,
    stddev: npt.ArrayLike = 1.0,
    *,
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Flatten an array to `[batch, features]` and add normally distributed noise.

    Works like `flatnoise.flatten_add_normal`, on a NumPy array.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        mean: The mean of the noise, in the units of `inputs`: a finite number, or an array that
            broadcasts to the output's shape.
        stddev: The standard deviation of the noise, at least 0. Otherwise like `mean`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    return _checked(
        noises.ADD_NORMAL,
        inputs,
        seed,
        (mean, stddev),
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_add_uniform(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    minval: npt.ArrayLike = 0.0,
    maxval: npt.ArrayLike = 1.0,
    *,
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Flatten an array to `[batch, features]` and add uniformly distributed noise.

    Works like `flatnoise.flatten_add_uniform`, on a NumPy array.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        minval: The lower bound of the noise, in the units of `inputs`: a finite number, or an array
            that broadcasts to the output's shape.
        maxval: The upper bound of the noise, exclusive before rounding, at least `minval`.
            Otherwise like `minval`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    return _checked(
        noises.ADD_UNIFORM,
        inputs,
        seed,
        (minval, maxval),
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_multiply_normal(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    mean: npt.ArrayLike = 1.0,
    stddev: npt.ArrayLike = 1.0,
    *,
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Flatten an array to `[batch, features]` and multiply it by normally distributed noise.

    Works like `flatnoise.flatten_multiply_normal`, on a NumPy array.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        mean: The mean of the factors: a finite number, or an array that broadcasts to the output's
            shape.
        stddev: The standard deviation of the factors, at least 0. Otherwise like `mean`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    return _checked(
        noises.MULTIPLY_NORMAL,
        inputs,
        seed,
        (mean, stddev),
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_add_laplace(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    loc: npt.ArrayLike = 0.0,
    scale: npt.ArrayLike = 1.0,
    *,
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Flatten an array to `[batch, features]` and add Laplace noise.

    Works like `flatnoise.flatten_add_laplace`, on a NumPy array.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        loc: The location of the noise, in the units of `inputs`: a finite number, or an array that
            broadcasts to the output's shape.
        scale: The scale of the noise, at least 0. Otherwise like `loc`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    return _checked(
        noises.ADD_LAPLACE,
        inputs,
        seed,
        (loc, scale),
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_add_gumbel(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    loc: npt.ArrayLike = 0.0,
    scale: npt.ArrayLike = 1.0,
    *,
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Flatten an array to `[batch, features]` and add Gumbel noise.

    Works like `flatnoise.flatten_add_gumbel`, on a NumPy array.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        loc: The location of the noise, in the units of `inputs`: a finite number, or an array that
            broadcasts to the output's shape.
        scale: The scale of the noise, at least 0. Otherwise like `loc`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    return _checked(
        noises.ADD_GUMBEL,
        inputs,
        seed,
        (loc, scale),
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_add_logistic(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    loc: npt.ArrayLike = 0.0,
    scale: npt.ArrayLike = 1.0,
    *,
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Flatten an array to `[batch, features]` and add logistic noise.

    Works like `flatnoise.flatten_add_logistic`, on a NumPy array.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        loc: The location of the noise, in the units of `inputs`: a finite number, or an array that
            broadcasts to the output's shape.
        scale: The scale of the noise, at least 0. Otherwise like `loc`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    return _checked(
        noises.ADD_LOGISTIC,
        inputs,
        seed,
        (loc, scale),
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_add_truncated_normal(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    mean: npt.ArrayLike = 0.0,
    stddev: npt.ArrayLike = 1.0,
    *,
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Flatten an array to `[batch, features]` and add truncated normal noise.

    Works like `flatnoise.flatten_add_truncated_normal`, on a NumPy array.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        mean: The mean of the noise, in the units of `inputs`: a finite number, or an array that
            broadcasts to the output's shape.
        stddev: The standard deviation of the noise before truncation, at least 0. Otherwise like
            `mean`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    return _checked(
        noises.ADD_TRUNCATED_NORMAL,
        inputs,
        seed,
        (mean, stddev),
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_dropout(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    rate: npt.ArrayLike = 0.5,
    *,
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Flatten an array to `[batch, features]` and drop elements at random.

    Works like `flatnoise.flatten_dropout`, on a NumPy array.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        rate: The probability that an element is replaced: a number from 0 to 1, or an array that
            broadcasts to the output's shape.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    return _checked(
        noises.DROPOUT,
        inputs,
        seed,
        (rate,),
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_alpha_dropout(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    rate: npt.ArrayLike = 0.5,
    *,
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Flatten an array to `[batch, features]` and apply alpha dropout.

    Works like `flatnoise.flatten_alpha_dropout`, on a NumPy array.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        rate: The probability that an element is replaced: a number from 0 to 1, exclusive of 1, or
            an array that broadcasts to the output's shape.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    return _checked(
        noises.ALPHA_DROPOUT,
        inputs,
        seed,
        (rate,),
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_mask(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    rate: npt.ArrayLike = 0.5,
    value: npt.ArrayLike = 0.0,
    *,
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Flatten an array to `[batch, features]` and replace random elements with a value.

    Works like `flatnoise.flatten_mask`, on a NumPy array.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        rate: The probability that an element is replaced: a number from 0 to 1, or an array that
            broadcasts to the output's shape.
        value: The replacement value: a number, or an array that broadcasts to the output's shape.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    return _checked(
        noises.MASK,
        inputs,
        seed,
        (rate, value),
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_salt_and_pepper(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    amount: npt.ArrayLike = 0.05,
    salt_vs_pepper: npt.ArrayLike = 0.5,
    salt: npt.ArrayLike = 1.0,
    pepper: npt.ArrayLike = 0.0,
    *,
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Flatten an array to `[batch, features]` and apply salt-and-pepper noise.

    Works like `flatnoise.flatten_salt_and_pepper`, on a NumPy array.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        amount: The probability that an element is replaced: a number from 0 to 1, or an array that
            broadcasts to the output's shape.
        salt_vs_pepper: The proportion of salt among the replaced elements, from 0 to 1. Otherwise
            like `amount`.
        salt: The value of salt: a number, or an array that broadcasts to the output's shape.
        pepper: The value of pepper. Otherwise like `salt`.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    return _checked(
        noises.SALT_AND_PEPPER,
        inputs,
        seed,
        (amount, salt_vs_pepper, salt, pepper),
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_noise(
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    parameters: Sequence[npt.ArrayLike],
    *,
    distribution: str = "normal",
    combination: str = "add",
    flatten: bool = True,
    offset: int = 0,
    instruction_set: str | None = None,
) -> Array:
    """Combine an array with noise, like `flatnoise.raw_ops.FlattenNoise`.

    Each element is combined with a number z drawn from the distribution. The combinations, with
    their parameters in order, are:

    - `"add"` (`loc`, `scale`): `inputs + (loc + scale * z)`.
    - `"multiply"` (`loc`, `scale`): `inputs * (loc + scale * z)`. Only for `"normal"`.
    - `"diffuse"` (`signal_rate`, `noise_rate`): `signal_rate * inputs + noise_rate * z`. Only for
      `"normal"`.
    - `"mask"` (`rate`, `value`, `scale`, `shift`): `value` where `z < rate`, else
      `scale * inputs + shift`. Only for `"uniform"`. A `shift` of -0 leaves the product unchanged.
    - `"salt_and_pepper"` (`amount`, `salt_vs_pepper`, `salt`, `pepper`): `pepper` where
      `z < amount * (1 - salt_vs_pepper)`, `salt` where `z >= 1 - amount * salt_vs_pepper`, else
      `inputs`. Only for `"uniform"`.

    Args:
        inputs: A float16, bfloat16, float32 or float64 array of rank 1 or more. Axis 0 is the
            batch.
        seed: An integer or two integers. `42` means `[42, 0]`.
        parameters: The combination's parameters: numbers, or arrays that broadcast to the output's
            shape. Their values aren't checked.
        distribution: The distribution of z: `"normal"` (mean 0, variance 1), `"uniform"` (on
            [0, 1)), `"laplace"` (density `exp(-abs(z)) / 2`), `"gumbel"` (distribution function
            `exp(-exp(-z))`), `"logistic"` (`1 / (1 + exp(-z))`) or `"truncated_normal"` (the
            standard normal truncated to [-2, 2]).
        combination: How z and the parameters change an element, one of the above.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        An array of the dtype of `inputs`. Its shape is `[batch, features]` if `flatten` is `True`,
        else the shape of `inputs`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    array = _float_array("inputs", inputs)
    kind = _combination(combination, parameters)
    output = Output(array.shape, flatten)
    dtype = _compute_dtype(array)
    values = [
        arrays.real_parameter(parameter.name, value, dtype, output, finite=False)
        for parameter, value in zip(kind.parameters, parameters, strict=True)
    ]
    return _run(
        array,
        values,
        seed=seed,
        distribution=distribution,
        combination=combination,
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


@export("flatnoise.numpy")
def flatten_noise_grad(
    grad: npt.ArrayLike,
    seed: int | Sequence[int],
    parameters: Sequence[npt.ArrayLike],
    inputs: npt.ArrayLike | None = None,
    *,
    distribution: str = "normal",
    combination: str = "add",
    offset: int = 0,
    instruction_set: str | None = None,
) -> list[Array]:
    """Compute the gradients of `flatten_noise` with respect to its parameters.

    For the combination `"add"`, the terms are `grad` and `grad * z`. For `"multiply"`, each is also
    multiplied by the element of `inputs`. For `"diffuse"`, the terms are `grad * inputs` and
    `grad * z`. The terms are summed over the broadcast dimensions. The other combinations aren't
    linear in their parameters and have no such gradients.

    Args:
        grad: The gradient with respect to the output, of the output's shape.
        seed: An integer or two integers. `42` means `[42, 0]`.
        parameters: The parameters of `flatten_noise`. Only their shapes are used.
        inputs: The inputs of `flatten_noise`, of the dtype of `grad` and of any shape with as many
            elements. The combination `"add"` doesn't read them.
        distribution: The distribution of z: `"normal"` (mean 0, variance 1), `"uniform"` (on
            [0, 1)), `"laplace"` (density `exp(-abs(z)) / 2`), `"gumbel"` (distribution function
            `exp(-exp(-z))`), `"logistic"` (`1 / (1 + exp(-z))`) or `"truncated_normal"` (the
            standard normal truncated to [-2, 2]).
        combination: How z and the parameters change an element, one of the above.
        offset: The first element of the stream to use, an integer from 0 to 2**63 - 1. With
            `offset = r * features`, the rows of a batch from row `r` on get the same noise as in a
            call on the full batch.
        instruction_set: One of `flatnoise.build_info()["instruction_sets"]`, or `None` for the
            default. All instruction sets give bit-identical results.

    Returns:
        A list of arrays with the shapes of `parameters`: float64 if `grad` is float64, else
        float32.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    array = _float_array("grad", grad)
    linear = [name for name, kind in noises.COMBINATIONS.items() if kind.is_linear]
    check_choice("combination", combination, linear)
    kind = _combination(combination, parameters)
    dtype = _compute_dtype(array)
    output = Output(array.shape)
    shapes = [
        arrays.real_parameter(parameter.name, value, dtype, output, finite=False).shape
        for parameter, value in zip(kind.parameters, parameters, strict=True)
    ]
    expanded = [np.empty(_one_run_shape(shape, array.shape), dtype) for shape in shapes]
    load_core().flatten_noise_grad(
        array,
        _inputs_of_gradient(kind, inputs, array),
        expanded,
        **_stream(seed, offset, distribution, combination, instruction_set),
    )
    return [_summed_to(shape, sums) for shape, sums in zip(shapes, expanded, strict=True)]


@export("flatnoise.numpy")
def random_words(
    seed: int | Sequence[int], blocks: int, first_block: int = 0
) -> npt.NDArray[np.uint32]:
    """Return blocks of random words from a seed's stream.

    Args:
        seed: An integer or two integers. `42` means `[42, 0]`.
        blocks: The number of blocks, from 0 to 2**48.
        first_block: The first block, from 0 to 2**64 - blocks. Float32 noise uses its words for
            number `4 * first_block` and the next three, float64 noise for number `2 * first_block`
            and the next.

    Returns:
        A uint32 array of shape `[blocks, 4]`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    count = arrays.exact_integer(blocks)
    if count is None or not 0 <= count <= _MOST_BLOCKS:
        raise invalid_value("blocks", "an integer from 0 to 2**48", repr(blocks))
    first = arrays.exact_integer(first_block)
    if first is None or not 0 <= first <= _ALL_BLOCKS - count:
        expected = "an integer from 0 to 2**64 - blocks"
        raise invalid_value("first_block", expected, repr(first_block))
    words: Array = load_core().random_words(arrays.integer_pair(seed), count, first)
    return words


@export("flatnoise.numpy")
def philox4x32(counter: npt.ArrayLike, key: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """Apply ten rounds of Philox4x32 to each counter.

    Args:
        counter: Integers from 0 to 2**32 - 1, of shape `[n, 4]`.
        key: Integers from 0 to 2**32 - 1, of shape `[n, 2]`.

    Returns:
        A uint32 array of shape `[n, 4]`.

    Raises:
        ValueError: If an argument is invalid. The message names it.
    """
    counters, keys = _words("counter", counter), _words("key", key)
    if counters.ndim != 2 or counters.shape[1] != 4:
        raise invalid_value("counter", "words of shape [n, 4]", arrays.describe(counter))
    if keys.shape != (len(counters), 2):
        expected = f"words of shape [{len(counters)}, 2], a key for each counter"
        raise invalid_value("key", expected, arrays.describe(key))
    words: Array = load_core().philox4x32(counters, keys)
    return words


def _checked(
    noise: Noise,
    inputs: npt.ArrayLike,
    seed: int | Sequence[int],
    values: Sequence[npt.ArrayLike],
    *,
    flatten: bool,
    offset: int,
    instruction_set: str | None,
) -> Array:
    array = _float_array("inputs", inputs)
    output = Output(array.shape, flatten)
    dtype = _compute_dtype(array)
    array_dtype = noise.array_dtype(dtype)
    converted = [
        arrays.real_parameter(parameter.name, value, array_dtype, output, parameter.must_be_finite)
        for parameter, value in zip(noise.parameters, values, strict=True)
    ]
    noise.check(values, converted)
    parameters = [np.asarray(each, dtype) for each in noise.to_op(np, *converted)]
    return _run(
        array,
        parameters,
        seed=seed,
        distribution=noise.distribution,
        combination=noise.combination.name,
        flatten=flatten,
        offset=offset,
        instruction_set=instruction_set,
    )


def _run(
    array: Array,
    parameters: Sequence[Any],
    *,
    seed: int | Sequence[int],
    distribution: str,
    combination: str,
    flatten: bool,
    offset: int,
    instruction_set: str | None,
) -> Array:
    output = np.empty(_output_shape(array, flatten), array.dtype)
    load_core().flatten_noise(
        array,
        output,
        parameters=[_as_one_run(np.asarray(each), output.shape) for each in parameters],
        **_stream(seed, offset, distribution, combination, instruction_set),
    )
    return output


def _stream(
    seed: int | Sequence[int],
    offset: int,
    distribution: str,
    combination: str,
    instruction_set: str | None,
) -> dict[str, Any]:
    check_choice("distribution", distribution, noises.distributions_of(combination))
    if instruction_set is not None:
        known = load_core().build_info()["instruction_sets"]
        check_choice("instruction_set", instruction_set, known)
    return {
        "seed": arrays.integer_pair(seed),
        "offset": arrays.integer_offset(offset),
        "distribution": distribution,
        "combination": combination,
        "instruction_set": instruction_set,
    }


def _combination(name: str, parameters: Sequence[npt.ArrayLike]) -> Combination:
    check_choice("combination", name, noises.COMBINATIONS)
    kind = noises.COMBINATIONS[name]
    if not isinstance(parameters, (list, tuple)) or len(parameters) != len(kind.parameters):
        names = ", ".join(parameter.name for parameter in kind.parameters)
        raise invalid_value("parameters", f"a list of {names}", arrays.describe(parameters))
    return kind


def _native_array(argument: str, value: npt.ArrayLike) -> Array:
    """A contiguous array in native byte order."""
    try:
        array = np.asarray(value, order="C")
    except ValueError as error:  # ragged nested lists
        raise invalid_value(argument, "an array", arrays.describe(value)) from error
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _float_array(argument: str, value: npt.ArrayLike) -> Array:
    array = _native_array(argument, value)
    if array.dtype.name not in _DTYPES or array.ndim == 0:
        expected = "a float16, bfloat16, float32 or float64 array of rank 1 or more"
        received = f"an array of {array.dtype.name} of shape {array.shape}"
        raise invalid_value(argument, expected, received)
    return array


def _words(argument: str, value: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    array = _native_array(argument, value)
    is_integer = array.dtype.kind in "iu"
    if not is_integer or not ((array >= 0) & (array <= _UINT32.max)).all():
        raise invalid_value(argument, "integers from 0 to 2**32 - 1", arrays.describe(value))
    words: Array = array.astype(np.uint32)
    return words


def _compute_dtype(array: Array) -> Any:
    return np.float64 if array.dtype == np.float64 else np.float32


def _output_shape(array: Array, flatten: bool) -> tuple[int, ...]:
    return (len(array), math.prod(array.shape[1:])) if flatten else array.shape


def _one_run_shape(shape: tuple[int, ...], output: tuple[int, ...]) -> Any:
    if broadcasting.is_one_run(shape, output):
        return shape
    return broadcasting.one_run_shape(shape, output)


def _as_one_run(parameter: Array, output: tuple[int, ...]) -> Array:
    shape = _one_run_shape(parameter.shape, output)
    expanded: Array = np.ascontiguousarray(np.broadcast_to(parameter, shape)).reshape(shape)
    return expanded


def _inputs_of_gradient(kind: Combination, inputs: npt.ArrayLike | None, grad: Array) -> Array:
    if not kind.parameter_grads_need_input:
        return grad
    expected = f"an array of {grad.size} elements of {grad.dtype.name}, as `grad` is"
    if inputs is None:
        raise invalid_value("inputs", expected, "None")
    array = _float_array("inputs", inputs)
    if array.dtype != grad.dtype or array.size != grad.size:
        received = f"an array of {array.dtype.name} of shape {array.shape}"
        raise invalid_value("inputs", expected, received)
    return array


def _summed_to(shape: tuple[int, ...], sums: Array) -> Array:
    axes = broadcasting.expanded_axes(shape, sums.shape)
    if not axes:
        return sums
    summed: Array = sums.sum(axes, dtype=np.float64).astype(sums.dtype).reshape(shape)
    return summed
