"""Does a peer's work in a process of its own, as asked: JSON lines in, JSON lines out."""

import dataclasses
import gc
import json
import os
import sys
import time
from typing import Any, TextIO

from flatnoise.bench import cases, machine, peers
from flatnoise.bench.peers import Contender, NotMeasured, Peer

# In seconds: what one call says too little about.
_TOO_SHORT = 2e-3


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, NotMeasured) else f"{type(error).__name__}: {text}"


def _seconds(contender: Contender, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        contender.run()
    return (time.perf_counter() - start) / calls


class _Session:
    """A peer, and the case that it is at."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._contenders: dict[str, Contender] = {}

    def _build(self, case: cases.Case) -> list[Contender]:
        self._contenders = {}
        gc.collect()
        if case.work not in self._peer.works:
            raise NotMeasured(f"{case.work} is not written for it")
        needed, available = self._peer.tensors * case.input_bytes, machine.available_bytes()
        if needed > available:
            raise NotMeasured(
                f"needs {needed / 1e9:.1f} GB of memory, {available / 1e9:.1f} GB are available"
            )
        return self._peer.contenders(case)

    def _try(self, case: cases.Case, contender: Contender) -> dict[str, Any]:
        """Runs it more than once: the first call traces and compiles."""
        start = time.perf_counter()
        result = contender.run()
        first_call = time.perf_counter() - start
        if case.work == "forward" and not contender.is_copy:
            wrong = cases.explain_wrong(case, self._peer.to_numpy(result))
            if wrong is not None:
                raise NotMeasured(wrong)
        del result
        seconds = _seconds(contender, 1)
        if seconds < _TOO_SHORT:
            seconds = _seconds(contender, 10)
        return {
            "way": contender.way,
            "is_copy": contender.is_copy,
            "first_call": first_call,
            "seconds": seconds,
        }

    def ways(self, case: dict[str, Any]) -> dict[str, Any]:
        """The names of the ways to do a case that make noise."""
        contenders = self._build(_case(case))
        return {"ways": [contender.way for contender in contenders if not contender.is_copy]}

    def prepare(self, case: dict[str, Any], ways: list[str]) -> dict[str, Any]:
        """Builds, tries and keeps a case's contenders."""
        wanted = _case(case)
        ready, not_run = [], []
        for contender in self._build(wanted):
            if ways and not contender.is_copy and not cases.matches(contender.way, ways):
                continue
            try:
                ready.append(self._try(wanted, contender))
                self._contenders[contender.way] = contender
            except Exception as error:
                # Whatever a framework raises is the answer to whether it does this case.
                not_run.append({"way": contender.way, "reason": _reason(error)})
        return {"ready": ready, "not_run": not_run}

    def sample(self, way: str, calls: int) -> dict[str, Any]:
        """Seconds per call."""
        contender = self._contenders[way]
        if calls > 1:
            contender.run()  # wakes threads, fills caches
        return {"seconds": _seconds(contender, calls)}

    def memory(self, case: dict[str, Any], way: str) -> dict[str, Any]:
        """By how much a call's peak stands above what the process holds before it.

        It is the first call with so large an input: frameworks keep memory that is free again. What
        they load when they first do the work is loaded over a few rows before.
        """
        wanted = _case(case)
        for _ in range(2):
            self._named(dataclasses.replace(wanted, shape=(2, *wanted.shape[1:])), way).run()
        contender = self._named(wanted, way)
        gc.collect()
        machine.forget_peak()
        before = machine.held_bytes()
        contender.run()
        return {"grown": machine.peak_bytes() - before, "input": wanted.input_bytes}

    def _named(self, case: cases.Case, way: str) -> Contender:
        return next(contender for contender in self._build(case) if contender.way == way)


def _case(fields: dict[str, Any]) -> cases.Case:
    return cases.Case(**{**fields, "shape": tuple(fields["shape"])})


def _answer(session: _Session, request: dict[str, Any]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = getattr(session, request.pop("do"))(**request)
        return answer
    except Exception as error:
        return {"error": _reason(error)}


def _start(name: str, threads: int, device: str) -> tuple[_Session | None, dict[str, Any]]:
    try:
        peer = peers.load(name, threads, device)
    except Exception as error:
        return None, {"error": _reason(error)}
    return _Session(peer), {"version": peer.version}


def serve(requests: TextIO, answers: TextIO, name: str, threads: int, device: str) -> None:
    """Answers requests until there are none; the first answer says whether the peer is there."""

    def send(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    session, greeting = _start(name, threads, device)
    send(greeting)
    if session is not None:
        for line in requests:
            send(_answer(session, json.loads(line)))


def main(name: str, threads: int, device: str) -> None:
    """Serves on standard input and output; what others print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers, name, threads, device)
