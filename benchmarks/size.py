"""Measures the cost of an element from 2**10 to 2**32 elements, and draws it.

float16, so that the largest tensors fit: input and output of 2**32 elements take 17.2 GB. Sizes for
which the memory does not do at the moment are left out, and so are those that would take stock
TensorFlow, which is far slower, more than a minute.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import statistics
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from matplotlib.figure import Figure

import flatnoise
from cpu import describe

EXPONENTS = range(10, 33, 2)
LARGEST_OF_STOCK = 30
BYTES = 2
# Input, output, and for stock TensorFlow a tensor of noise; with a reserve.
TENSORS = {"flatnoise": 2.1, "stock": 3.2}
SHORTEST_SAMPLE = 0.05

Function = Callable[[Any, Any], Any]


def flatnoise_normal(x: Any, seed: Any) -> Any:
    return flatnoise.flatten_add_normal(x, seed, stddev=0.1, implementation="native")


def flatnoise_uniform(x: Any, seed: Any) -> Any:
    return flatnoise.flatten_add_uniform(x, seed, maxval=0.1, implementation="native")


def stock_normal(x: Any, seed: Any) -> Any:
    return x + tf.random.stateless_normal(tf.shape(x), seed, stddev=0.1, dtype=x.dtype)


CONTENDERS: dict[str, Function] = {
    "flatnoise, normal": flatnoise_normal,
    "flatnoise, uniform": flatnoise_uniform,
    "stock, normal (stateless)": stock_normal,
}


def available_bytes() -> int:
    """The memory that the system could give (Linux only)."""
    lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))


def reason_to_leave_out(name: str, exponent: int) -> str | None:
    side = name.split(",")[0]
    if side == "stock" and exponent > LARGEST_OF_STOCK:
        return "would take stock TensorFlow too long"
    needed = TENSORS[side] * BYTES * 2**exponent
    if needed > available_bytes():
        return f"needs {needed / 1e9:.1f} GB, {available_bytes() / 1e9:.1f} GB are available"
    return None


def seconds_per_call(run: Callable[[], Any], repeats: int) -> list[float]:
    """One sample for each repeat; calls too short to be measured are sampled several at a time."""
    run()
    start = time.perf_counter()
    run()
    calls = max(1, round(SHORTEST_SAMPLE / (time.perf_counter() - start)))
    samples = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(calls):
            run()
        samples.append((time.perf_counter() - start) / calls)
    return samples


def measure(name: str, exponent: int, repeats: int) -> dict[str, Any]:
    """Nanoseconds for each element, with quartiles."""
    function = tf.function(CONTENDERS[name], autograph=False)
    x, seed = tf.zeros([2 ** (exponent - 10), 2**10], tf.float16), tf.constant([1, 2])
    repeats = repeats if exponent <= 28 else 2
    samples = [
        1e9 * sample / 2**exponent
        for sample in seconds_per_call(lambda: function(x, seed), repeats)
    ]
    low, median, high = statistics.quantiles(samples * 2, n=4, method="inclusive")
    return {"name": name, "exponent": exponent, "median": median, "quartiles": [low, high]}


def measure_all(largest: int, repeats: int) -> list[dict[str, Any]]:
    # A process for each figure: what TensorFlow has once taken, it keeps.
    processes = multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1)
    rows = []
    for exponent in EXPONENTS:
        for name in CONTENDERS:
            reason = "is above --largest" if exponent > largest else None
            reason = reason or reason_to_leave_out(name, exponent)
            if reason:
                print(f"2**{exponent:<3} {name:<26} left out: {reason}", flush=True)
                continue
            row = processes.apply(measure, (name, exponent, repeats))
            low, high = row["quartiles"]
            print(
                f"2**{exponent:<3} {name:<26} {row['median']:9.3f} ns [{low:.3f} - {high:.3f}]",
                flush=True,
            )
            rows.append(row)
    return rows


def draw(rows: list[dict[str, Any]], title: str, path: pathlib.Path) -> None:
    """Writes a picture of the cost of an element over the size."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name in CONTENDERS:
        of_name = [row for row in rows if row["name"] == name]
        sizes = [2 ** row["exponent"] for row in of_name]
        (line,) = axes.plot(sizes, [row["median"] for row in of_name], marker="o", label=name)
        low, high = zip(*(row["quartiles"] for row in of_name), strict=True)
        axes.fill_between(sizes, low, high, color=line.get_color(), alpha=0.2)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set(xlabel="elements (float16)", ylabel="nanoseconds for each element", title=title)
    axes.title.set_fontsize(8)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=150)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--largest", type=int, default=32, help="exponent of the largest size")
    parser.add_argument("--repeats", type=int, default=7, help="samples of each figure")
    parser.add_argument("--plot", type=pathlib.Path, help="a file for the picture")
    parser.add_argument("--json", type=pathlib.Path, help="a file for all that was measured")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    title = describe(flatnoise.build_info())
    print(f"{title}\nload {os.getloadavg()[0]:.1f} at the start\n")
    rows = measure_all(arguments.largest, arguments.repeats)
    if arguments.plot:
        draw(rows, title, arguments.plot)
    if arguments.json:
        arguments.json.write_text(json.dumps({"title": title, "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
