"""The noise levels of layers: numbers, arrays, variables, schedules or functions.

A level is the user's value for a parameter of a noise. Tracing bakes numbers and arrays into
graphs. To change a level in a graph, it must be read from a variable, which holds either the level
or the step count for a schedule.
"""

import importlib
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from flatnoise._src import arrays, broadcasting, shapes
from flatnoise._src.arguments import is_tensor
from flatnoise._src.broadcasting import Output, Shape
from flatnoise._src.errors import invalid_value, invalid_values
from flatnoise._src.noises import Noise, Parameter
from flatnoise._src.seeds import is_one_variable
from flatnoise._src.tensorflow import keras, tf

# Private, but nothing public tells whether Keras is only inferring shapes.
_stateless_scope = importlib.import_module("keras.src.backend.common.stateless_scope")

__all__ = [
    "Level",
    "LevelAttribute",
    "Levels",
    "check_shapes_together",
    "fixed_value",
    "from_config",
    "to_config",
]

Level: TypeAlias = (
    float
    | Sequence[Any]
    | npt.NDArray[Any]
    | keras.Variable
    | keras.optimizers.schedules.LearningRateSchedule
    | Callable[[], Any]
)

_OTHER_KINDS = (
    "a keras.Variable, a schedule of keras.optimizers.schedules or a function of no arguments"
)
_TO_BE_SET = "as other levels are arguments of the layer when it is made"
_EagerTensor = tf.__internal__.EagerTensor
# The stack levels from a warning to the user's line that creates a layer or sets a level.
_FRAMES_TO_MAKER = 5
_FRAMES_TO_SETTER = 5


def _invalid_level(argument: str, finite: bool, other_kinds: str, value: Any) -> ValueError:
    expected = f"a {'finite ' if finite else ''}float value or an array of them"
    if other_kinds:
        expected = f"{expected}, {other_kinds}"
    return invalid_value(argument, expected, arrays.describe(value))


def fixed_value(argument: str, given: Any, finite: bool = True, other_kinds: str = "") -> Any:
    """Converts a level to a number or a read-only float64 array.

    Args:
        argument: The argument's name in errors.
        given: The user's value: a number, an array, a sequence or an eager tensor.
        finite: Whether the value must be finite.
        other_kinds: Further accepted kinds of values, for errors.
    """
    value = given.numpy() if isinstance(given, _EagerTensor) else given
    # A graph tensor would outlive its graph, and a tf.Variable wouldn't be saved with the layer.
    array = None if is_tensor(value) else arrays.as_real_array(value)
    if array is None or (finite and not np.isfinite(array).all()):
        raise _invalid_level(argument, finite, other_kinds, given)
    if array.ndim == 0:
        return value if type(value) in (int, float) else float(array)
    array = array.astype(np.float64)
    array.setflags(write=False)
    return array


def check_shapes_together(values: dict[str, Any]) -> None:
    """Raises ValueError unless the shapes of the named values broadcast together."""
    given = {name: np.shape(value) for name, value in values.items()}
    try:
        np.broadcast_shapes(*given.values())
    except ValueError as error:
        raise invalid_values("shapes that broadcast to one", given) from error


def to_config(value: Any) -> Any:
    """Converts arrays to lists, for JSON."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def from_config(config: Any) -> Any:
    """Restores a level from its entry in `Levels.config`."""
    if not isinstance(config, dict):
        return config
    if "variable" not in config:
        return keras.saving.deserialize_keras_object(config)
    arguments = dict(config)
    return keras.Variable(arguments.pop("variable"), **arguments)


class _Fixed:
    """A number or an array."""

    def __init__(self, value: Any) -> None:
        self.initial = self.known = value

    @property
    def shape(self) -> Shape:
        return tuple(np.shape(self.initial))

    def value(self, _counter: Any) -> Any:
        return self.initial

    def config(self) -> Any:
        return to_config(self.initial)


class _InVariable:
    """A variable, created by the layer or the user."""

    def __init__(self, variable: Any, initial: Any, config: Any) -> None:
        self._variable = variable
        self._config = config
        self.initial = initial

    @property
    def known(self) -> Any:
        return self._variable.numpy() if tf.executing_eagerly() else None

    @property
    def shape(self) -> Shape:
        return tuple(self._variable.shape)

    def value(self, _counter: Any) -> Any:
        return self._variable

    def assign(self, name: str, value: Any) -> None:
        if not broadcasting.fits(_shape_of(value), self.shape):
            expected = f"a number or an array that broadcasts to the variable's shape {self.shape}"
            raise invalid_value(name, expected, arrays.describe(value))
        broadcast_to = tf.broadcast_to if is_tensor(value) else np.broadcast_to
        self._variable.assign(broadcast_to(value, tuple(self._variable.shape)))

    def config(self) -> Any:
        return self._config


def _shape_of(value: Any) -> Shape:
    return shapes.sizes(value.shape) if is_tensor(value) else tuple(np.shape(value))


class _Schedule:
    """A function of the step count."""

    initial = known = None
    shape = None

    def __init__(self, schedule: Any) -> None:
        self._schedule = schedule

    def value(self, counter: Any) -> Any:
        return self._schedule(tf.convert_to_tensor(counter.variable))

    def config(self) -> Any:
        return keras.saving.serialize_keras_object(self._schedule)


class _Function:
    """A function that is called whenever the layer is called."""

    initial = known = None
    shape = None

    def __init__(self, function: Callable[[], Any]) -> None:
        self._function = function

    def value(self, _counter: Any) -> Any:
        return self._function()

    def config(self) -> Any:
        return keras.saving.serialize_keras_object(self._function)


_AnyLevel: TypeAlias = _Fixed | _InVariable | _Schedule | _Function


def _float_dtype(layer: Any) -> str:
    """The dtype that the layer's noise is computed in."""
    return "float64" if layer.compute_dtype == "float64" else "float32"


def _own_variable(layer: Any, name: str, value: Any) -> _InVariable:
    variable = layer.add_weight(
        shape=np.shape(value),
        initializer=lambda shape, dtype: tf.constant(value, dtype, shape),
        dtype=_float_dtype(layer),
        trainable=False,
        autocast=False,
        # Without this, a train step couldn't assign the variable on all replicas.
        aggregation="only_first_replica",
        name=name,
    )
    _track(layer, name, variable)
    return _InVariable(variable, value, to_config(value))


def _track(layer: Any, name: str, variable: Any) -> None:
    """Makes the variable an attribute, so that Keras and `tf.train.Checkpoint` save it."""
    setattr(layer, f"_variable_of_{name}", variable)


def _users_variable(layer: Any, parameter: Parameter, variable: Any) -> _InVariable:
    name = parameter.name
    if not keras.backend.is_float_dtype(variable.dtype):
        raise invalid_value(name, "a floating-point keras.Variable", f"one of {variable.dtype}")
    if variable.trainable and not parameter.is_differentiable:
        expected = (
            "a keras.Variable with trainable=False, because the output has no gradient for it"
        )
        raise invalid_value(name, expected, "one with trainable=True")
    with tf.init_scope():
        initial = fixed_value(name, variable.numpy(), parameter.must_be_finite)
    _track(layer, name, variable)
    config = {
        "variable": to_config(initial),
        "trainable": variable.trainable,
        "dtype": variable.dtype,
        "name": variable.name,
    }
    return _InVariable(variable, initial, config)


def _as_level(layer: Any, parameter: Parameter, given: Any, in_variable: bool) -> _AnyLevel:
    if isinstance(given, keras.Variable):
        return _users_variable(layer, parameter, given)
    if isinstance(given, keras.optimizers.schedules.LearningRateSchedule):
        return _Schedule(given)
    if callable(given) and not is_tensor(given):
        return _Function(given)
    value = fixed_value(parameter.name, given, parameter.must_be_finite, _OTHER_KINDS)
    return _own_variable(layer, parameter.name, value) if in_variable else _Fixed(value)


def _names_in_variables(argument: Any, names: Sequence[str]) -> tuple[str, ...]:
    """The names of the levels that `variable_levels` selects."""
    if isinstance(argument, (bool, np.bool_)):
        return tuple(names) if argument else ()
    is_sequence = isinstance(argument, (list, tuple))
    if not is_sequence or not all(name in names for name in argument):
        known = ", ".join(f"'{name}'" for name in names)
        expected = f"a boolean or a sequence of names out of {known}"
        raise invalid_value("variable_levels", expected, repr(argument))
    return tuple(argument)


class _StepCounter:
    """Counts the calls in training, in a variable of the layer."""

    def __init__(self, layer: Any) -> None:
        self.variable = layer.add_weight(
            shape=(),
            initializer="zeros",
            dtype="int64",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name="training_steps",
        )
        _track(layer, "training_steps", self.variable)

    def advance(self) -> None:
        variable = self.variable.value
        if is_one_variable(variable):
            # Increment only this replica's copy, without cross-replica communication.
            one = tf.constant(1, tf.int64)
            tf.raw_ops.AssignAddVariableOp(resource=variable.handle, value=one)
        else:
            self.variable.assign_add(1)


class Levels:
    """The levels of a layer's noise, by parameter name.

    Args:
        layer: The layer that owns the variables.
        noises: The noises whose parameters the layer has. It applies the first.
        given: The user's values for the parameters, by name.
        in_variables: The user's value for `variable_levels`.
    """

    def __init__(
        self, layer: Any, noises: Sequence[Noise], given: dict[str, Any], in_variables: Any
    ) -> None:
        """Checks the levels and creates their variables."""
        self._noises = noises
        self._dtype = _float_dtype(layer)
        self._parameters = {each.name: each for noise in noises for each in noise.parameters}
        self._used = tuple(parameter.name for noise in noises[:1] for parameter in noise.parameters)
        chosen = _names_in_variables(in_variables, self._used)
        self._levels = {
            name: _as_level(layer, self._parameters[name], value, name in chosen)
            for name, value in given.items()
        }
        is_by_name = isinstance(in_variables, (list, tuple))
        self._variable_levels = list(in_variables) if is_by_name else bool(in_variables)
        if is_by_name:
            self._check_chosen(chosen)
        known = {name: level.initial for name, level in self._levels.items()}
        self._check_rules(known)
        self._warn_of_surprises(known)
        has_schedule = any(isinstance(level, _Schedule) for level in self._levels.values())
        self._counter = _StepCounter(layer) if has_schedule else None
        self._is_in_graph = False

    @property
    def has_schedule(self) -> bool:
        """Whether a level is a function of the layer's step count."""
        return self._counter is not None

    def read(self, name: str) -> Any:
        """The current value of a level: a number, an array, a variable or a function's result."""
        return self._levels[name].value(self._counter)

    def values(self) -> tuple[Any, ...]:
        """The current values of the used levels, in the order of the noise's parameters."""
        if not self._is_in_graph and not tf.executing_eagerly():
            # Keras's shape inference also runs in graph mode but leaves no graph.
            self._is_in_graph = not _stateless_scope.in_stateless_scope()
        return tuple([self._levels[name].value(self._counter) for name in self._used])

    def advance(self) -> None:
        """Counts a call in training, if a schedule needs the count."""
        if self._counter is not None:
            self._counter.advance()

    def assign(self, layer_name: str, name: str, given: Any) -> None:
        """Sets a level to a number or array. A level in a variable can also be set to a tensor."""
        level = self._levels[name]
        if isinstance(level, (_Schedule, _Function)):
            raise ValueError(
                f"`{name}` of layer '{layer_name}' is a schedule or a function, so it can't be "
                "set. Expected a layer made with a number and variable_levels=True. "
                f"Received: {name}={arrays.describe(given)}"
            )
        if isinstance(level, _InVariable):
            self._set_variable(name, level, given)
        else:
            self._replace(layer_name, name, given)

    def _set_variable(self, name: str, level: _InVariable, given: Any) -> None:
        value = tf.convert_to_tensor(given) if is_tensor(given) else given
        if isinstance(value, tf.Tensor) and not isinstance(value, _EagerTensor):
            level.assign(name, value)  # the op checks the value
            return
        value = fixed_value(name, value, self._parameters[name].must_be_finite)
        self._check_change(name, value)
        level.assign(name, value)

    def _replace(self, layer_name: str, name: str, given: Any) -> None:
        value = fixed_value(name, given, self._parameters[name].must_be_finite, _TO_BE_SET)
        self._check_change(name, value)
        self._levels[name] = _Fixed(value)
        if self._is_in_graph and name in self._used:
            warnings.warn(
                f"Layer '{layer_name}' is part of a graph, such as that of a compiled `fit`, which "
                f"goes on with the former `{name}` until it is traced again. Make the layer with "
                "variable_levels=True to set levels that graphs follow.",
                UserWarning,
                stacklevel=_FRAMES_TO_SETTER,
            )

    def check_fit(self, output: Output) -> None:
        """Raises ValueError unless all used levels can broadcast to the output's shape."""
        for name in self._used:
            level = self._levels[name]
            if not broadcasting.fits(level.shape, output.shape):
                expected = arrays.expected_parameter("a number or an array", output, level.shape)
                raise invalid_value(name, expected, f"a level of shape {level.shape}")

    def check_variable(self, layer_name: str, name: str) -> None:
        """Raises ValueError unless `name` is a used level that is stored in a variable."""
        if name not in self._used:
            known = ", ".join(f"'{each}'" for each in self._used) or "none"
            raise ValueError(
                f"The noise of layer '{layer_name}' has no level '{name}'. Expected one of its "
                f"levels ({known})."
            )
        if not isinstance(self._levels[name], _InVariable):
            raise ValueError(
                f"`{name}` of layer '{layer_name}' isn't stored in a variable. Expected a layer "
                "made with variable_levels=True and a number or an array."
            )

    def is_used(self, name: str) -> bool:
        """Whether the layer's noise has a parameter with that name."""
        return name in self._used

    def config(self) -> dict[str, Any]:
        """The layer arguments that the levels were created from."""
        if not self._levels:
            return {}
        levels = {name: level.config() for name, level in self._levels.items()}
        return {**levels, "variable_levels": self._variable_levels}

    def _check_chosen(self, chosen: Sequence[str]) -> None:
        for name in chosen:
            if isinstance(self._levels[name], (_Schedule, _Function)):
                expected = "a number or an array, as `variable_levels` names it"
                raise invalid_value(name, expected, "a schedule or a function")

    def _check_change(self, name: str, value: Any) -> None:
        """Checks a new value against related levels. Unrelated variables aren't read."""
        compared = {
            each
            for noise in self._noises
            for rule in noise.rules
            if name in rule.parameters
            for each in rule.parameters
        }
        known = {each: self._levels[each].known for each in compared - {name}}
        self._check_rules({**known, name: value})

    def _check_rules(self, known: dict[str, Any]) -> None:
        # Compare in the op's dtype: 0.1 in a float32 variable differs from Python's 0.1.
        with np.errstate(over="ignore"):  # overflows to infinity, which the op rejects
            rounded = {
                name: np.asarray(value, self._dtype)
                for name, value in known.items()
                if value is not None
            }
        for noise in self._noises:
            names = [parameter.name for parameter in noise.parameters]
            check_shapes_together({name: known[name] for name in names if name in rounded})
            noise.check([known.get(name) for name in names], [rounded.get(name) for name in names])

    def _warn_of_surprises(self, known: dict[str, Any]) -> None:
        for noise in self._noises:
            for surprise in noise.surprises([known[each.name] for each in noise.parameters]):
                warnings.warn(
                    f"Noise of type `{noise.name}`: {surprise}",
                    UserWarning,
                    stacklevel=_FRAMES_TO_MAKER,
                )


class LevelAttribute:
    """A descriptor for a parameter of a layer's noise."""

    def __set_name__(self, _owner: type, name: str) -> None:
        """Uses the attribute's name as the parameter's name."""
        self._name = name

    def __get__(self, layer: Any, _owner: type | None = None) -> Any:
        """The current level, or the descriptor itself for access through the class."""
        return self if layer is None else layer._levels.read(self._name)

    def __set__(self, layer: Any, value: Any) -> None:
        """Sets the level."""
        layer._levels.assign(layer.name, self._name, value)
