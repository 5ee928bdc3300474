from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

def philox4x32(counter: npt.ArrayLike, key: npt.ArrayLike) -> npt.NDArray[np.uint32]: ...
def random_words(
    seed: Sequence[int], blocks: int, first_block: int = 0
) -> npt.NDArray[np.uint32]: ...
def add_noise(
    inputs: npt.NDArray[Any],
    seed: Sequence[int],
    loc: npt.ArrayLike = 0.0,
    scale: npt.ArrayLike = 1.0,
    *,
    distribution: str = "normal",
    offset: int = 0,
    flatten: bool = True,
    instruction_set: str | None = None,
) -> npt.NDArray[Any]: ...
def multiply_noise(
    inputs: npt.NDArray[Any],
    seed: Sequence[int],
    loc: npt.ArrayLike = 0.0,
    scale: npt.ArrayLike = 1.0,
    *,
    distribution: str = "normal",
    offset: int = 0,
    flatten: bool = True,
    instruction_set: str | None = None,
) -> npt.NDArray[Any]: ...
def sum_gradients(
    grad: npt.NDArray[Any],
    seed: Sequence[int],
    *,
    distribution: str = "normal",
    offset: int = 0,
    per_feature: bool = False,
    instruction_set: str | None = None,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]: ...
def build_info() -> dict[str, Any]: ...
