"""Runs the Python code in the documents, and those of their commands that are cheap.

The code of a page runs from top to bottom, as a reader would type it. A block that can't run is
preceded by a comment `<!-- not run: why -->` in its document.
"""

import functools
import importlib.util
import itertools
import json
import pathlib
import re
import shlex
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent
PAGES = sorted(
    str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
)
FENCE = re.compile(
    r"(?:<!-- not run: (?P<reason>[^>]+) -->\n+)?"
    r"^```(?P<language>\w+)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
ASSIGNMENT = re.compile(r"\w+=")  # a variable assignment before a command
# Definitions that a page assumes, besides the imports that it shows.
GIVEN = {
    "docs/scaling.md": """
import tensorflow as tf
import flatnoise
share, seed, step = tf.zeros([4, 3]), 7, 0
dataset = tf.data.Dataset.from_tensor_slices(tf.zeros([4, 3]))
"""
}
WHOLLY_RUN = ("quickstart", "guide", "keras", "migration")
# Modules that programs import besides those of the tests.
NEEDED = {
    "tools/accuracy.py": ["mpmath", "matplotlib"],
    "tools/plot_noises.py": ["matplotlib", "sklearn"],
    "tools/plot_schedules.py": ["matplotlib"],
    "tools/truncated_normal.py": ["mpmath"],
    "benchmarks/compare.py": ["matplotlib", "pyperf", "tabulate"],
}
# Prefixes of commands that aren't run here, with the place that runs them or the reason.
RUN_ELSEWHERE = {
    "pip install": "noxfile.py installs wheels and sources",
    "FLATNOISE_TENSORFLOW_VERSIONS=": "noxfile.py builds so",
    "CMAKE_ARGS=": "takes a CUDA compiler",
    "cmake": "CONTRIBUTING.md's turn for developers; the build of every test run",
    "ctest": "make test-cc runs it",
    "export": "of a shell",
    "sollya": "takes Sollya",
    "FLATNOISE_TEST_LARGE=1": "takes 8.6 GB of memory",
    "PYTHONPATH=python python -m pytest": "runs this",
    "python -m flatnoise.patch": "test_patch.py runs programs so",
    "for set in": "takes the whole suite three times",
    "FLATNOISE_INSTRUCTION_SET=": "takes the whole suite",
    "for peer in": "measures tensors of 4 billion elements",
    "done": "of a loop",
    "PYTHONPATH=tests:tools python -m randomness.report": "test_statistics.py is its short form",
}


def blocks(page, language):
    text = (ROOT / page).read_text(encoding="utf-8")
    return [match for match in FENCE.finditer(text) if match["language"] == language]


def with_blocks(language):
    return [page for page in PAGES if blocks(page, language)]


def runnable_code(page):
    return [
        (match.start(), match["code"]) for match in blocks(page, "python") if not match["reason"]
    ]


@pytest.mark.parametrize("page", with_blocks("python"))
def test_python_code_runs(page, native, tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    text = (ROOT / page).read_text(encoding="utf-8")
    names = {"__name__": "__main__"}
    exec(GIVEN.get(page, ""), names)
    for start, code in runnable_code(page):
        # Padded, so that tracebacks and AutoGraph find the line in the document.
        padded = "\n" * (text.count("\n", 0, start) + 1) + code
        exec(compile(padded, str(ROOT / page), "exec"), names)


def test_pages_that_claim_to_be_run_have_nothing_left_out():
    pages = (
        "README.md",
        "docs/quickstart.md",
        "docs/guide.md",
        "docs/migration.md",
        "docs/keras.md",
    )
    for page in pages:
        assert runnable_code(page)
        assert not [match for match in blocks(page, "python") if match["reason"]]


def quotations():
    """The quotes from files in pages, with the files."""
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for match in FENCE.finditer(text):
            quoted, _, path = (match["reason"] or "").partition("lines of ")
            if not quoted and path:
                yield pytest.param(path, match["code"], id=f"{page}: {path}")


@pytest.mark.parametrize("path, lines", list(quotations()))
def test_quoted_lines_are_in_the_file(path, lines):
    assert lines in (ROOT / path).read_text(encoding="utf-8")


def commands():
    """Every line of a shell block, without its comment, on the first page that has it."""
    seen = set()
    for page in with_blocks("sh"):
        for match in blocks(page, "sh"):
            for line in match["code"].replace("\\\n", " ").splitlines():
                command = " ".join(line.partition(" # ")[0].split())
                if command and command not in seen:
                    seen.add(command)
                    yield pytest.param(command, id=f"{page}: {command}")


def words_of(command):
    """The words of a command, without the variables that it sets."""
    return list(itertools.dropwhile(ASSIGNMENT.match, shlex.split(command)))


def run(command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# Prints the output of each program's --help as JSON. The programs share a process, because most
# take seconds to import TensorFlow.
HELP = """
import contextlib, io, json, runpy, sys
answers = {}
for program in sys.argv[1:]:
    path, sys.argv = list(sys.path), [program, "--help"]
    sys.path.insert(0, program.rpartition("/")[0])
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        runpy.run_path(program, run_name="__main__")
    sys.path = path
    answers[program] = printed.getvalue()
print(json.dumps(answers))
"""


@functools.cache
def help_of_programs():
    words = [words_of(param.values[0]) for param in commands()]
    programs = {each[1] for each in words if each[0] == "python" and can_be_imported(each[1])}
    return json.loads(run([sys.executable, "-c", HELP, *sorted(programs)]).splitlines()[-1])


def can_be_imported(program):
    return program.endswith(".py") and all(map(importlib.util.find_spec, NEEDED.get(program, ())))


def check_make(words):
    # A dry run, which fails if the target doesn't exist.
    assert run(["make", "--dry-run", "--always-make", *words[1:]])


def check_program(words):
    program = words[1]
    for module in NEEDED.get(program, ()):
        pytest.importorskip(module)
    assert (ROOT / program).is_file()
    assert "usage:" in help_of_programs()[program]


def check_file(words):
    assert (ROOT / words[0]).is_file()


@pytest.mark.long
@pytest.mark.parametrize("command", list(commands()))
def test_commands_are_there(command):
    if any(command.startswith(start) for start in RUN_ELSEWHERE):
        return
    words = words_of(command)
    if words[0] == "make":
        check_make(words)
    elif words[:3] == ["python", "-m", "flatnoise"]:
        assert "flatnoise" in run([sys.executable, *words[1:]])
    elif words[0] == "python":
        check_program(words)
    else:
        check_file(words)
