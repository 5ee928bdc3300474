"""Functions called from JAX use the compiled op eagerly, and stock ops in JAX's compiled code."""

import sys
import types

import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from flatnoise._src import library

pytestmark = pytest.mark.usefixtures("native_in_xla")

X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(4, 6)
REASON = "what jax2tf.call_tf compiles runs in JAX"


def add(x, implementation="auto"):
    return flatnoise.flatten_add_normal(x, [1, 2], implementation=implementation)


def op_types(function, **options):
    graph = tf.function(function, **options).get_concrete_function(X).graph
    return {operation.type for operation in graph.get_operations()}


@pytest.fixture(autouse=True)
def fresh():
    library.warn_once_about_fallback.cache_clear()
    yield
    library.warn_once_about_fallback.cache_clear()


@pytest.fixture(params=[True, False], ids=["inside call_tf", "outside"])
def jax_says(request, monkeypatch):
    """Replaces JAX's module, which tells whether JAX is tracing."""
    state = types.SimpleNamespace(inside_call_tf=request.param)
    module = types.SimpleNamespace(_thread_local_state=state)
    monkeypatch.setitem(sys.modules, "jax.experimental.jax2tf.jax2tf", module)
    return request.param


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
def test_what_is_compiled_for_jax_has_stock_ops(jax_says):
    is_native = "Flatnoise>FlattenNoise" in op_types(add, jit_compile=True)
    assert is_native != jax_says
    # TensorFlow runs the compiled op, eagerly and in graphs.
    assert "Flatnoise>FlattenNoise" in op_types(add)
    np.testing.assert_array_equal(add(X), add(X, "native"))


def test_native_refuses_to_be_compiled_for_jax(jax_says):
    def compile_native():
        return op_types(lambda x: add(x, "native"), jit_compile=True)

    if not jax_says:
        assert "Flatnoise>FlattenNoise" in compile_native()
        return
    with pytest.raises(RuntimeError, match=f"{REASON}.*Use implementation='auto'"):
        compile_native()


@pytest.mark.filterwarnings("ignore:flatnoise adds noise with stock")
def test_jax_calls_it():
    jax = pytest.importorskip("jax")
    jax2tf = pytest.importorskip("jax.experimental.jax2tf")
    call = jax2tf.call_tf(add)
    np.testing.assert_array_equal(call(X), add(X, "native"))
    np.testing.assert_allclose(jax.jit(call)(X), add(X), atol=1e-5)
    gradient = jax.grad(lambda x: (jax.jit(call)(x) ** 2).sum())(X)
    np.testing.assert_allclose(gradient, 2 * add(X), atol=1e-5)
    with pytest.raises(RuntimeError, match=REASON):
        jax.jit(jax2tf.call_tf(lambda x: add(x, "native")))(X)


def test_one_warning_says_why():
    jax = pytest.importorskip("jax")
    jax2tf = pytest.importorskip("jax.experimental.jax2tf")
    with pytest.warns(RuntimeWarning, match=REASON) as warned:
        for _ in range(2):
            jax.jit(jax2tf.call_tf(lambda x: add(x)))(X)
    assert len(warned) == 1
