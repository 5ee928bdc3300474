"""Prints Nsight Compute's results for each kernel, one line per launch:

    python benchmarks/gpu/print_profile.py gpu-profile.csv

The file is the output of `ncu --csv --page raw`. The stalls of a launch are the average numbers of
stalled warps per issued instruction, for the three most frequent reasons.
"""

import csv
import re
import sys

COLUMNS = {
    "ns": r"gpu__time_duration\.sum",
    "DRAM %": r"gpu__dram_throughput\.avg\.pct_of_peak_sustained_elapsed",
    "SM %": r"sm__throughput\.avg\.pct_of_peak_sustained_elapsed",
    "issue %": r"sm__inst_issued\.avg\.pct_of_peak_sustained_active",
    "warps %": r"sm__warps_active\.avg\.pct_of_peak_sustained_active",
    "registers": r"launch__registers_per_thread",
    "blocks": r"launch__grid_size",
}
STALL = re.compile(r"issue_stalled_(\w+?)_per_issue_active\.ratio")


def number(text: str) -> float:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return float("nan")


def column(header: list[str], pattern: str) -> str | None:
    return next((name for name in header if re.search(pattern, name)), None)


def stalls(row: dict[str, str]) -> str:
    found = []
    for name, value in row.items():
        match = STALL.search(name)
        if match:
            found.append((number(value), match[1]))
    return ", ".join(f"{reason} {value:.2f}" for value, reason in sorted(found, reverse=True)[:3])


def short(kernel: str) -> str:
    kernel = re.sub(r"\(anonymous namespace\)::|<?unnamed>::|flatnoise::|cuda::|void ", "", kernel)
    return re.sub(r"\(\w+Task.*|\(Reductions.*", "", kernel)[:110]


def main(path: str) -> None:
    with open(path) as file:
        lines = [line for line in file if line.startswith('"')]
    reader = csv.DictReader(lines)
    header = list(reader.fieldnames or [])
    names = {title: column(header, pattern) for title, pattern in COLUMNS.items()}
    for row in reader:
        if not row.get("ID"):
            continue  # the row with units
        values = [
            f"{title} {number(row[name]):.4g}" for title, name in names.items() if name is not None
        ]
        print(short(row["Kernel Name"]), "|", ", ".join(values), "|", stalls(row))


if __name__ == "__main__":
    main(*sys.argv[1:])
