"""The layer whose noise level is learned."""

import math
from collections.abc import Callable, Sequence
from typing import Any

from flatnoise._src.errors import invalid_value
from flatnoise._src.export import export
from flatnoise._src.functions import apply_noise
from flatnoise._src.noise_layer import NoiseLayer, check_number, is_for_hdf5
from flatnoise._src.noises import ADD_NORMAL, Noise
from flatnoise._src.tensorflow import keras, tf

__all__ = ["LearnedGaussianNoise"]


def _check_positive(argument: str, value: Any) -> None:
    check_number(argument, value)
    if value <= 0:
        raise invalid_value(argument, "a float value above 0", value)


def _as_axes(axis: Any) -> tuple[int, ...]:
    axes = () if axis is None else (axis,) if isinstance(axis, int) else axis
    if not isinstance(axes, (tuple, list)) or not all(isinstance(each, int) for each in axes):
        raise invalid_value("axis", "an integer, a tuple of integers or None", axis)
    return tuple(axes)


def _regularizer_of_log(regularizer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda log_stddev: regularizer(tf.exp(log_stddev))


def _constraint_of_log(constraint: Callable[[Any], Any]) -> Callable[[Any], Any]:
    # A constraint may allow 0, of which there is no logarithm.
    return lambda log_stddev: tf.math.log(
        tf.maximum(constraint(tf.exp(log_stddev)), keras.config.epsilon())
    )


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class LearnedGaussianNoise(NoiseLayer):
    """Adds normally distributed noise of mean 0, whose standard deviation is learned.

    Computes `inputs + stddev * z` with `stddev = exp(log_stddev)`, where `log_stddev` is the
    layer's one weight: so `stddev` stays positive, and a step of the optimizer changes it by a
    ratio. The gradient goes through the noise itself ("reparameterized"); no noise is stored for
    it, it is made again from its seed.

    A loss that noise harms drives `stddev` towards 0. Use a regularizer that speaks for noise, such
    as `flatnoise.regularizers.NoiseEntropy`, or a constraint, where that isn't wanted.

    Examples:
        >>> layer = flatnoise.layers.LearnedGaussianNoise(
        ...     stddev=0.1,
        ...     stddev_regularizer=flatnoise.regularizers.NoiseEntropy(1e-3),
        ... )
        >>> layer(tf.zeros([16, 64])).shape
        TensorShape([16, 64])
        >>> layer.stddev.shape
        TensorShape([64])

    Args:
        stddev: Float, the standard deviation to start from, above 0.
        axis: Integer, tuple of integers, or `None`. The axes whose every index has a standard
            deviation of its own, as in `keras.layers.Normalization`: `-1` for one per channel, all
            but the batch's for one per feature, `None` for a single one. Their sizes must be known.
        flatten: Boolean. Whether the output is `[batch, features]` (`[batch, 1]` for inputs of
            rank 1) or has the shape of `inputs`.
        clip: Two numbers `(low, high)`, or `None`. The output stays between them; gradients are 0
            where it was clipped, as of `tf.clip_by_value`.
        noise_shape: A size for each axis of the inputs, or `None`. Along axes of size 1 elements
            share their noise: `(None, None, None, 1)` makes grey noise on colour images. `None`
            stands for the axis's own size.
        stddev_regularizer: Regularizer of `stddev` (not of its logarithm). As everywhere in Keras,
            a lambda can't be saved or cloned.
        stddev_constraint: Constraint on `stddev` (not on its logarithm). Values below
            `keras.config.epsilon()` are raised to that.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is applied in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy share the
            noise that one of them alone would apply to the whole batch, at the price of telling
            each other the sizes of their shares; otherwise each replica applies noise of its own.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`: the compiled op where the device that will run it has a kernel (CPUs, NVIDIA
            GPUs), stock ops elsewhere, as on TPUs. Their results differ by at most a few units in
            the last place.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
    """

    def __init__(
        self,
        *,
        stddev: float = 0.1,
        axis: int | tuple[int, ...] | None = -1,
        flatten: bool = False,
        clip: Sequence[float] | None = None,
        noise_shape: Sequence[int | None] | None = None,
        stddev_regularizer: Any = None,
        stddev_constraint: Any = None,
        seed: int | None = None,
        training_only: bool = False,
        shard_invariant: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Makes the layer; the class tells of the arguments."""
        super().__init__(
            {},
            flatten=flatten,
            clip=clip,
            noise_shape=noise_shape,
            seed=seed,
            training_only=training_only,
            shard_invariant=shard_invariant,
            implementation=implementation,
            **kwargs,
        )
        _check_positive("stddev", stddev)
        self._first_stddev = stddev
        self.axis = tuple(axis) if isinstance(axis, list) else axis  # as files hold tuples
        self._axes = _as_axes(axis)
        self.stddev_regularizer = keras.regularizers.get(stddev_regularizer)
        self.stddev_constraint = keras.constraints.get(stddev_constraint)

    def _noises(self) -> tuple[Noise, ...]:
        """None whose parameters are arguments: the one level is learned."""
        return ()

    def build(self, input_shape: Any) -> None:
        """Makes the weight, of the sizes of the input's chosen axes."""
        rank = len(input_shape)
        kept = sorted(axis + rank if axis < 0 else axis for axis in self._axes)
        if not all(0 < axis < rank for axis in kept) or len(set(kept)) != len(kept):
            raise invalid_value(
                "axis",
                "axes of the input, each once, and not that of the batch (0)",
                f"{self.axis}, input_shape={tuple(input_shape)}",
            )
        shape = [input_shape[axis] for axis in kept]
        if None in shape:
            raise ValueError(
                f"Layer '{self.name}' needs to know the sizes of the axes that have a standard "
                "deviation for each index. "
                f"Received: axis={self.axis}, input_shape={tuple(input_shape)}"
            )
        if kept:
            self.input_spec = keras.layers.InputSpec(
                ndim=rank, axes=dict(zip(kept, shape, strict=True))
            )
        # What to reshape the weight to, so that it broadcasts over the dimensions but the batch's.
        self._spread = [input_shape[axis] if axis in kept else 1 for axis in range(1, rank)]
        self.log_stddev = self.add_weight(
            shape=shape,
            initializer=keras.initializers.Constant(math.log(self._first_stddev)),
            regularizer=self.stddev_regularizer and _regularizer_of_log(self.stddev_regularizer),
            constraint=self.stddev_constraint and _constraint_of_log(self.stddev_constraint),
            # The noise is made in float32 where the inputs are of a half precision.
            autocast=False,
            name="log_stddev",
        )

    @property
    def stddev(self) -> Any:
        """The standard deviation as it is now, a tensor of the sizes of the chosen axes."""
        if not self.built:
            raise ValueError(
                f"Layer '{self.name}' has no standard deviation yet, as its shape is that of the "
                "inputs' axes. Call the layer, or `build(input_shape)`, first."
            )
        return tf.exp(tf.convert_to_tensor(self.log_stddev))

    def _apply_noise(self, inputs: Any, **options: Any) -> Any:
        stddev = self.stddev
        if self._axes:
            stddev = tf.reshape(stddev, self._spread)
        if self._axes and self.flatten:
            stddev = tf.reshape(tf.broadcast_to(stddev, tf.shape(inputs)[1:]), [-1])
        return apply_noise(ADD_NORMAL, inputs, values=(0.0, stddev), **options)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        config = {
            **super().get_config(),
            "stddev": self._first_stddev,
            "axis": self.axis,
            "stddev_regularizer": keras.regularizers.serialize(self.stddev_regularizer),
            "stddev_constraint": keras.constraints.serialize(self.stddev_constraint),
        }
        if is_for_hdf5():  # whose reader keeps no `axis` but a single one
            config["axes"] = list(self._axes)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer of a configuration."""
        arguments = dict(config)
        axes = arguments.pop("axes", None)
        if axes is not None:
            arguments["axis"] = axes
        return super().from_config(arguments)
