"""GraphDefs and SavedModels that contain the ops with invalid attributes, inputs or shapes."""

import shutil

import pytest
import tensorflow as tf
from tensorflow.core.framework import graph_pb2
from tensorflow.core.protobuf import saved_model_pb2

import flatnoise
from conftest import require_native_in_xla

OP = "Flatnoise>FlattenNoise"
INPUTS = {
    "input": tf.float32,
    "seed": tf.int32,
    "offset": tf.int64,
    "loc": tf.float32,
    "scale": tf.float32,
}
VALUES = {
    "input": tf.zeros([2, 3]),
    "seed": tf.constant([1, 2]),
    "offset": tf.constant(0, tf.int64),
    "loc": tf.constant(0.0),
    "scale": tf.constant(1.0),
}
ERRORS = (ValueError, TypeError, tf.errors.InvalidArgumentError)

pytestmark = pytest.mark.usefixtures("native")


def graph_def(op=OP):
    """A graph with only the op, whose inputs must be fed."""
    graph = graph_pb2.GraphDef()
    node = graph.node.add(name="noisy", op=op, input=list(INPUTS))
    if op != OP:
        node.input.append("input")  # the forward op's input, after the gradient op's own
    node.attr["T"].type = INPUTS["input"].as_datatype_enum
    node.attr["U"].type = INPUTS["loc"].as_datatype_enum
    node.attr["Tseed"].type = INPUTS["seed"].as_datatype_enum
    node.attr["num_parameters"].i = 2
    node.attr["distribution"].s = b"uniform"
    return graph


def run(graph, jit_compile=False, **changes):
    """Runs the graph on tensors with unknown static shapes."""

    def imported(*tensors):
        feeds = {f"{name}:0": tensor for name, tensor in zip(INPUTS, tensors, strict=True)}
        return tf.graph_util.import_graph_def(graph, feeds, ["noisy:0"], name="")[0]

    unknown = [tf.TensorSpec(None, dtype) for dtype in INPUTS.values()]
    function = tf.function(imported, unknown, autograph=False, jit_compile=jit_compile)
    return function(*{**VALUES, **changes}.values())


def require_xla(jit_compile):
    if jit_compile:
        require_native_in_xla()


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("op", [OP, OP + "Grad"])
def test_an_unbroken_graph_runs(op, jit_compile):
    graph = graph_def(op)
    require_xla(jit_compile)
    result = run(graph, jit_compile)
    if op == OP:
        expected = flatnoise.flatten_add_uniform(VALUES["input"], [1, 2])
        tf.debugging.assert_equal(result, expected)
    else:
        assert result == 0


def set_type(name, dtype):
    return lambda node: setattr(node.attr[name], "type", dtype.as_datatype_enum)


def set_text(name, text):
    return lambda node: setattr(node.attr[name], "s", text)


def swap_inputs(node):
    node.input[1], node.input[2] = node.input[2], node.input[1]


# The invalid change to the node, and the name in the error.
BROKEN = {
    "unknown distribution": (set_text("distribution", b"cauchy"), "distribution"),
    "empty distribution": (set_text("distribution", b""), "distribution"),
    "distribution of other bytes": (set_text("distribution", b"normal\0"), "distribution"),
    "distribution as a number": (
        lambda node: setattr(node.attr["distribution"], "i", 1),
        "distribution",
    ),
    "unknown combination": (set_text("combination", b"divide"), "combination"),
    "a parameter too few": (
        lambda node: setattr(node.attr["num_parameters"], "i", 1),
        "[Pp]arameter|[Ii]nput",
    ),
    "T is an integer": (set_type("T", tf.int32), "T"),
    "T is another float": (set_type("T", tf.float64), "input|float"),
    "U is half": (set_type("U", tf.float16), "U"),
    "U is not the parameters' type": (set_type("U", tf.float64), "loc|scale|float"),
    "Tseed is unsigned": (set_type("Tseed", tf.uint32), "Tseed"),
    "no T": (lambda node: node.attr.pop("T"), "T"),
    "no U": (lambda node: node.attr.pop("U"), "U"),
    "an input too few": (lambda node: node.input.pop(), "[Ii]nput"),
    "an input too many": (lambda node: node.input.append(node.input[0]), "[Ii]nput"),
    "inputs in another order": (swap_inputs, "seed|offset|int"),
}


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("op", [OP, OP + "Grad"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_node_is_refused(case, op, jit_compile):
    break_node, name = BROKEN[case]
    graph = graph_def(op)
    require_xla(jit_compile)
    break_node(graph.node[-1])
    with pytest.raises(ERRORS, match=name):
        run(graph, jit_compile)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_flatten_must_be_a_boolean(jit_compile):
    require_xla(jit_compile)
    graph = graph_def()
    graph.node[-1].attr["flatten"].i = 1
    with pytest.raises(ERRORS, match="flatten"):
        run(graph, jit_compile)


# Shapes that are only known at run time, and the argument in the error.
ODD_SHAPES = {
    "scalar": ({"input": tf.zeros([])}, "input|grad"),
    "more features than int64 counts": ({"input": tf.zeros([0, 2**31, 2**32])}, "input|grad"),
    "features that wrap to none": ({"input": tf.zeros([0, 2**32, 2**32])}, "input|grad"),
    "seed of none": ({"seed": tf.zeros([0], tf.int32)}, "seed"),
    "seed of three": ({"seed": tf.zeros([3], tf.int32)}, "seed"),
    "loc of another length": ({"loc": tf.zeros([4])}, "loc"),
    "loc of no length": ({"loc": tf.zeros([0])}, "loc"),
    "scale of more dimensions": ({"scale": tf.ones([1, 1, 1])}, "scale"),
    "offset of rank 1": ({"offset": tf.zeros([1], tf.int64)}, "offset"),
    "least offset": ({"offset": tf.constant(-(2**63), tf.int64)}, "offset"),
}


@pytest.mark.parametrize("op", [OP, OP + "Grad"])
@pytest.mark.parametrize("case", ODD_SHAPES)
def test_an_odd_shape_is_refused_when_it_runs(case, op):
    changes, name = ODD_SHAPES[case]
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"({name}).* must"):
        run(graph_def(op), **changes)


@pytest.mark.parametrize("case", ["more features than int64 counts", "features that wrap to none"])
def test_features_beyond_int64_are_refused_by_the_functions(implementation, case):
    x = ODD_SHAPES[case][0]["input"]
    with pytest.raises(ValueError, match=r"argument `inputs`. Expected .*2\*\*63"):
        flatnoise.flatten_add_normal(x, [1, 2], implementation=implementation)


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    class Noisy(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec(None), tf.TensorSpec(None, tf.int32)])
        def add(self, inputs, seed):
            return flatnoise.raw_ops.FlattenNoise(
                input=inputs, seed=seed, offset=0, parameters=[0.0, 1.0]
            )

    path = tmp_path_factory.mktemp("saved") / "noisy"
    tf.saved_model.save(Noisy(), str(path))
    return path


def load_changed(saved_model, folder, change):
    shutil.copytree(saved_model, folder, dirs_exist_ok=True)
    model = saved_model_pb2.SavedModel.FromString((saved_model / "saved_model.pb").read_bytes())
    nodes = [
        node
        for meta in model.meta_graphs
        for function in meta.graph_def.library.function
        for node in function.node_def
        if node.op == OP
    ]
    assert nodes
    for node in nodes:
        change(node)
    (folder / "saved_model.pb").write_bytes(model.SerializeToString())
    return tf.saved_model.load(str(folder)).add(tf.zeros([2, 3]), tf.constant([1, 2]))


def test_an_unbroken_saved_model_runs(saved_model, tmp_path):
    result = load_changed(saved_model, tmp_path, lambda node: None)
    tf.debugging.assert_equal(result, flatnoise.flatten_add_normal(tf.zeros([2, 3]), [1, 2]))


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_saved_model_is_refused(saved_model, tmp_path, case):
    break_node, name = BROKEN[case]
    with pytest.raises((*ERRORS, tf.errors.OpError), match=name):
        load_changed(saved_model, tmp_path, break_node)


@pytest.mark.parametrize("kept", [0.25, 0.5, 0.9])
def test_a_truncated_saved_model_is_refused(saved_model, tmp_path, kept):
    shutil.copytree(saved_model, tmp_path, dirs_exist_ok=True)
    contents = (saved_model / "saved_model.pb").read_bytes()
    (tmp_path / "saved_model.pb").write_bytes(contents[: int(len(contents) * kept)])
    with pytest.raises((OSError, *ERRORS)):
        tf.saved_model.load(str(tmp_path))
