"""Noise on the replicas of a strategy in one process: separate, or shared for the batch."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from flatnoise import layers

LAYERS = {
    "gaussian": layers.AddGaussianNoise,
    "uniform": layers.AddUniformNoise,
    "by name": layers.AddNoise,
}
BATCH = np.linspace(0, 1, 8 * 3 * 5, dtype=np.float32).reshape(8, 3, 5)
STEPS = 3
SHARES = [[8], [4, 4], [2, 2, 2, 2], [5, 3], [3, 0, 4, 1]]


@pytest.fixture(params=LAYERS)
def make(request):
    return LAYERS[request.param]


def mirrored(replicas):
    # By default, TensorFlow only allows one group size for the replicas of a process.
    return tf.distribute.MirroredStrategy(
        [f"CPU:{index}" for index in range(replicas)],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )


def shares_of(batch, sizes):
    """Returns a function from a replica's number to its rows."""
    return np.split(batch, np.cumsum(sizes)[:-1])


def strategy_of(layer):
    return layer.seed_generator.state.value.distribute_strategy


def run_steps(make_layer, batch, sizes, steps=STEPS, strategy=None):
    """The results of a layer in each step on each replica."""
    strategy = strategy or mirrored(len(sizes))
    with strategy.scope():
        layer = make_layer()
    shares = shares_of(batch, sizes)
    inputs = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(shares[context.replica_id_in_sync_group])
    )

    @tf.function
    def step(inputs):
        return strategy.run(lambda share: layer(share, training=True), (inputs,))

    return [
        [value.numpy() for value in strategy.experimental_local_results(step(inputs))]
        for _ in range(steps)
    ]


def alone(layer, batch, steps=STEPS):
    return [layer(batch, training=True).numpy() for _ in range(steps)]


def test_every_replica_and_every_step_gets_noise_of_its_own(make):
    def run():
        return run_steps(lambda: make(seed=8), np.zeros([8, 64], np.float32), [2, 2, 2, 2])

    given = np.reshape(run(), [4 * STEPS, -1])
    for first in range(len(given)):
        for second in range(first):
            # Uniform noise has 2**23 values: a few of 128 may agree by chance, but not most.
            assert np.mean(given[first] == given[second]) < 0.05
    np.testing.assert_array_equal(given, np.reshape(run(), given.shape))


def test_the_first_replica_adds_what_a_layer_alone_would(make):
    zeros = np.zeros([8, 64], np.float32)
    first = [step[0] for step in run_steps(lambda: make(seed=8), zeros, [4, 4])]
    np.testing.assert_array_equal(first, alone(make(seed=8), zeros[:4]))


@pytest.mark.parametrize("sizes", SHARES, ids=str)
@pytest.mark.parametrize("flatten", [True, False], ids=["flatten", "keep"])
def test_shard_invariant_noise_is_that_of_the_whole_batch(make, sizes, flatten):
    options = {"seed": 5, "flatten": flatten, "shard_invariant": True}
    given = run_steps(lambda: make(**options), BATCH, sizes)
    for shares, whole in zip(given, alone(make(**options), BATCH), strict=True):
        assert [len(share) for share in shares] == sizes
        np.testing.assert_array_equal(np.concatenate(shares), whole)


@pytest.mark.parametrize("policy, eps", [("float16", 1e-3), ("bfloat16", 8e-3), ("float64", 3e-16)])
def test_shard_invariance_holds_for_every_type(make, implementation, policy, eps):
    options = {
        "seed": 5,
        "dtype": policy,
        "implementation": implementation,
        "shard_invariant": True,
    }
    given = run_steps(lambda: make(**options), BATCH, [5, 3])
    for shares, whole in zip(given, alone(make(**options), BATCH), strict=True):
        # Stock logarithms, sines and cosines can differ at the end of a buffer.
        atol = 0 if implementation == "native" else 2 * eps
        np.testing.assert_allclose(
            np.concatenate(shares).astype(float), whole.astype(float), rtol=0, atol=atol
        )


def test_keras_fit_and_predict_are_shard_invariant():
    def noises(replicas):
        with mirrored(replicas).scope():
            model = keras.Sequential(
                [keras.Input((3, 5)), layers.AddGaussianNoise(seed=5, shard_invariant=True)]
            )
        model.compile(loss="mse")
        losses = model.fit(BATCH, 0 * BATCH, batch_size=4, epochs=2, shuffle=False, verbose=0)
        return losses.history["loss"], model.predict(BATCH, batch_size=5, verbose=0)

    expected_losses, expected = noises(1)
    for replicas in (2, 4):
        losses, predicted = noises(replicas)
        np.testing.assert_allclose(losses, expected_losses, rtol=1e-6)
        np.testing.assert_array_equal(predicted, expected)  # including a partial last batch


@pytest.mark.parametrize("call_in", ["no strategy", "the scope"])
def test_a_call_elsewhere_advances_all_replicas(call_in):
    strategy = mirrored(2)
    with strategy.scope():
        layer = layers.AddGaussianNoise(seed=5, shard_invariant=True)
        if call_in == "the scope":
            layer(BATCH)
    if call_in == "no strategy":
        layer(BATCH)
    states = strategy.experimental_local_results(layer.seed_generator.state.value)
    for state in states:
        np.testing.assert_array_equal(state, [256, 0, 5])


def test_shard_invariant_noise_goes_on_with_another_number_of_replicas(tmp_path):
    def checkpoint_of(replicas):
        with mirrored(replicas).scope():
            layer = layers.AddGaussianNoise(seed=5, shard_invariant=True)
        return tf.train.Checkpoint(layer=layer), layer

    saved, layer = checkpoint_of(2)
    layer(BATCH)
    path = saved.save(str(tmp_path / "checkpoint"))
    restored, layer = checkpoint_of(4)
    restored.restore(path).assert_existing_objects_matched()
    (given,) = run_steps(lambda: layer, BATCH, [2, 2, 2, 2], steps=1, strategy=strategy_of(layer))
    expected = alone(layers.AddGaussianNoise(seed=5), BATCH, 2)[1]
    np.testing.assert_array_equal(np.concatenate(given), expected)


def test_a_model_made_under_a_strategy_is_saved_and_served_without_it(tmp_path):
    with mirrored(2).scope():
        model = keras.Sequential([keras.Input((3, 5)), layers.AddGaussianNoise(seed=5)])
    model.predict(BATCH, batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    model.export(tmp_path / "model", verbose=False)
    expected = alone(layers.AddGaussianNoise(seed=5), BATCH, 2)[1]
    np.testing.assert_array_equal(
        keras.models.load_model(tmp_path / "model.keras")(BATCH), expected
    )
    served = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_array_equal(served.serve(BATCH), expected)


def test_shard_invariance_inside_a_nested_function_is_refused():
    strategy = mirrored(2)
    with strategy.scope():
        layer = layers.AddGaussianNoise(shard_invariant=True)
    nested = tf.function(lambda inputs: layer(inputs))
    with pytest.raises(RuntimeError, match="merge_call"):
        strategy.run(tf.function(lambda inputs: 2 * nested(inputs)), (tf.zeros([4, 2]),))


def test_models_train_on_several_replicas(make):
    with mirrored(2).scope():
        model = keras.Sequential(
            [keras.Input((3, 5)), make(), keras.layers.Flatten(), keras.layers.Dense(3)]
        )
        model.compile("sgd", "mse")
    history = model.fit(BATCH, np.zeros((8, 3)), batch_size=4, epochs=2, verbose=0).history
    assert np.all(np.isfinite(history["loss"]))


def test_kerass_distribution_leaves_the_noise_as_it_is():
    def predicted():
        model = keras.Sequential([keras.Input((3, 5)), layers.AddGaussianNoise(seed=5)])
        return model.predict(BATCH, batch_size=4, verbose=0)

    expected = predicted()
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=["cpu:0", "cpu:1"]))
    try:
        np.testing.assert_array_equal(predicted(), expected)
    finally:
        keras.distribution.set_distribution(None)


@pytest.mark.parametrize("made_in", ["no scope", "another strategy's scope"])
def test_shard_invariance_can_t_hold_for_layers_made_outside_the_scope(make, made_in):
    scope = mirrored(2).scope() if made_in != "no scope" else contextlib.nullcontext()
    with scope:
        layer = make(seed=5, shard_invariant=True)
        layer.build(BATCH.shape)
    strategy = mirrored(2)
    with pytest.raises(ValueError, match=r"made inside `with strategy\.scope\(\):`"):
        strategy.run(tf.function(lambda: layer(BATCH)))
