"""What works behind the webhook port, and which of it one replica does for all."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.domain.cards import Card
from bot.domain.errors import PultError, TemporaryError
from bot.domain.leases import DUTIES, shares
from bot.domain.messages import Message
from bot.domain.phrases import Phrase
from bot.domain.requests import Request
from bot.engine.enrichment import drawn
from bot.engine.supervise import every, forever
from bot.ports.console import Answer, Standing
from bot.ports.store import Tx
from config.settings import Settings

if TYPE_CHECKING:
    from bot.compose.core import Core
    from bot.compose.parts import Parts
    from bot.engine.delivery import Delivery
    from bot.engine.desk import Desk
    from bot.engine.mirror import Mirror
    from bot.engine.operations import Operations
    from bot.engine.ownership import Ownership
    from bot.engine.router import Router
    from bot.engine.scheduler import Scheduler
    from bot.ports.leases import Hold
    from bot.ports.presenters import Presenters
    from bot.ports.schedules import Periodic

SWEEP_EVERY, RESUME_EVERY, HEARTBEAT_EVERY = 5.0, 2.0, 60.0
EXAMINE_DEADLINE, REACH_DEADLINE = 15.0, 5.0
"""Seconds a dependency may take to answer; and a chat that a destination has just had trouble with: one more call that
hangs is no accident any more."""
SNAPSHOT, TRENDS = 50, 16
"""Cards of one destination that a page shows when it opens, and those with a trend: each is a query to Prometheus."""


@dataclass(frozen=True)
class Wired:
    """What works behind the webhook port."""

    core: Core
    parts: Parts
    lanes: Delivery
    router: Router
    desk: Desk
    operations: Operations
    presenters: Presenters
    scheduler: Scheduler
    periodic: tuple[Periodic, ...]
    ownership: Ownership
    aside: Delivery | None
    mirror: Mirror | None

    @property
    def alone(self) -> frozenset[str]:
        """Chats that are listened to by one replica at a time: Telegram ends the older of two polls (409)."""
        telegram = self.core.settings.telegram
        return frozenset({"telegram"} if telegram and telegram.mode == "polling" else ())

    def own(self) -> None:
        """Say what is done under which lease."""
        self.ownership.add(shares(), self.lanes.serve)
        self.ownership.add([DUTIES], self._duties)
        self.ownership.add(self.alone, lambda hold: self.listen(hold.name), strict=True)

    async def listen(self, name: str) -> None:
        """Hear the people of one chat until cancelled."""
        core, chat = self.core, self.parts.chats[name]
        await forever(name, lambda: chat.listen(self.router.ask), core.clock, core.meters)

    async def hear(self, name: str) -> None:
        """Hear the people of a chat that tells each of its listeners something else, while it can be stored: what is
        said to a replica that is cut off from the store would be said for nothing, and another could have heard it."""
        await self.ownership.attend(lambda: self.listen(name))

    async def _duties(self, hold: Hold) -> None:
        """What is done once for all replicas."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.lanes.serve(hold))
            group.create_task(self.scheduler.run())
            for seconds, name, work in (
                (SWEEP_EVERY, "expiry", self.desk.expire),
                (RESUME_EVERY, "sweep", self.operations.sweep),
                (SWEEP_EVERY, "left unanswered", self.router.adopt),
                (HEARTBEAT_EVERY, "heartbeat", lambda: _heartbeat(self.core.settings)),
                *((each.every, each.name, each.run) for each in self.periodic if not each.everywhere),
            ):
                group.create_task(every(seconds, name, work, self.core.clock))

    def replicas(self) -> Sequence[str]:
        """Names of those alive; one where nobody else could be."""
        return [each.name for each in self.ownership.replicas]

    def trouble(self) -> Mapping[str, Phrase]:
        """Destinations that can't be delivered to now, by whichever replica."""
        return self.ownership.trouble()

    async def ask(self, request: Request) -> Answer:
        """One console command."""
        reply = await self.router.answer(request)
        return Answer(reply.ok, reply.message, reply.operation)

    async def standing(self, destinations: Sequence[str]) -> Sequence[Standing]:
        """The latest cards of *destinations*, as they are drawn now; the first ones with their trends."""

        def read(tx: Tx) -> list[tuple[Card, Any]]:
            cards = [card for name in destinations for card in tx.latest_cards(name, SNAPSHOT)]
            return [(card, self._presenter(card).load(tx, card.ident)) for card in cards]

        found = await self.core.store.read(read)
        async with asyncio.TaskGroup() as group:
            shown = [
                (card, group.create_task(self._drawn(card, state, rich=at < TRENDS)))
                for at, (card, state) in enumerate(each for each in found if each[1] is not None)
            ]
        return tuple(Standing(card.subject, card.wanted, card.changed_at, task.result()) for card, task in shown)

    async def _drawn(self, card: Card, state: object, *, rich: bool) -> Message:
        presenter = self._presenter(card)
        message: Message = await drawn(presenter, state, card.subject) if rich else presenter.draw(state)
        return message

    async def count(self) -> None:
        """Let the intake know how far delivery is behind."""
        self.core.intake.overdue = self.lanes.overdue

    async def examine(self) -> None:
        """Ask everything pult depends on whether it answers, for the metric."""
        chats, down = ((name, chat.check) for name, chat in self.parts.chats.items()), set[str]()
        for name, check in (*chats, *self.parts.checks()):
            try:
                async with asyncio.timeout(EXAMINE_DEADLINE):
                    await check()
                up = True
            except (PultError, TimeoutError):
                up = False
                down.add(name)
            self.core.meters.up.labels(name).set(up)
        await self._reach(down & self.parts.chats.keys())

    async def reach(self) -> None:
        """Whether the chats that there is trouble with answer from here at all."""
        troubled = {name.partition(":")[0] for name in self.lanes.trouble()} | self.ownership.unreached
        await self._reach(troubled & self.parts.chats.keys())

    async def _reach(self, names: Iterable[str]) -> None:
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(self._try(name))

    async def _try(self, name: str) -> None:
        """A chat that refuses us does answer."""
        try:
            async with asyncio.timeout(REACH_DEADLINE):
                await self.parts.chats[name].check()
        except (TemporaryError, TimeoutError):
            self.ownership.missed(name)
        except PultError:
            self.ownership.reached(name)
        else:
            self.ownership.reached(name)

    def _presenter(self, card: Card) -> Any:  # noqa: ANN401 - Presenter, of each kind's own state
        return self.presenters[card.kind]


async def _heartbeat(settings: Settings) -> None:
    """Tell whoever watches pult that it lives."""
    if settings.server.heartbeat_url is None:
        return
    timeout, url = aiohttp.ClientTimeout(total=10), settings.server.heartbeat_url.get_secret_value()
    async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
        answer.raise_for_status()
