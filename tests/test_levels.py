"""Noise levels of layers: arrays, variables, schedules and functions, set, saved and replicated.

Expected values come from the functions, with the level and the seed of the call.
"""

import contextlib
import json
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from conftest import FUNCTIONS, NAMES, require_native_in_xla
from flatnoise import layers, schedules
from flatnoise._src import noise_layer

IMAGES = np.linspace(-1, 1, 4 * 6 * 6 * 2, dtype=np.float32).reshape(4, 6, 6, 2)
FIXED = [
    getattr(layers, name)
    for name in layers.__all__
    if issubclass(getattr(layers, name), noise_layer.NoiseLayer) and name != "LearnedGaussianNoise"
]
# A level for each parameter that satisfies all rules of its noises.
LEVELS = {
    "mean": 0.5,
    "stddev": 0.25,
    "minval": -0.5,
    "maxval": 0.5,
    "loc": 0.5,
    "scale": 0.25,
    "rate": 0.5,
    "value": 0.75,
    "amount": 0.5,
    "salt_vs_pepper": 0.25,
    "salt": 2.0,
    "pepper": -2.0,
}
# The output shapes, by `flatten`.
SHAPES = {
    "scalar": ((), ()),
    "channels": (None, (2,)),
    "features": ((72,), (6, 6, 2)),
    "pixels": (None, (6, 6, 1)),
    "samples": ((4, 1), (4, 1, 1, 1)),
    "elements": ((4, 72), (4, 6, 6, 2)),
}
KINDS = {
    "list": np.ndarray.tolist,
    "array": lambda array: array,
    "float32 array": lambda array: array.astype(np.float32),
    "tensor": lambda array: tf.constant(array, tf.float32),
    "variable": lambda array: keras.Variable(array, dtype="float32", trainable=False),
    "function": lambda array: lambda: tf.constant(array, tf.float32),
    "schedule": schedules.Constant,
}
MODES = {
    "eager": lambda function: function,
    "function": tf.function,
    "xla": lambda function: tf.function(function, jit_compile=True),
}
has_xla = pytest.mark.parametrize("mode", MODES)


def compiled(mode, function):
    if mode == "xla":
        require_native_in_xla()
    return MODES[mode](function)


def parameters_of(layer):
    return NAMES[layer.noise.name]


def noised(layer, call, **levels):
    """The result of a layer's function for seed 1, in a call counted from 0."""
    others = [name for name in parameters_of(layer) if name not in levels]
    expected = {name: getattr(layer, name) for name in others} | levels
    if isinstance(layer, layers.AddNoise) and layer.noise_type == "speckle":
        expected["mean"] = 1.0 + expected["mean"]
    function = FUNCTIONS[layer.noise.name]
    return function(IMAGES, (1, call), flatten=layer.flatten, **expected).numpy()


def graded(name, shape):
    """Different levels, from 0 to the one in `LEVELS`."""
    count = int(np.prod(shape))
    return (LEVELS[name] * np.linspace(1 / count, 1, count)).reshape(shape)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", SHAPES)
@pytest.mark.parametrize("flatten", [True, False], ids=["flatten", "keep"])
def test_levels_broadcast_to_the_output(kind, place, flatten):
    shape = SHAPES[place][0 if flatten else 1]
    if shape is None:
        return
    level = graded("stddev", shape).astype(np.float32)
    layer = layers.AddGaussianNoise(stddev=KINDS[kind](level), flatten=flatten, seed=1)
    expected = noised(layer, 0, stddev=level)
    np.testing.assert_array_equal(layer(IMAGES), expected)


@pytest.mark.parametrize("cls", FIXED)
def test_every_parameter_of_every_layer_takes_levels(cls):
    for name in parameters_of(cls(seed=1)):
        level = graded(name, (2,)).astype(np.float32)
        for kind in KINDS.values():
            layer = cls(**{name: kind(level)}, flatten=False, seed=1)
            np.testing.assert_array_equal(layer(IMAGES), noised(layer, 0, **{name: level}))


@pytest.mark.parametrize("noise_type", ["speckle", "masking", "uniform"])
def test_add_noise_takes_levels_for_its_type(noise_type):
    for name in parameters_of(layers.AddNoise(noise_type=noise_type)):
        level = graded(name, (72,)).astype(np.float32)
        for kind in KINDS.values():
            layer = layers.AddNoise(noise_type=noise_type, **{name: kind(level)}, seed=1)
            np.testing.assert_array_equal(layer(IMAGES), noised(layer, 0, **{name: level}))


@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16", "float64"])
@pytest.mark.parametrize("options", [{}, {"variable_levels": True}], ids=["fixed", "variable"])
def test_levels_keep_their_precision_whatever_the_policy(policy, options):
    layer = layers.AddGaussianNoise(stddev=[0.1, 0.3], seed=1, dtype=policy, **options)
    inputs = tf.cast(IMAGES, layer.compute_dtype)
    precise = np.array([0.1, 0.3], "float64" if policy == "float64" else "float32")
    expected = FUNCTIONS["add_normal"](inputs, (1, 0), stddev=precise, flatten=False)
    np.testing.assert_array_equal(layer(inputs), expected)


NUMBERS = [0.25, 1, np.float32(0.25), np.int64(1), np.array(0.25)]


@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_numbers_of_every_kind_are_pythons(number):
    layer = layers.AddGaussianNoise(stddev=number)
    assert type(layer.stddev) in (int, float)
    assert layer.stddev == number
    assert json.loads(json.dumps(layer.get_config()))["stddev"] == number


def test_arrays_are_copied_and_can_t_be_written_to():
    array = np.array([0.1, 0.2])
    layer = layers.AddGaussianNoise(stddev=array)
    array[0] = 5
    np.testing.assert_array_equal(layer.stddev, [0.1, 0.2])
    with pytest.raises(ValueError, match="read-only"):
        layer.stddev[0] = 5


WRONG = [
    ({"stddev": [0.1, -0.1]}, "`stddev`. Expected a number that is not negative"),
    ({"stddev": [0.1, float("nan")]}, "`stddev`. Expected a finite float value"),
    ({"stddev": [[0.1], [0.1, 0.2]]}, "`stddev`. Expected a finite float value"),
    ({"stddev": "0.1"}, r"Expected .*, a schedule of keras.* Received: stddev='0.1'"),
    ({"stddev": [True, False]}, "`stddev`. Expected a finite float value"),
    ({"stddev": keras.Input((3,))}, "`stddev`. Expected a finite float value"),
    ({"stddev": tf.Variable(0.1)}, "Expected .* a keras.Variable"),
    ({"stddev": keras.Variable(-0.1)}, "`stddev`. Expected a number that is not negative"),
    ({"stddev": keras.Variable(1, dtype="int32")}, "Expected a floating-point keras.Variable"),
    ({"stddev": -0.1, "variable_levels": True}, "`stddev`. Expected a number that is not"),
    ({"variable_levels": ["scale"]}, "Expected a boolean or .* of names out of 'mean', 'stddev'"),
    ({"variable_levels": "stddev"}, "`variable_levels`. Expected a boolean or"),
    ({"variable_levels": 1}, "`variable_levels`. Expected a boolean or"),
    ({"stddev": lambda: 0.1, "variable_levels": ["stddev"]}, "`stddev`. Expected a number or an"),
]


@pytest.mark.parametrize("options, message", WRONG)
def test_wrong_levels_are_refused_at_construction(options, message):
    with pytest.raises(ValueError, match=message):
        layers.AddGaussianNoise(**options)


def test_a_tensor_of_a_graph_is_refused():
    @tf.function
    def make(stddev):
        layers.AddGaussianNoise(stddev=stddev)

    with pytest.raises(ValueError, match=r"`stddev`. Expected a finite float value"):
        make(tf.constant(0.1))


def test_levels_that_are_compared_broadcast_together():
    with pytest.raises(ValueError, match="Expected minval <= maxval"):
        layers.AddUniformNoise(minval=[0.0, 0.2], maxval=0.1)
    with pytest.raises(ValueError, match=r"Received: minval=\(3,\), maxval=\(2,\)"):
        layers.AddUniformNoise(minval=[0.0, 0.0, 0.0], maxval=[0.1, 0.1])
    with pytest.warns(UserWarning, match="Expected minval < maxval"):
        layers.AddUniformNoise(minval=[0.0, 0.1], maxval=[0.1, 0.1])


def test_a_level_that_has_no_gradient_can_t_be_trained():
    with pytest.raises(ValueError, match=r"`rate`. Expected a keras.Variable with trainable=False"):
        layers.MaskingNoise(rate=keras.Variable(0.5))


@pytest.mark.parametrize("options", [{}, {"variable_levels": True}], ids=["fixed", "variable"])
def test_a_shape_that_doesn_t_fit_is_refused_where_a_model_is_made(options):
    layer = layers.AddGaussianNoise(stddev=[0.1, 0.2, 0.3], **options)
    with pytest.raises(ValueError, match=r"`stddev`. Expected .* shape \(None, 6, 6, 2\)"):
        layer(keras.Input((6, 6, 2)))
    with pytest.raises(ValueError, match=r"`stddev`. Expected .* shape \(4, 6, 6, 2\)"):
        layer(IMAGES)


# Levels in variables.


@has_xla
def test_what_is_set_holds_in_graphs_that_are_there_already(mode):
    layer = layers.AddGaussianNoise(stddev=0.1, variable_levels=True, seed=1)
    traces = []

    def call(inputs):
        traces.append(1)
        return layer(inputs)

    run = compiled(mode, call)
    for number, stddev in enumerate([0.1, 0.5, 0.0]):
        layer.stddev = stddev
        assert layer.stddev.numpy() == np.float32(stddev)
        np.testing.assert_array_equal(run(IMAGES), noised(layer, number, stddev=stddev))
    assert mode == "eager" or len(traces) == 1


def regression(layer, **options):
    model = keras.Sequential([keras.Input((6, 6, 2)), layer, keras.layers.Flatten()])
    model.compile("sgd", keras.losses.MeanSquaredError(), **options)
    return model


def mean_square(layer, call, **levels):
    return np.mean(noised(layer, call, **levels).reshape(4, -1) ** 2)


@pytest.mark.parametrize("jit_compile", ["auto", True, False])
def test_what_is_set_holds_in_a_compiled_fit(jit_compile):
    if jit_compile is True:
        require_native_in_xla()
    layer = layers.AddGaussianNoise(stddev=0.1, variable_levels=True, seed=1)
    model = regression(layer, jit_compile=jit_compile)
    for call, stddev in enumerate([0.1, 0.5, 0.0]):
        layer.stddev = stddev
        loss = model.fit(IMAGES, np.zeros((4, 72)), shuffle=False, verbose=0).history["loss"]
        np.testing.assert_allclose(loss, mean_square(layer, call, stddev=stddev), rtol=1e-5)
    assert model.train_function is not None


def test_levels_in_variables_are_weights_that_are_not_trained():
    layer = layers.AddUniformNoise(variable_levels=True)
    assert [weight.name for weight in layer.weights] == ["minval", "maxval"]
    assert layer.trainable_weights == []
    only = layers.AddUniformNoise(variable_levels=["maxval"])
    assert [weight.name for weight in only.weights] == ["maxval"]
    by_type = layers.AddNoise(noise_type="masking", variable_levels=True)
    assert [weight.name for weight in by_type.weights] == ["rate", "value"]
    assert layers.AddUniformNoise().weights == []


def test_a_number_is_set_for_all_of_an_array():
    layer = layers.AddGaussianNoise(stddev=[0.1, 0.2], variable_levels=True)
    layer.stddev = 0.5
    np.testing.assert_array_equal(layer.stddev, [0.5, 0.5])
    layer.stddev = [0.25, 0.75]
    np.testing.assert_array_equal(layer.stddev, [0.25, 0.75])
    with pytest.raises(ValueError, match=r"broadcasts to the variable's shape \(2,\)"):
        layer.stddev = [0.1, 0.2, 0.3]


def test_levels_are_copied_from_another_layers():
    first = layers.AddGaussianNoise(stddev=0.5, variable_levels=True)
    second = layers.AddGaussianNoise(variable_levels=True)
    second.stddev = first.stddev
    first.stddev = 0.25
    assert (first.stddev.numpy(), second.stddev.numpy()) == (0.25, 0.5)


@pytest.mark.parametrize("jit_compile", [True, False])
def test_a_graph_sets_levels_too(jit_compile):
    layer = layers.AddGaussianNoise(stddev=[0.5, 0.25], variable_levels=True)

    @tf.function(jit_compile=jit_compile)
    def halve():
        layer.stddev = layer.stddev / 2

    halve()
    halve()
    np.testing.assert_array_equal(layer.stddev, [0.125, 0.0625])


@pytest.mark.parametrize("options", [{}, {"variable_levels": True}], ids=["fixed", "variable"])
@pytest.mark.parametrize(
    "value, message",
    [
        (-0.1, "`stddev`. Expected a number that is not negative. Received: stddev=-0.1"),
        ([0.1, -0.1], "`stddev`. Expected a number that is not negative"),
        (float("inf"), "`stddev`. Expected a finite"),
        ("0.1", "`stddev`. Expected a finite"),
        (tf.constant(-0.5), "`stddev`. Expected a number that is not negative"),
        (lambda: 0.1, "`stddev`. Expected a finite"),
        (schedules.Constant(0.1), "`stddev`. Expected a finite"),
    ],
    ids=["negative", "one negative", "infinite", "text", "tensor", "function", "schedule"],
)
def test_wrong_levels_are_refused_when_they_are_set(options, value, message):
    layer = layers.AddGaussianNoise(stddev=[0.1, 0.1], **options)
    with pytest.raises(ValueError, match=message):
        layer.stddev = value
    np.testing.assert_array_equal(layer.stddev, np.float32([0.1, 0.1]) if options else [0.1, 0.1])


@pytest.mark.parametrize("options", [{}, {"variable_levels": True}], ids=["fixed", "variable"])
def test_what_is_set_is_compared_with_the_levels_as_they_are(options):
    layer = layers.AddUniformNoise(minval=-0.5, maxval=0.5, **options)
    with pytest.raises(ValueError, match="Expected minval <= maxval"):
        layer.minval = 0.75
    layer.maxval = 1.0
    layer.minval = 0.75
    assert (np.array(layer.minval), np.array(layer.maxval)) == (0.75, 1.0)


@pytest.mark.parametrize("variable_levels", [True, ["minval"], ["maxval"], False], ids=str)
def test_equal_numbers_are_equal_in_variables_too(variable_levels):
    layer = layers.AddUniformNoise(minval=-0.5, maxval=0.5, variable_levels=variable_levels)
    layer.maxval = 0.1
    layer.minval = 0.1
    layer.maxval = 0.1
    assert np.unique(layer(tf.zeros([4, 8]))) == np.float32(0.1)


def test_a_variable_is_no_level_to_set():
    layer = layers.AddGaussianNoise()
    variable = keras.Variable(0.5, trainable=False)
    with pytest.raises(ValueError, match="other levels are arguments of the layer"):
        layer.stddev = variable
    assert layer.weights == []


@pytest.mark.parametrize(
    "level", [schedules.Constant(0.1), lambda: 0.1], ids=["schedule", "function"]
)
def test_schedules_and_functions_can_t_be_overridden(level):
    layer = layers.AddGaussianNoise(stddev=level)
    with pytest.raises(ValueError, match=r"schedule or a function.*variable_levels=True"):
        layer.stddev = 0.2


# Fixed levels.


def test_a_fixed_level_may_be_set_as_long_as_no_graph_holds_it():
    layer = layers.AddGaussianNoise(stddev=0.1, seed=1)
    layer(IMAGES)
    regression(layer)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layer.stddev = 0.5
    assert layer.stddev == layer.get_config()["stddev"] == 0.5
    np.testing.assert_array_equal(layer(IMAGES), noised(layer, 1, stddev=0.5))


def test_a_fixed_level_that_a_graph_holds_warns_when_it_is_set():
    layer = layers.AddGaussianNoise(stddev=0.1, seed=1)
    run = tf.function(lambda: layer(IMAGES))
    run()
    with pytest.warns(UserWarning, match=r"former `stddev`.*variable_levels=True") as seen:
        layer.stddev = 0.5
    assert seen[0].filename == __file__
    np.testing.assert_array_equal(run(), noised(layer, 1, stddev=0.1))
    np.testing.assert_array_equal(layer(IMAGES), noised(layer, 2, stddev=0.5))


class OwnModel(keras.Model):
    """A model for which Keras infers shapes by tracing."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, inputs, training=False):
        return self.layer(inputs, training=training)


def test_keras_looking_for_shapes_makes_no_graph_to_warn_of():
    layer = layers.AddGaussianNoise(stddev=0.1)
    OwnModel(layer)(keras.Input((6, 6, 2)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layer.stddev = 0.5


# User variables.


def test_a_variable_of_the_users_is_read_in_every_call_and_shared():
    level = keras.Variable(0.5, trainable=False, name="level")
    noises = [layers.AddGaussianNoise(stddev=level, seed=1) for _ in range(2)]
    run = tf.function(lambda: [layer(IMAGES) for layer in noises])
    for call, stddev in enumerate([0.5, 0.125]):
        level.assign(stddev)
        expected = noised(noises[0], call, stddev=stddev)
        for given in run():
            np.testing.assert_array_equal(given, expected)
    assert noises[0].stddev is level
    assert noises[0].non_trainable_weights == noises[1].non_trainable_weights == [level]
    noises[0].stddev = 0.25
    assert level.numpy() == 0.25


def test_a_trainable_variable_is_trained():
    fill = keras.Variable([0.0, 0.0], name="fill")
    layer = layers.MaskingNoise(rate=1.0, value=fill, seed=1)
    model = keras.Sequential([keras.Input((6, 6, 2)), layer])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    targets = np.broadcast_to(np.float32([1, -2]), IMAGES.shape)
    assert layer.trainable_weights == [fill]
    model.fit(IMAGES, targets, epochs=20, verbose=0)
    np.testing.assert_allclose(fill.numpy(), [1, -2], atol=1e-3)


# Schedules and functions.


def ramp(steps):
    """The levels of `Linear(0.0, 0.5, steps=4)`, computed independently."""
    return [0.5 * min(step / 4, 1.0) for step in range(steps)]


@has_xla
def test_a_schedule_goes_on_with_each_call_in_training(mode):
    layer = layers.AddGaussianNoise(stddev=schedules.Linear(0.0, 0.5, steps=4), seed=1)
    run = compiled(mode, lambda inputs, training: layer(inputs, training=training))
    call = 0
    for stddev in ramp(6):
        for training in (False, False, True):
            assert layer.stddev.numpy() == stddev
            expected = noised(layer, call, stddev=stddev)
            np.testing.assert_array_equal(run(IMAGES, training), expected)
            call += 1


@pytest.mark.parametrize("jit_compile", ["auto", True, False])
def test_a_schedule_goes_on_with_each_step_of_fit_and_not_with_predict(jit_compile):
    if jit_compile is True:
        require_native_in_xla()
    layer = layers.AddGaussianNoise(stddev=schedules.Linear(0.0, 0.5, steps=4), seed=1)
    model = regression(layer, jit_compile=jit_compile)
    call = 0
    for stddev in ramp(6):
        loss = model.fit(IMAGES, np.zeros((4, 72)), shuffle=False, verbose=0).history["loss"]
        np.testing.assert_allclose(loss, mean_square(layer, call, stddev=stddev), rtol=1e-5)
        model.predict(IMAGES, verbose=0)
        call += 2


@pytest.mark.parametrize(
    "schedule, expected",
    [
        (keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5), [1.0, 0.5, 0.25, 0.125]),
        (keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.25]), [0.5, 0.5, 0.25]),
        (keras.optimizers.schedules.PolynomialDecay(0.0, 2, 1.0), [0.0, 0.5, 1.0, 1.0]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_kerass_schedules_are_taken(schedule, expected):
    layer = layers.AddGaussianNoise(stddev=schedule, seed=1)
    for call, stddev in enumerate(expected):
        np.testing.assert_array_equal(
            layer(IMAGES, training=True), noised(layer, call, stddev=stddev)
        )


def test_layers_that_noise_in_training_only_count_that_alone():
    layer = layers.AddGaussianNoise(stddev=schedules.Linear(0, 1, steps=4), training_only=True)
    for training in (True, False, True):
        layer(IMAGES, training=training)
    assert layer.stddev.numpy() == 0.5
    assert [weight.name for weight in layer.weights] == ["training_steps"]
    assert layer.trainable_weights == []


def test_a_schedule_below_0_is_refused_by_the_op(native):
    layer = layers.AddGaussianNoise(stddev=schedules.Constant(-0.5))
    with pytest.raises(tf.errors.InvalidArgumentError, match="stddev"):
        layer(IMAGES)


@has_xla
def test_a_function_is_called_in_every_call(mode):
    count = tf.Variable(0.0)
    layer = layers.AddGaussianNoise(stddev=lambda: count.assign_add(0.125), seed=1)
    run = compiled(mode, lambda inputs: layer(inputs))
    for call, stddev in enumerate([0.125, 0.25, 0.375]):
        np.testing.assert_array_equal(run(IMAGES), noised(layer, call, stddev=stddev))


def test_what_a_function_gives_is_checked():
    with pytest.raises(ValueError, match=r"`stddev`. Expected .* not negative"):
        layers.AddGaussianNoise(stddev=lambda: -0.5)(IMAGES)
    with pytest.raises(ValueError, match=r"`stddev`. Expected a finite real number"):
        layers.AddGaussianNoise(stddev=lambda: "0.5")(IMAGES)


# Saving.


@keras.saving.register_keras_serializable(package="test_levels")
def half():
    """A function as level."""
    return 0.5


@keras.saving.register_keras_serializable(package="test_levels")
class Halving(keras.optimizers.schedules.LearningRateSchedule):
    """A user-defined schedule."""

    def __init__(self, initial):
        self.initial = initial

    def __call__(self, step):
        return self.initial * 0.5 ** tf.cast(step, tf.float32)

    def get_config(self):
        return {"initial": self.initial}


SAVED = {
    "number": lambda: {"stddev": 0.25},
    "list": lambda: {"stddev": [0.25, 0.5]},
    "array": lambda: {"stddev": np.float32([0.1, 0.2]), "mean": np.arange(72).reshape(6, 6, 2)},
    "variable level": lambda: {"stddev": [0.25, 0.5], "variable_levels": ["stddev"]},
    "variable levels": lambda: {"variable_levels": True},
    "variable": lambda: {"stddev": keras.Variable([0.25, 0.5], trainable=False, name="own")},
    "trainable variable": lambda: {"mean": keras.Variable(0.5), "stddev": Halving(0.5)},
    "schedule": lambda: {"stddev": schedules.Linear(0.0, 0.5, steps=4)},
    "arrays of a schedule": lambda: {"stddev": schedules.Cosine([0, 1], np.ones(2), 4, begin=1)},
    "kerass schedule": lambda: {"stddev": keras.optimizers.schedules.CosineDecay(0.5, 4)},
    "users schedule": lambda: {"stddev": Halving(0.5)},
    "function": lambda: {"stddev": half},
}


@pytest.fixture(params=SAVED)
def options(request):
    return SAVED[request.param]


def test_configurations_are_json_and_come_back_the_same(options):
    layer = layers.AddGaussianNoise(**options(), seed=1)
    config = layer.get_config()
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    restored = keras.saving.deserialize_keras_object(written)
    assert restored.get_config() == config
    assert layers.AddGaussianNoise.from_config(config).get_config() == config
    np.testing.assert_array_equal(restored(IMAGES), layer(IMAGES))
    kinds = [(weight.name, weight.trainable) for weight in layer.weights]
    assert [(weight.name, weight.trainable) for weight in restored.weights] == kinds


def test_a_configuration_has_the_level_to_start_from():
    layer = layers.AddGaussianNoise(stddev=0.25, variable_levels=True)
    layer.stddev = 0.5
    assert layer.get_config()["stddev"] == 0.25


def keras_file(model, fresh, folder):
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def hdf5_file(model, fresh, folder):
    model.save(folder / "model.h5")
    return keras.models.load_model(folder / "model.h5")


def weights_file(model, fresh, folder):
    model.save_weights(folder / "model.weights.h5")
    fresh.load_weights(folder / "model.weights.h5")
    return fresh


def checkpoint(model, fresh, folder):
    path = tf.train.Checkpoint(model=model).save(str(folder / "checkpoint"))
    tf.train.Checkpoint(model=fresh).restore(path).assert_existing_objects_matched()
    return fresh


def clone(model, fresh, folder):
    copy = keras.models.clone_model(model)
    copy.layers[0].seed_generator.state.assign(model.layers[0].seed_generator.state)
    copy.set_weights(model.get_weights())
    return copy


@pytest.mark.parametrize("save_and_load", [keras_file, hdf5_file, weights_file, checkpoint, clone])
def test_saved_models_go_on_with_the_levels_they_had(options, save_and_load, tmp_path):
    model = regression(layers.AddGaussianNoise(**options(), seed=1))
    layer = model.layers[0]
    model.fit(IMAGES, np.zeros((4, 72)), verbose=0)
    for weight in layer.weights:
        if weight.name in ("mean", "stddev", "own"):
            weight.assign(weight + 0.25)
    fresh = regression(layers.AddGaussianNoise(**options(), seed=2))
    restored = save_and_load(model, fresh, tmp_path)
    for _ in range(2):
        expected = model(IMAGES, training=True)
        np.testing.assert_array_equal(restored(IMAGES, training=True), expected)


def test_an_exported_model_has_the_level_that_was_last(tmp_path):
    model = regression(layers.AddGaussianNoise(stddev=0.1, variable_levels=True, seed=1))
    model.layers[0].stddev = 0.5
    model.export(tmp_path / "model", verbose=False)
    served = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(
        served.serve(IMAGES), noised(model.layers[0], 0, stddev=0.5).reshape(4, -1), atol=1e-6
    )


def test_lambdas_are_saved_as_keras_saves_them(tmp_path):
    model = regression(layers.AddGaussianNoise(stddev=lambda: 0.5))
    with pytest.warns(UserWarning, match="includes a `lambda`"):
        model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="safe_mode=False"):
        keras.models.load_model(tmp_path / "model.keras")
    restored = keras.models.load_model(tmp_path / "model.keras", safe_mode=False)
    assert restored.layers[0].stddev == 0.5


def test_functions_that_keras_doesn_t_know_are_named_where_a_file_is_loaded(tmp_path):
    def unknown():
        return 0.5

    model = regression(layers.AddGaussianNoise(stddev=unknown))
    model.save(tmp_path / "model.keras")
    with pytest.raises((TypeError, ValueError), match=r"unknown.*register_keras_serializable"):
        keras.models.load_model(tmp_path / "model.keras")
    known = {"unknown": unknown}
    restored = keras.models.load_model(tmp_path / "model.keras", custom_objects=known)
    assert restored.layers[0].stddev == 0.5


@pytest.mark.parametrize("cls", FIXED)
def test_kerass_own_layer_test_of_levels_in_variables(cls):
    testing = pytest.importorskip("keras.src.testing")
    testing.TestCase("run_layer_test").run_layer_test(
        cls,
        init_kwargs={"variable_levels": True, "seed": 1, "flatten": False},
        input_shape=(3, 4, 2),
        expected_output_shape=(3, 4, 2),
        expected_num_trainable_weights=0,
        expected_num_non_trainable_weights=len(parameters_of(cls())),
        expected_num_seed_generators=1,
        expected_num_losses=0,
        supports_masking=True,
    )


# Replicas.


def mirrored(replicas=2):
    return tf.distribute.MirroredStrategy(
        [f"CPU:{index}" for index in range(replicas)],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )


def share(strategy, function):
    """A function's results on each replica, for its half of the images."""
    halves = np.split(IMAGES, 2)
    inputs = strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(halves[context.replica_id_in_sync_group])
    )
    return strategy.experimental_local_results(strategy.run(function, (inputs,)))


def test_replicas_share_what_is_set():
    strategy = mirrored()
    with strategy.scope():
        layer = layers.AddGaussianNoise(variable_levels=True, seed=1, shard_invariant=True)
    run = tf.function(lambda inputs: layer(inputs, training=True))
    for call, stddev in enumerate([0.5, 0.25]):
        layer.stddev = stddev
        given = np.concatenate(share(strategy, run))
        np.testing.assert_array_equal(given, noised(layer, call, stddev=stddev))


def test_a_train_step_sets_levels_on_all_replicas():
    strategy = mirrored()
    with strategy.scope():
        layer = layers.AddGaussianNoise(stddev=0.5, variable_levels=True)

    @tf.function
    def halve(inputs):
        layer.stddev = layer.stddev / 2
        return inputs

    share(strategy, halve)
    copies = strategy.experimental_local_results(layer.stddev.value)
    np.testing.assert_array_equal(copies, [0.25, 0.25])


@pytest.mark.parametrize("nested", [False, True])
def test_replicas_count_steps_together(nested):
    strategy = mirrored()
    with strategy.scope():
        layer = layers.AddGaussianNoise(stddev=schedules.Linear(0.0, 0.5, steps=4), seed=1)
    run = tf.function(lambda inputs: layer(inputs, training=True))
    if nested:
        inner = run
        run = tf.function(lambda inputs: inner(inputs))
    for call, stddev in enumerate(ramp(6)):
        assert layer.stddev.numpy() == stddev
        first, _ = share(strategy, run)
        np.testing.assert_array_equal(first, noised(layer, call, stddev=stddev)[:2])


def test_a_schedule_under_a_strategy_needs_its_scope():
    layer = layers.AddGaussianNoise(stddev=schedules.Constant(0.1))
    with pytest.raises(ValueError, match=r"a schedule.*made inside `with strategy\.scope\(\):`"):
        share(mirrored(), tf.function(lambda inputs: layer(inputs)))


@pytest.mark.parametrize("scope", [contextlib.nullcontext, lambda: mirrored().scope()])
def test_fit_counts_steps_and_saves_them(scope, tmp_path):
    with scope():
        layer = layers.AddGaussianNoise(stddev=schedules.Linear(0.0, 1.0, steps=8))
        model = regression(layer)
    model.fit(IMAGES, np.zeros((4, 72)), batch_size=2, epochs=3, verbose=0)
    assert layer.stddev.numpy() == 0.75
    model.save(tmp_path / "model.keras")
    assert keras.models.load_model(tmp_path / "model.keras").layers[0].stddev.numpy() == 0.75
