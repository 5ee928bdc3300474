"""Writes tensorflow_stream.txt: results of TensorFlow's stateless ops for some seeds."""

from pathlib import Path

import numpy as np
import tensorflow as tf

SEEDS = [
    (0, 0),
    (1, 2),
    (-1, -2),
    (2**31 - 1, -(2**31)),
    (2**63 - 1, -(2**63)),
    (123456789, 987654321),
]
OPS = {"uniform": tf.random.stateless_uniform, "normal": tf.random.stateless_normal}
COUNT = 12
BITS = {"float32": np.uint32, "float64": np.uint64}


def main() -> None:
    lines = [
        "# distribution type seed0 seed1, then the stream's first numbers as bits in hexadecimal.",
        f"# tf.random.stateless_{{uniform,normal}}([{COUNT}], seed, alg='philox') of TensorFlow "
        f"{tf.__version__}, on a CPU.",
    ]
    for name, op in OPS.items():
        for dtype, bits in BITS.items():
            for seed in SEEDS:
                values = op([COUNT], tf.constant(seed, tf.int64), dtype=dtype, alg="philox").numpy()
                words = " ".join(f"{word:x}" for word in values.view(bits))
                lines.append(f"{name} {dtype} {seed[0]} {seed[1]} {words}")
    Path(__file__).with_name("tensorflow_stream.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
