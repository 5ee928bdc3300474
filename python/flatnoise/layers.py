"""Keras layers that add noise, and flatten in the same pass.

Calls of one layer that run at the same time, as in `tf.data.Dataset.map` with
`num_parallel_calls`, may draw the same noise: Keras reads a seed generator's state and then
advances it, in two steps, and so it is for every Keras layer that draws random numbers. Map one
call after the other, or use `flatnoise.flatten_add_normal` and `flatnoise.flatten_add_uniform`
with a seed made from the element's index, which hold no state.
"""

import math
import numbers
from typing import Any

from flatnoise._tensorflow import keras, tf
from flatnoise.arguments import IMPLEMENTATIONS, check_choice
from flatnoise.library import load
from flatnoise.ops import flatten_add_normal, flatten_add_uniform
from flatnoise.shapes import flattened

__all__ = ["AddGaussianNoise", "AddNoise", "AddUniformNoise"]

_NOISE_TYPES = ("gaussian", "uniform")
_SEED_STATE = "seed_generator_state"


def _check_backend() -> None:
    backend = keras.config.backend()
    if backend != "tensorflow":
        raise RuntimeError(
            "The layers of flatnoise need Keras's TensorFlow backend. Expected "
            f"keras.config.backend() to be 'tensorflow'. Received: '{backend}'. Set the "
            "environment variable KERAS_BACKEND=tensorflow before Keras is imported."
        )


def _check_number(argument: str, value: Any) -> None:
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value):
        raise ValueError(
            f"Invalid value received for argument `{argument}`. Expected a finite float value. "
            f"Received: {argument}={value}"
        )


def _check_normal(mean: Any, stddev: Any) -> None:
    _check_number("mean", mean)
    _check_number("stddev", stddev)
    if stddev < 0:
        raise ValueError(
            "Invalid value received for argument `stddev`. Expected a float value that is not "
            f"negative. Received: stddev={stddev}"
        )


def _check_uniform(minval: Any, maxval: Any) -> None:
    _check_number("minval", minval)
    _check_number("maxval", maxval)
    if minval > maxval:
        raise ValueError(
            "Invalid values received for arguments `minval` and `maxval`. Expected minval <= "
            f"maxval. Received: minval={minval}, maxval={maxval}"
        )


def _check_flag(argument: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(
            f"Invalid value received for argument `{argument}`. Expected a boolean. "
            f"Received: {argument}={value}"
        )


def _stateless_seed(state: Any) -> Any:
    # The arithmetic of Keras's TensorFlow backend: the same state gives the same noise as
    # keras.random.normal and keras.random.uniform.
    return tf.cast(tf.math.floormod(state, tf.int32.max - 1), tf.int32)


def _distinct_per_replica(seed: Any) -> Any:
    """`seed` with the replica's number in bits that a 32-bit seed leaves free.

    The state of a seed generator is the same on every replica, and so would be the noise.
    Replica 0 keeps its seed: one replica draws what a model without a strategy draws.
    """
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return seed
    replica = tf.cast(context.replica_id_in_sync_group, tf.int64)
    return tf.cast(seed, tf.int64) + tf.stack([replica * 2**32, tf.zeros_like(replica)])


class _NoiseLayer(keras.layers.Layer):  # type: ignore[misc]
    """What the noise layers share: seeds, shapes, masks, saving. They say what noise to add."""

    def __init__(
        self,
        flatten: bool,
        seed: int | None,
        training_only: bool,
        implementation: str,
        **kwargs: Any,
    ) -> None:
        _check_backend()
        super().__init__(**kwargs)
        _check_flag("flatten", flatten)
        _check_flag("training_only", training_only)
        check_choice("implementation", implementation, IMPLEMENTATIONS)
        self.flatten = flatten
        self.seed = seed
        self.training_only = training_only
        self.implementation = implementation
        self.seed_generator = keras.random.SeedGenerator(seed)
        # Keras's own trackers pass a seed generator's state by; tf.train.Checkpoint saves this.
        self._seed_checkpoint = tf.train.Checkpoint(state=self.seed_generator.state)
        # A mask has the shape of the input: it is lost where that is, as in keras.layers.Flatten.
        self.supports_masking = not flatten
        # Without XLA kernels the compiled op can't be compiled: Keras's jit_compile="auto" then
        # leaves XLA out.
        self.supports_jit = implementation != "native" or load().has_xla_kernels
        # There is nothing to build, unless a subclass says otherwise.
        self.built = type(self).build is keras.layers.Layer.build

    def _add_noise(self, inputs: Any, seed: Any) -> Any:
        raise NotImplementedError

    def _add_normal(self, inputs: Any, seed: Any, mean: float, stddev: float) -> Any:
        return flatten_add_normal(
            inputs, seed, mean, stddev, flatten=self.flatten, implementation=self.implementation
        )

    def _add_uniform(self, inputs: Any, seed: Any, minval: float, maxval: float) -> Any:
        return flatten_add_uniform(
            inputs, seed, minval, maxval, flatten=self.flatten, implementation=self.implementation
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Adds noise, unless the layer is to do so in training only and this is none."""
        if self.training_only and not training:
            return flattened(inputs) if self.flatten else inputs
        seed = _distinct_per_replica(_stateless_seed(self.seed_generator.next()))
        return self._add_noise(inputs, seed)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """The shape of the input, or `(batch, features)` where the layer flattens."""
        if len(input_shape) == 0:
            raise ValueError(
                f"Layer '{self.name}' needs a batch dimension. Expected inputs of rank 1 or more. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        if not self.flatten:
            return tuple(input_shape)
        batch, *dimensions = input_shape
        features = None if None in dimensions else math.prod(dimensions)
        return (batch, features)

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        """The symbolic output for a symbolic input."""
        if not keras.backend.is_float_dtype(inputs.dtype):
            raise ValueError(
                f"Layer '{self.name}' adds real numbers. Expected floating-point inputs. "
                f"Received: inputs of dtype {inputs.dtype}"
            )
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def save_own_variables(self, store: Any) -> None:
        """Saves the state of the seed generator too, which Keras leaves out."""
        super().save_own_variables(store)
        store[_SEED_STATE] = self.seed_generator.state

    def load_own_variables(self, store: Any) -> None:
        """Restores the state of the seed generator, so that the noise goes on, not from the start.

        Files of models that hold no such state are read as well: the state is then left as it is.
        """
        saved = {key: store[key] for key in store.keys()}  # noqa: SIM118  (stores aren't mappings)
        state = saved.pop(_SEED_STATE, None)
        super().load_own_variables(saved)
        if state is not None:
            self.seed_generator.state.assign(state)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {
            **super().get_config(),
            "flatten": self.flatten,
            "seed": self.seed,
            "training_only": self.training_only,
            "implementation": self.implementation,
        }


@keras.saving.register_keras_serializable(package="flatnoise")
class AddGaussianNoise(_NoiseLayer):
    """Adds normally distributed noise, on every call.

    Each replica of a `tf.distribute` strategy gets noise of its own. The state of the noise is
    saved with the model: a training that is taken up again goes on with fresh noise.

    Example:
    >>> layer = flatnoise.layers.AddGaussianNoise(mean=0.0, stddev=0.1)
    >>> layer(keras.ops.zeros((32, 28, 28, 1))).shape
    TensorShape([32, 28, 28, 1])

    Args:
        mean: Float, the mean of the noise.
        stddev: Float, the standard deviation of the noise, at least 0.
        flatten: Boolean. Whether the output is `(batch, features)` or has the shape of the input.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is added in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        implementation: `"auto"`, `"native"` (the compiled op) or `"tensorflow"` (stock ops); see
            `flatnoise.flatten_add_normal`.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
    """

    def __init__(
        self,
        mean: float = 0.0,
        stddev: float = 0.1,
        flatten: bool = False,
        seed: int | None = None,
        training_only: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Makes the layer; the class tells of the arguments."""
        super().__init__(flatten, seed, training_only, implementation, **kwargs)
        _check_normal(mean, stddev)
        self.mean = mean
        self.stddev = stddev

    def _add_noise(self, inputs: Any, seed: Any) -> Any:
        return self._add_normal(inputs, seed, self.mean, self.stddev)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@keras.saving.register_keras_serializable(package="flatnoise")
class AddUniformNoise(_NoiseLayer):
    """Flattens and adds uniformly distributed noise, on every call.

    Each replica of a `tf.distribute` strategy gets noise of its own. The state of the noise is
    saved with the model: a training that is taken up again goes on with fresh noise.

    Example:
    >>> layer = flatnoise.layers.AddUniformNoise(minval=-0.1, maxval=0.1)
    >>> layer(keras.ops.zeros((16, 32, 32, 3))).shape
    TensorShape([16, 3072])

    Args:
        minval: Float, the least noise.
        maxval: Float, the bound that the noise stays below, at least `minval`.
        flatten: Boolean. Whether the output is `(batch, features)` or has the shape of the input.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is added in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        implementation: `"auto"`, `"native"` (the compiled op) or `"tensorflow"` (stock ops); see
            `flatnoise.flatten_add_normal`.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
    """

    def __init__(
        self,
        minval: float = -0.1,
        maxval: float = 0.1,
        flatten: bool = True,
        seed: int | None = None,
        training_only: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Makes the layer; the class tells of the arguments."""
        super().__init__(flatten, seed, training_only, implementation, **kwargs)
        _check_uniform(minval, maxval)
        self.minval = minval
        self.maxval = maxval

    def _add_noise(self, inputs: Any, seed: Any) -> Any:
        return self._add_uniform(inputs, seed, self.minval, self.maxval)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


@keras.saving.register_keras_serializable(package="flatnoise")
class AddNoise(_NoiseLayer):
    """Flattens and adds noise of a type chosen by name, on every call.

    Each replica of a `tf.distribute` strategy gets noise of its own. The state of the noise is
    saved with the model: a training that is taken up again goes on with fresh noise.

    Example:
    >>> layer = flatnoise.layers.AddNoise(noise_type="gaussian", stddev=0.02)
    >>> layer(keras.ops.zeros((8, 64, 64, 3))).shape
    TensorShape([8, 12288])

    Args:
        noise_type: `"gaussian"` or `"uniform"`.
        mean: Float, the mean of Gaussian noise.
        stddev: Float, the standard deviation of Gaussian noise, at least 0.
        minval: Float, the least uniform noise.
        maxval: Float, the bound that uniform noise stays below, at least `minval`.
        flatten: Boolean. Whether the output is `(batch, features)` or has the shape of the input.
        seed: Integer, optional random seed to enable deterministic behavior.
        training_only: Boolean. If `True`, noise is added in training only, as by
            `keras.layers.GaussianNoise`; otherwise on every call.
        implementation: `"auto"`, `"native"` (the compiled op) or `"tensorflow"` (stock ops); see
            `flatnoise.flatten_add_normal`.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name` and `dtype`.

    Call arguments:
        inputs: Floating-point tensor of rank 1 or more, the batch first.
        training: Boolean. Counts only where `training_only` is `True`.
    """

    def __init__(
        self,
        noise_type: str = "gaussian",
        mean: float = 0.0,
        stddev: float = 0.1,
        minval: float = -0.1,
        maxval: float = 0.1,
        flatten: bool = True,
        seed: int | None = None,
        training_only: bool = False,
        implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        """Makes the layer; the class tells of the arguments."""
        super().__init__(flatten, seed, training_only, implementation, **kwargs)
        check_choice("noise_type", noise_type, _NOISE_TYPES)
        _check_normal(mean, stddev)
        _check_uniform(minval, maxval)
        self.noise_type = noise_type
        self.mean = mean
        self.stddev = stddev
        self.minval = minval
        self.maxval = maxval

    def _add_noise(self, inputs: Any, seed: Any) -> Any:
        if self.noise_type == "gaussian":
            return self._add_normal(inputs, seed, self.mean, self.stddev)
        return self._add_uniform(inputs, seed, self.minval, self.maxval)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        return {
            **super().get_config(),
            "noise_type": self.noise_type,
            "mean": self.mean,
            "stddev": self.stddev,
            "minval": self.minval,
            "maxval": self.maxval,
        }
