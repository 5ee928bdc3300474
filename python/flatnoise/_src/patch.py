"""Patches Keras's `random.dropout` and noise layers with the fused ops.

Dropout in layers, attention and recurrent cells ends up in `random.dropout` of Keras's TensorFlow
backend. The Gaussian layers and alpha dropout don't call it, so their `call` is replaced. All
classes remain Keras's.

Before a function is replaced, its signature and its results for a few small tensors are checked
against what is expected here.
"""

import contextlib
import dataclasses
import functools
import importlib
import inspect
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from flatnoise._src import keras_noise
from flatnoise._src.export import export
from flatnoise._src.noise_layer import check_backend
from flatnoise._src.tensorflow import keras, tf

__all__ = ["patch_keras", "unpatch_keras"]

_RANDOM = "keras.src.backend.tensorflow.random"
_PROBED = np.linspace(-2.0, 3.0, 2 * 5 * 6, dtype=np.float32).reshape(2, 5, 6)
_WITH_NAN = np.where(np.arange(60).reshape(2, 5, 6) % 7 == 0, np.nan, _PROBED)
# For noise on _PROBED. Wrong random numbers would be off by far more.
_TOLERANCE = 1e-5


class KerasDiffers(RuntimeError):
    """Raised if Keras isn't as expected."""


class _Seeds(keras.random.SeedGenerator):  # type: ignore[misc]
    """A generator that counts its draws but, unlike Keras's, has no variable and no name."""

    def __init__(self) -> None:
        self.drawn = 0

    def next(self, ordered: bool = True) -> Any:
        self.drawn += 1
        return tf.constant([1234, self.drawn], tf.int64)


class _Layer:
    """A stand-in for `self` in a Keras layer's `call`, with given attributes."""

    def __init__(self, cls: type, **attributes: Any) -> None:
        self.__dict__.update(attributes, _cls=cls)

    def __getattr__(self, name: str) -> Any:
        return types.MethodType(getattr(self.__dict__["_cls"], name), self)


@dataclasses.dataclass(frozen=True)
class _Target:
    """A Keras function to replace.

    `probes` call the function that they are given, with seeds. `tolerance` bounds the difference of
    the results.
    """

    owner: Any
    name: str
    signature: str
    replacement: Callable[[Callable[..., Any]], Callable[..., Any]]
    probes: tuple[Callable[[Callable[..., Any], _Seeds], Any], ...]
    tolerance: float = 0.0

    @property
    def path(self) -> str:
        owner = self.owner.__name__
        return f"{owner if inspect.ismodule(self.owner) else f'keras.layers.{owner}'}.{self.name}"


def _fused_dropout(draw: Callable[[Any], Any], original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def dropout(inputs: Any, rate: Any, noise_shape: Any = None, seed: Any = None) -> Any:
        if isinstance(inputs, np.ndarray):
            inputs = tf.convert_to_tensor(inputs)
        fused = keras_noise.dropout(inputs, rate, noise_shape, seed, draw)
        if fused is not None:
            return fused
        return original(inputs, rate, noise_shape=noise_shape, seed=seed)

    return dropout


def _fused_call(
    compute: Callable[..., Any], draw: Callable[[Any], Any], original: Callable[..., Any]
) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, inputs: Any, training: bool = False) -> Any:
        fused = compute(self, inputs, draw) if training else None
        return original(self, inputs, training=training) if fused is None else fused

    return call


def _dropout_probe(inputs: Any, **options: Any) -> Callable[..., Any]:
    return lambda function, seeds: function(inputs, 0.3, seed=seeds, **options)


def _call_probe(cls: type, training: bool = True, **attributes: Any) -> Callable[..., Any]:
    def probe(function: Callable[..., Any], seeds: _Seeds) -> Any:
        layer = _Layer(cls, compute_dtype="float32", seed_generator=seeds, **attributes)
        return function(layer, tf.constant(_PROBED), training=training)

    return probe


def _call_target(
    cls: type, compute: Callable[..., Any], draw: Callable[[Any], Any], **attributes: Any
) -> _Target:
    variants: list[dict[str, Any]] = [{}]
    if cls is keras.layers.AlphaDropout:
        variants = [{"noise_shape": None}, {"noise_shape": (None, 1, 6)}]
    return _Target(
        owner=cls,
        name="call",
        signature="(self, inputs, training=False)",
        replacement=functools.partial(_fused_call, compute, draw),
        probes=(
            *(_call_probe(cls, **attributes, **variant) for variant in variants),
            _call_probe(cls, training=False, **attributes, **variants[0]),
        ),
        tolerance=_TOLERANCE,
    )


def _targets() -> list[_Target]:
    module = importlib.import_module(_RANDOM)
    backend = importlib.import_module("keras.src.backend")
    if backend.random is not module:
        raise KerasDiffers(f"keras.src.backend.random is not {_RANDOM}")
    draw = module.draw_seed
    dropout = _Target(
        owner=module,
        name="dropout",
        signature="(inputs, rate, noise_shape=None, seed=None)",
        replacement=functools.partial(_fused_dropout, draw),
        probes=(
            _dropout_probe(_WITH_NAN.astype(np.float32)),
            _dropout_probe(_WITH_NAN.astype(np.float64)),
            _dropout_probe(_PROBED, noise_shape=(None, 1, 6)),
        ),
    )
    layers = keras.layers
    return [
        dropout,
        _call_target(layers.GaussianNoise, keras_noise.gaussian_noise, draw, stddev=0.5),
        _call_target(layers.GaussianDropout, keras_noise.gaussian_dropout, draw, rate=0.3),
        _call_target(layers.AlphaDropout, keras_noise.alpha_dropout, draw, rate=0.3),
    ]


def _check_signature(target: _Target, function: Any) -> None:
    if hasattr(function, "__wrapped__"):
        raise KerasDiffers(f"{target.path} has been replaced by another package")
    signature = str(inspect.signature(function))
    if signature != target.signature:
        raise KerasDiffers(
            f"{target.path} takes {signature}, where {target.signature} was expected"
        )


def _check_results(target: _Target, function: Any, replacement: Any) -> None:
    for probe in target.probes:
        seeds, our_seeds = _Seeds(), _Seeds()
        expected = probe(function, seeds).numpy()
        result = probe(replacement, our_seeds).numpy()
        same = expected.dtype == result.dtype and np.allclose(
            result, expected, rtol=0.0, atol=target.tolerance, equal_nan=True
        )
        if not same or seeds.drawn != our_seeds.drawn:
            raise KerasDiffers(f"{target.path} gives other numbers than the fused op")


def _replacements() -> list[tuple[_Target, Any, Any]]:
    """The targets, with their current functions and the checked replacements."""
    found = []
    # Runs eagerly, even if called in a graph.
    with tf.init_scope(), tf.device("CPU:0"):
        for target in _targets():
            original = vars(target.owner)[target.name]
            _check_signature(target, original)
            replacement = target.replacement(original)
            _check_results(target, original, replacement)
            found.append((target, original, replacement))
    return found


def _checked_replacements() -> list[tuple[_Target, Any, Any]]:
    try:
        return _replacements()
    except Exception as error:  # a different Keras may raise anything
        reason = error if isinstance(error, KerasDiffers) else f"{type(error).__name__}: {error}"
        raise RuntimeError(
            f"flatnoise can't patch Keras {keras.__version__}: {reason}. Nothing was replaced. "
            "The layers of flatnoise.layers and flatnoise.convert(model) need no patch."
        ) from error


class _State:
    """The current replacements, and the number of active calls of `patch_keras`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.users = 0
        self.epoch = 0  # the number of calls of `unpatch_keras`
        self.replaced: list[tuple[_Target, Any, Any]] = []

    def install(self) -> None:
        if self.replaced:
            return
        self.replaced = _checked_replacements()
        for target, _, replacement in self.replaced:
            setattr(target.owner, target.name, replacement)

    def remove(self) -> None:
        for target, _, replacement in self.replaced:
            if vars(target.owner).get(target.name) is not replacement:
                raise RuntimeError(
                    f"flatnoise can't take its patch of Keras back: {target.path} has been "
                    "replaced since by another package. Take that back first."
                )
        for target, original, _ in self.replaced:
            setattr(target.owner, target.name, original)
        self.replaced = []


_state = _State()


class _Patch(contextlib.AbstractContextManager[None]):
    """Removes the patch on exit, unless another call of `patch_keras` still needs it."""

    def __init__(self, epoch: int) -> None:
        self._epoch: int | None = epoch

    def __enter__(self) -> None:
        """Does nothing: the patch is already in effect."""

    def __exit__(self, *exception: object) -> None:
        with _state.lock:
            if self._epoch != _state.epoch:  # already removed, possibly by `unpatch_keras`
                return
            if _state.users == 1:
                _state.remove()
            _state.users -= 1
            self._epoch = None


@export("flatnoise")
def patch_keras() -> contextlib.AbstractContextManager[None]:
    """Make Keras's dropout and noise layers run as fused ops, without changes to the model.

    Replaces `random.dropout` of Keras's TensorFlow backend, which `keras.layers.Dropout`,
    `SpatialDropout`, attention, recurrent cells and `keras.random.dropout` call, and the training
    computation of `keras.layers.GaussianNoise`, `GaussianDropout` and `AlphaDropout`. Models keep
    Keras's classes, so saved models load without flatnoise.

    For the same seed, results match those of Keras outside XLA: dropout is bit-identical in float32
    and float64, and normal noise agrees to a few units in the last place. Results inside XLA are
    the same. In half precision, random numbers are drawn in float32 and therefore differ from
    Keras's. Calls that the fused ops don't support, such as with a tensor as rate, fall back to
    Keras.

    Functions that were already traced, such as the training step of a fitted model, don't change.
    `model.compile()` makes Keras retrace. The patch applies to all threads of the process. Further
    calls have no effect.

    Examples:
        >>> flatnoise.patch_keras()          # until flatnoise.unpatch_keras()
        >>> with flatnoise.patch_keras():    # or for a while
        ...     model.fit(x, y)

    Returns:
        A context manager that removes the patch on exit, unless another call still needs it.

    Raises:
        RuntimeError: If Keras isn't as expected or doesn't use the TensorFlow backend. Nothing is
            replaced in this case.
    """
    check_backend("flatnoise.patch_keras")
    with _state.lock:
        _state.install()
        _state.users += 1
        return _Patch(_state.epoch)


@export("flatnoise")
def unpatch_keras() -> None:
    """Remove the patch of all calls of `flatnoise.patch_keras`, if there are any.

    Functions that were traced in the meantime keep the fused ops.

    Raises:
        RuntimeError: If another package has since replaced the same functions. They remain
            unchanged in this case.
    """
    with _state.lock:
        _state.remove()
        _state.users = 0
        _state.epoch += 1
