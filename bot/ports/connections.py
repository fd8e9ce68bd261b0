"""The settings by which services find the database."""

from __future__ import annotations

from typing import Protocol

from bot.domain.failover import Place


class Connections(Protocol):
    """Keys of Secrets, or values of YAML files in git. UserError: no such place, or no right to it.

    TemporaryError: the API server, or GitHub, is out of reach.
    """

    async def reads(self, place: Place) -> str:
        """The ``host:port`` that *place* holds now; no secret."""
        ...

    async def switch(self, place: Place, address: str, operation: str) -> str:
        """Put *address* there, the rest of the value kept; what was there before. Safe to repeat."""
        ...

    async def allowed(self, place: Place) -> str:
        """Why pult may not write there, or an empty string; changes nothing."""
        ...
