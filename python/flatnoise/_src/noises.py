"""The noises: what functions, layers, the NumPy API, the fallback and gradients are made from.

A noise is a distribution of numbers z and a combination, which is how z and the noise's parameters
change an element. A new noise is a row here, its public function and its layer. The formulas use
operators alone: they take tensors, arrays and numbers.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from flatnoise._src.errors import invalid_values

__all__ = [
    "ADD_NORMAL",
    "ADD_UNIFORM",
    "COMBINATIONS",
    "DISTRIBUTIONS",
    "MULTIPLY_NORMAL",
    "NOISES",
    "Combination",
    "Noise",
    "OpParameter",
    "Parameter",
    "Rule",
    "noise_of",
]

DISTRIBUTIONS = ("normal", "uniform")


@dataclasses.dataclass(frozen=True)
class OpParameter:
    """A parameter of the op: its name, and what `validate_args` asks of its values."""

    name: str
    expected: str
    holds: Callable[[Any], Any]


@dataclasses.dataclass(frozen=True)
class Combination:
    """How z and the op's parameters change an element.

    `combine` takes x, z, the op's parameters, and a function to pass what is to be rounded by
    itself. Its result is NaN where its last parameter is: the fallback marks errors so, where it
    can't raise.
    """

    name: str
    parameters: tuple[OpParameter, ...]
    combine: Callable[..., Any]
    input_grad_is_identity: bool
    parameter_grads_need_input: bool


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter of a noise's function, as users name it."""

    name: str
    default: float
    meaning: str


@dataclasses.dataclass(frozen=True)
class Rule:
    """What users are told where one of the op's parameters isn't what the op asks for."""

    op_parameter: int
    parameters: tuple[str, ...]  # that it is made from
    expected: str


def _unchanged(*parameters: Any) -> tuple[Any, ...]:
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
    rules: tuple[Rule, ...]
    # From the parameters to the op's, and what errors call each of these.
    to_op: Callable[..., tuple[Any, ...]] = _unchanged
    op_parameter_texts: tuple[str, ...] = ()
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

    def check(self, given: Sequence[Any], op_parameters: Sequence[Any]) -> None:
        """Raises ValueError unless the op's parameters are what the op asks for.

        Args:
            given: What the user passed for the noise's parameters, to be shown.
            op_parameters: Finite numbers or arrays; None for those that aren't known.
        """
        for rule in self.rules:
            value = op_parameters[rule.op_parameter]
            asked = self.combination.parameters[rule.op_parameter]
            if value is None or _are_true(asked.holds(value)):
                continue
            named = zip(self.parameters, given, strict=True)
            shown = {each.name: value for each, value in named if each.name in rule.parameters}
            raise invalid_values(rule.expected, shown)


def _add(x: Any, z: Any, loc: Any, scale: Any, rounded: Callable[[Any], Any]) -> Any:
    return x + rounded(loc + scale * z)


def _multiply(x: Any, z: Any, loc: Any, scale: Any, rounded: Callable[[Any], Any]) -> Any:
    return x * rounded(loc + scale * z)


_LOC_AND_SCALE = (
    OpParameter("loc", "finite", lambda loc: abs(loc) < math.inf),
    OpParameter(
        "scale", "finite and not negative", lambda scale: (scale >= 0) & (scale < math.inf)
    ),
)

ADD = Combination(
    name="add",
    parameters=_LOC_AND_SCALE,
    combine=_add,
    input_grad_is_identity=True,
    parameter_grads_need_input=False,
)
MULTIPLY = Combination(
    name="multiply",
    parameters=_LOC_AND_SCALE,
    combine=_multiply,
    input_grad_is_identity=False,
    parameter_grads_need_input=True,
)
COMBINATIONS = {combination.name: combination for combination in (ADD, MULTIPLY)}

_STDDEV_RULE = Rule(1, ("stddev",), "a number that is not negative")


def _range(minval: Any, maxval: Any) -> tuple[Any, Any]:
    with np.errstate(over="ignore"):  # to infinity, which the rule refuses
        return minval, maxval - minval


ADD_NORMAL = Noise(
    name="add_normal",
    distribution="normal",
    combination=ADD,
    parameters=(
        Parameter("mean", 0.0, "the mean of the noise"),
        Parameter("stddev", 1.0, "the standard deviation of the noise"),
    ),
    rules=(_STDDEV_RULE,),
    op_parameter_texts=("mean (loc)", "stddev (scale)"),
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
    rules=(Rule(1, ("minval", "maxval"), "minval <= maxval, and a difference that is finite"),),
    to_op=_range,
    op_parameter_texts=("minval (loc)", "maxval - minval (scale)"),
    noise_type="uniform",
)
MULTIPLY_NORMAL = Noise(
    name="multiply_normal",
    distribution="normal",
    combination=MULTIPLY,
    parameters=(
        Parameter("mean", 1.0, "the mean of the factors"),
        Parameter("stddev", 1.0, "the standard deviation of the factors"),
    ),
    rules=(_STDDEV_RULE,),
    op_parameter_texts=("mean (loc)", "stddev (scale)"),
)
NOISES = (ADD_NORMAL, ADD_UNIFORM, MULTIPLY_NORMAL)
_BY_KIND = {(noise.distribution, noise.combination.name): noise for noise in NOISES}


def noise_of(distribution: str, combination: str) -> Noise | None:
    """The noise of a distribution and a combination; None if no function makes it."""
    return _BY_KIND.get((distribution, combination))
