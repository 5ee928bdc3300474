from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

def philox4x32(
    counter: npt.NDArray[np.uint32], key: npt.NDArray[np.uint32]
) -> npt.NDArray[np.uint32]: ...
def random_words(
    seed: tuple[int, int], blocks: int, first_block: int
) -> npt.NDArray[np.uint32]: ...
def flatten_noise(
    input: npt.NDArray[Any],
    output: npt.NDArray[Any],
    *,
    seed: tuple[int, int],
    offset: int,
    parameters: Sequence[npt.NDArray[Any]],
    distribution: str,
    combination: str,
    instruction_set: str | None,
) -> None: ...
def flatten_noise_grad(
    grad: npt.NDArray[Any],
    input: npt.NDArray[Any],
    parameter_grads: Sequence[npt.NDArray[Any]],
    *,
    seed: tuple[int, int],
    offset: int,
    distribution: str,
    combination: str,
    instruction_set: str | None,
) -> None: ...
def noises() -> dict[str, Any]: ...
def build_info() -> dict[str, Any]: ...
