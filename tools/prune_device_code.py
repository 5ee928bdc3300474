#!/usr/bin/env python3
"""Zeroes the CUDA code in a library for all architectures except one.

    tools/prune_device_code.py LIBRARY ARCHITECTURE         (such as 90)

All entries remain, so that the CUDA runtime finds the one it needs. Their code becomes zeros, which
compress well. The layout of fat binaries is undocumented. According to `cuobjdump -all`, a
container (magic number, version, header size, total size) has entries (kind: 1 for PTX, 2 for
machine code; version; header size; code size; the architecture at byte 28).
"""

import struct
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

CONTAINER = struct.Struct("<IHHQ")
ENTRY = struct.Struct("<HHIQ12xI")
MAGIC = 0xBA55ED50
MACHINE_CODE = 2


class Code(NamedTuple):
    """An entry: the position of its code, its kind and its architecture."""

    kind: int
    architecture: int
    begin: int
    size: int


def section(library: str) -> tuple[int, int]:
    """The offset and size of the section with the fat binaries."""
    listing = subprocess.check_output(["readelf", "-SW", library], text=True)
    for line in listing.splitlines():
        if " .nv_fatbin " in line:
            fields = line.split("]")[1].split()
            return int(fields[3], 16), int(fields[4], 16)
    sys.exit(f"{library} has no device code")


def containers(data: bytes) -> Iterator[list[Code]]:
    """The entries of each container. Containers are aligned to 8 bytes."""
    position = 0
    while position + CONTAINER.size <= len(data):
        magic, _, header, size = CONTAINER.unpack_from(data, position)
        if magic != MAGIC:
            position += 8
            continue
        yield list(entries(data, position + header, position + header + size))
        position = (position + header + size + 7) // 8 * 8


def entries(data: bytes, position: int, end: int) -> Iterator[Code]:
    """The entries of one container."""
    while position < end:
        kind, _, header, size, architecture = ENTRY.unpack_from(data, position)
        yield Code(kind, architecture, position + header, size)
        position += header + size


def prune(data: bytearray, architecture: int) -> tuple[int, int]:
    """Zeroes code for other architectures. Returns the numbers of bytes kept and zeroed."""
    kept = emptied = 0
    for container in containers(bytes(data)):
        wanted = (MACHINE_CODE, architecture)
        if wanted not in [code[:2] for code in container]:
            continue
        for code in container:
            if code[:2] == wanted:
                kept += code.size
            else:
                data[code.begin : code.begin + code.size] = bytes(code.size)
                emptied += code.size
    return kept, emptied


def main(library: str, architecture: str) -> None:
    """Rewrites the library in-place."""
    offset, size = section(library)
    with open(library, "r+b") as file:
        file.seek(offset)
        data = bytearray(file.read(size))
        kept, emptied = prune(data, int(architecture))
        file.seek(offset)
        file.write(data)
    print(f"{library}: kept {kept / 1e6:.0f} MB of device code, emptied {emptied / 1e6:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
