"""How painter and worker talk over the worker's pipes: frames of a kind, a length and a body."""

from __future__ import annotations

import struct
from asyncio import StreamReader
from typing import BinaryIO, Final

READY, DRAWN, BROKEN = 0, 1, 2
"""What a worker says: it can draw now; the PNG; why there is none (text)."""
SHEET: Final = 3
"""What it is told: draw this (JSON, sheet.py)."""
LARGEST: Final = 16 * 1024 * 1024
"""Bytes; a longer frame is no frame but noise on the pipe."""
_HEAD: Final = struct.Struct(">BI")


def frame(kind: int, body: bytes = b"") -> bytes:
    return _HEAD.pack(kind, len(body)) + body


async def receive(stream: StreamReader) -> tuple[int, bytes]:
    """The next frame. EOFError: the other side has gone, or speaks no frames."""
    kind, length = _HEAD.unpack(await stream.readexactly(_HEAD.size))
    if length > LARGEST:
        raise EOFError("noise on the pipe")
    return kind, await stream.readexactly(length)


def read(stream: BinaryIO) -> tuple[int, bytes] | None:
    """The next frame, waiting for it; None when the other side has gone."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    kind, length = _HEAD.unpack(head)
    body = stream.read(length)
    return (kind, body) if len(body) == length else None
