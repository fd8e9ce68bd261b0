"""The lines of a watch as they come: of any length, never half of one, and never so many that the loop stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from aiohttp import StreamReader

QUIET = 1.0
"""Seconds without news after which a watch that was answered is known to stand."""
LONGEST = 8 * 1024 * 1024
"""Bytes of one line; etcd takes no object of more than 1.5 MiB."""


async def whole_lines(content: StreamReader, silence: float) -> AsyncGenerator[list[bytes], None]:
    """Lines that came together; once an empty list when none do. TimeoutError: not a byte for *silence* seconds.

    ValueError: a line without end. Half a line before a break is dropped: the version before it counts.
    """
    left, quiet = bytearray(), QUIET
    while True:
        try:
            async with asyncio.timeout(quiet):
                part = await content.readany()
        except TimeoutError:
            if quiet == silence:
                raise
            quiet = silence
            yield []
            continue
        if not part:
            return
        quiet = silence
        left += part
        *lines, rest = left.split(b"\n")
        left = bytearray(rest)
        if len(left) > LONGEST:
            raise ValueError("a watch sends a line without end")
        if lines:
            yield [bytes(line) for line in lines if line]
        await asyncio.sleep(0)  # a burst that is there already would be read without a pause for anybody else
