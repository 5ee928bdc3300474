"""Gradients of additive noise are exact, of any order, and the same in every implementation."""

import numpy as np
import pytest
import tensorflow as tf

from conftest import PARAMETERS, STOCK, Variant
from flatnoise._src.noises import DISTRIBUTIONS
from philox_reference import stream

SEED = tf.constant([3, -4], tf.int64)
LOC = {"scalar": 0.25, "per feature": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}
SCALE = {"scalar": 1.5, "per feature": [1.0, 2.0, 3.0, 1.5, 0.5, 2.5]}
X = np.linspace(-1, 1, 24).reshape(4, 2, 3)


def differentiable(variant, distribution, **options):
    """(x, loc, scale) -> noisy x, with the op's parameters for every distribution."""
    first, second = PARAMETERS[distribution]
    is_range = distribution == "uniform"

    def add(x, loc, scale):
        parameters = {first: loc, second: loc + scale if is_range else scale}
        return variant.call(distribution, x, SEED, **parameters, **options)

    return add


def parameters(dtype, form="scalar", flatten=True):
    shape = () if form == "scalar" else (6,) if flatten else X.shape[1:]
    return [tf.reshape(tf.constant(values[form], dtype), shape) for values in (LOC, SCALE)]


@pytest.mark.parametrize(
    "distribution, form, flatten",
    [
        (distribution, form, flatten)
        for distribution in DISTRIBUTIONS
        for form in LOC
        for flatten in (True, False)
        if distribution in STOCK or (form, flatten) == ("per feature", True)
    ],
)
def test_gradients_are_the_sums_they_should_be(variant, distribution, form, flatten):
    add = differentiable(variant, distribution, flatten=flatten, offset=5)
    dy = np.linspace(1, 2, 24).reshape(4, 6)
    z = stream(distribution, (3, -4), 5, 24, "float64").reshape(4, 6)

    @variant.compile
    def gradients(x, loc, scale):
        with tf.GradientTape() as tape:
            tape.watch([x, loc, scale])
            loss = tf.reduce_sum(tf.reshape(add(x, loc, scale), [4, 6]) * dy)
        return tape.gradient(loss, [x, loc, scale])

    x_grad, loc_grad, scale_grad = gradients(tf.constant(X), *parameters(tf.float64, form, flatten))
    axes = {"scalar": (0, 1), "per feature": 0}[form]
    np.testing.assert_array_equal(x_grad, dy.reshape(X.shape))
    np.testing.assert_allclose(np.ravel(loc_grad), np.ravel(dy.sum(axes)), rtol=1e-12)
    expected = np.ravel((dy * z).sum(axes))
    np.testing.assert_allclose(np.ravel(scale_grad), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("distribution", STOCK)
@pytest.mark.parametrize("form", LOC)
def test_gradients_are_the_numerical_ones(implementation, distribution, form):
    add = differentiable(Variant(implementation, "eager"), distribution)
    theoretical, numerical = tf.test.compute_gradient(
        lambda *arguments: tf.sin(add(*arguments)),
        [tf.constant(X), *parameters(tf.float64, form)],
    )
    for ours, measured in zip(theoretical, numerical, strict=True):
        np.testing.assert_allclose(ours, measured, atol=1e-5)


@pytest.mark.parametrize("distribution", STOCK)
@pytest.mark.parametrize("form", LOC)
def test_second_order_gradients_are_the_numerical_ones(implementation, distribution, form):
    add = differentiable(Variant(implementation, "eager"), distribution)

    def first_order(*arguments):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            loss = tf.reduce_sum(tf.sin(add(*arguments)))
        return tf.concat(
            [tf.reshape(g, [-1]) for g in tape.gradient(loss, list(arguments))], axis=0
        )

    theoretical, numerical = tf.test.compute_gradient(
        first_order, [tf.constant(X), *parameters(tf.float64, form)]
    )
    for ours, measured in zip(theoretical, numerical, strict=True):
        np.testing.assert_allclose(ours, measured, atol=1e-4)


@pytest.mark.parametrize("distribution", STOCK)
def test_third_order_gradients_agree(native, distribution):
    def third_order(implementation):
        add = differentiable(Variant(implementation, "eager"), distribution)
        x, loc, scale = tf.constant(X), tf.constant(0.25, tf.float64), tf.constant(1.5, tf.float64)
        with tf.GradientTape() as outer:
            outer.watch(scale)
            with tf.GradientTape() as middle:
                middle.watch(scale)
                with tf.GradientTape() as inner:
                    inner.watch(scale)
                    loss = tf.reduce_sum(tf.sin(add(x, loc, scale)))
                first = inner.gradient(loss, scale)
            second = middle.gradient(first, scale)
        return outer.gradient(second, scale)

    np.testing.assert_allclose(third_order("native"), third_order("tensorflow"), rtol=1e-9)


@pytest.mark.parametrize("distribution", STOCK)
@pytest.mark.parametrize("form", LOC)
def test_implementations_agree_in_every_type(native, distribution, dtype, form):
    def gradients(implementation):
        add = differentiable(Variant(implementation, "eager"), distribution)
        x = tf.cast(X, dtype)
        loc, scale = parameters(tf.float64 if dtype == "float64" else tf.float32, form)
        with tf.GradientTape() as tape:
            tape.watch([x, loc, scale])
            loss = tf.reduce_sum(tf.cast(add(x, loc, scale), tf.float64) ** 2)
        results = tape.gradient(loss, [x, loc, scale])
        assert [g.dtype for g in results] == [x.dtype, loc.dtype, scale.dtype]
        return [tf.cast(g, tf.float64).numpy() for g in results]

    tolerance = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 1e-5, "float64": 1e-12}[dtype]
    for ours, stock in zip(gradients("native"), gradients("tensorflow"), strict=True):
        np.testing.assert_allclose(ours, stock, rtol=tolerance, atol=tolerance * 20)


@pytest.mark.parametrize("distribution", STOCK)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (5,), (0,)], ids=str)
def test_gradients_of_empty_and_flat_tensors(variant, distribution, shape):
    add = differentiable(variant, distribution)

    @variant.compile
    def gradients(x, loc, scale):
        with tf.GradientTape() as tape:
            tape.watch([x, loc, scale])
            loss = tf.reduce_sum(add(x, loc, scale))
        return tape.gradient(loss, [x, loc, scale])

    x_grad, loc_grad, scale_grad = gradients(tf.zeros(shape), *parameters(tf.float32))
    z = stream(distribution, (3, -4), 0, int(np.prod(shape)), "float32")
    np.testing.assert_array_equal(x_grad, np.ones(shape))
    np.testing.assert_allclose(loc_grad, z.size)
    np.testing.assert_allclose(scale_grad, z.sum(), atol=1e-5)


@pytest.mark.parametrize("distribution", STOCK)
def test_gradients_nobody_asks_for_are_not_computed(native, distribution, monkeypatch):
    from flatnoise._src import library

    add = differentiable(Variant("native", "eager"), distribution)
    x = tf.constant(X)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = add(x, *parameters(tf.float64))
    monkeypatch.setattr(library, "load", lambda: pytest.fail("the gradient op was wanted"))
    np.testing.assert_array_equal(tape.gradient(y, x), np.ones_like(X))


@pytest.mark.parametrize("distribution", STOCK)
def test_variables_of_other_types_get_gradients_of_their_own(variant, distribution):
    scale = tf.Variable(0.5, dtype=tf.float64)
    add = differentiable(variant, distribution)

    @variant.compile
    def gradient(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(add(x, tf.constant(0.0, tf.float64), scale))
        return tape.gradient(loss, scale)

    result = gradient(tf.zeros([4, 6]))
    z = stream(distribution, (3, -4), 0, 24, "float32")
    assert result.dtype == tf.float64
    np.testing.assert_allclose(result, z.sum(), atol=1e-5)


@pytest.mark.parametrize("distribution", STOCK)
def test_native_gradients_are_equal_on_every_run(native, distribution):
    add = differentiable(Variant("native", "eager"), distribution)
    x = tf.random.stateless_normal([64, 1000], [1, 2])
    loc, scale = parameters(tf.float32)
    results = set()
    for _ in range(5):
        with tf.GradientTape() as tape:
            tape.watch([loc, scale])
            loss = tf.reduce_sum(add(x, loc, scale) * x)
        results.add(tuple(float(g) for g in tape.gradient(loss, [loc, scale])))
    assert len(results) == 1
