"""Schedules for noise levels.

They are subclasses of Keras's learning rate schedules but compute in double precision.
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
    """A schedule with the same level at every step.

    Examples:
        >>> flatnoise.schedules.Constant(0.1)(1000).numpy().item()
        0.1

    Args:
        value: Float or array, the level.
    """

    def __init__(self, value: Any) -> None:
        """Initialize the schedule. The class documents the argument."""
        self.value = fixed_value("value", value)

    def __call__(self, step: Any) -> Any:
        """Return the level at a step, a float64 tensor."""
        return tf.constant(self.value, tf.float64)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments of the schedule."""
        return {"value": to_config(self.value)}


class _Transition(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """Base class of schedules from one level to another."""

    def __init__(self, initial: Any, final: Any, steps: int, begin: int = 0) -> None:
        """Initialize the schedule. The subclasses document the arguments."""
        self.initial = fixed_value("initial", initial)
        self.final = fixed_value("final", final)
        check_shapes_together({"initial": self.initial, "final": self.final})
        self.steps = _count("steps", steps, least=1)
        self.begin = _count("begin", begin, least=0)

    def _share_of_final(self, progress: Any) -> Any:
        """The weight of the final level, for a `progress` from 0 to 1."""
        raise NotImplementedError

    def __call__(self, step: Any) -> Any:
        """Return the level at a step, a float64 tensor."""
        passed = tf.cast(step, tf.float64) - self.begin
        share = self._share_of_final(tf.clip_by_value(passed / self.steps, 0.0, 1.0))
        # This form is exact at both ends.
        return (1 - share) * self.initial + share * self.final

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments of the schedule."""
        return {
            "initial": to_config(self.initial),
            "final": to_config(self.final),
            "steps": self.steps,
            "begin": self.begin,
        }


@export("flatnoise.schedules")
@keras.saving.register_keras_serializable(package="flatnoise")
class Linear(_Transition):
    """A schedule that changes a level linearly and keeps it constant before and after.

    Examples:
        >>> ramp = flatnoise.schedules.Linear(0.0, 0.2, steps=100)
        >>> [round(ramp(step).numpy().item(), 3) for step in (0, 50, 100, 1000)]
        [0.0, 0.1, 0.2, 0.2]

    Args:
        initial: Float or array, the initial level.
        final: Float or array, the final level.
        steps: Integer, the length of the transition in steps (or epochs), at least 1.
        begin: Integer, the step (or epoch) at which the transition begins, at least 0.
    """

    def _share_of_final(self, progress: Any) -> Any:
        return progress


@export("flatnoise.schedules")
@keras.saving.register_keras_serializable(package="flatnoise")
class Cosine(_Transition):
    """A schedule that changes a level along half a cosine and keeps it constant before and after.

    The weight of the final level is `(1 - cos(pi * progress)) / 2`. The level changes slowly at
    both ends, as in cosine decay of learning rates (Loshchilov and Hutter, 2017).

    Reference:
        - [Loshchilov and Hutter, 2017](https://arxiv.org/abs/1608.03983)

    Examples:
        >>> decay = flatnoise.schedules.Cosine(0.2, 0.0, steps=100)
        >>> [round(decay(step).numpy().item(), 3) for step in (0, 25, 50, 100)]
        [0.2, 0.171, 0.1, 0.0]

    Args:
        initial: Float or array, the initial level.
        final: Float or array, the final level.
        steps: Integer, the length of the transition in steps (or epochs), at least 1.
        begin: Integer, the step (or epoch) at which the transition begins, at least 0.
    """

    def _share_of_final(self, progress: Any) -> Any:
        return (1 - tf.cos(math.pi * progress)) / 2
