"""Pictures of graphs, where they come in time."""

from __future__ import annotations

import asyncio
import logging
from math import isfinite

from bot.domain.errors import PultError
from bot.domain.graphs import drawable
from bot.domain.messages import Graph
from bot.domain.phrases import Words
from bot.platforms.telegram import limits
from bot.ports.clock import Clock
from bot.ports.painter import Painter

log = logging.getLogger(__name__)


class Pictures:
    """Asks the painter, but lets no storm wait for it: after a failure, or a late picture, it is left alone a while."""

    def __init__(self, painter: Painter | None, clock: Clock) -> None:
        self._painter, self._clock = painter, clock
        self._rests_until = 0.0

    async def of(self, graph: Graph | None, words: Words) -> bytes | None:
        """A PNG that Telegram takes; empty when there is nothing to draw, None when it did not come in time."""
        now = self._clock.now().timestamp()
        if self._painter is None or graph is None or not drawable(graph):
            return b""
        if now < self._rests_until:
            return None
        try:
            async with asyncio.timeout(limits.PAINT):
                png = await self._painter.paint(graph, words)
        except (PultError, TimeoutError) as error:
            late = isinstance(error, TimeoutError)
            self._rests_until = now + (limits.PAINT_AGAIN if late else limits.PAINT_REST)
            log.warning("a card goes without its picture", extra={"error": str(error) or "late"})
            return None
        return png if len(png) <= limits.PHOTO else b""


def newest(graph: Graph) -> int:
    """Unix seconds of the graph's last known point; 0 without any."""
    known = [at for curve in graph.curves for at, value in curve.points if isfinite(value)]
    known += [bar.until for bar in graph.bars]
    return int(max((at.timestamp() for at in known), default=0))
