"""The layer with a learned noise level: weights, gradients, regularizers and constraints."""

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

import flatnoise
from flatnoise import layers

AXES = [
    (None, ()),
    (-1, (3,)),
    (1, (4,)),
    ((-1, 1), (4, 3)),
    ((1, 2, 3), (4, 5, 3)),
]
IMAGES = np.linspace(-1, 1, 8 * 4 * 5 * 3, dtype=np.float32).reshape(8, 4, 5, 3)


def built(**options):
    layer = layers.LearnedGaussianNoise(seed=1, **options)
    layer.build(IMAGES.shape)
    return layer


def spread_shape(axis):
    """The shape for a tensor with the sizes of the axes to broadcast over the features."""
    kept = {axis} if isinstance(axis, int) else set(axis or ())
    sizes = list(enumerate(IMAGES.shape))[1:]
    return [size if index in kept or index - 4 in kept else 1 for index, size in sizes]


@pytest.mark.parametrize("axis, shape", AXES, ids=str)
@pytest.mark.parametrize("flatten", [True, False], ids=["flatten", "keep"])
def test_each_index_of_the_axes_has_its_stddev(axis, shape, flatten, implementation):
    layer = built(axis=axis, flatten=flatten, implementation=implementation)
    np.testing.assert_allclose(layer.stddev, np.full(shape, 0.1), rtol=1e-6)
    stddev = np.linspace(0.5, 2, int(np.prod(shape))).reshape(shape)
    layer.log_stddev.assign(np.log(stddev))
    unit = layers.AddGaussianNoise(stddev=1.0, seed=1)(np.zeros_like(IMAGES)).numpy()
    noisy = np.reshape(layer(IMAGES), IMAGES.shape)
    np.testing.assert_allclose(
        noisy, IMAGES + np.reshape(stddev, spread_shape(axis)) * unit, atol=2e-5
    )


@pytest.mark.parametrize("axis, shape", AXES, ids=str)
def test_gradients_are_those_of_stock_noise(axis, shape, implementation):
    layer = built(axis=axis, implementation=implementation)
    unit = layers.AddGaussianNoise(stddev=1.0, seed=1)(np.zeros_like(IMAGES))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(IMAGES)))
    gradient = tape.gradient(loss, layer.trainable_variables)[0]
    log_stddev = tf.Variable(layer.log_stddev)
    with tf.GradientTape() as tape:
        stddev = tf.reshape(tf.exp(log_stddev), spread_shape(axis))
        loss = tf.reduce_sum(tf.square(IMAGES + stddev * unit))
    np.testing.assert_allclose(gradient, tape.gradient(loss, log_stddev), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "policy, jit_compile",
    [("float32", False), ("float32", True), ("mixed_bfloat16", True), ("float64", False)],
)
def test_the_level_of_noise_in_data_is_found(policy, jit_compile):
    layer = layers.LearnedGaussianNoise(stddev=0.1, dtype=policy, seed=1)
    data = np.random.default_rng(0).normal(scale=0.5, size=[4096, 2]).astype(np.float32)

    class EnergyDistance(keras.losses.Loss):
        """Minimal if data and noise have the same distribution."""

        def call(self, y_true, y_pred):
            return keras.ops.abs(y_true - y_pred) - 0.5 * keras.ops.abs(
                y_pred - keras.ops.roll(y_pred, 1, axis=0)
            )

    model = keras.Sequential([keras.Input((2,)), layer])
    model.compile(keras.optimizers.Adam(0.05), EnergyDistance(), jit_compile=jit_compile)
    model.fit(np.zeros_like(data), data, batch_size=1024, epochs=40, verbose=0)
    np.testing.assert_allclose(layer.stddev, [0.5, 0.5], atol=0.08)
    assert layer.log_stddev.dtype == keras.DTypePolicy(policy).variable_dtype


def test_a_regularizer_sees_the_stddev():
    layer = built(axis=-1, stddev=0.5, stddev_regularizer=keras.regularizers.L2(2.0))
    np.testing.assert_allclose(layer.losses, [2.0 * 3 * 0.25], rtol=1e-6)


@keras.saving.register_keras_serializable(package="tests")
class Between(keras.constraints.Constraint):
    def __call__(self, stddev):
        return tf.clip_by_value(stddev, 0.0, 0.2)


@pytest.mark.parametrize("direction, bound", [(-1, 0.2), (1, 1e-7)])
def test_a_constraint_bounds_the_stddev(direction, bound):
    layer = built(axis=-1, stddev=0.1, stddev_constraint=Between())
    optimizer = keras.optimizers.SGD(100.0)
    optimizer.apply([tf.fill([3], float(direction))], layer.trainable_variables)
    np.testing.assert_allclose(layer.stddev, np.full([3], bound), rtol=1e-4)


def test_all_of_it_is_saved(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((4, 5, 3)),
            layers.LearnedGaussianNoise(
                stddev=0.3,
                axis=(1, -1),
                seed=1,
                stddev_regularizer=keras.regularizers.L1(0.5),
                stddev_constraint=Between(),
            ),
        ]
    )
    model.layers[0].log_stddev.assign(np.linspace(-3, -2, 12).reshape(4, 3))
    model(IMAGES)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(IMAGES), model(IMAGES))
    np.testing.assert_allclose(loaded.losses, model.losses)
    assert isinstance(loaded.layers[0].stddev_constraint, Between)
    assert loaded.layers[0].get_config() == model.layers[0].get_config()


@pytest.mark.parametrize("replicas", [2, 4])
def test_shards_of_a_batch_teach_it_the_same(replicas):
    def gradient_and_noise(sizes):
        strategy = tf.distribute.MirroredStrategy(
            [f"CPU:{index}" for index in range(len(sizes))],
            cross_device_ops=tf.distribute.ReductionToOneDevice(),
        )
        with strategy.scope():
            layer = built(axis=-1, shard_invariant=True)
        shares = np.split(IMAGES, np.cumsum(sizes)[:-1])
        inputs = strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(shares[context.replica_id_in_sync_group])
        )

        @tf.function
        def step(inputs):
            def of_replica(share):
                with tf.GradientTape() as tape:
                    noisy = layer(share)
                    loss = tf.reduce_sum(tf.square(noisy))
                return noisy, tape.gradient(loss, layer.trainable_variables)[0]

            return strategy.run(of_replica, (inputs,))

        noisy, gradients = step(inputs)
        results = strategy.experimental_local_results
        return np.sum([value.numpy() for value in results(gradients)], 0), np.concatenate(
            [value.numpy() for value in results(noisy)]
        )

    gradient, noisy = gradient_and_noise([8])
    of_shares, noisy_shares = gradient_and_noise([8 // replicas] * replicas)
    np.testing.assert_array_equal(noisy_shares, noisy)
    np.testing.assert_allclose(of_shares, gradient, rtol=1e-4)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"stddev": 0.0}, "`stddev`. Expected a float value above 0"),
        ({"stddev": float("inf")}, "`stddev`. Expected a finite"),
        ({"axis": "all"}, "`axis`. Expected an integer"),
        ({"axis": 1.5}, "`axis`. Expected an integer"),
        ({"axis": 0}, r"not that of the batch \(0\). Received: axis=0"),
        ({"axis": 4}, "Expected axes of the input"),
        ({"axis": (-1, 3)}, "each once"),
        ({"stddev_regularizer": "nonsense"}, "regularizer"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        built(**options)


def test_unknown_sizes_are_refused_where_they_matter():
    inputs = keras.Input((None, 3))
    assert layers.LearnedGaussianNoise(axis=-1)(inputs).shape == (None, None, 3)
    with pytest.raises(ValueError, match="needs the static sizes"):
        layers.LearnedGaussianNoise(axis=(1, 2))(inputs)


def test_noise_entropy_is_rewarded():
    # The differential entropy of a normal distribution is log(stddev) plus a constant.
    stddev = np.array([0.5, 2.0, 3.0], np.float32)
    entropies = scipy.stats.norm(scale=stddev).entropy() - scipy.stats.norm().entropy()
    penalty = flatnoise.regularizers.NoiseEntropy(0.25)(stddev)
    np.testing.assert_allclose(penalty, -0.25 * entropies.sum(), rtol=1e-6)


def test_the_layer_as_documented_trains_and_is_saved_loaded_and_cloned(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.LearnedGaussianNoise(
                stddev=0.1, seed=1, stddev_regularizer=flatnoise.regularizers.NoiseEntropy(1.0)
            ),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x = np.zeros([64, 3], np.float32)
    model.fit(x, x, epochs=2, verbose=0)
    assert (model.layers[0].stddev.numpy() > 0.1).all()  # the reward outweighs the loss
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for copy in (loaded, keras.models.clone_model(model)):
        assert copy.layers[0].stddev_regularizer.get_config() == {"factor": 1.0}
    np.testing.assert_array_equal(loaded.layers[0].stddev, model.layers[0].stddev)


@pytest.mark.parametrize("factor", [-1.0, float("nan"), "much"])
def test_a_factor_that_can_t_be_is_refused(factor):
    with pytest.raises(ValueError, match=r"`factor`\. Expected a (finite )?float value"):
        flatnoise.regularizers.NoiseEntropy(factor)


@pytest.mark.parametrize("shape", [(2, 4, 5, 5), (2, 4, 5, 1), (2, 3)], ids=str)
def test_inputs_of_other_channels_than_it_was_built_for_are_refused(shape):
    layer = built(axis=-1)
    with pytest.raises(ValueError, match="is incompatible with the layer"):
        layer(tf.zeros(shape))


def test_one_stddev_for_all_takes_inputs_of_any_shape():
    layer = built(axis=None)
    for shape in [(2, 4, 5, 5), (2, 3)]:
        assert layer(tf.zeros(shape)).shape == shape


@pytest.mark.parametrize("axis, shape", AXES, ids=str)
def test_hdf5_files_keep_the_axes(tmp_path, axis, shape):
    model = keras.Sequential(
        [keras.Input(IMAGES.shape[1:]), layers.LearnedGaussianNoise(axis=axis)]
    )
    model.layers[0].log_stddev.assign(np.linspace(-3, -2, int(np.prod(shape))).reshape(shape))
    model.save(tmp_path / "model.h5")
    loaded = keras.models.load_model(tmp_path / "model.h5")
    np.testing.assert_array_equal(loaded.layers[0].stddev, model.layers[0].stddev)
    np.testing.assert_array_equal(loaded(IMAGES), model(IMAGES))


def test_the_stddev_is_not_there_before_the_layer_is_built():
    with pytest.raises(ValueError, match=r"Call the layer or `build\(input_shape\)` first"):
        _ = layers.LearnedGaussianNoise().stddev
