"""Whether the compiled op has a kernel where it will run.

It has kernels only for CPUs and NVIDIA GPUs. TensorFlow places an op after creating it, so the
placement must be inferred from the context: a TPU computation, a device scope or a replica of a
distribution strategy. Otherwise, TensorFlow chooses from the machine's devices.
"""

import functools
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from flatnoise._src import gpu
from flatnoise._src.tensorflow import tf

__all__ = [
    "eager_problem",
    "is_in_xla",
    "is_on_mesh",
    "may_be_for_a_mesh",
    "may_be_off_the_cpu",
    "named_problem",
    "problem",
]

# A DTensor device, which runs an op on the devices of a mesh, shard by shard.
_MESH = "CUSTOM"
# Functions that TensorFlow compiles for JAX to run.
_JAX = "JAX"
# Devices that `gpu` covers, and devices that get ops only if named explicitly.
_NOT_OTHER_ACCELERATORS = frozenset(["CPU", "GPU", "XLA_CPU", "XLA_GPU", "TPU_SYSTEM", _MESH])

_current_eager_device = tf.__internal__.eager_context.get_device_name


def problem(inputs: Any = None) -> str | None:
    """Why the compiled op can't run where TensorFlow would place it now, or None if it can.

    Args:
        inputs: The op's input, if it already exists.
    """
    named = _named_types(inputs)
    return _first_problem(named) if named else _problem_by_default()


def named_problem(inputs: Any = None) -> str | None:
    """Like `problem`, but considers only explicit placements by the context and the input."""
    return _first_problem(_named_types(inputs))


def eager_problem(inputs: Any) -> str | None:
    """A fast version of `problem` for eager calls, with a cache of known placements.

    Eager replicas of a strategy always name their device by a scope.
    """
    return _eager_problem(_current_eager_device(), inputs.device)


@functools.cache
def _eager_problem(scope: str, inputs_device: str) -> str | None:
    named = _MESH if _type_of(inputs_device) == _MESH else _type_of(scope)
    return _problem_by_default() if named is None else _problem_of(named)


def may_be_off_the_cpu(inputs: Any = None) -> bool:
    """Whether an op created here may have to run on a device other than a CPU.

    TensorFlow places CPU-only ops on a CPU, but XLA compiles all ops for one device.
    """
    named = _named_types(inputs)
    if not is_in_xla():
        return any(kind not in ("CPU", "GPU") for kind in named)
    if named:
        return set(named) != {"CPU"}
    return any(device.device_type != "CPU" for device in tf.config.list_logical_devices())


def is_on_mesh(inputs: Any) -> bool:
    """Whether an op on `inputs` runs eagerly on a DTensor mesh."""
    return tf.executing_eagerly() and _named_types(inputs) == (_MESH,)


@functools.lru_cache(maxsize=1024)
def _type_of(device: str) -> str | None:
    if not device:
        return None
    kind: str | None = tf.DeviceSpec.from_string(device).device_type
    return kind


def _problem_of(device_type: str) -> str | None:
    if device_type == "CPU":
        return None
    if device_type == "GPU":
        return gpu.build_problem() or gpu.problem()
    if device_type == _MESH:
        return "the compiled op has no layout rule for DTensor meshes"
    if device_type == _JAX:
        return "what jax2tf.call_tf compiles runs in JAX, where the compiled op is not"
    return f"the compiled op has no kernel for {device_type} devices"


def _first_problem(device_types: Iterable[str]) -> str | None:
    return next(filter(None, map(_problem_of, device_types)), None)


def _problem_by_default() -> str | None:
    """The problem without explicit placement, for devices that TensorFlow prefers to the CPU."""
    if may_be_for_a_mesh():
        return _problem_of(_MESH)
    types = {device.device_type for device in tf.config.list_logical_devices()}
    return gpu.problem() or _first_problem(sorted(types - _NOT_OTHER_ACCELERATORS))


def may_be_for_a_mesh() -> bool:
    """Whether ops created now may be for DTensors. A graph's placeholders don't tell.

    In a process with meshes, every graph may be. TensorFlow has no function that checks for meshes
    without creating the DTensor device.
    """
    api = sys.modules.get("tensorflow.dtensor.python.api")
    has_meshes = getattr(api, "_dtensor_singleton", None) is not None
    return has_meshes and not tf.executing_eagerly()


def _named_types(inputs: Any) -> tuple[str, ...]:
    """The types of the explicitly named devices, if any."""
    if _is_distributed(inputs):
        return (_MESH,)
    if _is_compiled_for_jax():
        return (_JAX,)
    if _is_in_tpu_computation():
        return ("TPU",)
    for device in _device_scopes():
        device_type = _type_of(device)
        if device_type is not None:
            return (device_type,)
    return _types_of_replica()


def _is_distributed(inputs: Any) -> bool:
    return isinstance(inputs, tf.__internal__.EagerTensor) and _type_of(inputs.device) == _MESH


def is_in_xla() -> bool:
    """Whether ops created now belong to a function that XLA compiles."""
    return tf.__internal__.get_enclosing_xla_context() is not None


def _is_compiled_for_jax() -> bool:
    """Whether JAX's `jax2tf.call_tf` is tracing a function, for JAX's own runtime.

    That runtime doesn't have the XLA custom calls of TensorFlow. JAX keeps this state in a private
    variable. If it is missing, users get JAX's error.
    """
    jax2tf = sys.modules.get("jax.experimental.jax2tf.jax2tf")
    state = getattr(jax2tf, "_thread_local_state", None)
    return bool(getattr(state, "inside_call_tf", False)) and is_in_xla()


def _graphs() -> Iterator[Any]:
    """The current graph, then the graphs around it."""
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        yield graph
        graph = getattr(graph, "outer_graph", None)


def _is_in_tpu_computation() -> bool:
    for graph in _graphs():
        context = graph._get_control_flow_context()
        while context is not None:
            # By name, because the class isn't in TensorFlow's public API.
            if type(context).__name__ == "TPUReplicateContext":
                return True
            context = context.outer_context
    return False


class _AnyOp:
    """A stand-in op for a graph's device functions."""

    type = "Flatnoise>FlattenNoise"
    name = ""
    device = ""
    _device_code_locations: Any = None

    def _set_device_from_string(self, device: str) -> None:
        self.device = device


def _device_scopes() -> Iterator[str]:
    """The devices named by the current scopes, innermost first.

    A function's graph doesn't inherit the scope around its definition, only the scope of the call.
    """
    if not tf.executing_eagerly():
        for graph in _graphs():
            op = _AnyOp()
            graph._apply_device_functions(op)
            yield op.device
    yield _current_eager_device()


def _types_of_replica() -> tuple[str, ...]:
    """The device types of a strategy's replicas, if inside a replica.

    Outside of replicas, as in a tf.data pipeline built in a strategy's scope, ops run elsewhere.
    """
    if not tf.distribute.has_strategy() or tf.distribute.in_cross_replica_context():
        return ()
    try:
        devices = tf.distribute.get_strategy().extended.worker_devices
    except NotImplementedError:
        return ()
    types = map(_type_of, devices)
    return tuple(sorted({each for each in types if each is not None}))
