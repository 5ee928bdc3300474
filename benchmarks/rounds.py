"""The option `--rounds` of programs whose variants take turns and that report quartiles."""

import argparse


def add_rounds(parser: argparse.ArgumentParser, default: int) -> None:
    parser.add_argument(
        "--rounds",
        type=_rounds,
        default=default,
        help="samples of each variant (default: %(default)s)",
    )


def _rounds(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(
            f"a number from 2 on, as quartiles take two. Received: {text!r}"
        )
    return int(text)
