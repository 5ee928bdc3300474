"""TF_USE_LEGACY_KERAS=1, which makes `tf.keras` Keras 2, with and without tf_keras installed."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import flatnoise

PROGRAM = pathlib.Path(__file__).parent / "programs" / "legacy_keras.py"


def test_functions_work_and_layers_say_that_they_are_of_keras_3():
    package = pathlib.Path(flatnoise.__file__).parents[1]
    completed = subprocess.run(
        [sys.executable, str(PROGRAM)],
        env={**os.environ, "PYTHONPATH": str(package), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    found = importlib.util.find_spec("tf_keras") is not None
    assert completed.stdout.splitlines()[-1] == f"with{'' if found else 'out'} tf_keras"
