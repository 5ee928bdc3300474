"""Noise definitions for the functions, layers, NumPy API, fallback and gradients.

A noise is a distribution of numbers z and a combination, which defines how z and the noise's
parameters change an element. To add a noise, add a row here, a public function and a layer. The
formulas work on both tensors and arrays. They use only operators and functions that NumPy and
TensorFlow (passed as `xp`) share by name.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from flatnoise._src.errors import invalid_values, listed

__all__ = [
    "ADD_GUMBEL",
    "ADD_LAPLACE",
    "ADD_LOGISTIC",
    "ADD_NORMAL",
    "ADD_TRUNCATED_NORMAL",
    "ADD_UNIFORM",
    "ALPHA_DROPOUT",
    "COMBINATIONS",
    "DIFFUSE",
    "DISTRIBUTIONS",
    "DROPOUT",
    "KINDS",
    "MASK",
    "MULTIPLY_NORMAL",
    "NOISES",
    "SALT_AND_PEPPER",
    "Combination",
    "Distribution",
    "Noise",
    "OpParameter",
    "Parameter",
    "Rule",
    "distributions_of",
    "op_parameter_texts",
]


@dataclasses.dataclass(frozen=True)
class Distribution:
    """A distribution of z, with its user-facing names for the op's `loc` and `scale`."""

    name: str
    loc: str
    scale: str


DISTRIBUTIONS = {
    distribution.name: distribution
    for distribution in (
        Distribution("normal", "mean", "stddev"),
        Distribution("uniform", "minval", "maxval - minval"),
        Distribution("laplace", "loc", "scale"),
        Distribution("gumbel", "loc", "scale"),
        Distribution("logistic", "loc", "scale"),
        Distribution("truncated_normal", "mean", "stddev"),
    )
}


@dataclasses.dataclass(frozen=True)
class OpParameter:
    """A parameter of the op: its name, and the condition that `validate_args` checks, if any.

    If `is_of_distribution` is set, `Distribution` has its user-facing name.
    """

    name: str
    expected: str | None = None
    holds: Callable[[Any], Any] | None = None
    is_of_distribution: bool = False


@dataclasses.dataclass(frozen=True)
class Combination:
    """Defines how z and the op's parameters change an element.

    `combine` takes `xp`, x, z, a sequence of the op's parameters, and a function that forces the
    rounding of its argument.

    All combinations are linear in x. With `input_grad_parameters`, applying the op to the output's
    gradient gives the input's gradient. With `input_factor`, the input's gradient is the output's
    gradient times the parameter at that index. Without either, the two gradients are equal.

    If the output is linear in the parameters, the gradient op computes their gradients, which are
    sums of the `parameter_terms` of the output's gradient, x and z. Otherwise, `replaced_grads`
    maps the index of each differentiable parameter to a function of the output's gradient, x and
    the parameters. The function returns the input and parameters for which the op computes the
    terms of the parameter's gradient.
    """

    name: str
    parameters: tuple[OpParameter, ...]
    combine: Callable[..., Any]
    input_grad_parameters: Callable[[Sequence[Any]], Sequence[Any]] | None = None
    input_factor: int | None = None
    parameter_grads_need_input: bool = False
    parameter_terms: Callable[[Any, Any, Any], Sequence[Any]] | None = None
    replaced_grads: dict[int, Callable[..., tuple[Any, Sequence[Any]]]] | None = dataclasses.field(
        default=None, hash=False
    )

    @property
    def is_linear(self) -> bool:
        """Whether the output is linear in the parameters."""
        return self.replaced_grads is None


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A user-facing parameter of a noise's function."""

    name: str
    default: float
    meaning: str
    must_be_finite: bool = True
    is_differentiable: bool = True


@dataclasses.dataclass(frozen=True)
class Rule:
    """A condition on parameters, and the text for errors if it doesn't hold."""

    parameters: tuple[str, ...]
    expected: str
    holds: Callable[..., Any]


def _unchanged(_xp: Any, *parameters: Any) -> tuple[Any, ...]:
    return parameters


def _are_true(held: Any) -> bool:
    # np.all takes as long as the rest of a check.
    return bool(held) if isinstance(held, (bool, np.bool_)) else bool(np.all(held))


@dataclasses.dataclass(frozen=True)
class Noise:
    """A distribution and a combination, with user-facing parameters."""

    name: str
    distribution: str
    combination: Combination
    parameters: tuple[Parameter, ...]
    rules: tuple[Rule, ...] = ()
    # Layers warn if their parameters violate these, because that is likely a mistake.
    expectations: tuple[Rule, ...] = ()
    # Maps `xp` and the parameters to the op's parameters.
    to_op: Callable[..., tuple[Any, ...]] = _unchanged
    # Whether `to_op` takes float64 numbers and its results are rounded. Otherwise, the numbers are
    # rounded first, as TensorFlow does for uniform noise.
    rounds_last: bool = False
    # The name in `flatnoise.layers.AddNoise`.
    noise_type: str | None = None

    @property
    def function(self) -> str:
        """The name of the noise's function in `flatnoise` and `flatnoise.numpy`."""
        return f"flatten_{self.name}"

    @property
    def passes_parameters(self) -> bool:
        """Whether the user's parameters are passed to the op unchanged."""
        return self.to_op is _unchanged

    def array_dtype(self, dtype: Any) -> Any:
        """The dtype of numbers and arrays for `to_op` if the op's parameters have `dtype`."""
        return np.float64 if self.rounds_last else dtype

    def check(self, given: Sequence[Any], converted: Sequence[Any]) -> None:
        """Raises ValueError unless the parameters satisfy the noise's rules.

        Args:
            given: The parameters as the user passed them, for the error message.
            converted: The parameters as numbers or arrays, or None if unknown.
        """
        for rule, shown in self._broken(self.rules, given, converted):
            raise invalid_values(rule.expected, shown)

    def surprises(self, values: Sequence[Any]) -> list[str]:
        """The warnings for valid but suspicious parameters."""
        return [
            f"Expected {rule.expected}. Received: {listed(shown)}"
            for rule, shown in self._broken(self.expectations, values, values)
        ]

    def _broken(
        self, rules: Iterable[Rule], given: Sequence[Any], converted: Sequence[Any]
    ) -> Iterator[tuple[Rule, dict[str, Any]]]:
        for rule in rules:
            places = [self._place(name) for name in rule.parameters]
            values = [converted[place] for place in places]
            if any(value is None for value in values) or _are_true(rule.holds(*values)):
                continue
            shown = {self.parameters[place].name: given[place] for place in places}
            yield rule, shown

    def _place(self, name: str) -> int:
        return [parameter.name for parameter in self.parameters].index(name)


def _is_finite(value: Any) -> Any:
    return abs(value) < math.inf


def _is_scale(value: Any) -> Any:
    return (value >= 0) & (value < math.inf)


def _is_probability(value: Any) -> Any:
    return (value >= 0) & (value <= 1)


# The identity. The shift is -0, because adding +0 would turn -0 into +0.
_AS_IT_IS = (1.0, -0.0)


def _add(_xp: Any, x: Any, z: Any, parameters: Sequence[Any], rounded: Callable[[Any], Any]) -> Any:
    loc, scale = parameters
    return x + rounded(loc + scale * z)


def _multiply(
    _xp: Any, x: Any, z: Any, parameters: Sequence[Any], rounded: Callable[[Any], Any]
) -> Any:
    loc, scale = parameters
    return x * rounded(loc + scale * z)


def _diffuse(
    _xp: Any, x: Any, z: Any, parameters: Sequence[Any], rounded: Callable[[Any], Any]
) -> Any:
    signal_rate, noise_rate = parameters
    return rounded(signal_rate * x) + rounded(noise_rate * z)


def _mask(xp: Any, x: Any, z: Any, parameters: Sequence[Any], rounded: Callable[[Any], Any]) -> Any:
    rate, value, scale, shift = parameters
    return xp.where(z < rate, value, rounded(scale * x) + shift)


def _salt_and_pepper(
    xp: Any, x: Any, z: Any, parameters: Sequence[Any], rounded: Callable[[Any], Any]
) -> Any:
    amount, salt_vs_pepper, salt, pepper = parameters
    salted = xp.where(z < 1 - rounded(amount * salt_vs_pepper), x, salt)
    return xp.where(z < amount * (1 - salt_vs_pepper), pepper, salted)


_LOC_AND_SCALE = (
    OpParameter("loc", "finite", _is_finite, is_of_distribution=True),
    OpParameter("scale", "finite and not negative", _is_scale, is_of_distribution=True),
)

ADD = Combination(
    name="add",
    parameters=_LOC_AND_SCALE,
    combine=_add,
    parameter_terms=lambda g, x, z: (g, g * z),
)
MULTIPLY = Combination(
    name="multiply",
    parameters=_LOC_AND_SCALE,
    combine=_multiply,
    parameter_terms=lambda g, x, z: (g * x, g * x * z),
    input_grad_parameters=lambda parameters: parameters,
    parameter_grads_need_input=True,
)
MIX = Combination(
    name="diffuse",
    parameters=(
        OpParameter("signal_rate", "finite", _is_finite),
        OpParameter("noise_rate", "finite", _is_finite),
    ),
    combine=_diffuse,
    parameter_terms=lambda g, x, z: (g * x, g * z),
    input_factor=0,
    parameter_grads_need_input=True,
)
REPLACE_BELOW = Combination(
    name="mask",
    parameters=(
        OpParameter("rate", "from 0 to 1", _is_probability),
        OpParameter("value"),
        OpParameter("scale"),
        OpParameter("shift"),
    ),
    combine=_mask,
    input_grad_parameters=lambda p: (p[0], 0.0, p[2], -0.0),
    replaced_grads={
        1: lambda grad, x, p: (0.0, (p[0], grad, *_AS_IT_IS)),
        2: lambda grad, x, p: (grad, (p[0], 0.0, x, -0.0)),
        3: lambda grad, x, p: (grad, (p[0], 0.0, *_AS_IT_IS)),
    },
)
REPLACE_ENDS = Combination(
    name="salt_and_pepper",
    parameters=(
        OpParameter("amount", "from 0 to 1", _is_probability),
        OpParameter("salt_vs_pepper", "from 0 to 1", _is_probability),
        OpParameter("salt"),
        OpParameter("pepper"),
    ),
    combine=_salt_and_pepper,
    input_grad_parameters=lambda p: (p[0], p[1], 0.0, 0.0),
    replaced_grads={
        2: lambda grad, x, p: (0.0, (p[0], p[1], grad, 0.0)),
        3: lambda grad, x, p: (0.0, (p[0], p[1], 0.0, grad)),
    },
)
COMBINATIONS = {
    combination.name: combination
    for combination in (ADD, MULTIPLY, REPLACE_BELOW, REPLACE_ENDS, MIX)
}


def _scale_rule(name: str) -> Rule:
    return Rule((name,), "a number that is not negative", lambda scale: scale >= 0)


def _loc_and_scale(meaning_of_scale: str) -> tuple[Parameter, ...]:
    return (
        Parameter("loc", 0.0, "the location of the noise"),
        Parameter("scale", 1.0, meaning_of_scale),
    )


def _probability_rule(name: str) -> Rule:
    return Rule((name,), "a number from 0 to 1", _is_probability)


def _rate(default: float) -> Parameter:
    meaning = "the probability that an element is replaced"
    return Parameter("rate", default, meaning, is_differentiable=False)


def _range(_xp: Any, minval: Any, maxval: Any) -> tuple[Any, ...]:
    with np.errstate(over="ignore"):  # overflows to infinity, which the rule rejects
        return minval, maxval - minval


def _is_range(minval: Any, maxval: Any) -> Any:
    with np.errstate(over="ignore"):
        return _is_scale(maxval - minval)


_TINY = float(np.finfo(np.float32).tiny)


def _inverse_of_kept(xp: Any, rate: Any) -> Any:
    """1 / (1 - rate), or 0 for a rate of 1."""
    if isinstance(rate, float):
        return 1 / (1 - rate) if rate < 1 else 0.0
    # Not a literal 1: graph optimization would rewrite 1 / x as a reciprocal, which rounds
    # differently.
    one_or_zero = xp.where(rate < 1, xp.ones_like(rate), 0.0)
    return one_or_zero / xp.maximum(1 - rate, _TINY)


def _dropout(xp: Any, rate: Any) -> tuple[Any, ...]:
    return rate, 0.0, _inverse_of_kept(xp, rate), -0.0


# The negative limit of SELU (Klambauer et al., "Self-Normalizing Neural Networks", 2017).
_SELU_LIMIT = -1.6732632423543772 * 1.0507009873554805


def _alpha_dropout(xp: Any, rate: Any) -> tuple[Any, ...]:
    """Replaces elements by the limit of SELU and restores mean 0 and variance 1.

    Written so that every mode of TensorFlow gives bit-identical results. It uses square roots and
    quotients, which are correctly rounded everywhere. It avoids quotients 1 / x, which graphs
    replace by an approximate reciprocal, and sums of products, which XLA fuses.
    """
    kept = 1 - rate
    of_dropped = xp.maximum(rate * _SELU_LIMIT**2, 0)
    variance = xp.maximum(kept * (1 + of_dropped), _TINY)
    scale = xp.sqrt(variance) / variance
    limit = scale * _SELU_LIMIT
    # A rate of 1 makes the scale infinite. The op accepts the rate 1 but rejects NaN.
    checked = xp.where(rate < 1, rate, math.nan)
    return checked, limit * kept, scale, -limit * rate


def _masking(_xp: Any, rate: Any, value: Any) -> tuple[Any, ...]:
    return rate, value, *_AS_IT_IS


ADD_NORMAL = Noise(
    name="add_normal",
    distribution="normal",
    combination=ADD,
    parameters=(
        Parameter("mean", 0.0, "the mean of the noise"),
        Parameter("stddev", 1.0, "the standard deviation of the noise"),
    ),
    rules=(_scale_rule("stddev"),),
    noise_type="gaussian",
)
ADD_UNIFORM = Noise(
    name="add_uniform",
    distribution="uniform",
    combination=ADD,
    parameters=(
        Parameter("minval", 0.0, "the least noise"),
        Parameter("maxval", 1.0, "the bound that the noise stays below"),
    ),
    rules=(
        Rule(("minval", "maxval"), "minval <= maxval, and a difference that is finite", _is_range),
    ),
    expectations=(
        Rule(
            ("minval", "maxval"),
            "minval < maxval, as otherwise the same constant is added to every element",
            lambda minval, maxval: (minval < maxval) | (minval == 0),
        ),
    ),
    to_op=_range,
    noise_type="uniform",
)
ADD_LAPLACE = Noise(
    name="add_laplace",
    distribution="laplace",
    combination=ADD,
    parameters=_loc_and_scale("the mean distance of the noise from `loc`"),
    rules=(_scale_rule("scale"),),
    noise_type="laplace",
)
ADD_GUMBEL = Noise(
    name="add_gumbel",
    distribution="gumbel",
    combination=ADD,
    parameters=_loc_and_scale("the scale of the noise"),
    rules=(_scale_rule("scale"),),
    noise_type="gumbel",
)
ADD_LOGISTIC = Noise(
    name="add_logistic",
    distribution="logistic",
    combination=ADD,
    parameters=_loc_and_scale("the scale of the noise"),
    rules=(_scale_rule("scale"),),
    noise_type="logistic",
)
ADD_TRUNCATED_NORMAL = Noise(
    name="add_truncated_normal",
    distribution="truncated_normal",
    combination=ADD,
    parameters=(
        Parameter("mean", 0.0, "the mean of the noise"),
        Parameter("stddev", 1.0, "the standard deviation before the tails are cut"),
    ),
    rules=(_scale_rule("stddev"),),
    noise_type="truncated_gaussian",
)
MULTIPLY_NORMAL = Noise(
    name="multiply_normal",
    distribution="normal",
    combination=MULTIPLY,
    parameters=(
        Parameter("mean", 1.0, "the mean of the factors"),
        Parameter("stddev", 1.0, "the standard deviation of the factors"),
    ),
    rules=(_scale_rule("stddev"),),
    noise_type="speckle",
)
DROPOUT = Noise(
    name="dropout",
    distribution="uniform",
    combination=REPLACE_BELOW,
    parameters=(_rate(0.5),),
    rules=(_probability_rule("rate"),),
    to_op=_dropout,
    rounds_last=True,
)
ALPHA_DROPOUT = Noise(
    name="alpha_dropout",
    distribution="uniform",
    combination=REPLACE_BELOW,
    parameters=(_rate(0.5),),
    rules=(
        Rule(
            ("rate",),
            "a number from 0 to 1 that is less than 1",
            lambda rate: (rate >= 0) & (rate < 1),
        ),
    ),
    to_op=_alpha_dropout,
    rounds_last=True,
)
MASK = Noise(
    name="mask",
    distribution="uniform",
    combination=REPLACE_BELOW,
    parameters=(
        _rate(0.5),
        Parameter("value", 0.0, "what is put in", must_be_finite=False),
    ),
    rules=(_probability_rule("rate"),),
    to_op=_masking,
    noise_type="masking",
)
SALT_AND_PEPPER = Noise(
    name="salt_and_pepper",
    distribution="uniform",
    combination=REPLACE_ENDS,
    parameters=(
        Parameter(
            "amount", 0.05, "the probability that an element is replaced", is_differentiable=False
        ),
        Parameter(
            "salt_vs_pepper", 0.5, "the share of salt in what is replaced", is_differentiable=False
        ),
        Parameter("salt", 1.0, "the value of salt", must_be_finite=False),
        Parameter("pepper", 0.0, "the value of pepper", must_be_finite=False),
    ),
    rules=(_probability_rule("amount"), _probability_rule("salt_vs_pepper")),
    noise_type="salt_and_pepper",
)
DIFFUSE = Noise(
    name="diffuse",
    distribution="normal",
    combination=MIX,
    parameters=(
        Parameter("signal_rate", 1.0, "what the inputs are multiplied by"),
        Parameter("noise_rate", 1.0, "the standard deviation of the noise"),
    ),
)
# The noises with a `flatten_...` function.
NOISES = (
    ADD_NORMAL,
    ADD_UNIFORM,
    ADD_LAPLACE,
    ADD_GUMBEL,
    ADD_LOGISTIC,
    ADD_TRUNCATED_NORMAL,
    MULTIPLY_NORMAL,
    DROPOUT,
    ALPHA_DROPOUT,
    MASK,
    SALT_AND_PEPPER,
)
# The (distribution, combination) pairs that the op is compiled for, linear combinations first.
KINDS = tuple(
    dict.fromkeys(
        (noise.distribution, noise.combination.name)
        for noise in sorted((*NOISES, DIFFUSE), key=lambda noise: not noise.combination.is_linear)
    )
)


def distributions_of(combination: str) -> list[str]:
    """The distributions of the noises with this combination."""
    return [distribution for distribution, name in KINDS if name == combination]


def op_parameter_texts(distribution: str, combination: Combination) -> list[str]:
    """The names of the parameters in the op's errors, with the user-facing name if it differs."""
    names = DISTRIBUTIONS[distribution]
    texts = []
    for parameter in combination.parameters:
        name = parameter.name
        own = getattr(names, name) if parameter.is_of_distribution else name
        texts.append(own if own == name else f"{own} ({name})")
    return texts
