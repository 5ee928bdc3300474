"""The base class of the noise layers: arguments, seeds, shapes, masks and saving."""

import functools
import importlib
import math
import numbers
import os
import warnings
from collections.abc import Sequence
from typing import Any

from flatnoise._src import broadcasting, library
from flatnoise._src.arguments import IMPLEMENTATIONS, convert_flag
from flatnoise._src.broadcasting import Output
from flatnoise._src.errors import check_choice, invalid_value
from flatnoise._src.functions import apply_noise
from flatnoise._src.levels import LevelAttribute, Levels, from_config
from flatnoise._src.noises import Noise
from flatnoise._src.options import Options, convert_clip, convert_noise_shape
from flatnoise._src.seeds import (
    SeedGenerator,
    are_in_step,
    distinct_per_replica,
    elements_on_earlier_replicas,
)
from flatnoise._src.shapes import flattened
from flatnoise._src.tensorflow import keras, tf

# Private, but nothing public tells which file format a configuration is for.
_global_state = importlib.import_module("keras.src.backend.common.global_state")

__all__ = ["NoiseLayer", "check_backend", "check_number", "is_for_hdf5"]

_SEED_STATE = "seed_generator_state"


def check_backend(what: str) -> None:
    """Raises RuntimeError unless Keras uses the TensorFlow backend, which `what` needs."""
    backend = keras.config.backend()
    if backend != "tensorflow":
        raise RuntimeError(
            f"{what} needs Keras's TensorFlow backend. Expected "
            f"keras.config.backend() to be 'tensorflow'. Received: '{backend}'. Set the "
            "environment variable KERAS_BACKEND=tensorflow before Keras is imported."
        )


@functools.cache
def warn_once_about_keras_2() -> None:
    """Warns that `tf.keras` rejects these layers if it is Keras 2.

    `tf.keras.Sequential` rejects them before any of their code runs.
    """
    if os.environ.get("TF_USE_LEGACY_KERAS") in ("1", "true", "True"):
        warnings.warn(
            "flatnoise.layers are layers of Keras 3, the package `keras`, and TF_USE_LEGACY_KERAS "
            "makes tf.keras Keras 2, whose models can't hold them. There, call functions such as "
            "flatnoise.flatten_add_normal in the `call` of a custom layer.",
            UserWarning,
            stacklevel=4,
        )


def check_number(argument: str, value: Any, finite: bool = True) -> None:
    """Raises ValueError unless `value` is a real number and, if required, finite."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or (finite and not math.isfinite(value)):
        raise invalid_value(argument, "a finite float value" if finite else "a float value", value)


def is_for_hdf5() -> bool:
    """Whether Keras wants a configuration for an HDF5 file (`model.save("model.h5")`)."""
    return bool(_global_state.get_global_attribute("use_legacy_config"))


class NoiseLayer(keras.layers.Layer):  # type: ignore[misc]
    """Base class of the noise layers.

    A subclass sets `noise` and has a `LevelAttribute` for each parameter of that noise.
    """

    noise: Noise

    def __init__(
        self,
        values: dict[str, Any],
        *,
        flatten: bool,
        clip: Sequence[float] | None = None,
        noise_shape: Sequence[int | None] | None = None,
        seed: int | None,
        training_only: bool,
        shard_invariant: bool,
        implementation: str,
        variable_levels: bool | Sequence[str] = False,
        **kwargs: Any,
    ) -> None:
        """Initialize the arguments common to all layers. The subclasses document them."""
        check_backend(type(self).__name__)
        warn_once_about_keras_2()
        super().__init__(**kwargs)
        check_choice("implementation", implementation, IMPLEMENTATIONS)
        self._levels = Levels(self, self._noises(), values, variable_levels)
        self.flatten = convert_flag("flatten", flatten)
        self.clip = convert_clip(clip)
        self.noise_shape = convert_noise_shape(noise_shape)
        self.seed = seed
        self.training_only = convert_flag("training_only", training_only)
        self.shard_invariant = convert_flag("shard_invariant", shard_invariant)
        self.implementation = implementation
        self._options = Options(clip=self.clip, noise_shape=self.noise_shape)
        self.seed_generator = SeedGenerator(seed)
        # Keras doesn't track the state of seed generators. tf.train.Checkpoint saves this
        # attribute.
        self._seed_checkpoint = tf.train.Checkpoint(state=self.seed_generator.state)
        # A mask has the input's shape. Flattening drops it, as in keras.layers.Flatten.
        self.supports_masking = not self.flatten
        # Without XLA kernels, XLA can't compile the op. Keras's jit_compile="auto" then avoids XLA.
        self.supports_jit = implementation != "native" or library.load().has_xla_kernels
        # Only subclasses that override `build` have something to build.
        self.built = type(self).build is keras.layers.Layer.build

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute. Levels bypass Keras, which would track rejected values."""
        if isinstance(getattr(type(self), name, None), LevelAttribute):
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def _noises(self) -> tuple[Noise, ...]:
        """The noises whose parameters are arguments. The layer applies the first."""
        return (self.noise,)

    def _values(self) -> tuple[Any, ...]:
        """The values of the noise's parameters."""
        return self._levels.values()

    def _apply_noise(self, inputs: Any, **options: Any) -> Any:
        return apply_noise(self.noise, inputs, values=self._values(), **options)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Apply noise, unless `training_only` is set and this isn't a call in training."""
        if self.training_only and not training:
            return flattened(inputs) if self.flatten else inputs
        if self.shard_invariant:
            self._check_scope("shard_invariant=True", "draw the same seeds")
        if self._levels.has_schedule:
            self._check_scope("a schedule", "count the same steps")
        generator = self.seed_generator
        outputs = self._apply_noise(
            inputs,
            seed=generator if self.shard_invariant else distinct_per_replica(generator),
            offset=elements_on_earlier_replicas(inputs) if self.shard_invariant else 0,
            flatten=self.flatten,
            implementation=self.implementation,
            options=self._options,
        )
        if training:
            self._levels.advance()
        return outputs

    def _check_scope(self, reason: str, demand: str) -> None:
        if are_in_step(self.seed_generator):
            return
        raise ValueError(
            f"Layer '{self.name}' has {reason}, so all replicas must {demand}. Expected a layer "
            "made inside `with strategy.scope():` of the strategy that it is called under. "
            "Received: a layer made outside the scope, whose single state all replicas would "
            "advance."
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return the input shape, or `(batch, features)` if the layer flattens."""
        if len(input_shape) == 0:
            raise ValueError(
                f"Layer '{self.name}' needs a batch dimension. Expected inputs of rank 1 or more. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        if not self.flatten:
            return tuple(input_shape)
        return broadcasting.flattened(input_shape)

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        """Return the symbolic output for a symbolic input."""
        if not keras.backend.is_float_dtype(inputs.dtype):
            raise ValueError(
                f"Layer '{self.name}' applies real noise. Expected floating-point inputs. "
                f"Received: inputs of dtype {inputs.dtype}"
            )
        shape = self.compute_output_shape(inputs.shape)
        self._levels.check_fit(Output(tuple(inputs.shape), self.flatten))
        return keras.KerasTensor(shape, dtype=inputs.dtype)

    def save_own_variables(self, store: Any) -> None:
        """Save the state of the seed generator too, which Keras doesn't save."""
        super().save_own_variables(store)
        store[_SEED_STATE] = self.seed_generator.state

    def load_own_variables(self, store: Any) -> None:
        """Restore the state of the seed generator too, so that the noise doesn't repeat.

        Without such a state in the file, the generator keeps its current state.
        """
        saved = {key: store[key] for key in store.keys()}  # noqa: SIM118  (stores aren't mappings)
        state = saved.pop(_SEED_STATE, None)
        super().load_own_variables(saved)
        if state is not None:
            self.seed_generator.state.assign(state)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor arguments of the layer."""
        config = {
            **super().get_config(),
            **self._levels.config(),
            "flatten": self.flatten,
            "clip": self.clip,
            "noise_shape": self.noise_shape,
            "seed": self.seed,
            "training_only": self.training_only,
            "shard_invariant": self.shard_invariant,
            "implementation": self.implementation,
        }
        if is_for_hdf5():  # HDF5 files store only weights
            config[_SEED_STATE] = self.seed_generator.state.numpy().tolist()
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Create a layer from its configuration."""
        arguments = dict(config)
        state = arguments.pop(_SEED_STATE, None)
        for name, value in arguments.items():
            if isinstance(getattr(cls, name, None), LevelAttribute):
                arguments[name] = from_config(value)
        layer = super().from_config(arguments)
        if state is not None:
            layer.seed_generator.state.assign(state)
        return layer
