"""Checks an installed flatnoise: that the compiled op loads, and does what stock ops do."""

import numpy as np
import tensorflow as tf

import flatnoise


def main() -> None:
    """Prints what was found; raises where it is not as it should be."""
    info = flatnoise.build_info()
    print(f"flatnoise {info['version']} from {flatnoise.__file__}")
    print(f"native library: {info['native_library']}, instruction set: {info['instruction_set']}")
    assert info["native_loaded"], info["native_error"]

    x = tf.random.stateless_normal([16, 32, 32, 3], seed=[3, 4])
    for add_noise, arguments, tolerance in [
        (flatnoise.flatten_add_normal, (0.5, 2.0), 1e-5),
        (flatnoise.flatten_add_uniform, (-1.0, 1.0), 0.0),
    ]:
        native = add_noise(x, [1, 2], *arguments, implementation="native")
        stock = add_noise(x, [1, 2], *arguments, implementation="tensorflow")
        difference = np.max(np.abs(native - stock))
        print(f"{add_noise.__name__}: {native.shape}, largest difference {difference:.2g}")
        assert native.shape == (16, 3072)
        assert difference <= tolerance

    layer = flatnoise.layers.AddGaussianNoise(stddev=0.1)
    assert layer(x).shape == x.shape
    print("The wheel works.")


if __name__ == "__main__":
    main()
