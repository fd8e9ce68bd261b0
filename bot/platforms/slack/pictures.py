"""Graphs as pictures under a page, for who sees no chart on the card. Nobody waits for them; the card went first."""

from __future__ import annotations

import asyncio
import logging

from bot.domain.cards import Card, Priority, Ref
from bot.domain.errors import PultError
from bot.domain.graphs import drawable, trend
from bot.domain.messages import Graph, Message, Tone
from bot.domain.phrases import Words
from bot.platforms.slack import limits
from bot.platforms.slack.api import Api
from bot.platforms.slack.blocks import flat
from bot.platforms.slack.render import Rendered
from bot.platforms.slack.texts import cut
from bot.ports.painter import Painter

log = logging.getLogger(__name__)
CALM = frozenset({Tone.OK, Tone.MUTED})


class Pictures:
    """At most one for each message, whatever happens: a lost picture is not worth a second one."""

    def __init__(self, api: Api, painter: Painter | None) -> None:
        self._api, self._painter = api, painter
        self._one = asyncio.Semaphore()
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, card: Card, ref: Ref, message: Message, drawn: Rendered, words: Words) -> bool:
        """Have the first graph of *message* painted and hung under *ref*, some time; False: there is no need to."""
        graph = next((block for block in message.blocks if isinstance(block, Graph) and drawable(block)), None)
        if self._painter is None or graph is None or "data_visualization" in drawn.rich:
            return False
        if not graph.bars and (card.priority is not Priority.PAGE or message.tone in CALM):
            return False  # of bars Slack draws nothing by itself, and who has a report of them wants to see it
        if len(self._running) >= limits.PICTURES:
            log.info("too many pictures wait", extra={"subject": card.subject})
            return False
        task = asyncio.create_task(self._hung(self._painter, graph, ref, words), name=f"picture {card.subject}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return True

    async def settled(self) -> None:
        """Return once everything begun so far is done."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def close(self) -> None:
        """Drop what is not done."""
        for task in self._running:
            task.cancel()
        await self.settled()

    async def _hung(self, painter: Painter, graph: Graph, ref: Ref, words: Words) -> None:
        """One after the other: twenty pages at once must not take Slack's file calls from what matters more."""
        title = flat(graph.title, words) or flat(trend(graph), words)
        alt = cut(f"{title}: {flat(trend(graph), words)}", limits.ALT_TEXT)
        try:
            async with self._one, asyncio.timeout(limits.PICTURE_SECONDS):
                picture = await painter.paint(graph, words)
                thread = ref.extra.get("thread") or ref.message
                await self._api.attach(ref.chat, thread, "graph.png", title, picture, alt)
        except (PultError, TimeoutError) as error:
            log.warning("no picture", extra={"title": title, "error": str(error) or "not in time"})
        except Exception:
            log.exception("no picture", extra={"title": title})
