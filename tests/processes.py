"""Processes started by tests: servers, workers and ranks, and their addresses."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys

import flatnoise

PROGRAMS = pathlib.Path(__file__).parent / "programs"
PACKAGE = pathlib.Path(flatnoise.__file__).parents[1]
# Generous, for a machine that stalls for a while.
SECONDS = 240


def free_addresses(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


def start(program, *arguments, **environment):
    """Starts a program in `programs/`, with pipes for its standard streams."""
    return subprocess.Popen(
        [sys.executable, str(PROGRAMS / program), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(PACKAGE), "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def own_processes():
    """A list of processes, which are ended on exit from the block, even after an error."""
    processes = []
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def finish(process):
    """Waits for a process to end, and shows its output if it failed."""
    _, complaints = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, complaints
