"""Reports on the compiled CUDA kernels: registers, spills, instructions, access widths.

Compiles cc/cuda to PTX and for every architecture from 75 to 120 that nvcc supports, and reads the
machine code with cuobjdump. Fails if a kernel spills registers or uses local memory.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = [ROOT / "cc/cuda/apply_noise.cu", ROOT / "cc/cuda/parameter_gradients.cu"]
# The options in cc/cuda/CMakeLists.txt.
FLAGS = ["-std=c++17", "-O3", f"-I{ROOT / 'cc'}", "-fmad=false", "-ftz=false"]
FLAGS += ["-prec-sqrt=true", "-prec-div=true"]
OLDEST, NEWEST = 75, 120
HEADLINE = "add float32 normal, scalars"
SHOWN = ["75", "80", "90", "120"]  # architectures with a separate table

CHUNKS = {"float16": 8, "bfloat16": 8, "float32": 4, "float64": 2}
TYPES = {"Half": "float16", "BFloat16": "bfloat16", "float": "float32", "double": "float64"}
VARIANTS = {
    "ScalarParameters": "{}, scalars",
    "FeatureParameters": "{}, features",
    "RunParameters": "{}, runs",
    "BroadcastParameters": "{}, any patterns",
    "ByRun": "gradient {}, by run",
    "ByColumn": "gradient {}, by column",
}


@dataclasses.dataclass
class Kernel:
    """One kernel's machine code for one architecture."""

    name: str
    registers: int = 0
    spilled: int = 0
    stack: int = 0
    instructions: list[tuple[int, str]] = dataclasses.field(default_factory=list)

    @property
    def element_type(self) -> str:
        """The element type, such as float32."""
        return next(word for word in re.split(r"\W+", self.name) if word in CHUNKS)

    @property
    def local_accesses(self) -> int:
        """Loads from and stores to local memory."""
        return sum(bool(re.search(r"\b(LDL|STL)\b", text)) for _, text in self.instructions)

    def hot_loop(self) -> tuple[float, int, int] | None:
        """Instructions per element, 16-byte loads and stores in the tightest loop with both."""
        loops = []
        for end, text in self.instructions:
            target = re.search(r"\bBRA\b.*?0x([0-9a-f]+)", text)
            if target and int(target[1], 16) < end:
                loops.append((int(target[1], 16), end))
        found = []
        for begin, end in loops:
            if any(begin <= b and e < end for b, e in loops if (b, e) != (begin, end)):
                continue
            body = [text for at, text in self.instructions if begin <= at <= end]
            loads = sum("LDG.E.128" in text for text in body)
            stores = sum("STG.E.128" in text for text in body)
            if loads == 0 or (stores == 0 and not self.name.startswith("gradient")):
                continue
            chunks = stores or 2  # the gradient loop reads two chunks
            elements = chunks * CHUNKS[self.element_type]
            found.append((len(body) / elements, loads, stores))
        return min(found, default=None)


def find_tool(name: str, nvcc: str) -> str:
    """Finds a tool on the path, next to nvcc, or in the default folder."""
    folders = [os.environ.get("CUDA_HOME", ""), "/usr/local/cuda"]
    places = [pathlib.Path(nvcc).resolve().parent, *(pathlib.Path(f, "bin") for f in folders if f)]
    found = shutil.which(name) or next(
        (str(place / name) for place in places if (place / name).exists()), None
    )
    if found is None:
        sys.exit(
            f"{name} not found: it comes with the CUDA toolkit, or with the Python packages "
            "nvidia-cuda-cuobjdump and nvidia-cuda-nvdisasm"
        )
    return found


def run(*command: object) -> str:
    """Returns a command's output. Exits if it fails."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def demangled(symbol: str) -> str:
    """The name in the source, without namespaces."""
    name = run("c++filt", symbol).strip()
    return re.sub(r"\(anonymous namespace\)::|flatnoise::|cuda::", "", name)


def readable(symbol: str) -> str:
    """A short name for a kernel's symbol."""
    name = demangled(symbol)
    if found := re.search(r"ReductionKernel<(\w+)>", name):
        return f"reduction {TYPES[found[1]]}"
    kind = re.search(r"NoiseKind<(\w+), (\w+), (\w+)>", name)
    if not kind:
        return name
    distribution = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind[2]).lower()
    noise = f"{kind[3].lower()} {TYPES[kind[1]]} {distribution}"
    for variant, text in VARIANTS.items():
        if variant in name:
            return text.format(noise)
    return name


def read_resources(text: str, kernels: dict[str, Kernel]) -> None:
    """Reads resources from ptxas's output."""
    kernel = None
    for line in text.splitlines():
        if found := re.search(r"Compiling entry function '(\S+)'", line):
            kernel = kernels.setdefault(found[1], Kernel(readable(found[1])))
        elif kernel and (found := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill", line)):
            kernel.stack = int(found[1])
            kernel.spilled = sum(map(int, re.findall(r"(\d+) bytes spill", line)))
        elif kernel and (found := re.search(r"Used (\d+) registers", line)):
            kernel.registers = int(found[1])


def read_instructions(text: str, kernels: dict[str, Kernel]) -> None:
    """Reads instructions from cuobjdump's listing."""
    kernel = None
    for line in text.splitlines():
        if found := re.search(r"Function : (\S+)", line):
            kernel = kernels[found[1]]
        elif kernel and (found := re.match(r"\s+/\*([0-9a-f]{4,})\*/\s+(.*?)\s*;", line)):
            kernel.instructions.append((int(found[1], 16), found[2]))


def compile_for(architecture: str, nvcc: str, cuobjdump: str) -> list[Kernel]:
    """Compiles all kernels for one architecture."""
    kernels: dict[str, Kernel] = {}
    with tempfile.TemporaryDirectory() as folder:
        for source in SOURCES:
            cubin = pathlib.Path(folder, source.stem + ".cubin")
            said = run(
                *(nvcc, *FLAGS, f"-arch=sm_{architecture}", "-Xptxas", "-v", "-cubin"),
                *("-o", cubin, source),
            )
            read_resources(said, kernels)
            read_instructions(run(cuobjdump, "-sass", cubin), kernels)
    return sorted(kernels.values(), key=lambda kernel: kernel.name)


def check_ptx(architecture: str, nvcc: str) -> bool:
    """Whether the code compiles to PTX without local memory."""
    with tempfile.TemporaryDirectory() as folder:
        for source in SOURCES:
            ptx = pathlib.Path(folder, source.stem + ".ptx")
            run(nvcc, *FLAGS, f"-arch=compute_{architecture}", "-ptx", "-o", ptx, source)
            if re.search(r"^\s*\.local\b", ptx.read_text(), re.MULTILINE):
                return False
    return True


def architectures(nvcc: str) -> list[str]:
    """The architectures in our range that the compiler supports."""
    offered = re.findall(r"compute_(\d+)\b", run(nvcc, "--list-gpu-arch"))
    return sorted((a for a in offered if OLDEST <= int(a) <= NEWEST), key=int)


def table(kernels: list[Kernel]) -> list[str]:
    """The Markdown table for one architecture."""
    lines = [
        "| kernel | registers | spilled bytes | local memory | instructions per element "
        "| 16-byte loads, stores in the loop |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for kernel in kernels:
        loop = None if kernel.name.startswith("reduction") else kernel.hot_loop()
        cells = [kernel.name, kernel.registers, kernel.spilled]
        cells.append(kernel.stack + kernel.local_accesses)
        cells += ["", ""] if loop is None else [f"{loop[0]:.1f}", f"{loop[1]}, {loop[2]}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def summary(found: dict[str, list[Kernel]]) -> list[str]:
    """The Markdown summary of all architectures."""
    lines = [
        "| architecture | kernels | most registers | spilled bytes | local memory "
        f"| {HEADLINE}, instructions per element |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for architecture, kernels in found.items():
        headline = next(k for k in kernels if k.name == HEADLINE)
        loop = headline.hot_loop()
        cells = [f"sm_{architecture}", len(kernels), max(k.registers for k in kernels)]
        cells.append(sum(k.spilled for k in kernels))
        cells.append(sum(k.stack + k.local_accesses for k in kernels))
        cells.append("not found" if loop is None else f"{loop[0]:.1f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return lines


def faults(found: dict[str, list[Kernel]]) -> list[str]:
    """Violations of the requirements."""
    wrong = []
    for architecture, kernels in found.items():
        for kernel in kernels:
            if kernel.spilled or kernel.stack or kernel.local_accesses:
                wrong.append(f"sm_{architecture}: {kernel.name} uses local memory")
            if not kernel.name.startswith("reduction") and kernel.hot_loop() is None:
                wrong.append(f"sm_{architecture}: {kernel.name} has no loop with 16-byte accesses")
    return wrong


def report(
    found: dict[str, list[Kernel]], ptx: str, version: str, shown: list[str], options: str
) -> str:
    """The full page. `options` are the arguments that selected the architectures."""
    lines = [
        "# Compiled CUDA kernels",
        "",
        f"Generated by `python tools/cuda_report.py{options} --output docs/cuda-report.md`.",
        "Nothing here was measured on a GPU: the figures are from the compiler, and from counting",
        "instructions in its machine code.",
        "",
        f"Compiler: {version}; flags: `{' '.join(f for f in FLAGS if not f.startswith('-I'))}`.",
        f"PTX (compute_{ptx}) compiles and uses no local memory.",
        "",
        "Instructions per element are all instructions in the hot loop, divided by the elements",
        "per iteration. This is an upper bound, because it includes branches that are rarely",
        "taken: in gradients, those for partial chunks, and for parameters other than scalars,",
        "every way to read them.",
        "",
        *summary(found),
    ]
    for architecture in shown:
        if architecture in found:
            lines += ["", f"## sm_{architecture}", "", *table(found[architecture])]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Writes the report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--nvcc", default=shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc")
    parser.add_argument("--architectures", nargs="+", help="such as 80 90 (default: all)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--output", type=pathlib.Path, help="report file")
    arguments = parser.parse_args()
    nvcc = arguments.nvcc
    cuobjdump = find_tool("cuobjdump", nvcc)
    chosen = arguments.architectures or architectures(nvcc)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        kernels = pool.map(lambda a: compile_for(a, nvcc, cuobjdump), chosen)
        found = dict(zip(chosen, kernels, strict=True))
    wrong = faults(found)
    if not check_ptx(chosen[0], nvcc):
        wrong.append(f"compute_{chosen[0]}: the PTX uses local memory")
    version = re.search(r"release \S+ V\S+", run(nvcc, "--version"))
    said = f"nvcc {version[0]}" if version else "nvcc"
    shown = SHOWN if not arguments.architectures else chosen
    options = f" --architectures {' '.join(chosen)}" if arguments.architectures else ""
    text = report(found, chosen[0], said, shown, options)
    if arguments.output:
        arguments.output.write_text(text)
    print(text)
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
