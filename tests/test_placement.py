"""Placement: "auto" uses stock ops wherever the compiled op has no kernel.

Missing devices are only named or faked. Graphs for them are built but not run.
"""

import contextlib
import dataclasses

import pytest
import tensorflow as tf

import flatnoise
from flatnoise._src import functions, gpu, library, placement
from processes import PROGRAMS, run_python

NATIVE_OP = "Flatnoise>FlattenNoise"
NATIVE_REFUSES = "implementation='native' needs a device that the compiled op can run on:"


@pytest.fixture(autouse=True)
def fresh(native):
    """Clears caches and one-time warnings, so that tests are independent."""
    remembered = (placement._eager_problem, library.warn_once_about_fallback)
    for function in remembered:
        function.cache_clear()
    yield
    for function in remembered:
        function.cache_clear()


@dataclasses.dataclass
class Device:
    device_type: str

    @property
    def name(self):
        return f"/physical_device:{self.device_type}:0"


@pytest.fixture
def list_devices(monkeypatch):
    def list_devices(*types):
        found = [Device(each) for each in ("CPU", *types)]
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda: found)

    return list_devices


@pytest.fixture
def rocm(monkeypatch):
    """Simulates a machine with an AMD GPU and a TensorFlow build for it."""
    monkeypatch.setattr(tf.test, "is_built_with_cuda", lambda: False)
    monkeypatch.setattr(tf.test, "is_built_with_rocm", lambda: True)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [Device("GPU")])
    gpu.problem.cache_clear()
    yield
    monkeypatch.undo()
    gpu.problem.cache_clear()


def add(x, implementation="auto"):
    return flatnoise.flatten_add_normal(x, [1, 2], implementation=implementation)


def op_types(graph):
    functions = graph.as_graph_def().library.function
    inside = {node.op for function in functions for node in function.node_def}
    return inside | {operation.type for operation in graph.get_operations()}


def is_native(function=add, **options):
    """Whether the function's graph contains the compiled op."""
    traced = tf.function(function, **options).get_concrete_function(tf.zeros([2, 3]))
    return NATIVE_OP in op_types(traced.graph)


def under(*devices):
    """The function `add` in device scopes, outermost first."""

    def scoped(x):
        with contextlib.ExitStack() as scopes:
            for device in devices:
                scopes.enter_context(tf.device(device))
            return add(x)

    return scoped


SCOPES = {
    ("/CPU:0",): True,
    ("/device:CPU:1",): True,
    ("/job:worker/task:3",): True,
    ("/TPU:0",): False,
    ("/job:worker/replica:0/task:1/device:TPU:7",): False,
    ("/device:XPU:0",): False,
    ("/device:XLA_CPU:0",): False,
    ("/TPU:0", "/CPU:0"): True,
    ("/CPU:0", "/TPU:0"): False,
    ("/TPU:0", "/job:worker"): False,
    ("/TPU:0", None): True,
}


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
@pytest.mark.parametrize("devices", SCOPES, ids=str)
@pytest.mark.parametrize("jit_compile", [None, True])
def test_device_scopes_inside_a_function_decide(devices, jit_compile):
    if jit_compile and not library.load().has_xla_kernels:
        pytest.skip(str(library.load().xla_reason))
    assert is_native(under(*devices), jit_compile=jit_compile) == SCOPES[devices]


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
@pytest.mark.parametrize("device", ["/CPU:0", "/TPU:0", "/device:XPU:3"])
def test_device_scopes_around_a_function_decide(device):
    with tf.device(device):
        assert is_native() == ("CPU" in device)
        # The innermost scope counts, even though the graph doesn't know the outer one.
        assert is_native(under("/CPU:0"))
        assert not is_native(under("/TPU:0"))


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
def test_device_scopes_around_loops_and_branches_decide():
    def loop(x):
        return tf.while_loop(lambda x: True, lambda x: [add(x)], [x], maximum_iterations=2)

    def branch(x):
        return tf.cond(x[0, 0] > 0, lambda: add(x), lambda: x)

    def scoped(function, device):
        def inside(x):
            with tf.device(device):
                return function(x)

        return inside

    for function in (loop, branch):
        assert is_native(function)
        assert is_native(scoped(function, "/CPU:0"))
        assert not is_native(scoped(function, "/TPU:0"))


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
def test_tpu_computations_take_stock_ops():
    """TPUStrategy compiles its replicas this way."""
    for computation, expected in ((add, False), (lambda x: add(x) + 1, False)):
        with tf.Graph().as_default() as graph:
            x = tf.compat.v1.placeholder(tf.float32, [2, 3])
            tf.compat.v1.tpu.rewrite(computation, [x])
        assert (NATIVE_OP in op_types(graph)) == expected
    with tf.Graph().as_default() as graph:
        add(tf.compat.v1.placeholder(tf.float32, [2, 3]))
    assert NATIVE_OP in op_types(graph)


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
@pytest.mark.parametrize("device", ["CPU", "TPU"])
def test_device_functions_are_asked(device):
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [2, 3])
        with graph.device(lambda op: f"/device:{device}:0" if "Noise" in op.type else ""):
            add(x)
    assert (NATIVE_OP in op_types(graph)) == (device == "CPU")


class Extended(type(tf.distribute.OneDeviceStrategy("/cpu:0").extended)):
    """Runs its replica without a device scope, like TPUStrategy."""

    worker_devices = ("/device:TPU:0", "/device:TPU:1")

    def _call_for_each_replica(self, function, args, kwargs):
        strategy = self._container_strategy()
        with tf.distribute.ReplicaContext(strategy, replica_id_in_sync_group=0):
            return function(*args, **kwargs)


class Strategy(tf.distribute.Strategy):
    def __init__(self):
        super().__init__(Extended(self, "/cpu:0"))


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
@pytest.mark.parametrize("device", ["CPU", "TPU", "XPU"])
def test_devices_of_a_strategy_decide_inside_its_replicas(device, monkeypatch):
    monkeypatch.setattr(Extended, "worker_devices", (f"/device:{device}:0",))
    strategy = Strategy()

    def replica(x):
        return strategy.run(add, args=(x,))

    def pipeline(x):
        return tf.data.Dataset.from_tensors(x).map(add).get_single_element()

    assert is_native(replica) == (device == "CPU")
    with strategy.scope():
        assert is_native(replica) == (device == "CPU")
        # Pipelines run on the host.
        assert is_native(pipeline)


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
def test_strategies_that_run_replicas_in_a_device_scope_do_too():
    for device, expected in (("/device:TPU:0", False), ("/cpu:0", True)):
        strategy = tf.distribute.OneDeviceStrategy(device)
        assert is_native(lambda x, strategy=strategy: strategy.run(add, args=(x,))) == expected


def chosen_eagerly(x=None):
    x = tf.zeros([2, 3]) if x is None else x
    quick = placement.eager_problem(x) is None
    assert quick == (placement.problem(x) is None)
    return functions.choose_implementation("auto", x) not in functions.STOCK_OPS


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
@pytest.mark.parametrize("accelerator", ["TPU", "XPU"])
def test_unplaced_ops_follow_the_devices_that_there_are(list_devices, accelerator):
    list_devices(accelerator)
    assert not chosen_eagerly()
    assert not is_native()
    assert not is_native(jit_compile=True)
    with tf.device("/CPU:0"):
        assert chosen_eagerly()
        assert is_native()


@pytest.mark.parametrize("idle", [(), ("TPU_SYSTEM",), ("XLA_CPU", "XLA_GPU")], ids=str)
def test_devices_that_get_nothing_unasked_change_nothing(list_devices, idle):
    list_devices(*idle)
    assert chosen_eagerly()
    assert is_native()


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
def test_gpus_of_amd_get_stock_ops_and_their_hosts_the_compiled_op(rocm):
    assert not chosen_eagerly()
    assert not is_native()
    with tf.device("/CPU:0"):
        assert chosen_eagerly()
        assert is_native()
    with tf.device("/GPU:0"):
        assert not chosen_eagerly()
        assert not is_native()


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
def test_graphs_for_gpus_of_amd_on_other_machines_get_stock_ops(rocm, monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    gpu.problem.cache_clear()
    assert is_native()
    assert not is_native(under("/job:worker/device:GPU:0"))


def test_eager_calls_in_a_scope_without_kernels_give_the_stock_ops_numbers(list_devices):
    x = tf.random.stateless_normal([4, 6], [1, 2])
    expected = add(x, "tensorflow")
    list_devices("XPU")
    with pytest.warns(RuntimeWarning, match="op has no kernel for XPU devices") as warned:
        for _ in range(2):
            assert (add(x).numpy() == expected.numpy()).all()
    assert len(warned) == 1


@pytest.mark.parametrize("device", ["TPU", "XPU"])
def test_native_refuses_devices_without_kernels_and_says_what_to_do(device):
    def native(x):
        return add(x, "native")

    def scoped(x):
        with tf.device(f"/device:{device}:0"):
            return native(x)

    reason = f"{NATIVE_REFUSES} the compiled op has no kernel for {device} devices"
    with pytest.raises(RuntimeError, match=reason):
        is_native(scoped)
    with tf.device(f"/device:{device}:0"), pytest.raises(RuntimeError, match=NATIVE_REFUSES):
        native(tf.zeros([2, 3]))


def test_native_runs_unplaced_beside_other_devices_but_not_inside_xla(list_devices):
    list_devices("TPU")

    def native(x):
        return add(x, "native")

    assert is_native(native)
    assert native(tf.zeros([2, 3])).shape == (2, 3)
    with pytest.raises(RuntimeError, match=NATIVE_REFUSES):
        is_native(native, jit_compile=True)


def test_native_refuses_gpus_of_amd(rocm):
    with tf.device("/GPU:0"), pytest.raises(RuntimeError, match="without CUDA"):
        is_native(lambda x: add(x, "native"))


def test_dtensors_get_stock_ops_and_keep_their_layout():
    assert run_python(PROGRAMS / "meshes.py").stdout == "done\n"
