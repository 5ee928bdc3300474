"""The schedules, and the callback that sets levels from them."""

import contextlib
import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from conftest import require_native_in_xla
from flatnoise import layers, schedules
from flatnoise.callbacks import NoiseSchedule

INPUTS = np.zeros((8, 5), np.float32)
TARGETS = np.zeros((8, 1), np.float32)
STEPS = 4  # per epoch, with 2 rows each


def gaussian(**options):
    return layers.AddGaussianNoise(
        **{"stddev": 0.0, "variable_levels": True, "name": "noise"} | options
    )


class Seen(keras.callbacks.Callback):
    """Records a layer's level in every step."""

    def __init__(self, layer, name="stddev"):
        super().__init__()
        self.levels = []
        self._read = lambda: np.array(getattr(layer, name)).tolist()

    def on_train_batch_end(self, batch, logs=None):
        self.levels.append(self._read())


class StopIn(keras.callbacks.Callback):
    """Interrupts training at the start of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self._epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self._epoch:
            raise KeyboardInterrupt


def model_of(*noises, **options):
    model = keras.Sequential([keras.Input((5,)), *noises, keras.layers.Dense(1)])
    model.compile(**{"optimizer": "sgd", "loss": keras.losses.MeanSquaredError()} | options)
    return model


def fit(model, *callbacks, epochs=1, **options):
    """The levels of the model's first layer in every training step."""
    seen = Seen(model.layers[0])
    model.fit(
        INPUTS,
        TARGETS,
        batch_size=2,
        epochs=epochs,
        verbose=0,
        callbacks=[*callbacks, seen],
        **options,
    )
    return seen.levels


def by_step(step):
    """A schedule whose levels are exact in float32."""
    return step / 64


def steps(first, count):
    return [step / 64 for step in range(first, first + count)]


def by_epoch(first, count):
    return [epoch / 64 for epoch in range(first, first + count) for _ in range(STEPS)]


# Schedules.


@pytest.mark.parametrize(
    "schedule, expected",
    [
        (schedules.Constant(0.3), lambda step: 0.3),
        (schedules.Linear(0.1, 0.3, steps=8), lambda step: 0.1 + 0.2 * min(step / 8, 1)),
        (
            schedules.Linear(0.5, 0.0, steps=4, begin=3),
            lambda step: 0.5 * (1 - min(max(step - 3, 0) / 4, 1)),
        ),
        (
            schedules.Cosine(0.4, 0.1, steps=6, begin=2),
            lambda step: 0.25 + 0.15 * math.cos(math.pi * min(max(step - 2, 0) / 6, 1)),
        ),
    ],
    ids=["constant", "linear", "linear, later", "cosine"],
)
@pytest.mark.parametrize("as_step", [int, tf.constant, lambda step: tf.constant(step, tf.int64)])
def test_schedules_follow_their_formulas(schedule, expected, as_step):
    compiled = tf.function(schedule)
    for step in range(12):
        assert schedule(as_step(step)).numpy() == pytest.approx(expected(step), abs=1e-15)
        assert compiled(tf.constant(step)).numpy() == pytest.approx(expected(step), abs=1e-15)


@pytest.mark.parametrize("cls", [schedules.Linear, schedules.Cosine])
def test_the_ends_are_met_exactly(cls):
    schedule = cls([0.1, 1 / 3], [0.7, 0.9], steps=3, begin=1)
    for step in (0, 1):
        np.testing.assert_array_equal(schedule(step), [0.1, 1 / 3])
    for step in (4, 5, 10**9):
        np.testing.assert_array_equal(schedule(step), [0.7, 0.9])


@pytest.mark.parametrize(
    "schedule",
    [
        schedules.Constant([0.1, 0.2]),
        schedules.Linear(0.0, 0.5, steps=10),
        schedules.Cosine(np.array([0.5, 1.0]), 0.25, steps=10, begin=3),
    ],
    ids=lambda schedule: type(schedule).__name__,
)
def test_schedules_are_serialized(schedule):
    written = json.dumps(keras.optimizers.schedules.serialize(schedule))
    restored = keras.optimizers.schedules.deserialize(json.loads(written))
    assert type(restored) is type(schedule)
    assert restored.get_config() == schedule.get_config()
    for step in range(15):
        np.testing.assert_array_equal(restored(step), schedule(step))


def test_optimizers_take_schedules():
    optimizer = keras.optimizers.SGD(schedules.Linear(0.5, 0.0, steps=2))
    variable = keras.Variable(1.0)
    optimizer.build([variable])
    for expected in (0.5, 0.25, 0.25):
        optimizer.apply([tf.constant(1.0)])
        assert variable.numpy() == expected


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: schedules.Constant("a"), "`value`. Expected a finite float value"),
        (lambda: schedules.Constant(float("inf")), "`value`. Expected a finite float value"),
        (lambda: schedules.Linear(None, 1.0, 2), "`initial`. Expected a finite float value"),
        (lambda: schedules.Linear(0.0, float("nan"), 2), "`final`. Expected a finite float"),
        (lambda: schedules.Linear(0.0, 1.0, 0), "`steps`. Expected an integer, at least 1"),
        (lambda: schedules.Cosine(0.0, 1.0, 2.5), "`steps`. Expected an integer.*steps=2.5"),
        (lambda: schedules.Cosine(0.0, 1.0, 2, -1), "`begin`. Expected an integer, at least 0"),
        (lambda: schedules.Cosine([0.0, 1.0], [1.0, 2.0, 3.0], 2), r"initial=\(2,\), final=\(3,\)"),
    ],
)
def test_wrong_schedules_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# In training.


@pytest.mark.parametrize("jit_compile", ["auto", True, False])
def test_levels_follow_the_steps(jit_compile):
    if jit_compile is True:
        require_native_in_xla()
    layer = gaussian()
    model = model_of(layer, jit_compile=jit_compile)
    assert fit(model, NoiseSchedule("stddev", by_step), epochs=3) == steps(0, 3 * STEPS)
    assert layer.stddev.numpy() == (3 * STEPS - 1) / 64


def test_the_noise_of_a_compiled_step_has_the_level_of_the_step():
    layer = layers.AddGaussianNoise(stddev=9.0, variable_levels=True, seed=1)
    model = keras.Sequential([keras.Input((5,)), layer])
    model.compile("sgd", keras.losses.MeanSquaredError())
    losses = []
    record = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: model.reset_metrics(),
        on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]),
    )
    schedule = NoiseSchedule("stddev", by_step)
    model.fit(INPUTS, INPUTS, batch_size=2, verbose=0, callbacks=[schedule, record])
    for step, loss in enumerate(losses):
        noise = flatnoise.flatten_add_normal(INPUTS[:2], (1, step), stddev=step / 64)
        np.testing.assert_allclose(loss, np.mean(np.square(noise)), rtol=1e-5)


def test_levels_follow_the_epochs():
    schedule = NoiseSchedule("stddev", by_step, per="epoch")
    model = model_of(gaussian())
    assert fit(model, schedule, epochs=3) == by_epoch(0, 3)
    assert fit(model, schedule, epochs=5, initial_epoch=3) == by_epoch(3, 2)


@pytest.mark.parametrize(
    "schedule, expected",
    [
        (schedules.Constant(0.5), [0.5] * 4),
        (schedules.Linear(0.0, 0.5, steps=2), [0.0, 0.25, 0.5, 0.5]),
        (keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5), [1.0, 0.5, 0.25, 0.125]),
        (
            keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.25]),
            [0.5, 0.25, 0.25, 0.25],
        ),
        (lambda step: np.float64(step), [0.0, 1.0, 2.0, 3.0]),
        (lambda step: tf.constant(step), [0.0, 1.0, 2.0, 3.0]),
    ],
    ids=["Constant", "Linear", "ExponentialDecay", "PiecewiseConstantDecay", "NumPy", "tensor"],
)
def test_schedules_of_every_kind_are_taken(schedule, expected):
    assert fit(model_of(gaussian()), NoiseSchedule("stddev", schedule)) == expected


def test_a_level_for_each_channel_follows():
    layer = gaussian(stddev=[0.0] * 5)
    levels = fit(model_of(layer), NoiseSchedule("stddev", lambda step: np.arange(5) * step))
    assert levels == [[0.0, step, 2 * step, 3 * step, 4 * step] for step in range(STEPS)]


@pytest.mark.parametrize("parameter", ["rate", "value"])
def test_any_parameter_is_set(parameter):
    layer = layers.MaskingNoise(variable_levels=True)
    fit_with = NoiseSchedule(parameter, by_step)
    seen = Seen(layer, parameter)
    model_of(layer).fit(INPUTS, TARGETS, batch_size=2, verbose=0, callbacks=[fit_with, seen])
    assert seen.levels == steps(0, STEPS)


def test_a_variable_of_the_users_is_set():
    level = keras.Variable(0.0, trainable=False)
    fit(model_of(gaussian(stddev=level)), NoiseSchedule("stddev", by_step))
    assert level.numpy() == (STEPS - 1) / 64


def test_the_levels_are_in_the_logs():
    model = model_of(gaussian(), gaussian(name="other"))
    schedule = NoiseSchedule("stddev", by_step, per="epoch")
    history = model.fit(INPUTS, TARGETS, epochs=3, verbose=0, callbacks=[schedule]).history
    assert history["noise_stddev"] == history["other_stddev"] == [0.0, 1 / 64, 2 / 64]


def test_several_steps_per_execution_have_the_level_of_the_first():
    model = model_of(gaussian(), steps_per_execution=2)
    levels = fit(model, NoiseSchedule("stddev", by_step), epochs=3)
    assert levels == [step / 64 for step in range(0, 3 * STEPS, 2)]


# Which layers.


def nested_model():
    inner = keras.Sequential([gaussian(name="inner")], name="nested")
    inputs = keras.Input((5,))
    x = gaussian(name="first")(inputs)
    x = layers.MaskingNoise(variable_levels=True, name="masking")(inner(x))
    x = layers.AddNoise(noise_type="laplace", variable_levels=True, name="laplace")(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    return model, {layer.name: layer for layer in model._flatten_layers()}


@pytest.mark.parametrize(
    "chosen, expected",
    [
        (None, ["first", "inner"]),
        ("inner", ["inner"]),
        (["first", "inner"], ["first", "inner"]),
        (("first",), ["first"]),
    ],
    ids=str,
)
def test_layers_are_chosen_by_name(chosen, expected):
    model, by_name = nested_model()
    schedule = NoiseSchedule("stddev", schedules.Constant(0.5), layers=chosen)
    model.fit(INPUTS, TARGETS, verbose=0, callbacks=[schedule])
    assert [name for name in ("first", "inner") if by_name[name].stddev.numpy() == 0.5] == expected


def test_layers_are_chosen_themselves():
    model, by_name = nested_model()
    outside = gaussian(name="in the input pipeline")
    schedule = NoiseSchedule("stddev", schedules.Constant(0.5), layers=[by_name["inner"], outside])
    model.fit(INPUTS, TARGETS, verbose=0, callbacks=[schedule])
    assert by_name["first"].stddev.numpy() == 0.0
    assert by_name["inner"].stddev.numpy() == outside.stddev.numpy() == 0.5


@pytest.mark.parametrize(
    "noises, options, message",
    [
        (
            [gaussian],
            {"layers": "nose"},
            r"`layers`. Expected .*\('noise'\). Received: layers='nose'",
        ),
        ([gaussian], {"layers": ["noise", 3]}, "`layers`. Expected layers with levels.* layers=3"),
        ([gaussian], {"layers": keras.layers.GaussianNoise(0.1)}, "`layers`. Expected layers with"),
        (
            [gaussian],
            {"parameter": "std"},
            r"`parameter`. Expected .*\('noise'\).* parameter='std'",
        ),
        ([], {}, "`parameter`. Expected a parameter of a noise layer of the model .it has none"),
        (
            [gaussian],
            {"layers": "noise", "parameter": "rate"},
            "layer 'noise' has no level 'rate'. Expected one of its levels .'mean', 'stddev'",
        ),
        (
            [lambda: layers.AddGaussianNoise(name="fixed")],
            {},
            "`stddev` of layer 'fixed' isn't stored in a variable. Expected .*variable_levels=True",
        ),
        (
            [gaussian, lambda: layers.AddGaussianNoise(name="fixed")],
            {},
            "`stddev` of layer 'fixed' isn't stored in a variable",
        ),
        (
            [lambda: gaussian(stddev=schedules.Constant(0.1))],
            {},
            "`stddev` of layer 'noise' isn't stored in a variable",
        ),
        (
            [lambda: layers.LearnedGaussianNoise(name="learned")],
            {"layers": "learned"},
            "layer 'learned' has no level 'stddev'",
        ),
    ],
)
def test_layers_that_can_t_be_set_are_refused_before_the_training(noises, options, message):
    model = model_of(*[make() for make in noises])
    schedule = NoiseSchedule(**{"parameter": "stddev", "schedule": by_step} | options)
    with pytest.raises(ValueError, match=message):
        fit(model, schedule)
    assert model.optimizer.iterations.numpy() == 0


@pytest.mark.parametrize(
    "options, message",
    [
        ({"parameter": 1}, "`parameter`. Expected the name of a parameter of noise"),
        ({"schedule": 0.5}, "`schedule`. Expected a function of the step. Received: schedule=0.5"),
        ({"per": "batch"}, "`per`. Expected one of 'step', 'epoch'. Received: per='batch'"),
    ],
)
def test_wrong_arguments_are_refused_at_construction(options, message):
    with pytest.raises(ValueError, match=message):
        NoiseSchedule(**{"parameter": "stddev", "schedule": by_step} | options)


@pytest.mark.parametrize(
    "schedule, message",
    [
        (lambda step: 0.5 - step, "`stddev`. Expected a number that is not negative.*stddev=-0.5"),
        (lambda step: float("nan"), "`stddev`. Expected a finite float value"),
        (lambda step: [0.1, 0.2], r"`stddev`. Expected .*broadcasts to the variable's shape \(\)"),
        (lambda step: None, "`stddev`. Expected a finite float value"),
    ],
)
def test_wrong_levels_of_a_schedule_are_refused(schedule, message):
    with pytest.raises(ValueError, match=message):
        fit(model_of(gaussian()), NoiseSchedule("stddev", schedule))


# Resumed training.


def test_a_second_fit_goes_on():
    schedule = NoiseSchedule("stddev", by_step)
    model = model_of(gaussian())
    assert fit(model, schedule) == steps(0, STEPS)
    assert fit(model, schedule) == steps(STEPS, STEPS)
    assert fit(model, NoiseSchedule("stddev", by_step)) == steps(2 * STEPS, STEPS)


def test_an_initial_epoch_goes_on_with_a_new_optimizer():
    levels = fit(model_of(gaussian()), NoiseSchedule("stddev", by_step), epochs=5, initial_epoch=3)
    assert levels == steps(3 * STEPS, 2 * STEPS)


@pytest.mark.parametrize("initial_epoch", [0, 2])
def test_a_loaded_model_goes_on(initial_epoch, tmp_path):
    model = model_of(gaussian())
    fit(model, NoiseSchedule("stddev", by_step), epochs=2)
    model.save(tmp_path / "model.keras")
    restored = keras.models.load_model(tmp_path / "model.keras")
    assert restored.layers[0].stddev.numpy() == (2 * STEPS - 1) / 64
    epochs = initial_epoch + 1
    levels = fit(
        restored, NoiseSchedule("stddev", by_step), epochs=epochs, initial_epoch=initial_epoch
    )
    assert levels == steps(2 * STEPS, STEPS)


@pytest.mark.parametrize("per", ["step", "epoch"])
@pytest.mark.parametrize("is_first", [True, False])
def test_backup_and_restore_goes_on(per, is_first, tmp_path):
    def callbacks():
        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        schedule = NoiseSchedule("stddev", by_step, per=per)
        return [backup, schedule] if is_first else [schedule, backup]

    with pytest.raises(KeyboardInterrupt):
        fit(model_of(gaussian()), *callbacks(), StopIn(2), epochs=4)
    levels = fit(model_of(gaussian()), *callbacks(), epochs=4)
    assert levels == (steps(2 * STEPS, 2 * STEPS) if per == "step" else by_epoch(2, 2))


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(gradient_accumulation_steps=2),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()),
    ],
    ids=["accumulated", "scaled"],
)
def test_steps_are_batches_whatever_the_optimizer(optimizer):
    model = model_of(gaussian(), optimizer=optimizer())
    for first in (0, STEPS):
        assert fit(model, NoiseSchedule("stddev", by_step)) == steps(first, STEPS)


class WithoutOptimizer(keras.Sequential):
    """A model with a custom training step."""

    def train_step(self, data):
        x, y = data
        return {"loss": tf.reduce_mean(tf.square(self(x, training=True) - y))}


def test_a_model_without_an_optimizer_counts_from_its_epoch():
    model = WithoutOptimizer([keras.Input((5,)), gaussian()])
    model.compile(optimizer=None)
    schedule = NoiseSchedule("stddev", by_step)
    assert fit(model, schedule, epochs=2) == steps(0, 2 * STEPS)
    assert fit(model, schedule, epochs=3, initial_epoch=2) == steps(2 * STEPS, STEPS)


def batches_of_unknown_number():
    def batches():
        for first in range(0, len(INPUTS), 2):
            yield INPUTS[first : first + 2], TARGETS[first : first + 2]

    signature = (tf.TensorSpec([None, 5]), tf.TensorSpec([None, 1]))
    return tf.data.Dataset.from_generator(batches, output_signature=signature)


def test_data_of_unknown_size_is_counted():
    model = model_of(gaussian())
    seen = Seen(model.layers[0])
    callbacks = [NoiseSchedule("stddev", by_step), seen]
    model.fit(batches_of_unknown_number(), epochs=2, verbose=0, callbacks=callbacks)
    assert seen.levels == steps(0, 2 * STEPS)
    model = model_of(gaussian())
    with pytest.raises(ValueError, match=r"at which step epoch 2 begins.*`steps_per_epoch`"):
        model.fit(
            batches_of_unknown_number(),
            initial_epoch=2,
            epochs=3,
            verbose=0,
            callbacks=[NoiseSchedule("stddev", by_step)],
        )


# Replicas.


@pytest.mark.parametrize("fit_in_scope", [False, True])
def test_levels_follow_on_all_replicas(fit_in_scope):
    strategy = tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
    with strategy.scope():
        layer = gaussian(shard_invariant=True)
        model = model_of(layer)
    with strategy.scope() if fit_in_scope else contextlib.nullcontext():
        levels = fit(model, NoiseSchedule("stddev", by_step), epochs=2)
    assert levels == steps(0, 2 * STEPS)
    copies = strategy.experimental_local_results(layer.stddev.value)
    np.testing.assert_array_equal(copies, [(2 * STEPS - 1) / 64] * 2)
