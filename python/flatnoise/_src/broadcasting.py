"""Broadcasting of a noise's parameters against the output's shape.

The compiled op reads a parameter in place if it varies over one contiguous run of the output's
dimensions, such as `[height, width, channels]` or `[batch, 1, 1]`. A parameter such as
`[height, 1, channels]` varies over two runs. It must be expanded to the smallest shape that varies
over one run, here `[height, width, channels]`.

Shapes are tuples of sizes. An unknown size and a shape of unknown rank are None.
"""

import dataclasses
import functools
import math
from collections.abc import Sequence
from typing import TypeAlias

__all__ = [
    "Output",
    "Shape",
    "expanded_axes",
    "fits",
    "flattened",
    "is_one_run",
    "one_run_shape",
    "padded",
    "remedies",
]

Shape: TypeAlias = tuple[int | None, ...] | None


def padded(shape: Sequence[int | None], rank: int) -> tuple[int | None, ...]:
    """`shape`, padded with leading ones to `rank` dimensions."""
    return (1,) * (rank - len(shape)) + tuple(shape)


def flattened(shape: Sequence[int | None]) -> tuple[int | None, int | None]:
    """`[batch, features]`."""
    batch, *rest = shape
    return batch, None if None in rest else math.prod(rest)  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True)
class Output:
    """The output for inputs of a shape. `flatten` is None if there is no such choice."""

    inputs: Shape
    flatten: bool | None = None

    @property
    def shape(self) -> Shape:
        """The output's shape."""
        if not self.flatten:
            return self.inputs
        return (None, None) if self.inputs is None else flattened(self.inputs)

    @property
    def otherwise(self) -> Shape:
        """The shape that the output would have with `flatten` negated."""
        return None if self.flatten is None else Output(self.inputs, not self.flatten).shape


@functools.lru_cache(maxsize=1024)
def fits(shape: Shape, output: Shape) -> bool:
    """Whether `shape` may broadcast to `output` by NumPy's rules, without enlarging it."""
    if shape is None or output is None:
        return True
    if len(shape) > len(output):
        return False
    sizes = zip(padded(shape, len(output)), output, strict=True)
    return all(size in (1, None) or total in (size, None) for size, total in sizes)


def _aligned(shape: Sequence[int | None], output: Shape) -> list[tuple[int | None, int | None]]:
    """Pairs the sizes of `shape` with the output's sizes that they align with."""
    if output is None:
        return [(size, None) for size in shape]
    return list(zip(padded(shape, len(output)), output, strict=True))


@functools.lru_cache(maxsize=1024)
def is_one_run(shape: Shape, output: Shape) -> bool:
    """Whether `shape` is known to vary over one contiguous run of the output's dimensions."""
    if shape is None:
        return False
    # Output dimensions of size 1 don't interrupt a run.
    sizes = [size for size, total in _aligned(shape, output) if total != 1]
    may_vary = [index for index, size in enumerate(sizes) if size != 1]
    if not may_vary:
        return True
    between = sizes[may_vary[0] + 1 : may_vary[-1]]
    return all(size not in (1, None) for size in between)


def one_run_shape(shape: Sequence[int | None], output: Shape) -> tuple[int | None, ...] | None:
    """The smallest one-run shape that `shape` broadcasts to.

    Returns None if it can't be determined. An unknown size in the result is the output's size.
    """
    sizes = [size for size, _ in _aligned(shape, output)]
    varies = [index for index, size in enumerate(sizes) if size != 1]
    if not varies or output is None or None in (sizes[varies[0]], sizes[varies[-1]]):
        return None
    run = slice(varies[0], varies[-1] + 1)
    sizes[run] = output[run]
    return tuple(sizes)


def expanded_axes(shape: Sequence[int], expanded: Sequence[int]) -> tuple[int, ...]:
    """The axes of `expanded` over which `shape` was broadcast."""
    sizes = zip(padded(shape, len(expanded)), expanded, strict=True)
    return tuple(axis for axis, (size, total) in enumerate(sizes) if size == 1 and total != 1)


def _per_sample(shape: Sequence[int | None], output: Sequence[int | None]) -> Shape:
    """`[batch, 1]`, `[batch, 1, 1, 1]` etc. if `shape` has exactly one value per sample."""
    varies = tuple(size for size in shape if size != 1)
    return (*varies, *(1,) * (len(output) - 1)) if varies == tuple(output[:1]) else None


def remedies(shape: Shape, output: Output) -> tuple[Shape, Shape]:
    """Suggests fixes for a shape that doesn't broadcast to the output's shape.

    Returns:
        A shape with as many elements that does broadcast, and the output's shape with `flatten`
        negated if `shape` broadcasts to that. Either is None if there is no such fix.
    """
    target, other = output.shape, output.otherwise
    if shape is None or target is None or None in shape:
        return None, None
    count = math.prod(shape)  # type: ignore[arg-type]
    candidates = (_per_sample(shape, target), target[1:], target)
    same = (each for each in candidates if each and None not in each and math.prod(each) == count)  # type: ignore[arg-type]
    return next(same, None), other if other is not None and fits(shape, other) else None
