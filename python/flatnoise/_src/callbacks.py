"""Callbacks that change the noise while a model is trained."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from flatnoise._src.errors import check_choice, invalid_value
from flatnoise._src.export import export
from flatnoise._src.noise_layer import NoiseLayer, check_backend
from flatnoise._src.tensorflow import keras, tf

__all__ = ["NoiseSchedule"]

_UNITS = ("step", "epoch")


@export("flatnoise.callbacks")
class NoiseSchedule(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets a level of noise from a schedule, at the start of each step or epoch of `fit`.

    The level has to live in a variable (`variable_levels=True`): so a compiled model follows it
    without being traced again. Layers of other kinds are refused, before the training begins.

    Steps are counted as the optimizer counts its iterations, so a training that is taken up again
    goes on where it was, with `keras.callbacks.BackupAndRestore` and with a model that was loaded.
    Where there are no iterations to go by, as with a new optimizer, `fit(initial_epoch=...)` says
    which epoch begins; a second `fit` of a model that has no optimizer starts at step 0. Epochs are
    numbered as Keras numbers them. With `steps_per_execution` the level is set once for each
    execution.

    After the training the layers keep the last level, which is saved with the model. The logs of an
    epoch get the level under `"{layer}_{parameter}"` where it is a single number.

    Examples:
        >>> noise = flatnoise.layers.AddGaussianNoise(variable_levels=True, name="noise")
        >>> model = keras.Sequential([keras.Input((8,)), noise, keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> warm_up = flatnoise.callbacks.NoiseSchedule(
        ...     "stddev", flatnoise.schedules.Linear(0.0, 0.2, steps=4)
        ... )
        >>> history = model.fit(
        ...     tf.zeros([16, 8]), tf.zeros([16, 1]), batch_size=2, verbose=0, callbacks=[warm_up]
        ... )
        >>> round(history.history["noise_stddev"][0], 3)
        0.2

    Args:
        parameter: String, the name of the parameter to set, such as `"stddev"` or `"rate"`.
        schedule: A function of the number of the step or the epoch, from 0, that gives the level: a
            number, or what broadcasts to the variable's shape. One of `flatnoise.schedules` or of
            `keras.optimizers.schedules`, or any other.
        layers: Layer, its name, or a sequence of these: the layers to set it in, which may be
            within other layers. `None` for all of the model whose noise has the parameter.
        per: `"step"` or `"epoch"`, what the schedule is a function of.

    Raises:
        ValueError: When the training begins, if a name is no layer's, a layer has no such parameter
            or doesn't have it in a variable, or there is no layer to set. Later, if the schedule
            gives a level that the layer doesn't take.
    """

    def __init__(
        self,
        parameter: str,
        schedule: Callable[[Any], Any],
        layers: Any | str | Sequence[Any | str] | None = None,
        per: str = "step",
    ) -> None:
        """Checks and keeps the arguments; the class tells of them."""
        check_backend(type(self).__name__)
        super().__init__()
        if not isinstance(parameter, str):
            raise invalid_value("parameter", "the name of a parameter of noise", repr(parameter))
        if not callable(schedule):
            raise invalid_value("schedule", f"a function of the {per}", repr(schedule))
        check_choice("per", per, _UNITS)
        self.parameter = parameter
        self.schedule = schedule
        self.layers = layers
        self.per = per
        self._targets: list[NoiseLayer] = []
        self._level: Any = None
        self._is_first_epoch = True
        # Before this training, and before this epoch.
        self._iterations_before = self._steps_before = 0
        self._steps_done = self._steps_in_epoch = 0

    def set_model(self, model: Any) -> None:
        """Finds the layers in the model, and checks them."""
        super().set_model(model)
        self._targets = self._find_layers(model)
        for layer in self._targets:
            layer._levels.check_variable(layer.name, self.parameter)

    def _find_layers(self, model: Any) -> list[NoiseLayer]:
        in_model = [each for each in model._flatten_layers() if isinstance(each, NoiseLayer)]
        if self.layers is None:
            found = [layer for layer in in_model if layer._levels.is_used(self.parameter)]
            if not found:
                raise invalid_value(
                    "parameter",
                    f"a parameter of a noise layer of the model ({_names(in_model)})",
                    repr(self.parameter),
                )
            return found
        given = self.layers if isinstance(self.layers, (list, tuple)) else [self.layers]
        return [layer for each in given for layer in _layers_of(each, in_model)]

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Forgets the steps of an earlier training."""
        self._is_first_epoch = True

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the level of the epoch."""
        if self.per == "epoch":
            self._set_level(epoch)
        else:
            self._count_steps(epoch)

    def _count_steps(self, epoch: int) -> None:
        iterations = _iterations(self.model.optimizer)
        if self._is_first_epoch:
            # Not earlier: another callback may restore the model when the training begins.
            self._iterations_before = iterations
            self._steps_before = self._first_step(epoch, iterations)
            self._steps_done = 0
        else:
            self._steps_done += self._steps_in_epoch
            if self.model.steps_per_execution > 1:
                # Some versions of Keras tell of the first step of an execution alone.
                self._steps_done = max(self._steps_done, iterations - self._iterations_before)
        self._is_first_epoch = False
        self._steps_in_epoch = 0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Sets the level of the step."""
        if self.per == "step":
            self._set_level(self._steps_before + self._steps_done + batch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Counts the steps of the epoch."""
        self._steps_in_epoch = batch + 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Puts the level into the logs."""
        if logs is not None and np.ndim(self._level) == 0:
            logs.update({f"{each.name}_{self.parameter}": self._level for each in self._targets})

    def _first_step(self, epoch: int, iterations: int) -> int:
        """The step that a training begins with, at an epoch and with an optimizer's iterations."""
        if iterations or epoch == 0:
            return iterations
        steps = self.params.get("steps")
        if steps is None:
            raise ValueError(
                f"NoiseSchedule can't tell at which step epoch {epoch} begins. Expected "
                "`steps_per_epoch`, a dataset of known size or an optimizer that went on before. "
                "Received: data of unknown size and no iterations."
            )
        return epoch * int(steps)

    def _set_level(self, number: int) -> None:
        # A GPU would first finish the steps that it was given.
        with tf.device("CPU"):
            level = np.asarray(self.schedule(number))
        self._level = level.item() if level.ndim == 0 else level
        for layer in self._targets:
            setattr(layer, self.parameter, self._level)


def _layers_of(layer: Any, in_model: Sequence[NoiseLayer]) -> list[NoiseLayer]:
    """The layers that a user means by a layer or a name."""
    if isinstance(layer, NoiseLayer):
        return [layer]
    named = [each for each in in_model if each.name == layer] if isinstance(layer, str) else []
    if not named:
        expected = f"layers with levels, or their names in the model ({_names(in_model)})"
        raise invalid_value("layers", expected, repr(layer))
    return named


def _names(layers: Sequence[NoiseLayer]) -> str:
    return ", ".join(f"'{layer.name}'" for layer in layers) or "it has none"


def _iterations(optimizer: Any) -> int:
    """How many batches an optimizer has seen."""
    if optimizer is None:
        return 0
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    # Where gradients are accumulated, the public number is that of the updates.
    counter = getattr(optimizer, "_iterations", optimizer.iterations)
    return int(counter.numpy())
