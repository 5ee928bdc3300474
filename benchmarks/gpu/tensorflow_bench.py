"""Times flatnoise and stock ops through TensorFlow on a GPU, alternating in one run.

    python benchmarks/gpu/tensorflow_bench.py RESULT.json

Every sample is one function with many steps, which amortizes Python's call overhead, and ends with
a copy of a number to the host. Outside XLA, steps are unrolled, because a loop condition would wait
for the host. Each step has a separate seed in device memory. Inside XLA, steps are in a loop, with
two steps and a barrier between them per iteration. Without the barrier, both would become one
kernel. With one step per iteration, XLA would copy the result of a call to the loop's buffer.
`tests/gpu/run bench` and `peers` measure the kernels without TensorFlow.

"chain" measures the cost of a custom call in XLA: noise, gain, ReLU and noise again. XLA fuses
these into one kernel with its own noise, but a custom call prevents the fusion.
"""

import json
import statistics
import sys
import time

import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla

import flatnoise

SHAPES = [(512, 224, 224, 3), (256, 64, 64, 3), (32, 28, 28, 1)]
NOISES = ("normal", "uniform", "dropout")
STEPS = 50
SAMPLES = 11
RATE = 0.1
STATEFUL, STATELESS = "stock stateful", "stock stateless"


def rows(x):
    return tf.reshape(x, [x.shape[0], -1])


def ours(noise):
    function = {
        "normal": flatnoise.flatten_add_normal,
        "uniform": flatnoise.flatten_add_uniform,
        "dropout": lambda x, seed, **rest: flatnoise.flatten_dropout(x, seed, RATE, **rest),
    }[noise]
    return lambda x, seed: function(x, seed, implementation="native")


def stateful(noise):
    if noise == "dropout":
        return lambda x, seed: tf.nn.dropout(rows(x), RATE)
    draw = getattr(tf.random, noise)
    return lambda x, seed: rows(x) + draw(rows(x).shape, dtype=x.dtype)


def stateless(noise, alg):
    if noise == "dropout":
        return lambda x, seed: tf.nn.experimental.stateless_dropout(
            rows(x), RATE, seed, rng_alg=alg
        )
    draw = getattr(tf.random, f"stateless_{noise}")
    return lambda x, seed: rows(x) + draw(rows(x).shape, seed, dtype=x.dtype, alg=alg)


def once(noised):
    return noised


def chain(noised):
    def run(x, seed):
        h = tf.nn.relu(noised(x, seed) * tf.cast(1.5, x.dtype))
        return noised(h, seed + 1)

    return run


def repeated(step, shape, jit_compile):
    """`STEPS` steps, each on the previous result, as one function that returns one number."""

    def written_out(x, seeds):
        for seed in seeds:
            x = tf.reshape(step(x, seed), shape)
        return tf.reshape(x, [-1])[0]

    def loop(x, seeds):
        def body(i, x):
            seed = seeds[0] + tf.cast(i, tf.int64)
            x = xla.optimization_barrier(step(x, seed))
            return i + 2, tf.reshape(step(tf.reshape(x, shape), seed + 1), shape)

        _, x = tf.while_loop(lambda i, x: i < STEPS, body, (0, x))
        return tf.reshape(x, [-1])[0]

    return tf.function(loop if jit_compile else written_out, jit_compile=jit_compile)


def seconds_per_step(run, x, seeds):
    start = time.perf_counter()
    run(x, seeds).numpy()
    return (time.perf_counter() - start) / STEPS


def contenders(noise):
    forms = {
        "flatnoise": ours(noise),
        STATEFUL: stateful(noise),
        f"{STATELESS}, philox": stateless(noise, "philox"),
        f"{STATELESS}, threefry": stateless(noise, "threefry"),
    }
    for name, noised in forms.items():
        for jit_compile in (False, True):
            if "threefry" in name and not jit_compile:
                continue  # only in XLA
            yield f"{name}, {'XLA' if jit_compile else 'function'}", noised, jit_compile


def measure(make_step, shape, dtype, noise):
    x = tf.cast(tf.random.stateless_normal(shape, [1, 2]), dtype)
    seeds = [tf.constant([3, i], tf.int64) for i in range(STEPS)]
    runs, samples, failed = {}, {}, {}
    for name, noised, jit_compile in contenders(noise):
        run = repeated(make_step(noised), shape, jit_compile)
        try:
            seconds_per_step(run, x, seeds)
        except Exception as error:  # the peer doesn't support this case
            failed[name] = f"{type(error).__name__}: {str(error)[:200]}"
            continue
        runs[name], samples[name] = run, []
    for _ in range(SAMPLES):
        for name, run in runs.items():
            samples[name].append(seconds_per_step(run, x, seeds))
    return {name: statistics.median(times) for name, times in samples.items()}, failed


def fastest(times, side):
    return min(value for name, value in times.items() if name.startswith(side))


def cases():
    large, middle, small = SHAPES
    for noise in NOISES:
        yield once, large, "float32", noise
        yield once, large, "bfloat16", noise
        yield once, middle, "float32", noise
        yield chain, middle, "float32", noise
    yield once, small, "float32", "normal"


def main(result_file):
    # The optimizer would combine the many additions of stock ops into one sum.
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    found = []
    with tf.device("/GPU:0"):
        for make_step, shape, dtype, noise in cases():
            times, failed = measure(make_step, shape, dtype, noise)
            found.append(
                {
                    "step": make_step.__name__,
                    "shape": shape,
                    "dtype": dtype,
                    "noise": noise,
                    "seconds": times,
                    "failed": failed,
                }
            )
            ratio = fastest(times, "stock") / fastest(times, "flatnoise")
            print(
                f"\n{make_step.__name__} {noise} {dtype} {shape}: {ratio:.2f} x the best stock form"
            )
            for name, value in times.items():
                print(f"  {name:<32}{value * 1e6:10.1f} us", flush=True)
            for name, reason in failed.items():
                print(f"  {name:<32}{reason}")
    with open(result_file, "w") as file:
        json.dump({"info": flatnoise.build_info(), "rows": found}, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
