"""Callbacks that change noise levels during training."""

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
    """Set a noise level from a schedule at the start of each step or epoch of `fit`.

    The level must be stored in a variable (`variable_levels=True`), so that a compiled model
    follows it without retracing. Other layers raise an error before training starts.

    Steps are counted by the optimizer's iterations. Resumed training therefore continues at the
    right step, both with `keras.callbacks.BackupAndRestore` and with a loaded model. If there are
    no iterations yet, as with a new optimizer, the step follows from `fit(initial_epoch=...)`. A
    second `fit` of a model without an optimizer starts at step 0. Epochs have Keras's numbers. With
    `steps_per_execution`, the level is set once per execution.

    After training, the layers keep the last level, which is saved with the model. If the level is a
    single number, it is added to the epoch's logs as `"{layer}_{parameter}"`.

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
        schedule: A schedule from `flatnoise.schedules` or `keras.optimizers.schedules`, or any
            other function. It maps the step or epoch number, starting from 0, to the level: a
            number, or an array that broadcasts to the variable's shape.
        layers: Layer, layer name, or a sequence of these: the layers to set the level in, at any
            depth of the model. `None` means all layers whose noise has the parameter.
        per: `"step"` or `"epoch"`, the unit of the schedule.

    Raises:
        ValueError: At the start of training, if there is no layer with a given name, if a layer
            doesn't have the parameter or doesn't store it in a variable, or if there is no layer to
            set. During training, if the schedule returns an invalid level.
    """

    def __init__(
        self,
        parameter: str,
        schedule: Callable[[Any], Any],
        layers: Any | str | Sequence[Any | str] | None = None,
        per: str = "step",
    ) -> None:
        """Initialize the callback. The class documents the arguments."""
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
        # Counts before this training and before this epoch.
        self._iterations_before = self._steps_before = 0
        self._steps_done = self._steps_in_epoch = 0

    def set_model(self, model: Any) -> None:
        """Find the layers in the model and check them."""
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
        """Forget the steps of an earlier training."""
        self._is_first_epoch = True

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the level for the epoch."""
        if self.per == "epoch":
            self._set_level(epoch)
        else:
            self._count_steps(epoch)

    def _count_steps(self, epoch: int) -> None:
        iterations = _iterations(self.model.optimizer)
        if self._is_first_epoch:
            # Not in on_train_begin, where another callback may still restore the model.
            self._iterations_before = iterations
            self._steps_before = self._first_step(epoch, iterations)
            self._steps_done = 0
        else:
            self._steps_done += self._steps_in_epoch
            if self.model.steps_per_execution > 1:
                # Some versions of Keras report only the first step of an execution.
                self._steps_done = max(self._steps_done, iterations - self._iterations_before)
        self._is_first_epoch = False
        self._steps_in_epoch = 0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Set the level for the step."""
        if self.per == "step":
            self._set_level(self._steps_before + self._steps_done + batch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the steps of the epoch."""
        self._steps_in_epoch = batch + 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the level to the logs."""
        if logs is not None and np.ndim(self._level) == 0:
            logs.update({f"{each.name}_{self.parameter}": self._level for each in self._targets})

    def _first_step(self, epoch: int, iterations: int) -> int:
        """The first step of a training, given the epoch and the optimizer's iterations."""
        if iterations or epoch == 0:
            return iterations
        steps = self.params.get("steps")
        if steps is None:
            raise ValueError(
                f"NoiseSchedule can't tell at which step epoch {epoch} begins. Expected "
                "`steps_per_epoch`, a dataset of known size or an optimizer that has counted "
                "steps. Received: data of unknown size and no iterations."
            )
        return epoch * int(steps)

    def _set_level(self, number: int) -> None:
        # On a GPU, this would wait for all steps that are already enqueued.
        with tf.device("CPU"):
            level = np.asarray(self.schedule(number))
        self._level = level.item() if level.ndim == 0 else level
        for layer in self._targets:
            setattr(layer, self.parameter, self._level)


def _layers_of(layer: Any, in_model: Sequence[NoiseLayer]) -> list[NoiseLayer]:
    """The noise layers for a layer or layer name."""
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
    """The number of batches that an optimizer has seen."""
    if optimizer is None:
        return 0
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    # With gradient accumulation, the public counter counts updates, not batches.
    counter = getattr(optimizer, "_iterations", optimizer.iterations)
    return int(counter.numpy())
