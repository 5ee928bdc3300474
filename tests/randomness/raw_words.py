"""Writes the raw words of a seed's stream to standard output until the reader closes it.

python tests/randomness/raw_words.py | tests/randomness/dieharder.sh
"""

import argparse
import sys

import flatnoise.numpy

BLOCKS = 2**18


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, nargs=2, default=(20261124, 1))
    seed = tuple(parser.parse_args().seed)
    first = 0
    try:
        while True:
            sys.stdout.buffer.write(flatnoise.numpy.random_words(seed, BLOCKS, first).tobytes())
            first += BLOCKS
    except BrokenPipeError:
        sys.stdout = None  # avoids a flush at exit
    print(f"{first * 128:.3g} bits written", file=sys.stderr)


if __name__ == "__main__":
    main()
