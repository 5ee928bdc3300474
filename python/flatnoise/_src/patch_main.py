"""The program `python -m flatnoise.patch`."""

import argparse
import os
import runpy
import sys
from collections.abc import Sequence

from flatnoise._src.patch import patch_keras

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m flatnoise.patch",
        description="Runs a Python program, unchanged, with Keras's dropout and noise as fused "
        "ops.",
    )
    parser.add_argument(
        "-m", dest="is_module", action="store_true", help="PROGRAM is the name of a module"
    )
    parser.add_argument("program", metavar="PROGRAM", help="a file, or a module with -m")
    parser.add_argument(
        "arguments", metavar="ARGUMENT", nargs=argparse.REMAINDER, help="arguments for the program"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Patches Keras and runs the given program like Python does."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.is_module and not os.path.exists(given.program):
        parser.error(f"there is no file {given.program}")
    patch_keras()
    sys.argv = [given.program, *given.arguments]
    if given.is_module:
        runpy.run_module(given.program, run_name="__main__", alter_sys=True)
        return
    # `python -m` puts the working directory first. Scripts expect their own directory.
    sys.path[0] = os.path.dirname(os.path.abspath(given.program))
    runpy.run_path(given.program, run_name="__main__")
