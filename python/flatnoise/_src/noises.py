"""The noises: what functions, layers, the NumPy API, the fallback and gradients are made from.

A noise is a distribution of numbers z and a combination, which is how z and the noise's parameters
change an element. A new noise is a row here, its public function and its layer. The formulas take
tensors and arrays alike: they use operators, and what `xp`, which is NumPy or TensorFlow, has by
the same name.
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
    """A distribution of z, and what its users call the op's parameters `loc` and `scale`."""

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
    """A parameter of the op: its name, and what `validate_args` asks of its values, if anything.

    A distribution's users may have a name of their own for it, which `Distribution` has then.
    """

    name: str
    expected: str | None = None
    holds: Callable[[Any], Any] | None = None
    is_of_distribution: bool = False


@dataclasses.dataclass(frozen=True)
class Combination:
    """How z and the op's parameters change an element.

    `combine` takes `xp`, x, z, a sequence of the op's parameters, and a function to pass what is to
    be rounded by itself.

    All are linear in x: with `input_grad_parameters`, the op makes of the output's gradient that of
    its input; with `input_factor`, it is the gradient times the parameter at that place; without
    either, the two are equal. Where the output is linear in the parameters, the
    gradient op makes their gradients, which are the sums of `parameter_terms` of the output's
    gradient, of x and of z. Where it isn't, `replaced_grads` has, by their places, the
    parameters that have a gradient. Each is a function of the output's gradient, of x and of the
    parameters: it gives the input and the parameters of which the op makes the terms that are
    summed to that gradient.
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
    """A parameter of a noise's function, as users name it."""

    name: str
    default: float
    meaning: str
    must_be_finite: bool = True
    is_differentiable: bool = True


@dataclasses.dataclass(frozen=True)
class Rule:
    """What parameters have to satisfy, and what users are told where they don't."""

    parameters: tuple[str, ...]
    expected: str
    holds: Callable[..., Any]


def _unchanged(_xp: Any, *parameters: Any) -> tuple[Any, ...]:
    return parameters


def _are_true(held: Any) -> bool:
    # np.all takes as long as all the rest of a check.
    return bool(held) if isinstance(held, (bool, np.bool_)) else bool(np.all(held))


@dataclasses.dataclass(frozen=True)
class Noise:
    """A distribution and a combination, with the parameters that users give."""

    name: str
    distribution: str
    combination: Combination
    parameters: tuple[Parameter, ...]
    rules: tuple[Rule, ...] = ()
    # What a layer's parameters satisfy unless something else was meant: it warns.
    expectations: tuple[Rule, ...] = ()
    # From `xp` and the parameters to the op's.
    to_op: Callable[..., tuple[Any, ...]] = _unchanged
    # Whether `to_op` takes numbers in double precision, and its results are rounded; otherwise the
    # numbers are rounded first, as TensorFlow does it for uniform noise.
    rounds_last: bool = False
    # What `flatnoise.layers.AddNoise` calls it.
    noise_type: str | None = None

    @property
    def function(self) -> str:
        """The name of its function, in `flatnoise` and in `flatnoise.numpy`."""
        return f"flatten_{self.name}"

    @property
    def passes_parameters(self) -> bool:
        """Whether the op's parameters are the user's as they are."""
        return self.to_op is _unchanged

    def array_dtype(self, dtype: Any) -> Any:
        """The type of numbers and arrays for `to_op`, where the op's parameters are of `dtype`."""
        return np.float64 if self.rounds_last else dtype

    def check(self, given: Sequence[Any], converted: Sequence[Any]) -> None:
        """Raises ValueError unless the parameters satisfy the noise's rules.

        Args:
            given: What the user passed for the noise's parameters, to be shown.
            converted: The same as numbers or arrays; None for those that aren't known.
        """
        for rule, shown in self._broken(self.rules, given, converted):
            raise invalid_values(rule.expected, shown)

    def surprises(self, values: Sequence[Any]) -> list[str]:
        """What to warn of, where the parameters are valid numbers."""
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


# What multiplies by 1 and adds nothing: not even to -0, which + 0 would make positive.
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
    with np.errstate(over="ignore"):  # to infinity, which the rule refuses
        return minval, maxval - minval


def _is_range(minval: Any, maxval: Any) -> Any:
    with np.errstate(over="ignore"):
        return _is_scale(maxval - minval)


_TINY = float(np.finfo(np.float32).tiny)


def _inverse_of_kept(xp: Any, rate: Any) -> Any:
    """1 / (1 - rate), and 0 where nothing is kept."""
    if isinstance(rate, float):
        return 1 / (1 - rate) if rate < 1 else 0.0
    # A plain 1 won't do: TensorFlow's graphs make a reciprocal of it, which is rounded otherwise.
    one_or_zero = xp.where(rate < 1, xp.ones_like(rate), 0.0)
    return one_or_zero / xp.maximum(1 - rate, _TINY)


def _dropout(xp: Any, rate: Any) -> tuple[Any, ...]:
    return rate, 0.0, _inverse_of_kept(xp, rate), -0.0


# The value that SELU approaches: Klambauer et al., "Self-normalizing neural networks" (2017).
_SELU_LIMIT = -1.6732632423543772 * 1.0507009873554805


def _alpha_dropout(xp: Any, rate: Any) -> tuple[Any, ...]:
    """Elements become the limit of SELU, and all are scaled back to mean 0 and variance 1.

    Written so that every mode of TensorFlow gives the same bits: with roots and quotients, which are
    rounded correctly everywhere; without quotients of 1, for which graphs have an approximate
    reciprocal; and without sums of products, which XLA rounds once.
    """
    kept = 1 - rate
    of_dropped = xp.maximum(rate * _SELU_LIMIT**2, 0)
    variance = xp.maximum(kept * (1 + of_dropped), _TINY)
    scale = xp.sqrt(variance) / variance
    limit = scale * _SELU_LIMIT
    # The op refuses NaN, but not a rate of 1, at which the scale is infinite.
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
# Those that have a function `flatten_...` each.
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
# What the op is compiled for, the linear ones first: the distribution and the combination of each
# noise.
KINDS = tuple(
    dict.fromkeys(
        (noise.distribution, noise.combination.name)
        for noise in sorted((*NOISES, DIFFUSE), key=lambda noise: not noise.combination.is_linear)
    )
)


def distributions_of(combination: str) -> list[str]:
    """The distributions that there are noises of with this combination."""
    return [distribution for distribution, name in KINDS if name == combination]


def op_parameter_texts(distribution: str, combination: Combination) -> list[str]:
    """What the op's errors call its parameters: as users do, if these have a name of their own."""
    names = DISTRIBUTIONS[distribution]
    texts = []
    for parameter in combination.parameters:
        name = parameter.name
        own = getattr(names, name) if parameter.is_of_distribution else name
        texts.append(own if own == name else f"{own} ({name})")
    return texts
