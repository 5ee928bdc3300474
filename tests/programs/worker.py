"""One worker of a MultiWorkerMirroredStrategy: trains, checkpoints, and dies on request.

Called as `worker.py TASK.json`, with the cluster in TF_CONFIG. Writes the results of its layers in
each step to `step<number>-worker<index>.npz` in the task's folder.
"""

import json
import logging
import os
import pathlib
import signal
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from tensorflow.python.eager import context

from flatnoise import layers

BATCH, FEATURES = 8, 6
LEARNING_RATE = 0.01
PATIENCE_MS = 600_000
INPUTS = np.linspace(-1, 1, BATCH * FEATURES, dtype=np.float32).reshape(BATCH, FEATURES)
TARGETS = np.sum(INPUTS, 1, keepdims=True)


class Replica:
    """The layers and training of one replica. All variables belong to the strategy."""

    def __init__(self):
        self.shared = layers.AddGaussianNoise(stddev=1.0, seed=1, shard_invariant=True)
        self.own = layers.AddGaussianNoise(stddev=1.0, seed=2)
        self.unseeded = layers.AddGaussianNoise(stddev=1.0, shard_invariant=True)
        self.weights = tf.Variable(
            tf.ones([FEATURES, 1]), aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA
        )

    def step(self, inputs, targets):
        """Runs one step of gradient descent. Returns the layers' results and the shard's loss."""
        shared = self.shared(inputs)
        given = {
            "shared": shared,
            "own": self.own(inputs),
            "unseeded": self.unseeded(inputs),
        }
        with tf.GradientTape() as tape:
            squares = tf.square(shared @ self.weights - targets)
            loss = tf.reduce_sum(squares) / BATCH
        context = tf.distribute.get_replica_context()
        gradient, given["loss"] = context.all_reduce(
            "sum", [tape.gradient(loss, self.weights), loss]
        )
        self.weights.assign_sub(LEARNING_RATE * gradient)
        return given


def own_share(shares, index):
    """The rows of this worker, from the sizes of all shards."""
    first = sum(shares[:index])
    return slice(first, first + shares[index])


def wait_for_all(folder, place, index, count):
    """A barrier for all workers, so that none exits while another still needs it."""
    (folder / f"{place}-worker{index}").touch()
    while len(list(folder.glob(f"{place}-worker*"))) < count:
        time.sleep(0.01)


def be_patient(workers):
    """Makes the workers wait for a stalled worker instead of giving up within seconds."""
    context.context().configure_coordination_service(
        service_type="standalone",
        service_leader="/job:worker/replica:0/task:0",
        heartbeat_timeout_in_ms=PATIENCE_MS,
        coordinated_jobs=[
            context.coordination_config_pb2.CoordinatedJob(name="worker", num_tasks=workers)
        ],
    )


def main(task):
    logging.disable(logging.ERROR)
    be_patient(len(task["shares"]))
    strategy = tf.distribute.MultiWorkerMirroredStrategy()  # must be the first TensorFlow call
    index = strategy.cluster_resolver.task_id
    folder = pathlib.Path(task["folder"])
    with strategy.scope():
        replica = Replica()
    step = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(
        step=step,
        shared=replica.shared,
        own=replica.own,
        unseeded=replica.unseeded,
        weights=replica.weights,
    )
    manager = tf.train.CheckpointManager(checkpoint, str(folder / f"checkpoint{index}"), 1)
    manager.restore_or_initialize()
    rows = own_share(task["shares"], index)

    @tf.function
    def run_step(inputs, targets):
        return strategy.run(replica.step, (inputs, targets))

    while int(step) < task["steps"]:
        given = run_step(tf.constant(INPUTS[rows]), tf.constant(TARGETS[rows]))
        if int(step) == task["dies_in"]:
            wait_for_all(folder, "death", index, len(task["shares"]))
            os.kill(os.getpid(), signal.SIGKILL)
        np.savez(
            folder / f"step{int(step)}-worker{index}.npz",
            **{name: value.numpy() for name, value in given.items()},
        )
        step.assign_add(1)
        manager.save()
    wait_for_all(folder, "end", index, len(task["shares"]))


if __name__ == "__main__":
    with open(sys.argv[1]) as task_file:
        main(json.load(task_file))
