"""Checks the package with DTensors, on meshes of four CPUs.

A separate program, because in a process with meshes, any graph may be for them.
"""

import itertools
import warnings

import numpy as np
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 4
)

from tensorflow.experimental import dtensor  # noqa: E402

import flatnoise  # noqa: E402
from flatnoise._src import noises  # noqa: E402

SEED = [1, 2]
NATIVE_OP = "Flatnoise>FlattenNoise"
# Shapes and their sharding, on meshes with the dimensions "batch" and "model".
WHOLE = dtensor.UNSHARDED
LAYOUTS = [
    ((8, 3, 2), ["batch", WHOLE, WHOLE]),
    ((8, 3, 5), ["batch", WHOLE, WHOLE]),
    ((8, 3, 5), [WHOLE, WHOLE, WHOLE]),
    ((8, 16), ["batch", "model"]),
    ((8, 16), [WHOLE, "model"]),
    ((8,), ["batch"]),
]
OPTIONS = [(True, 0), (False, 3), (False, 4), (True, 4)]  # flatten, offset


def noised(noise, x, implementation="auto", **options):
    function = getattr(flatnoise, noise.function)
    return function(x, SEED, implementation=implementation, **options)


def distributed(x, specs, mesh):
    whole = dtensor.copy_to_mesh(x, dtensor.Layout.replicated(mesh, x.shape.rank))
    return dtensor.relayout(whole, dtensor.Layout(specs, mesh))


def gathered(x):
    mesh = dtensor.fetch_layout(x).mesh
    return dtensor.relayout(x, dtensor.Layout.replicated(mesh, x.shape.rank)).numpy()


def op_types(x):
    traced = tf.function(lambda x: noised(noises.NOISES[0], x)).get_concrete_function(x)
    return {operation.type for operation in traced.graph.get_operations()}


def check_numbers(mesh):
    """DTensors get the same noise as unsharded tensors, and results are DTensors."""
    first, *others = noises.NOISES
    cases = [
        *itertools.product([first], LAYOUTS, OPTIONS),
        *zip(others, itertools.cycle(LAYOUTS), itertools.cycle(OPTIONS)),
    ]
    for index, (noise, (shape, specs), (flatten, offset)) in enumerate(cases):
        x = tf.random.stateless_normal(shape, [3, 4])
        expected = noised(noise, x, "tensorflow", flatten=flatten, offset=offset).numpy()

        def call(x, noise=noise, flatten=flatten, offset=offset):
            return noised(noise, x, flatten=flatten, offset=offset)

        function = (call, tf.function(call))[index % 2]
        x = distributed(x, specs, mesh)
        y = function(x)
        assert y.shape == expected.shape
        if specs[0] == "batch":
            assert dtensor.fetch_layout(y).sharding_specs[0] == "batch"
        np.testing.assert_allclose(gathered(y), expected, rtol=1e-6, atol=2e-6)
        with dtensor.default_mesh(mesh):
            np.testing.assert_array_equal(gathered(function(x)), gathered(y))


def check_training_step(mesh):
    def step(x, scale):
        with tf.GradientTape() as tape:
            tape.watch([x, scale])
            y = flatnoise.flatten_multiply_normal(x, SEED, stddev=scale)
            total = tf.reduce_sum(y**2)
        return tape.gradient(total, [x, scale])

    x, scale = tf.random.stateless_normal([8, 6], [3, 4]), tf.constant(0.5)
    expected = step(x, scale)
    actual = tf.function(step)(distributed(x, ["batch", WHOLE], mesh), scale)
    assert dtensor.fetch_layout(actual[0]).sharding_specs == ["batch", WHOLE]
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(gathered(one), other, rtol=1e-5, atol=1e-5)


def check_shards(mesh):
    """The compiled op works on the shards, each with its offset."""
    batch = np.linspace(0, 1, 8 * 3 * 5, dtype=np.float32).reshape(8, 3, 5)
    layout = dtensor.Layout.batch_sharded(mesh, "batch", rank=3)
    shards = dtensor.unpack(dtensor.pack([tf.constant(s) for s in np.split(batch, 4)], layout))
    noisy = [
        flatnoise.flatten_add_normal(shard, SEED, flatten=False, offset=index * 2 * 3 * 5)
        for index, shard in enumerate(shards)
    ]
    whole = flatnoise.flatten_add_normal(batch, SEED, flatten=False)
    noisy = dtensor.unpack(dtensor.pack(noisy, layout))
    np.testing.assert_array_equal(np.concatenate(noisy), whole)


def check_refusal(mesh):
    x = distributed(tf.zeros([8, 6]), ["batch", WHOLE], mesh)
    try:
        noised(noises.NOISES[0], x, "native")
    except RuntimeError as error:
        assert "implementation='native' needs a device that" in str(error), error
        assert "no layout rule for DTensor meshes" in str(error), error
    else:
        raise AssertionError("the compiled op took a DTensor")


def main():
    x = tf.zeros([8, 6])
    assert NATIVE_OP in op_types(x)
    rows = dtensor.create_mesh([("batch", 4), ("model", 1)], device_type="CPU")
    squares = dtensor.create_mesh([("batch", 2), ("model", 2)], device_type="CPU")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for mesh in (rows, squares):
            check_numbers(mesh)
            check_training_step(mesh)
    ours = [str(warning.message) for warning in seen if "flatnoise" in str(warning.message)]
    assert len(ours) == 1 and "no layout rule for DTensor meshes" in ours[0], ours

    check_shards(dtensor.create_mesh([("batch", 4)], device_type="CPU"))
    check_refusal(rows)
    # Any graph may be for a mesh. Eager calls on other tensors aren't.
    assert NATIVE_OP not in op_types(x)
    normal = noises.NOISES[0]
    np.testing.assert_array_equal(noised(normal, x), noised(normal, x, "native"))
    print("done")


if __name__ == "__main__":
    main()
