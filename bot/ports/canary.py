"""The canary: an alert that pult sends to itself, through the front door, to see whether it comes out."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple, Protocol

from bot.domain.alerts import CANARY

NAME: Final = CANARY
"""Its alertname; it is never shown to anybody."""
PLATFORM: Final = "canary"
PLACE: Final = f"{PLATFORM}:here"
"""The destination where it is waited for."""
CARD: Final = f"{PLATFORM}:door"
"""The subject of its card."""
MARK: Final = "canary"
"""The store's mark with how the last one fared."""


class Flight(NamedTuple):
    """How the last canary fared. ``seconds``: from its sending to its delivery; ``why`` it did not arrive, or empty."""

    at: datetime
    seconds: float
    why: str


class Canary(Protocol):
    """TemporaryError: it was not taken in, or did not come out, within the deadline; says which."""

    async def fly(self) -> float:
        """Seconds from the front door to the delivery."""
        ...
