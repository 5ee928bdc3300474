"""The layer with a learned noise level."""

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
    # A constraint may allow 0, which has no logarithm.
    return lambda log_stddev: tf.math.log(
        tf.maximum(constraint(tf.exp(log_stddev)), keras.config.epsilon())
    )


@export("flatnoise.layers")
@keras.saving.register_keras_serializable(package="flatnoise")
class LearnedGaussianNoise(NoiseLayer):
    """Add normally distributed noise with mean 0 and a learned standard deviation.

    Computes `inputs + stddev * z` with `stddev = exp(log_stddev)`, where `log_stddev` is the
    layer's only weight. Learning the logarithm keeps `stddev` positive and makes optimizer steps
    relative. The gradient goes through the noise (the reparameterization trick of Kingma and
    Welling, 2013). The backward pass recomputes the noise from its seed, so no noise is stored.

    If noise increases the loss, training drives `stddev` towards 0. To prevent this, use a
    constraint or a regularizer that rewards noise, such as `flatnoise.regularizers.NoiseEntropy`.

    Reference:
        - [Kingma and Welling, 2013](https://arxiv.org/abs/1312.6114)

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
        stddev: Float, the initial standard deviation, above 0.
        axis: Integer, tuple of integers, or `None`. The axes that have a separate standard
            deviation for each index, as in `keras.layers.Normalization`: `-1` for one per channel,
            all axes except the batch axis for one per feature, `None` for a single one. The sizes
            of these axes must be known.
        flatten: Boolean. If `True`, the output has shape `[batch, features]` (`[batch, 1]` for
            inputs of rank 1). If `False`, it has the shape of `inputs`.
        clip: Two numbers `(low, high)` to clip the output to, or `None`. As for `tf.clip_by_value`,
            the gradient is 0 where the output was clipped.
        noise_shape: The shape of the noise, with one size per axis of the inputs, or `None`. A size
            of 1 shares the noise along that axis: `(None, None, None, 1)` adds gray noise to color
            images. A size of `None` stands for the size of the inputs' axis.
        stddev_regularizer: Regularizer for `stddev` (not for its logarithm). As elsewhere in Keras,
            a lambda can't be saved or cloned.
        stddev_constraint: Constraint on `stddev` (not on its logarithm). Values below
            `keras.config.epsilon()` are raised to it.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, the layer applies noise only in training, like
            `keras.layers.GaussianNoise`. If `False`, it applies noise on every call.
        shard_invariant: Boolean. If `True`, the replicas of a `tf.distribute` strategy together
            apply the noise that a single replica would apply to the global batch. This costs an
            exchange of shard sizes between the replicas. If `False`, each replica applies its own
            noise.
        implementation: `"native"` for the compiled op, `"tensorflow"` for stock TensorFlow ops, or
            `"auto"`. `"auto"` uses the compiled op on devices that it has a kernel for (CPUs and
            NVIDIA GPUs) and stock ops elsewhere, for example on TPUs. Their results differ by at
            most a few units in the last place.
        **kwargs: Base layer keyword arguments, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more. Axis 0 is the batch.
        training: Boolean, whether the layer is called in training. Noise depends on it only if
            `training_only` is `True`. Schedules count the calls in training.

    Input shape:
        Arbitrary, with rank 1 or more.

    Output shape:
        `(batch, features)` if `flatten` is `True`, else the same as the input shape.
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
        """Initialize the layer. The class documents the arguments."""
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
        self.axis = tuple(axis) if isinstance(axis, list) else axis  # files store tuples as lists
        self._axes = _as_axes(axis)
        self.stddev_regularizer = keras.regularizers.get(stddev_regularizer)
        self.stddev_constraint = keras.constraints.get(stddev_constraint)

    def _noises(self) -> tuple[Noise, ...]:
        """No noises with levels as arguments: the only level is learned."""
        return ()

    def build(self, input_shape: Any) -> None:
        """Create the weight, with the sizes of the chosen input axes."""
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
                f"Layer '{self.name}' needs the static sizes of the axes with a standard deviation "
                "per index. "
                f"Received: axis={self.axis}, input_shape={tuple(input_shape)}"
            )
        if kept:
            self.input_spec = keras.layers.InputSpec(
                ndim=rank, axes=dict(zip(kept, shape, strict=True))
            )
        # With this shape, the weight broadcasts over all dimensions except the batch.
        self._spread = [input_shape[axis] if axis in kept else 1 for axis in range(1, rank)]
        self.log_stddev = self.add_weight(
            shape=shape,
            initializer=keras.initializers.Constant(math.log(self._first_stddev)),
            regularizer=self.stddev_regularizer and _regularizer_of_log(self.stddev_regularizer),
            constraint=self.stddev_constraint and _constraint_of_log(self.stddev_constraint),
            # Noise for half-precision inputs is computed in float32.
            autocast=False,
            name="log_stddev",
        )

    @property
    def stddev(self) -> Any:
        """The current standard deviation, a tensor with the sizes of the chosen axes."""
        if not self.built:
            raise ValueError(
                f"Layer '{self.name}' has no standard deviation yet, because its shape depends on "
                "the inputs. Call the layer or `build(input_shape)` first."
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
        """Return the constructor arguments of the layer."""
        config = {
            **super().get_config(),
            "stddev": self._first_stddev,
            "axis": self.axis,
            "stddev_regularizer": keras.regularizers.serialize(self.stddev_regularizer),
            "stddev_constraint": keras.constraints.serialize(self.stddev_constraint),
        }
        if is_for_hdf5():  # the HDF5 reader keeps `axis` only if it is a single one
            config["axes"] = list(self._axes)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Create a layer from its configuration."""
        arguments = dict(config)
        axes = arguments.pop("axes", None)
        if axes is not None:
            arguments["axis"] = axes
        return super().from_config(arguments)
