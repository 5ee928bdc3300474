"""Shared by the plotting tools: two color schemes and small files.

Each picture is drawn twice: `NAME.png`, and `NAME-dark.png` for the site's dark scheme.
"""

import io
import pathlib
from collections.abc import Callable

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure
from PIL import Image

# The site's dark colors. C0 to C3 are lighter than Matplotlib's, for contrast.
BACKGROUND, TEXT = "#1e2129", "#c9ccd3"
DARK = {
    "axes.edgecolor": TEXT,
    "axes.facecolor": BACKGROUND,
    "axes.labelcolor": TEXT,
    "axes.prop_cycle": cycler(color=["#5aa5e0", "#ff9d47", "#5fc46a", "#f0716f"]),
    "figure.facecolor": BACKGROUND,
    "text.color": TEXT,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
}
SCHEMES = {"": {}, "-dark": DARK}


def write(draw: Callable[[], Figure], path: pathlib.Path, colors: int = 64) -> None:
    """Writes a picture in both schemes, with a palette to keep the files small."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix, style in SCHEMES.items():
        buffer = io.BytesIO()
        with matplotlib.rc_context(style):
            draw().savefig(buffer)
        picture = Image.open(buffer).convert("RGB").quantize(colors, dither=Image.Dither.NONE)
        picture.save(path.with_stem(path.stem + suffix), optimize=True)
