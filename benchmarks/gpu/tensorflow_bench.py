"""Times flatnoise and stock ops through TensorFlow on a GPU, both sides in turn in one run.

    python benchmarks/gpu/tensorflow_bench.py RESULT.json

Every sample is a loop inside one compiled function, so that Python's and TensorFlow's cost of a
call does not count, and ends with a number brought to the host. The kernels' own times, without
TensorFlow, are what `tests/gpu/run bench` and `peers` measure.
"""

import json
import statistics
import sys
import time

import tensorflow as tf

import flatnoise

SHAPES = [(128, 224, 224, 3), (256, 64, 64, 3), (32, 28, 28, 1)]
STEPS = 20
SAMPLES = 15


def ours(distribution):
    add = {
        "normal": flatnoise.flatten_add_normal,
        "uniform": flatnoise.flatten_add_uniform,
    }[distribution]
    return lambda x, seed: add(x, seed, implementation="native")


def stock(distribution, stateless):
    if stateless:
        draw = getattr(tf.random, f"stateless_{distribution}")
        return lambda x, seed: _rows(x) + draw(tf.shape(_rows(x)), seed, dtype=x.dtype)
    draw = getattr(tf.random, distribution)
    return lambda x, seed: _rows(x) + draw(tf.shape(_rows(x)), dtype=x.dtype)


def _rows(x):
    return tf.reshape(x, [tf.shape(x)[0], -1])


def repeated(add, shape, jit_compile):
    """`STEPS` additions, each to the sum before it, as one function that returns one number."""

    @tf.function(jit_compile=jit_compile)
    def run(x, seed):
        def body(i, h):
            return i + 1, tf.reshape(add(h, seed + tf.cast(i, seed.dtype)), shape)

        _, h = tf.while_loop(lambda i, h: i < STEPS, body, (0, x))
        return tf.reshape(h, [-1])[0]

    return run


def seconds_per_step(run, x, seed):
    start = time.perf_counter()
    run(x, seed).numpy()
    return (time.perf_counter() - start) / STEPS


def measure(shape, dtype, distribution):
    contenders = {
        "flatnoise, function": (ours(distribution), False),
        "flatnoise, XLA": (ours(distribution), True),
        "stock stateful, function": (stock(distribution, False), False),
        "stock stateful, XLA": (stock(distribution, False), True),
        "stock stateless, function": (stock(distribution, True), False),
        "stock stateless, XLA": (stock(distribution, True), True),
        "x + 1, function": (lambda x, seed: x + 1, False),
    }
    x = tf.cast(tf.random.stateless_normal(shape, [1, 2]), dtype)
    seed = tf.constant([3, 4])
    runs = {name: repeated(add, shape, jit) for name, (add, jit) in contenders.items()}
    for run in runs.values():
        seconds_per_step(run, x, seed)
    samples = {name: [] for name in runs}
    for _ in range(SAMPLES):
        for name, run in runs.items():
            samples[name].append(seconds_per_step(run, x, seed))
    return {name: statistics.median(times) for name, times in samples.items()}


def fastest(times, side):
    return min(value for name, value in times.items() if name.startswith(side))


def main(result_file):
    rows = []
    with tf.device("/GPU:0"):
        for shape in SHAPES:
            for dtype in ("float32", "bfloat16"):
                for distribution in ("normal", "uniform"):
                    times = measure(shape, dtype, distribution)
                    rows.append(
                        {
                            "shape": shape,
                            "dtype": dtype,
                            "distribution": distribution,
                            "seconds": times,
                        }
                    )
                    ratio = fastest(times, "stock") / fastest(times, "flatnoise")
                    print(
                        f"\n{dtype} {shape} {distribution}: {ratio:.1f} times the best stock form"
                    )
                    for name, value in times.items():
                        print(f"  {name:<28}{value * 1e6:10.1f} us", flush=True)
    with open(result_file, "w") as file:
        json.dump({"info": flatnoise.build_info(), "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
