"""Processes started by tests: servers, workers and ranks, and their addresses."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys

import flatnoise

PROGRAMS = pathlib.Path(__file__).parent / "programs"
# The folder that contains the package.
PACKAGES = pathlib.Path(flatnoise.__file__).parents[1]
# Generous, for a machine that stalls for a while.
SECONDS = 300


def free_addresses(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


def environment(path=PACKAGES, **variables):
    """Environment variables for a Python that finds the package in `path`.

    Hides packages that Keras imports if they are installed, which takes a second per process.
    """
    paths = os.pathsep.join([str(PROGRAMS / "hidden"), str(path)])
    return {**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3", **variables}


def run_python(*arguments, path=PACKAGES, folder=None, check=True, **variables):
    """Runs Python to the end, in `folder`. With `check`, fails with its errors if it failed."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment(path, **variables),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"exit status {done.returncode}: {done.stderr[-3000:]}"
    return done


def run_code(code, path=PACKAGES, **variables):
    """What `code` prints in a Python that finds the package in `path`."""
    return run_python("-c", code, path=path, **variables).stdout


def start(program, *arguments, **variables):
    """Starts a program in `programs/`, with pipes for its standard streams."""
    return subprocess.Popen(
        [sys.executable, str(PROGRAMS / program), *map(str, arguments)],
        env=environment(**variables),
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
