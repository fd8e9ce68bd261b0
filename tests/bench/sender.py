"""A program that posts notifications and prints what came back. Its HTTP is bare, so that it leaves pult the CPU.

``python -m tests.bench.sender URL --connections 50 --seconds 8`` sends as fast as answers come;
with ``--rate 10`` it sends that many a second, whatever the answers do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

import uvloop

from tests.bench.bodies import Bodies

TOKEN = "sim-alertmanager-token"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
PATIENCE = 20.0
"""Seconds that the last answers may take."""


class Line(asyncio.Protocol):
    """One kept connection. *heard* gets the line, the request's number, its latency in seconds and the status."""

    def __init__(self, heard: Callable[[Line, int, float, int], None]) -> None:
        self._heard, self._buffer = heard, b""
        self._number, self._since, self._busy = -1, 0.0, False
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def send(self, number: int, request: bytes, since: float) -> None:
        """*since*: when it should have been sent, on the monotonic clock."""
        assert self._transport is not None
        self._number, self._since, self._busy = number, since, True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if found and length and len(rest) >= int(length[1]):
            self._buffer = b""
            self._done(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._busy:
            self._done(0)

    def _done(self, status: int) -> None:
        self._busy = False
        self._heard(self, self._number, time.monotonic() - self._since, status)


class Sender:
    """Posts *bodies* to *url*. ``latencies`` by number; ``sent``: when, on the monotonic clock."""

    def __init__(self, url: str, bodies: Bodies) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._bodies = parts.hostname or "127.0.0.1", parts.port or 80, bodies
        self._head = (
            f"POST /webhooks/alertmanager HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: Alertmanager/0.25.0\r\n"
            f"Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()
        self.latencies: dict[int, float] = {}
        self.sent: dict[int, float] = {}
        self.statuses: Counter[int] = Counter()
        self._free: deque[Line] = deque()
        self._until = 0.0
        self._open = 0
        self._quiet = asyncio.Event()

    async def fast(self, connections: int, seconds: float) -> None:
        """Every connection sends its next request when it has its answer."""
        lines = [await self._line(self._answered_fast) for _ in range(connections)]
        self._until = time.monotonic() + seconds
        for line in lines:
            self._send(line, time.monotonic())
        await self._end()

    async def steady(self, rate: float, seconds: float, connections: int = 16) -> None:
        """*rate* requests a second, each counted from when it was due."""
        self._free.extend([await self._line(self._answered_steady) for _ in range(connections)])
        began = time.monotonic()
        for number in range(round(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            while not self._free:
                await asyncio.sleep(0.001)
            self._send(self._free.popleft(), due)
        await self._end()

    async def _line(self, heard: Callable[[Line, int, float, int], None]) -> Line:
        _, line = await asyncio.get_running_loop().create_connection(lambda: Line(heard), self._host, self._port)
        return line

    def _send(self, line: Line, since: float) -> None:
        number, body = self._bodies.take()
        self.sent[number] = since
        self._open += 1
        self._quiet.clear()
        line.send(number, self._head + b"%d\r\n\r\n" % len(body) + body, since)

    def _answered(self, number: int, seconds: float, status: int) -> None:
        self.statuses[status] += 1
        if status == 200:
            self.latencies[number] = seconds
        self._open -= 1

    def _answered_fast(self, line: Line, number: int, seconds: float, status: int) -> None:
        self._answered(number, seconds, status)
        if status and time.monotonic() < self._until:
            self._send(line, time.monotonic())
        elif not self._open:
            self._quiet.set()

    def _answered_steady(self, line: Line, number: int, seconds: float, status: int) -> None:
        self._answered(number, seconds, status)
        if status:
            self._free.append(line)
        if not self._open:
            self._quiet.set()

    async def _end(self) -> None:
        if self._open:
            async with asyncio.timeout(PATIENCE):
                await self._quiet.wait()


async def _main(given: argparse.Namespace) -> None:
    bodies = Bodies(given.severity, first=given.first, critical_every=given.critical_every)
    sender = Sender(given.url, bodies)
    began = time.monotonic()
    if given.rate:
        await sender.steady(given.rate, given.seconds)
    else:
        await sender.fast(given.connections, given.seconds)
    found = {
        "seconds": time.monotonic() - began,
        "began": began,
        "statuses": sender.statuses,
        "latencies": list(sender.latencies.values()),
        "sent": {number: sender.sent[number] for number in sender.sent if bodies.critical(number)},
    }
    print(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--severity", default="warning")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--critical-every", type=int, default=0)
    uvloop.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
