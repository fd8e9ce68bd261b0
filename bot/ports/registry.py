"""The image registry: what a tag stands for."""

from __future__ import annotations

from typing import Protocol


class Registry(Protocol):
    """UserError: no such image or tag, or the credentials may not see it. TemporaryError: no answer."""

    async def digest(self, image: str) -> str:
        """``sha256:…`` of ``host/repository:tag`` now; of ``…@sha256:…`` that digest, if the registry has it."""
        ...

    async def check(self) -> str: ...
