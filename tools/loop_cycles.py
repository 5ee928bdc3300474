"""Estimates the cycles per element of the forward loop with llvm-mca.

    python tools/loop_cycles.py # for 64-bit Arm CPUs python tools/loop_cycles.py --cpus znver3
    icelake-server --instruction-set avx2

compiles the inner part of the loop (tools/loop_cycles.cc) like cc/cpu/CMakeLists.txt and prints a
table. The estimates assume data in the L1 cache and LLVM's model of the CPU. They aren't
measurements. Needs llvm-mca (--llvm-mca=llvm-mca-19 selects another program), and for other
architectures the cross compiler.
"""

import argparse
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DISTRIBUTIONS = ("Normal", "Uniform")
ELEMENTS = {"float": "float32", "Half": "float16", "BFloat16": "bfloat16"}
# The compiler, its flags and LLVM's name for the architecture.
INSTRUCTION_SETS = {
    "neon": ("aarch64-linux-gnu-g++", [], "aarch64"),
    "sse2": ("g++", [], "x86_64"),
    "avx2": ("g++", ["-mavx2", "-mfma", "-mf16c"], "x86_64"),
    "avx512": (
        "g++",
        ["-mavx2", "-mfma", "-mf16c", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"],
        "x86_64",
    ),
}
OPTIONS = ["-std=c++17", "-O3", "-fPIC", "-ffp-contract=off", "-fno-math-errno", "-fno-exceptions"]
ITERATIONS = 100


def assembly(instruction_set: str, distribution: str, element: str) -> str:
    """Returns the compiled loop."""
    compiler, flags, _ = INSTRUCTION_SETS[instruction_set]
    definitions = [
        f"-DFLATNOISE_INSTRUCTION_SET={instruction_set}",
        f"-DFLATNOISE_DISTRIBUTION={distribution}",
        f"-DFLATNOISE_ELEMENT={element}",
    ]
    source = ROOT / "tools" / "loop_cycles.cc"
    command = [compiler, *OPTIONS, *flags, *definitions, f"-I{ROOT / 'cc'}", "-S", "-o-", source]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout


def marked(text: str) -> tuple[str, int]:
    """Returns the part between the marks, and its number of elements."""
    found = re.findall(r"# LLVM-MCA-BEGIN (\d+)\n(.*?)# LLVM-MCA-END", text, re.DOTALL)
    if len(found) != 1:
        raise SystemExit(f"expected one loop between llvm-mca's marks, found {len(found)}")
    elements, part = found[0]
    return part, int(elements)


def cycles_per_element(llvm_mca: str, architecture: str, cpu: str, text: str) -> float:
    """Returns llvm-mca's estimate."""
    part, elements = marked(text)
    options = [f"-mtriple={architecture}-linux-gnu", f"-mcpu={cpu}", f"-iterations={ITERATIONS}"]
    command = [llvm_mca, *options, "-instruction-info=false", "-resource-pressure=false"]
    result = subprocess.run(command, input=part, check=False, text=True, capture_output=True)
    # llvm-mca only warns and guesses if it doesn't know the CPU or finds a call.
    if result.returncode or result.stderr:
        raise SystemExit(f"{llvm_mca} -mcpu={cpu}: {result.stderr.splitlines()[0]}")
    cycles = re.search(r"Total Cycles: +(\d+)", result.stdout)
    assert cycles, result.stdout
    return int(cycles[1]) / (ITERATIONS * elements)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--instruction-set", choices=list(INSTRUCTION_SETS), default="neon")
    add("--cpus", nargs="+", default=["neoverse-n1", "neoverse-v1", "neoverse-v2"])
    add("--llvm-mca", default="llvm-mca", help="the program to run")
    options = parser.parse_args()
    architecture = INSTRUCTION_SETS[options.instruction_set][2]
    print("| noise |", *(f"{cpu} |" for cpu in options.cpus))
    print("| --- |", *("---: |" for _ in options.cpus))
    for distribution in DISTRIBUTIONS:
        for element, name in ELEMENTS.items():
            text = assembly(options.instruction_set, distribution, element)
            row = (
                cycles_per_element(options.llvm_mca, architecture, cpu, text)
                for cpu in options.cpus
            )
            print(f"| {distribution.lower()}, {name} |", *(f"{cycles:.1f} |" for cycles in row))


if __name__ == "__main__":
    main()
