"""TF_USE_LEGACY_KERAS=1, which makes `tf.keras` Keras 2, with and without tf_keras installed."""

import importlib.util

from processes import PROGRAMS, run_python


def test_functions_work_and_layers_say_that_they_are_of_keras_3():
    done = run_python(PROGRAMS / "legacy_keras.py")
    found = importlib.util.find_spec("tf_keras") is not None
    assert done.stdout.splitlines()[-1] == f"with{'' if found else 'out'} tf_keras"
