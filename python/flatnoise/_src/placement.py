"""Whether the compiled op has a kernel where it will run.

It has kernels for CPUs and NVIDIA GPUs alone. TensorFlow places an op after it is made, so what the
surrounding code says of the place has to do: a TPU computation, a device scope, a distribution
strategy's replica. Where that says nothing, the op goes wherever the machine's devices have
TensorFlow put it.
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

# A DTensor device: it runs an op on the devices of a mesh, shard by shard.
_MESH = "CUSTOM"
# What TensorFlow compiles for JAX to run.
_JAX = "JAX"
# What `gpu` answers for, and devices that get nothing unless they are named.
_NOT_OTHER_ACCELERATORS = frozenset(["CPU", "GPU", "XLA_CPU", "XLA_GPU", "TPU_SYSTEM", _MESH])

_current_eager_device = tf.__internal__.eager_context.get_device_name


def problem(inputs: Any = None) -> str | None:
    """Why the compiled op can't run where an op made here and now will; None where it can.

    Args:
        inputs: The op's input, where it is there already.
    """
    named = _named_types(inputs)
    return _first_problem(named) if named else _problem_by_default()


def named_problem(inputs: Any = None) -> str | None:
    """As `problem`, from what the surrounding code and the input say alone."""
    return _first_problem(_named_types(inputs))


def eager_problem(inputs: Any) -> str | None:
    """As `problem`, for an eager call: quick, as each place is looked at once.

    Replicas of a strategy name their device by a scope wherever they run eagerly.
    """
    return _eager_problem(_current_eager_device(), inputs.device)


@functools.cache
def _eager_problem(scope: str, inputs_device: str) -> str | None:
    named = _MESH if _type_of(inputs_device) == _MESH else _type_of(scope)
    return _problem_by_default() if named is None else _problem_of(named)


def may_be_off_the_cpu(inputs: Any = None) -> bool:
    """Whether an op made here may have to run on something other than a CPU.

    TensorFlow runs what only CPUs have a kernel for on one, but XLA compiles all for one device.
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
    """Where nothing is said: of the devices that TensorFlow prefers to the CPU."""
    if may_be_for_a_mesh():
        return _problem_of(_MESH)
    types = {device.device_type for device in tf.config.list_logical_devices()}
    return gpu.problem() or _first_problem(sorted(types - _NOT_OTHER_ACCELERATORS))


def may_be_for_a_mesh() -> bool:
    """Whether ops made now may be for DTensors, as a graph's placeholders don't say.

    In a process that has meshes, every graph may. TensorFlow has no function that tells without
    making the DTensor device.
    """
    api = sys.modules.get("tensorflow.dtensor.python.api")
    has_meshes = getattr(api, "_dtensor_singleton", None) is not None
    return has_meshes and not tf.executing_eagerly()


def _named_types(inputs: Any) -> tuple[str, ...]:
    """The types of the devices that are named; none where nothing says."""
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
    """Whether ops made now are for a function that XLA compiles."""
    return tf.__internal__.get_enclosing_xla_context() is not None


def _is_compiled_for_jax() -> bool:
    """Whether JAX's `jax2tf.call_tf` has a function traced, for JAX's own runtime.

    XLA's calls of TensorFlow's process are not among that runtime's. JAX says where it is in a
    variable that is not public; without it, JAX's error is what is left.
    """
    jax2tf = sys.modules.get("jax.experimental.jax2tf.jax2tf")
    state = getattr(jax2tf, "_thread_local_state", None)
    return bool(getattr(state, "inside_call_tf", False)) and is_in_xla()


def _graphs() -> Iterator[Any]:
    """The graph that ops are added to, then those around it."""
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        yield graph
        graph = getattr(graph, "outer_graph", None)


def _is_in_tpu_computation() -> bool:
    for graph in _graphs():
        context = graph._get_control_flow_context()
        while context is not None:
            # By its name: TensorFlow's API doesn't have the class.
            if type(context).__name__ == "TPUReplicateContext":
                return True
            context = context.outer_context
    return False


class _AnyOp:
    """An op that a graph's device functions can be asked about."""

    type = "Flatnoise>FlattenNoise"
    name = ""
    device = ""
    _device_code_locations: Any = None

    def _set_device_from_string(self, device: str) -> None:
        self.device = device


def _device_scopes() -> Iterator[str]:
    """The devices named around here, the innermost first.

    A function's graph doesn't take over the scope around it: the scope is that of the call.
    """
    if not tf.executing_eagerly():
        for graph in _graphs():
            op = _AnyOp()
            graph._apply_device_functions(op)
            yield op.device
    yield _current_eager_device()


def _types_of_replica() -> tuple[str, ...]:
    """The types of devices that a strategy's replicas run on, inside one of them.

    Outside of replicas, as where a strategy's scope makes a pipeline of tf.data, ops run elsewhere.
    """
    if not tf.distribute.has_strategy() or tf.distribute.in_cross_replica_context():
        return ()
    try:
        devices = tf.distribute.get_strategy().extended.worker_devices
    except NotImplementedError:
        return ()
    types = map(_type_of, devices)
    return tuple(sorted({each for each in types if each is not None}))
