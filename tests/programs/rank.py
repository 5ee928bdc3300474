"""One of several independent ranks, like those that Horovod starts.

Called as `rank.py RANK RANKS FOLDER`. Writes the results for its rows to `rank<number>.npz`.
"""

import sys

import numpy as np

import flatnoise

BATCH, FEATURES, STEPS = 10, 6, 3
INPUTS = np.linspace(-1, 1, BATCH * FEATURES, dtype=np.float32).reshape(BATCH, 2, 3)


def rows_of(rank, ranks):
    """The rows of a rank. The numbers of rows differ."""
    return slice(BATCH * rank // ranks, BATCH * (rank + 1) // ranks)


def main(rank, ranks, folder):
    rows = rows_of(rank, ranks)
    share, offset = INPUTS[rows], rows.start * FEATURES
    steps = range(STEPS)
    shared = [flatnoise.flatten_add_normal(share, [7, step], offset=offset) for step in steps]
    own = [flatnoise.flatten_add_normal(share, [7 + 2**32 * rank, step]) for step in steps]
    np.savez(f"{folder}/rank{rank}.npz", shared=shared, own=own)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
