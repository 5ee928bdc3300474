"""One task in a ParameterServerStrategy cluster, which TF_CONFIG describes.

Called as `parameter_server.py FOLDER`. The chief is the coordinator. It schedules steps on the
workers and writes their results to `steps.npz`. The other tasks serve until their standard input
ends.
"""

import json
import logging
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

import flatnoise
from flatnoise import layers

STEPS, BATCH, FEATURES = 12, 4, 6
SEED, FUNCTION_SEED = 1, 7


class Training:
    """A layer and weights, as variables of the strategy."""

    def __init__(self):
        self.noise = layers.AddGaussianNoise(stddev=1.0, seed=SEED)
        self.weights = tf.Variable(tf.ones([FEATURES, 1]))

    def step(self, number):
        """Runs a step of gradient descent. Returns the layer's and the function's noise."""
        zeros = tf.zeros([BATCH, FEATURES])
        inputs = self.noise(zeros)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(inputs @ self.weights))
        self.weights.assign_sub(0.01 * tape.gradient(loss, self.weights))
        seed = tf.stack([FUNCTION_SEED, number])
        return inputs, flatnoise.flatten_add_normal(zeros, seed)


def coordinate(folder):
    resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    strategy = tf.distribute.ParameterServerStrategy(resolver)
    coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
    with strategy.scope():
        training = Training()

    @tf.function
    def run_step(number):
        return strategy.run(training.step, args=(number,))

    numbers = tf.range(STEPS, dtype=tf.int64)
    given = [coordinator.schedule(run_step, args=(number,)) for number in numbers]
    coordinator.join()
    layer, function = zip(*(each.fetch() for each in given), strict=True)
    state = training.noise.seed_generator.state.value
    np.savez(
        f"{folder}/steps.npz",
        layer=layer,
        function=function,
        state=state.numpy(),
        device_of_state=state.device,
    )


def serve(cluster, task):
    server = tf.distribute.Server(cluster, task["type"], task["index"], protocol="grpc")
    sys.stdin.read()
    del server
    os._exit(0)  # TensorFlow has no other way to stop a server


def main(folder):
    logging.disable(logging.ERROR)
    place = json.loads(os.environ["TF_CONFIG"])
    if place["task"]["type"] == "chief":
        coordinate(folder)
    else:
        serve(place["cluster"], place["task"])


if __name__ == "__main__":
    main(sys.argv[1])
