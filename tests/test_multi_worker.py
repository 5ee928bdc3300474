"""Noise on multi-process workers, which are killed once and resume from a checkpoint."""

import json

import numpy as np
import pytest

from flatnoise import layers
from processes import free_addresses, own_processes, start
from programs.worker import BATCH, INPUTS, LEARNING_RATE, TARGETS

pytestmark = pytest.mark.long

STEPS, DIES_IN = 4, 2
SECONDS = 900  # normally twenty, but the machine may stall
SHARES = [[4, 4], [3, 0, 5]]


def run_workers(folder, shares, dies_in):
    """Runs one worker per shard to the end. Returns their exit codes and output."""
    task = {"folder": str(folder), "shares": shares, "steps": STEPS, "dies_in": dies_in}
    task_file = folder / "task.json"
    task_file.write_text(json.dumps(task))
    cluster = {"worker": free_addresses(len(shares))}
    with own_processes() as workers:
        for index in range(len(shares)):
            place = {"cluster": cluster, "task": {"type": "worker", "index": index}}
            workers.append(start("worker.py", task_file, TF_CONFIG=json.dumps(place)))
        complaints = [worker.communicate(timeout=SECONDS)[1] for worker in workers]
    return [worker.returncode for worker in workers], "\n".join(complaints)


@pytest.fixture(scope="module", params=SHARES, ids=str)
def training(request, tmp_path_factory):
    """The results of each worker's layers in each step of a killed and resumed training."""
    shares = request.param
    folder = tmp_path_factory.mktemp("workers")
    killed, complaints = run_workers(folder, shares, DIES_IN)
    assert killed == [-9] * len(shares), complaints
    assert not list(folder.glob(f"step{DIES_IN}-*"))
    ended, complaints = run_workers(folder, shares, dies_in=None)
    assert ended == [0] * len(shares), complaints
    given = [
        [dict(np.load(folder / f"step{step}-worker{index}.npz")) for index in range(len(shares))]
        for step in range(STEPS)
    ]
    return shares, given


def noise(given, name, shares):
    """Each worker's noise in each step."""
    rows = np.split(INPUTS, np.cumsum(shares)[:-1])
    return [
        [worker[name] - inputs for worker, inputs in zip(step, rows, strict=True)] for step in given
    ]


def test_workers_share_the_noise_of_the_whole_batch(training):
    shares, given = training
    alone = layers.AddGaussianNoise(stddev=1.0, seed=1)
    for step in given:
        assert [len(worker["shared"]) for worker in step] == shares
        np.testing.assert_array_equal(
            np.concatenate([worker["shared"] for worker in step]), alone(INPUTS)
        )


def test_losses_are_those_of_a_training_not_interrupted(training):
    _, given = training
    alone = layers.AddGaussianNoise(stddev=1.0, seed=1)
    weights = np.ones([INPUTS.shape[1], 1])
    for step in given:
        inputs = alone(INPUTS).numpy().astype(np.float64)
        errors = inputs @ weights - TARGETS
        for worker in step:
            np.testing.assert_allclose(worker["loss"], np.sum(errors**2) / BATCH, rtol=1e-5)
        weights -= LEARNING_RATE * 2 * inputs.T @ errors / BATCH


def test_workers_add_noise_of_their_own(training):
    shares, given = training
    given = noise(given, "own", shares)
    firsts = [worker[0] for step in given for worker in step if len(worker)]
    assert len(np.unique(np.round(firsts, 4), axis=0)) == STEPS * np.count_nonzero(shares)


def test_workers_agree_on_a_random_seed_and_keep_it_when_killed(training):
    shares, given = training
    rows = [np.concatenate(step) for step in noise(given, "unseeded", shares)]
    rows = np.round(np.concatenate(rows), 4)
    assert len(np.unique(rows, axis=0)) == STEPS * BATCH
