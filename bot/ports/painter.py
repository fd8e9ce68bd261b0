"""Pictures, drawn outside the event loop."""

from __future__ import annotations

from typing import Protocol

from bot.domain.messages import Graph
from bot.domain.phrases import Words


class Painter(Protocol):
    """TemporaryError: no picture could be made in time; the message goes without, its words say the trend."""

    async def paint(self, graph: Graph, words: Words) -> bytes:
        """A PNG, readable on dark and light and by the colour-blind, labelled in the reader's words."""
        ...
