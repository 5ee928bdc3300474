"""Noise in multi-process engines: tf.data service, parameter servers, independent ranks."""

import json
import time

import numpy as np
import pytest
import tensorflow as tf

import flatnoise
from processes import SECONDS, finish, free_addresses, own_processes, start
from programs import parameter_server, rank

service = tf.data.experimental.service
pytestmark = pytest.mark.usefixtures("native")

ELEMENTS = 64
VALUES = np.linspace(-1, 1, ELEMENTS * 6, dtype=np.float32).reshape(ELEMENTS, 2, 3)


@pytest.fixture(scope="module", params=[1, 3], ids="{} workers".format)
def data_service(request):
    """The address of a dispatcher, and its number of workers."""
    with own_processes() as servers:
        servers.append(start("data_service.py", "dispatcher"))
        address = servers[0].stdout.readline().strip()
        for _ in range(request.param):
            servers.append(start("data_service.py", "worker", address))
        assert all(server.stdout.readline() for server in servers[1:])
        yield f"grpc://{address}", request.param


def noised(index, values):
    return index, flatnoise.flatten_add_normal(values, seed=[7, index], flatten=False)


def expected_of(index):
    return flatnoise.flatten_add_normal(VALUES[index], seed=[7, index], flatten=False)


def served(dataset, policy, data_service):
    dataset = dataset.map(noised, num_parallel_calls=4)
    dataset = dataset.apply(service.distribute(policy, service=data_service[0]))
    return list(dataset.as_numpy_iterator())


def test_the_data_service_gives_the_same_elements_for_any_number_of_workers(data_service):
    """The number of an element is part of the dataset, so it moves with the element."""
    source = tf.data.Dataset.from_tensor_slices((np.arange(ELEMENTS), VALUES))
    given = served(source, service.ShardingPolicy.DYNAMIC, data_service)
    assert sorted(index for index, _ in given) == list(range(ELEMENTS))
    for index, values in given:
        np.testing.assert_array_equal(values, expected_of(index))


def test_every_worker_of_the_data_service_enumerates_the_whole_of_it_alike(data_service):
    source = tf.data.Dataset.from_tensor_slices(VALUES).enumerate()
    given = served(source, service.ShardingPolicy.OFF, data_service)
    assert len(given) == ELEMENTS * data_service[1]
    for index, values in given:
        np.testing.assert_array_equal(values, expected_of(index))


TASKS = [("ps", 0), ("worker", 0), ("worker", 1), ("chief", 0)]


def run_cluster(folder):
    """Whether a cluster ran to the end, and the output of its processes otherwise."""
    chief, ps, *workers = free_addresses(len(TASKS))
    cluster = {"chief": [chief], "ps": [ps], "worker": workers}
    with own_processes() as processes:
        for kind, index in TASKS:
            task = {"cluster": cluster, "task": {"type": kind, "index": index}}
            processes.append(start("parameter_server.py", folder, TF_CONFIG=json.dumps(task)))
        deadline = time.monotonic() + SECONDS
        # Servers run forever, unless they failed to start.
        while all(each.poll() is None for each in processes) and time.monotonic() < deadline:
            time.sleep(0.05)
        ended = [each for each in processes if each.poll() is not None]
        if ended == processes[-1:] and ended[0].returncode == 0:
            return True, ""
        return False, "\n".join(each.stderr.read() for each in ended) or "It took too long."


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """The results of the steps. Retries, because another process may take a server's port."""
    folder = tmp_path_factory.mktemp("cluster")
    for _ in range(3):
        has_run, complaints = run_cluster(folder)
        if has_run:
            return dict(np.load(folder / "steps.npz"))
    pytest.fail(complaints)


def test_workers_of_a_parameter_server_draw_from_one_state(steps):
    """Each step draws a different seed, as in a single process, no matter which worker runs it."""
    count = parameter_server.STEPS
    zeros = tf.zeros(steps["layer"].shape[1:])
    one_process = [
        flatnoise.flatten_add_normal(zeros, [parameter_server.SEED, draw]) for draw in range(count)
    ]
    given = {each.tobytes() for each in steps["layer"]}
    assert given == {each.numpy().tobytes() for each in one_process}
    assert len(given) == count


def test_the_state_of_a_layer_is_on_the_parameter_server(steps):
    assert "/job:ps/" in str(steps["device_of_state"])
    np.testing.assert_array_equal(
        steps["state"], [256 * parameter_server.STEPS, 0, parameter_server.SEED]
    )


def test_functions_on_a_parameter_servers_workers_follow_their_seeds(steps):
    assert len(steps["function"]) == parameter_server.STEPS
    for number, given in enumerate(steps["function"]):
        expected = flatnoise.flatten_add_normal(
            tf.zeros(given.shape), [parameter_server.FUNCTION_SEED, number]
        )
        np.testing.assert_array_equal(given, expected)


RANKS = 3


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """The results of each rank for its rows."""
    folder = tmp_path_factory.mktemp("ranks")
    with own_processes() as processes:
        for number in range(RANKS):
            processes.append(start("rank.py", number, RANKS, folder))
        for process in processes:
            finish(process)
    return [dict(np.load(folder / f"rank{number}.npz")) for number in range(RANKS)]


def test_ranks_with_offsets_share_the_noise_of_the_whole_batch(ranks):
    for step in range(rank.STEPS):
        whole = flatnoise.flatten_add_normal(rank.INPUTS, [7, step])
        np.testing.assert_array_equal(
            np.concatenate([each["shared"][step] for each in ranks]), whole
        )


def test_ranks_with_seeds_of_their_own_add_noise_of_their_own(ranks):
    inputs = rank.INPUTS.reshape(rank.BATCH, -1)
    rows = [
        each["own"][step][0] - inputs[rank.rows_of(number, RANKS)][0]
        for step in range(rank.STEPS)
        for number, each in enumerate(ranks)
    ]
    assert len(np.unique(np.round(rows, 4), axis=0)) == RANKS * rank.STEPS
    alone = flatnoise.flatten_add_normal(rank.INPUTS[rank.rows_of(0, RANKS)], [7, 0])
    np.testing.assert_array_equal(ranks[0]["own"][0], alone)
