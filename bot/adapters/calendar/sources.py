"""Where a calendar's text comes from: a file, or an address that is asked whether it has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp
from yarl import URL

from bot.domain.errors import TemporaryError

MOST = 4 * 1024 * 1024
"""Bytes of one calendar. Ours: a department's roster of years has less than 1 MiB."""
TIMEOUT = aiohttp.ClientTimeout(total=20, connect=10)


@dataclass(frozen=True)
class Text:
    """``mark``: the headers by which the server can tell that it has not changed."""

    content: bytes
    mark: Mapping[str, str]


class Source(Protocol):
    """``name`` may be shown: an address is left out, since calendars keep their secret in it."""

    @property
    def name(self) -> str: ...

    async def read(self, mark: Mapping[str, str]) -> Text | None:
        """The text now, None when it is the one that *mark* came with. TemporaryError: it can't be had."""
        ...


class File:
    """A calendar on the disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)

    async def read(self, mark: Mapping[str, str]) -> Text | None:
        """Always the whole file: it is cheap, and times of mounted files can't be relied on."""
        return Text(await asyncio.to_thread(self._content), mark)

    def _content(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                content = file.read(MOST + 1)
        except OSError as error:
            raise TemporaryError(error.strerror or type(error).__name__) from error
        if len(content) > MOST:
            raise TemporaryError(f"it has over {MOST} bytes")
        return content


class Address:
    """A calendar on the web."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = URL(url.replace("webcal://", "https://", 1))
        self.name = self._url.host or "an address"

    async def read(self, mark: Mapping[str, str]) -> Text | None:
        """One GET; a server that keeps no marks sends the whole each time."""
        headers = {"Accept": "text/calendar, */*;q=0.1", **mark}
        try:
            async with self._session.get(self._url, headers=headers, timeout=TIMEOUT, max_redirects=5) as answer:
                if answer.status == 304 and mark:
                    return None
                if answer.status != 200:
                    raise TemporaryError(f"it answers {answer.status}")
                return Text(await _limited(answer.content), _mark(answer.headers))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:  # whose text would repeat the address
            raise TemporaryError(f"no answer ({type(error).__name__})") from None


async def _limited(content: aiohttp.StreamReader) -> bytes:
    found = bytearray()
    async for part in content.iter_any():
        found += part
        if len(found) > MOST:
            raise TemporaryError(f"it has over {MOST} bytes")
    return bytes(found)


def _mark(headers: Mapping[str, str]) -> Mapping[str, str]:
    pairs = (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified"))
    return {ours: headers[theirs] for ours, theirs in pairs if theirs in headers}
