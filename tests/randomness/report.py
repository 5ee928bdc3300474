"""Runs the battery on large samples. Prints tables in Markdown and writes plots to a folder.

    PYTHONPATH=tests:tools python -m randomness.report [--log2 N] [--images docs/images]

With the default of 2**31 numbers for moments and tails, it takes a few minutes.
"""

import argparse
import functools
import operator
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# The output must be reproducible.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import ml_dtypes
import numpy as np
import scipy.stats
import tensorflow as tf
from matplotlib.figure import Figure

REPLICAS = 4
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * REPLICAS
)

import plots  # noqa: E402
from randomness import battery, laws, sources  # noqa: E402
from randomness.laws import Law  # noqa: E402

LAWS = [Law(name, dtype) for name in ("normal", "uniform") for dtype in ("float32", "float64")]
NORMAL = [law for law in LAWS if law.distribution == "normal"]
INVERTED = [Law(name, dtype) for name in laws.INVERTED for dtype in ("float32", "float64")]
RATES = (0.001, 0.1, 0.5, 0.9, 0.999)
HALF = {"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}
# Moments and tails use the seed in `sources`. The blocks use a different stream.
OTHER_SEED = (77, 77)
CHUNK = 2**16
SHOWN_TAILS = (3.0, 4.0, 4.5, 5.0, 5.25, 5.5, 5.6, 5.65)
STREAMS = {
    "neighbouring seeds, 32 of 2^18": lambda law: sources.neighbouring_seeds(*law, 32, 2**18),
    "steps of a layer, 32 of 2^18": lambda law: sources.layer_steps(*law, 32, (2**8, 2**10)),
    "4 replicas in 8 steps, 2^18 each": lambda law: sources.layer_replicas(
        *law, REPLICAS, 8, (2**8, 2**10)
    ),
    "rows of a batch, 32 of 2^18": lambda law: sources.layer_rows(*law, (32, 2**18)),
    "features of a batch, 256 of 2^14": lambda law: sources.layer_rows(*law, (2**14, 256)).T,
}


def label(law):
    return f"{law.distribution} {law.dtype}"


def table(head, rows):
    for cells in (head, ["---"] * len(head), *rows):
        print("| " + " | ".join(cells) + " |")
    print()


def collect(law, count):
    """Sums of `count` numbers of one stream, in parts that fit into the cache."""
    seed = sources.SEED
    large = 2**22
    partial = (
        battery.sums(part, law)
        for offset in range(0, count, large)
        for part in np.split(
            sources.stream(law.distribution, law.dtype, seed, large, offset), large // CHUNK
        )
    )
    return functools.reduce(operator.add, partial)


def report_moments(collected):
    rows = []
    for law, found in collected.items():
        scores = battery.moment_scores(found, law)
        together = f"{battery.moments(found, law):.3f}"
        rows.append([label(law), *(f"{score:+.2f}" for score in scores), together])
    table(["", *map(str, next(iter(collected)).orders), "p of all"], rows)
    return [battery.moments(found, law) for law, found in collected.items()]


def expected_beyond(law, collected):
    tails = [laws.normal_tail(threshold, law.dtype) for threshold in battery.THRESHOLDS]
    return np.array(tails) * collected.count


def report_tails(collected):
    p_values = []
    for law in NORMAL:
        found = collected[law]
        expected = expected_beyond(law, found)
        ideal = 2 * scipy.stats.norm.sf(battery.THRESHOLDS) * found.count
        tested = battery.poisson(found.beyond, expected)
        rows = [
            [
                f"{threshold:g}",
                f"{found.beyond[place]:,}",
                f"{expected[place]:,.1f}",
                f"{ideal[place]:,.1f}",
                f"{tested[place]:.3f}",
            ]
            for place, threshold in enumerate(battery.THRESHOLDS)
            if threshold in SHOWN_TAILS
        ]
        print(f"{label(law)}: least {found.least!r}, largest {found.largest!r}, bound", end=" ")
        print(f"{laws.largest_normal(law.dtype)!r}\n")
        table(["t", "seen beyond t", "expected", "of an ideal normal", "p"], rows)
        # The counts are for nested sets, so one of them represents all.
        p_values.append(tested[list(battery.THRESHOLDS).index(5.5)])
    return p_values


def report_named(title, found):
    """Prints a table of p-values with one column per law."""
    names = list(next(iter(found.values())))
    rows = [[name, *(f"{p[name]:.3f}" for p in found.values())] for name in names]
    table([title, *map(str, found)], rows)
    return [p for each in found.values() for p in each.values()]


def report_blocks(seeds):
    found = {}
    for law, seed in seeds.items():
        blocks = sources.blocks(law.distribution, law.dtype, seed, 64, 2**18)
        found[label(law)] = battery.distribution(blocks, law)
    return report_named("64 blocks of 2^18 numbers", found)


def report_layers():
    found = {}
    for law in LAWS:
        steps = sources.layer_steps(law.distribution, law.dtype, 64, (128, 32, 32, 3))
        found[label(law)] = battery.distribution(list(steps), law)
    return report_named("64 steps of 128×32×32×3", found)


def report_streams():
    p_values = []
    for title, make in STREAMS.items():
        found = {
            label(law): battery.streams(make((law.distribution, law.dtype)), law) for law in LAWS
        }
        p_values += report_named(title, found)
    return p_values


def report_halves():
    found = {
        dtype: {
            name: battery.rounded(
                sources.stream(name, numpy_dtype, sources.SEED, 2**26),
                laws.rounded_law(name, dtype),
            )
            for name in ("normal", "uniform", *laws.INVERTED)
        }
        for dtype, numpy_dtype in HALF.items()
    }
    return report_named("2^26 numbers", found)


def report_masks():
    """The elements that dropout replaces, which are the same for all masks."""
    found = {}
    for rate in RATES:
        blocks = sources.replaced_blocks(rate, OTHER_SEED, 64, 2**18)
        found[f"rate {rate:g}"] = battery.replaced(blocks, laws.share_replaced(rate))
    return report_named("64 blocks of 2^18 elements", found)


def picture(x_label, y_label):
    figure = Figure(figsize=(5.2, 3.4), dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x_label, ylabel=y_label)
    return figure, axes


def draw_moments(collected):
    figure, axes = picture("order of the moment", "standard errors off")
    for law, marker in zip(LAWS, "osx+", strict=True):
        scores = battery.moment_scores(collected[law], law)
        axes.plot(law.orders, scores, marker, label=label(law))
    axes.axhspan(-2, 2, color="0.5", alpha=0.2, zorder=0)
    axes.set_ylim(-4, 4)
    axes.legend(frameon=False, fontsize=8)
    return figure


def draw_tails(collected):
    figure, axes = picture("t", "P(|z| > t) of an ideal normal's")
    for law, color in zip(NORMAL, ("C0", "C1"), strict=True):
        found = collected[law]
        ideal = 2 * scipy.stats.norm.sf(battery.THRESHOLDS) * found.count
        errors = np.sqrt(found.beyond) / ideal
        exact = expected_beyond(law, found) / ideal
        axes.plot(battery.THRESHOLDS, exact, color=color, label=f"{law.dtype}, exact")
        axes.errorbar(
            battery.THRESHOLDS,
            found.beyond / ideal,
            errors,
            fmt=".",
            ms=4,
            color=color,
            label=f"{law.dtype}, seen",
        )
    axes.axhline(1, color="0.6", lw=1, zorder=0)
    axes.legend(frameon=False, fontsize=8)
    return figure


def draw_p_values(p_values):
    figure, axes = picture("share", "p-value")
    ordered = np.sort(p_values)
    places = (np.arange(ordered.size) + 0.5) / ordered.size
    axes.plot(places, ordered, ".", ms=4, label=f"{ordered.size} p-values, sorted")
    axes.plot([0, 1], [0, 1], color="0.6", lw=1, label="uniform")
    axes.legend(frameon=False, fontsize=8)
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--log2", type=int, default=31, help="of the numbers for moments and tails")
    parser.add_argument("--images", type=pathlib.Path, default=pathlib.Path("docs/images"))
    options = parser.parse_args()

    collected = {law: collect(law, 2**options.log2) for law in LAWS}
    plots.write(lambda: draw_moments(collected), options.images / "statistics-moments.png")
    plots.write(lambda: draw_tails(collected), options.images / "statistics-tails.png")
    p_values = report_moments(collected) + report_tails(collected)
    p_values += report_blocks(dict.fromkeys(LAWS, OTHER_SEED)) + report_layers()
    p_values += report_halves() + report_streams()
    p_values += report_moments({law: collect(law, 2 ** (options.log2 - 3)) for law in INVERTED})
    # Each of a separate stream: inversion preserves the order of the stream's random bits, and so
    # what most tests see.
    seeds = {law: (OTHER_SEED[0], OTHER_SEED[1] + 1 + k) for k, law in enumerate(INVERTED)}
    p_values += report_blocks(seeds) + report_masks()
    plots.write(lambda: draw_p_values(p_values), options.images / "statistics-p-values.png")
    print(f"{len(p_values)} p-values, the least {min(p_values):.2g}, ", end="")
    print(f"together {battery.combined(p_values):.2f}")


if __name__ == "__main__":
    main()
