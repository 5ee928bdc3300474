"""Cloning of models with Keras's noise layers replaced by the fused layers."""

import tempfile
from collections import Counter
from typing import Any

from flatnoise._src.drop_in_layers import DROP_INS, GaussianNoise
from flatnoise._src.errors import invalid_value
from flatnoise._src.export import export
from flatnoise._src.layers import AddGaussianNoise
from flatnoise._src.noise_layer import check_backend
from flatnoise._src.seeds import state_of
from flatnoise._src.tensorflow import keras

__all__ = ["convert"]

# A noise layer and the Flatten that follows it.
_Pair = tuple[Any, Any]


def _is_fusible(noise: Any, flatten: Any) -> bool:
    """Whether `AddGaussianNoise` can replace both. Channels-first `Flatten` also transposes."""
    return (
        type(noise) in (keras.layers.GaussianNoise, GaussianNoise)
        and type(flatten) is keras.layers.Flatten
        and noise.stddev > 0
        and flatten.data_format == "channels_last"
        and noise.dtype_policy.name == flatten.dtype_policy.name
    )


def _fused(noise: Any) -> Any:
    return AddGaussianNoise(
        stddev=noise.stddev,
        seed=noise.seed,
        flatten=True,
        training_only=True,
        name=noise.name,
        dtype=noise.dtype_policy,
    )


def _pairs_in_functional(model: Any) -> list[_Pair]:
    """The fusible pairs without other uses of either layer or of the noise's output."""
    nodes = [node for nodes in model._nodes_by_depth.values() for node in nodes]
    calls = Counter(id(node.operation) for node in nodes)
    uses = Counter(
        id(tensor._keras_history.operation)
        for tensors in (*(node.input_tensors for node in nodes), model.outputs)
        for tensor in tensors
    )
    outputs = {id(tensor._keras_history.operation) for tensor in model.outputs}
    pairs = []
    for node in nodes:
        flatten = node.operation
        if type(flatten) is not keras.layers.Flatten or id(flatten) in outputs:
            continue  # the names of the model's outputs must not change
        noise = node.input_tensors[0]._keras_history.operation
        used_once = calls[id(flatten)] == calls[id(noise)] == uses[id(noise)] == 1
        if used_once and _is_fusible(noise, flatten):
            pairs.append((noise, flatten))
    return pairs


def _replace_classes(model: Any) -> None:
    """Replaces Keras layers by those of flatnoise, including layers inside other layers.

    Some layers create their sublayers themselves, such as the dropout in attention, so it is the
    class of a layer that is replaced. The two classes differ only in `call`.
    """
    for layer in model._flatten_layers():
        drop_in = DROP_INS.get(type(layer))
        if drop_in is not None:
            object.__setattr__(layer, "__class__", drop_in)


def _new_layer(layer: Any) -> Any:
    config = layer.get_config()
    # The configuration of SpatialDropout has the variables' dtype instead of the dtype policy.
    if config.get("dtype") in ("float32", "float64") and layer.dtype_policy.name != config["dtype"]:
        config["dtype"] = layer.dtype_policy
    return type(layer).from_config(config)


def _load_state(layer: Any, clone: Any) -> None:
    """Copies the layer's own saved state to the clone, as if through a file.

    Some layers save more than their variables, such as a vocabulary.
    """
    store: dict[str, Any] = {}
    layer.save_own_variables(store)
    clone.load_own_variables(store)
    if not hasattr(layer, "save_assets"):
        return
    with tempfile.TemporaryDirectory() as folder:
        layer.save_assets(folder)
        clone.load_assets(folder)


def _copy_state(layer: Any, clone: Any) -> None:
    variables, copies = layer.variables, clone.variables
    if len(variables) != len(copies):
        raise ValueError(
            f"flatnoise.convert can't clone the layer '{layer.name}': it has {len(variables)} "
            f"variables, but `{type(layer).__name__}.from_config` creates {len(copies)}. "
            "flatnoise.patch_keras() doesn't clone layers."
        )
    for variable, copy in zip(variables, copies, strict=True):
        copy.assign(variable.value)  # includes the states of seed generators, which files omit
    layers = zip(layer._flatten_layers(), clone._flatten_layers(), strict=True)
    for original, cloned in layers:  # parents before children
        _load_state(original, cloned)
        if cloned.trainable != original.trainable:
            cloned.trainable = original.trainable


class _Cloning:
    """A clone of a model, with a map from original to cloned layers."""

    def __init__(self) -> None:
        self.clones: dict[int, Any] = {}
        self.copied: list[tuple[Any, Any]] = []
        self.fused: list[tuple[Any, AddGaussianNoise]] = []

    def clone(self, layer: Any) -> Any:
        """The clone of a layer or model, created on first use."""
        if id(layer) not in self.clones:
            self.clones[id(layer)] = self._new_clone(layer)
        return self.clones[id(layer)]

    def _new_clone(self, layer: Any) -> Any:
        if isinstance(layer, keras.Sequential):
            return self._clone_sequential(layer)
        if isinstance(layer, keras.Model) and hasattr(layer, "_nodes_by_depth"):
            return self._clone_functional(layer)
        if not isinstance(layer, keras.layers.Layer):  # an operation such as keras.ops.add
            return type(layer).from_config(layer.get_config())
        clone = (
            keras.models.clone_model(layer) if isinstance(layer, keras.Model) else _new_layer(layer)
        )
        self.copied.append((layer, clone))
        return clone

    def _fuse(self, noise: Any) -> Any:
        layer = _fused(noise)
        self.fused.append((noise, layer))
        return layer

    def _clone_sequential(self, model: Any) -> Any:
        layers: list[Any] = []
        first = model._layers[0] if model._layers else None
        if isinstance(first, keras.layers.InputLayer):
            layers.append(type(first).from_config(first.get_config()))
        remaining = list(model.layers)
        while remaining:
            layer = remaining.pop(0)
            if remaining and _is_fusible(layer, remaining[0]):
                remaining.pop(0)
                layers.append(self._fuse(layer))
            else:
                layers.append(self.clone(layer))
        return keras.Sequential(layers, name=model.name, trainable=model.trainable)

    def _clone_functional(self, model: Any) -> Any:
        pairs = _pairs_in_functional(model)
        noises = {id(noise) for noise, _ in pairs}
        flattens = {id(self.clone(flatten)) for _, flatten in pairs}

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            # The fused noise has already flattened.
            return args[0] if id(layer) in flattens else layer(*args, **kwargs)

        return keras.models.clone_model(
            model,
            clone_function=lambda layer: (
                self._fuse(layer) if id(layer) in noises else self.clone(layer)
            ),
            call_function=call,
        )


@export("flatnoise")
def convert(model: Any) -> Any:
    """Clone a model, replacing Keras's noise layers by those of flatnoise.

    `GaussianNoise`, `GaussianDropout`, `Dropout`, `SpatialDropout1D`, `2D`, `3D` and
    `AlphaDropout` become the layers of the same name in `flatnoise.layers`. This includes layers in
    nested models and inside other layers, such as attention. `GaussianNoise` directly followed by
    `Flatten` becomes one flattening `flatnoise.layers.AddGaussianNoise`, if the two layers have no
    other uses. Subclasses of Keras's layers aren't replaced.

    The clone has its own weights, with the model's values. The state of the noise is also copied,
    so both models continue with the same draws. If the model is compiled, so is the clone, with a
    new optimizer. The original model is unchanged.

    Sequential and functional models are cloned layer by layer. A subclassed model needs
    `get_config`, as for `keras.models.clone_model`, and keeps its class.

    Examples:
        >>> model = keras.Sequential(
        ...     [keras.Input((8,)), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
        ... )
        >>> flatnoise.convert(model).layers[0]
        <Dropout name=dropout, built=True>

    Args:
        model: A `keras.Model`.

    Returns:
        A model of the same kind as `model`. Its saved files load after `import flatnoise`.

    Raises:
        ValueError: If `model` isn't a `keras.Model`, or if the model built from its configuration
            differs from it.
    """
    check_backend("flatnoise.convert")
    if not isinstance(model, keras.Model):
        raise invalid_value("model", "a keras.Model", f"a {type(model).__name__}")
    cloning = _Cloning()
    clone = cloning.clone(model)
    _replace_classes(clone)
    for layer, copy in cloning.copied:
        _copy_state(layer, copy)
    for noise, layer in cloning.fused:
        layer.seed_generator.state.assign(state_of(noise.seed_generator))
        layer.trainable = noise.trainable
    if model.compiled and not clone.compiled:
        clone.compile_from_config(model.get_compile_config())
    return clone
