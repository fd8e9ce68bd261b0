"""The Connections port: Secrets by the cluster they are in, values of files in git through the forge."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

from bot.domain.endpoints import address_in, with_address
from bot.domain.errors import DriftError, UserError, github
from bot.domain.failover import Place
from bot.domain.manifests_values import value_at, with_value
from bot.domain.phrases import Code
from bot.ports.connections import Connections
from bot.ports.forge import File, Forge

TRIES = 3
"""Somebody may push to the same branch at the same moment, twice."""
_WAS = re.compile(r"^was: (\S+)$", re.MULTILINE)


class Places:
    """A place with a file is in git, any other one in a cluster."""

    def __init__(self, secrets: Connections, forge: Forge | None) -> None:
        self._secrets, self._git = secrets, GitConnections(forge)

    async def reads(self, place: Place) -> str:
        """See the port."""
        return await self._of(place).reads(place)

    async def switch(self, place: Place, address: str, operation: str) -> str:
        """See the port."""
        return await self._of(place).switch(place, address, operation)

    async def allowed(self, place: Place) -> str:
        """See the port."""
        return await self._of(place).allowed(place)

    def _of(self, place: Place) -> Connections:
        return self._git if place.file else self._secrets


class GitConnections:
    """A commit for each change; what GitOps makes of it is waited for elsewhere."""

    def __init__(self, forge: Forge | None) -> None:
        self._forge = forge

    async def reads(self, place: Place) -> str:
        """What the branch's file holds."""
        file = await self._file(place)
        return await asyncio.to_thread(_held, file.text, place.key)

    async def switch(self, place: Place, address: str, operation: str) -> str:
        """The commit says whose it is and what stood there, so that a repeat after a crash knows it, too.

        DriftError: somebody keeps pushing. An empty text: the address was there, and nobody knows since when.
        """
        for _ in range(TRIES):
            file = await self._file(place)
            was, text = await asyncio.to_thread(_changed, file.text, place.key, address)
            if text == file.text:
                return await self._before(place, address, operation) or was
            message = f"failover: {place.key} of {place.region} to {address}\n\npult operation {operation}\nwas: {was}"
            with suppress(DriftError):  # pushed between the look and the write: look again, never force
                await github(self._forge).commit(place.repo, place.file, place.branch, file, text, message)
                return was
        raise DriftError("Somebody keeps pushing to {branch}. Try again.", branch=Code(place.branch))

    async def allowed(self, place: Place) -> str:
        """As far as reading tells: GitHub says only at a push whether it takes one."""
        try:
            file = await self._file(place)
            address = await asyncio.to_thread(_held, file.text, place.key)
            await asyncio.to_thread(_changed, file.text, place.key, address if ":" in address else f"{address}:1")
        except UserError as error:
            return error.phrase.plain()
        return ""

    async def _before(self, place: Place, address: str, operation: str) -> str:
        """What this operation's own commit took out, where it is the branch's last one; else empty."""
        last = (await github(self._forge).resolve(place.repo, place.branch)).message
        own = f"pult operation {operation}\n" in last and f" to {address}\n" in last and f": {place.key} " in last
        found = _WAS.search(last) if own else None
        return found[1] if found else ""

    async def _file(self, place: Place) -> File:
        return await github(self._forge).read(place.repo, place.file, place.branch)


def _held(text: str, key: str) -> str:
    return address_in(value_at(text, key))


def _changed(text: str, key: str, address: str) -> tuple[str, str]:
    """(What stood there, the whole text with *address* there.)"""
    value = value_at(text, key)
    return address_in(value), with_value(text, key, with_address(value, address))
