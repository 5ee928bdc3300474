"""The other end of `worker`: a process for each peer."""

import dataclasses
import json
import os
import select
import subprocess
import sys
import tempfile
from typing import Any

from flatnoise.bench import peers

# In seconds, for an answer: over the largest tensors XLA's own noise takes many minutes.
_PATIENCE = 3600.0

# None in sys.modules keeps a module from being imported: who needs no TensorFlow gets none.
_START = """
import sys
name, threads, device, with_tensorflow = sys.argv[1:]
if with_tensorflow == "no":
    sys.modules["tensorflow"] = None
from flatnoise.bench import worker
worker.main(name, int(threads), device)
"""


class PeerFailed(Exception):
    """A peer could not answer; the message says why."""


@dataclasses.dataclass(frozen=True)
class Setup:
    """What is fixed when a process starts; the instruction set is flatnoise's ("": the best)."""

    device: str
    threads: int
    instruction_set: str = ""

    @property
    def title(self) -> str:
        """How tables call it."""
        if self.device == "gpu":
            return "GPU"
        return f"{self.threads} threads" if self.threads > 1 else "1 thread"

    def environment(self) -> dict[str, str]:
        """The environment of the processes."""
        threads = str(self.threads)
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "NPROC": threads,  # XLA's name for it, in JAX
            "KMP_BLOCKTIME": "1",  # ms; else Intel's threads turn idly when others have their turn
            "KERAS_BACKEND": "tensorflow",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            # Peers share the GPU's memory.
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        }
        if self.instruction_set:
            environment["FLATNOISE_INSTRUCTION_SET"] = self.instruction_set
        if self.device == "cpu":
            environment |= {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}
        return environment


class Process:
    """A peer at work. It starts at once; `greet` waits until it is there."""

    def __init__(self, peer: str, setup: Setup) -> None:
        """Starts it."""
        self.peer = peer
        with_tensorflow = "yes" if peers.needs_tensorflow(peer) else "no"
        # A file, since nobody reads along: a full pipe would stop it.
        self._said = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, peer, str(setup.threads), setup.device, with_tensorflow],
            env=setup.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )

    def greet(self) -> str:
        """Returns the peer's version; raises `PeerFailed` if it can't be loaded."""
        version: str = self._receive()["version"]
        return version

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Has the worker do something, and waits for its answer; raises `PeerFailed`."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended, which the missing answer will tell
        return self._receive()

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout
        # Never more than an answer is under way, so none waits in Python's buffer.
        if not select.select([self._process.stdout], [], [], _PATIENCE)[0]:
            self._process.kill()
            self._process.wait()
            raise PeerFailed(f"its process gave no answer within {_PATIENCE:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise PeerFailed(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerFailed(answer["error"])
        return answer

    def _last_words(self) -> str:
        code = self._process.wait()
        self._said.seek(0)
        lines = [line.strip() for line in self._said if line.strip()]
        how = f"by signal {-code}" if code < 0 else f"with status {code}"
        return f"its process ended {how}" + (f": {lines[-1]}" if lines else "")

    @property
    def has_ended(self) -> bool:
        """Whether it can't be asked any more."""
        return self._process.poll() is not None

    def close(self) -> None:
        """Ends it."""
        if not self.has_ended:
            self._process.kill()
        self._process.communicate()
        self._said.close()
