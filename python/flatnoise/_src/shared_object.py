"""Checks for truncated shared objects, which crash the loader with SIGBUS."""

import pathlib
import struct
from collections.abc import Iterator

__all__ = ["check_whole"]

# ELF-64, little endian (System V ABI, "ELF Header" and "Program Header").
_MAGIC = b"\x7fELF\x02\x01"
_HEADER = struct.Struct("<16x2xHI8xQQ4xHHHHHH")
_SEGMENT = struct.Struct("<I4xQ16xQ16x")
_LOADED = 1


def _loaded_ends(contents: bytes) -> Iterator[int]:
    """The end offsets of the file's loadable segments."""
    _, _, table, _, _, size, count, _, _, _ = _HEADER.unpack_from(contents)
    for index in range(count):
        kind, offset, length = _SEGMENT.unpack_from(contents, table + index * size)
        if kind == _LOADED:
            yield offset + length


def check_whole(path: pathlib.Path) -> None:
    """Raises OSError unless a file is a readable and complete shared object.

    Args:
        path: The file.

    Raises:
        OSError: If the check fails. The message says why.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    size = path.stat().st_size
    try:
        needed = max(_loaded_ends(head)) if head.startswith(_MAGIC) else None
    except (struct.error, ValueError):
        needed = None
    if needed is None:
        raise OSError(f"{path.name} is no shared object for this platform")
    if size < needed:
        raise OSError(f"{path.name} is truncated: it has {size} bytes of at least {needed}")
