"""Measures in this process, whose threads and instruction set are fixed when TensorFlow starts.

Called by `cpu.py` as `measure.py TASK.json RESULT.json`.
"""

import dataclasses
import json
import statistics
import sys
import time
from typing import Any

import tensorflow as tf

import cases
import flatnoise

# In seconds: quicker calls are sampled several at a time, slower ones once.
SHORTEST_SAMPLE = 0.02
TOO_SLOW = 1.0


def _seconds(contender: cases.Contender, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        contender.run()
    return (time.perf_counter() - start) / calls


def _first_seconds(contender: cases.Contender) -> float:
    contender.run()  # traces and compiles
    return _seconds(contender, 1)


def _spread(samples: list[float]) -> dict[str, Any]:
    first, median, third = statistics.quantiles(samples * 2, n=4, method="inclusive")
    return {"median": median, "quartiles": [first, third], "samples": len(samples)}


def measure_times(case: cases.Case, threads: int, repeats: int) -> list[dict[str, Any]]:
    """Seconds per call of each contender. They take turns, so that all see the same machine."""
    tensors = cases.make_tensors(case)
    contenders = cases.noise_contenders(case, tensors)
    contenders += cases.copy_contenders(case, tensors, threads)
    samples: dict[cases.Contender, list[float]] = {}
    for contender in contenders:
        try:
            samples[contender] = [_first_seconds(contender)]
        except (tf.errors.OpError, TypeError, ValueError) as error:
            print(f"  {contender.side} {contender.name} does not run: {error}", file=sys.stderr)
    calls = {
        contender: max(1, round(SHORTEST_SAMPLE / first))
        for contender, (first,) in samples.items()
        if first < TOO_SLOW
    }
    for contender in calls:
        samples[contender].clear()
    for _ in range(repeats):
        for contender, count in calls.items():
            samples[contender].append(_seconds(contender, count))
    return [
        {"side": contender.side, "name": contender.name, **_spread(times)}
        for contender, times in samples.items()
    ]


def _status_bytes(key: str) -> int:
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith(key))


def _forget_peak() -> None:
    with open("/proc/self/clear_refs", "w") as references:
        references.write("5")


def measure_memory(case: cases.Case, side: str, name: str) -> dict[str, Any]:
    """By how much the process's peak stands above what it holds before a call."""
    x = tf.zeros(case.shape, case.dtype)
    few_rows = dataclasses.replace(case, shape=(2, *case.shape[1:]))
    contenders = cases.noise_contenders(few_rows, cases.make_tensors(few_rows))
    contender = next(each for each in contenders if (each.side, each.name) == (side, name))
    for rows in (1, 2, 3):  # the traced function then serves any number of rows
        dataclasses.replace(contender, tensors=(x[:rows], *contender.tensors[1:])).run()
    contender = dataclasses.replace(contender, tensors=(x, *contender.tensors[1:]))
    _forget_peak()
    before = _status_bytes("VmRSS")
    contender.run()
    grown = _status_bytes("VmHWM") - before
    return {"side": side, "name": name, "grown": grown, "input": x.numpy().nbytes}


def _run(task: dict[str, Any]) -> dict[str, Any]:
    tf.get_logger().setLevel("ERROR")  # it takes the many functions for retracing
    tf.config.threading.set_intra_op_parallelism_threads(task["threads"])
    chosen = [cases.Case(**{**case, "shape": tuple(case["shape"])}) for case in task["cases"]]
    info = flatnoise.build_info()
    if not info["native_loaded"]:
        raise SystemExit(f"The compiled op did not load: {info['native_error']}")
    rows = []
    for case in chosen:
        print(f"  {case.title}", file=sys.stderr, flush=True)
        if task["memory"]:
            results = [measure_memory(case, *task["memory"])]
        else:
            results = measure_times(case, task["threads"], task["repeats"])
        rows.append(
            {
                **dataclasses.asdict(case),
                "title": case.title,
                "elements": case.elements,
                "threads": task["threads"],
                "instruction_set": info["instruction_set"],
                "results": results,
            }
        )
    return {"info": info, "rows": rows}


if __name__ == "__main__":
    with open(sys.argv[1]) as task_file:
        outcome = _run(json.load(task_file))
    with open(sys.argv[2], "w") as result_file:
        json.dump(outcome, result_file)
