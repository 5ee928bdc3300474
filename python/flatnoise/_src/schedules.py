"""Schedules for levels of noise.

They are Keras's schedules of learning rates, in double precision: whatever takes one of these takes
them, too.
"""

import math
from typing import Any

from flatnoise._src import arrays
from flatnoise._src.errors import invalid_value
from flatnoise._src.export import export
from flatnoise._src.levels import check_shapes_together, fixed_value, to_config
from flatnoise._src.tensorflow import keras, tf

__all__ = ["Constant", "Cosine", "Linear"]


def _count(argument: str, value: Any, least: int) -> int:
    count = arrays.exact_integer(value)
    if count is None or count < least:
        raise invalid_value(argument, f"an integer, at least {least}", repr(value))
    return count


@export("flatnoise.schedules")
@keras.saving.register_keras_serializable(package="flatnoise")
class Constant(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """The same level at every step.

    Examples:
        >>> flatnoise.schedules.Constant(0.1)(1000).numpy().item()
        0.1

    Args:
        value: Float or array, the level.
    """

    def __init__(self, value: Any) -> None:
        """Checks and keeps the level."""
        self.value = fixed_value("value", value)

    def __call__(self, step: Any) -> Any:
        """The level at a step, a float64 tensor."""
        return tf.constant(self.value, tf.float64)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the schedule was made with."""
        return {"value": to_config(self.value)}


class _Transition(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """From one level to another."""

    def __init__(self, initial: Any, final: Any, steps: int, begin: int = 0) -> None:
        """Checks and keeps the arguments; the classes tell of them."""
        self.initial = fixed_value("initial", initial)
        self.final = fixed_value("final", final)
        check_shapes_together({"initial": self.initial, "final": self.final})
        self.steps = _count("steps", steps, least=1)
        self.begin = _count("begin", begin, least=0)

    def _share_of_final(self, progress: Any) -> Any:
        """The share of the final level, where `progress` goes from 0 to 1."""
        raise NotImplementedError

    def __call__(self, step: Any) -> Any:
        """The level at a step, a float64 tensor."""
        passed = tf.cast(step, tf.float64) - self.begin
        share = self._share_of_final(tf.clip_by_value(passed / self.steps, 0.0, 1.0))
        # Either end is met exactly.
        return (1 - share) * self.initial + share * self.final

    def get_config(self) -> dict[str, Any]:
        """The arguments that the schedule was made with."""
        return {
            "initial": to_config(self.initial),
            "final": to_config(self.final),
            "steps": self.steps,
            "begin": self.begin,
        }


@export("flatnoise.schedules")
@keras.saving.register_keras_serializable(package="flatnoise")
class Linear(_Transition):
    """From one level to another in a straight line; before and after, the level stays.

    Examples:
        >>> ramp = flatnoise.schedules.Linear(0.0, 0.2, steps=100)
        >>> [round(ramp(step).numpy().item(), 3) for step in (0, 50, 100, 1000)]
        [0.0, 0.1, 0.2, 0.2]

    Args:
        initial: Float or array, the level to start from.
        final: Float or array, the level to end with.
        steps: Integer, how many steps (or epochs) the transition takes, at least 1.
        begin: Integer, the step (or epoch) that it begins at.
    """

    def _share_of_final(self, progress: Any) -> Any:
        return progress


@export("flatnoise.schedules")
@keras.saving.register_keras_serializable(package="flatnoise")
class Cosine(_Transition):
    """From one level to another along half a cosine; before and after, the level stays.

    The share of the final level is `(1 - cos(pi * progress)) / 2`: slow at both ends, as cosine
    decay of learning rates is (Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm
    restarts", 2017).

    Examples:
        >>> decay = flatnoise.schedules.Cosine(0.2, 0.0, steps=100)
        >>> [round(decay(step).numpy().item(), 3) for step in (0, 25, 50, 100)]
        [0.2, 0.171, 0.1, 0.0]

    Args:
        initial: Float or array, the level to start from.
        final: Float or array, the level to end with.
        steps: Integer, how many steps (or epochs) the transition takes, at least 1.
        begin: Integer, the step (or epoch) that it begins at.
    """

    def _share_of_final(self, progress: Any) -> Any:
        return (1 - tf.cos(math.pi * progress)) / 2
