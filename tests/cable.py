"""A cable between one pult and what it talks to, which a test cuts: by refusing, or by silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import urlsplit

from tests.real import free_port

CHUNK = 65536


class Cut(Enum):
    """How a network says that it does not work."""

    REFUSED = auto()
    """Connections break, and new ones are refused."""
    SILENT = auto()
    """Whatever is sent is taken and never answered, also over new connections: nobody hears of any trouble. So it is
    where a server hangs, or a proxy before it does; a network that swallows packets at least leaves them
    unacknowledged."""


@dataclass(eq=False)
class Cable:
    """Loopback's port ``port``, connected to *target* of loopback."""

    target: int
    port: int = field(default_factory=free_port)
    _cut: Cut | None = None
    _server: asyncio.Server | None = None
    _strands: set[_Strand] = field(default_factory=set)

    async def plug(self) -> None:
        """Listen, unless it does."""
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def cut(self, how: Cut) -> None:
        """From now on nothing comes through."""
        self._cut = how
        if how is Cut.REFUSED and self._server is not None:
            self._server.close()
            self._server = None
            for each in tuple(self._strands):
                each.abort()

    async def mend(self) -> None:
        """New connections work. Those that fell silent stay so: nothing on the way remembers them."""
        self._cut = None
        await self.plug()

    async def unplug(self) -> None:
        """Break everything, and wait for its end."""
        await self.cut(Cut.REFUSED)
        while self._strands:
            await asyncio.sleep(0.01)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        strand = _Strand(self, [writer])
        self._strands.add(strand)
        try:
            await strand.carry(reader, writer)
        finally:
            self._strands.discard(strand)
            strand.abort()


@dataclass(eq=False)
class _Strand:
    """One connection. Once it fell silent it stays so."""

    cable: Cable
    writers: list[asyncio.StreamWriter]
    dead: bool = False

    def abort(self) -> None:
        for each in self.writers:
            each.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._silent():
            await self._one_way(reader, writer)  # which carries nothing
            return
        with suppress(OSError):
            there = await asyncio.open_connection("127.0.0.1", self.cable.target)
            self.writers.append(there[1])
            async with asyncio.TaskGroup() as group:
                group.create_task(self._one_way(reader, there[1]))
                group.create_task(self._one_way(there[0], writer))

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if not self._silent():
                    writer.write(data)
                    await writer.drain()
            if not self._silent():
                writer.write_eof()

    def _silent(self) -> bool:
        self.dead = self.dead or self.cable._cut is Cut.SILENT
        return self.dead


@asynccontextmanager
async def cable(url: str) -> AsyncIterator[tuple[Cable, str]]:
    """A cable to the port that *url* names, and the same address through it."""
    port = urlsplit(url).port
    assert port is not None
    found = Cable(port)
    await found.plug()
    try:
        yield found, url.replace(f":{port}", f":{found.port}", 1)
    finally:
        await found.unplug()
