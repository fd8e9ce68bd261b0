"""A painter that draws a true, small PNG, and cards with graphs for it."""

import asyncio
import struct
import zlib
from dataclasses import replace
from datetime import timedelta

from bot.domain.errors import TemporaryError
from bot.domain.messages import Curve, Graph
from bot.domain.phrases import phrase
from tests.platforms.telegram_cards import AT, alert


def png(width=64, height=32, shade=80):
    """Grey, one byte per pixel."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b"".join(b"\0" + bytes([shade]) * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Painter:
    """The ``Painter`` port: a new shade at every call. ``late``: seconds it takes; ``broken``: it fails."""

    def __init__(self):
        self.asked = []
        self.late = 0.0
        self.broken = False

    async def paint(self, graph, words):
        self.asked.append(graph)
        await asyncio.sleep(self.late)
        if self.broken:
            raise TemporaryError("the worker died")
        return png(shade=len(self.asked) % 256)


def graph(until=AT, values=(0.01, 0.02, 0.05, 0.08)):
    points = tuple((until - timedelta(minutes=len(values) - 1 - n), value) for n, value in enumerate(values))
    return Graph(phrase("Errors"), (Curve(phrase("api"), points),), "%", 0.05)


def graphed(made=None, **more):
    """An alert's card with a graph before its links."""
    base = alert()
    blocks = (*base.blocks[:2], made or graph(), *base.blocks[2:])
    return replace(base, **({"blocks": blocks} | more))
