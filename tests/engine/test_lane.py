"""A lane: what becomes of a card when its chat refuses, defers, closes or loses it; real store, set clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.sql import SqlStore, open_store
from bot.domain.breakers import AFTER
from bot.domain.cards import Card, Place, Priority, Ref, Wish
from bot.domain.errors import ClosedError, DeferredError, FencedError, LostReferenceError, PermanentError
from bot.domain.messages import Message
from bot.domain.phrases import NOTHING, English, Phrase, phrase
from bot.engine import enrichment
from bot.engine.lane import Lane
from bot.engine.meters import Meters
from bot.engine.ownership import Sole
from bot.ports.presenters import Presenter
from tests.handlers.fakes import NOON
from tests.migrated import sqlite_store

HERE = "slack:C0INC"
ARCHIVED = phrase("the channel is archived: unarchive it, or route elsewhere")


@dataclass
class Ticking:
    """A clock that jumps to the end of every sleep, and lets others run meanwhile."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class Chat:
    """Takes what it is given, or raises what stands first in ``refuses``. ``calls``: when, what, the subject.

    ``troubles``: what the lane complained of at each call.
    """

    clock: Ticking
    refuses: list[Exception] = field(default_factory=list)
    calls: list[tuple[float, str, str]] = field(default_factory=list)
    again: float = 0.0
    troubles: list[Phrase] = field(default_factory=list)
    lane: Lane | None = None
    platform = "slack"

    @property
    def pace(self) -> Chat:
        return self

    def interval(self, destination: str) -> float:
        return 1.0

    def burst(self, destination: str) -> int:
        return 1

    async def post(self, card: Card, message: Message, words: English) -> Ref:
        return self._called("post", card)

    async def edit(self, card: Card, ref: Ref, message: Message, words: English) -> Ref:
        return self._called("edit", card)

    async def find(self, place: Place, since: datetime) -> dict[str, Ref]:
        return {}

    def _called(self, how: str, card: Card) -> Ref:
        self.calls.append(((self.clock.at - NOON).total_seconds(), how, card.subject))
        self.troubles.append(self.lane.trouble if self.lane else NOTHING)
        if self.refuses:
            raise self.refuses.pop(0)
        return Ref("C0INC", card.subject, again=self.again)


@dataclass
class Rig:
    """A lane on its destination, and what is wanted there."""

    store: SqlStore
    clock: Ticking = field(default_factory=Ticking)

    def __post_init__(self) -> None:
        self.chat = Chat(self.clock)
        self.present(Presenter(lambda _tx, ident: ident, lambda ident: Message(phrase("{x}", x=ident))))

    def present(self, say: Presenter) -> None:
        """A lane that shows everything as *say* draws it."""
        self.lane = Lane(
            HERE, self.chat, store=self.store, clock=self.clock, presenters=dict.fromkeys(("alert", "reply"), say),
            words=lambda _: English(), meters=Meters("test"), doubt=False, hold=Sole("lane"),
        )  # type: ignore[arg-type]  # fmt: skip
        self.chat.lane = self.lane

    async def wants(self, subject: str, priority: Priority = Priority.NORMAL) -> None:
        await self.store.write(lambda tx: tx.show(Wish(subject, Place(HERE), priority), self.clock.at))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.lane.run())
        try:
            yield
        finally:
            self.lane.close()
            task.cancel()

    async def called(self, count: int) -> list[tuple[float, str, str]]:
        """The first *count* calls, once there are as many."""
        async with asyncio.timeout(10):
            while len(self.chat.calls) < count:
                self.clock.at += timedelta(seconds=0.05)  # a lane at rest waits in real time
                self.lane.wake()
                await asyncio.sleep(0.005)
        return self.chat.calls[:count]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_store(sqlite_store(tmp_path)) as store:
        yield Rig(store)


async def test_a_closed_chat_holds_everything_back_and_nothing_is_lost(rig: Rig) -> None:
    rig.chat.refuses = [ClosedError("archived (a call)", said=ARCHIVED)] * 3
    await rig.wants("alert:a", Priority.PAGE)
    await rig.wants("alert:b")
    async with rig.running():
        calls = await rig.called(3)
        assert {subject for _, _, subject in calls} == {"alert:a"}, "the first is tried, the others wait behind it"
        assert rig.chat.troubles[:2] == [NOTHING, ARCHIVED]
        assert [subject for _, _, subject in await rig.called(5)] == ["alert:a"] * 4 + ["alert:b"]
    assert rig.chat.calls[3][0] <= 10, "tried again within seconds, not an hour"
    assert rig.lane.trouble == NOTHING


async def test_an_answer_to_a_closed_chat_is_dropped_and_holds_up_nothing(rig: Rig) -> None:
    rig.chat.refuses = [ClosedError("kicked")]
    await rig.wants("reply:1", Priority.ANSWER)
    await rig.wants("alert:a")
    async with rig.running():
        assert [subject for _, _, subject in await rig.called(2)] == ["reply:1", "alert:a"]


async def test_a_deferred_card_lets_others_pass(rig: Rig) -> None:
    rig.chat.refuses = [DeferredError("three seconds between edits", 3.0)]
    await rig.wants("alert:a", Priority.PAGE)
    await rig.wants("alert:b")
    async with rig.running():
        calls = await rig.called(3)
    assert [subject for _, _, subject in calls] == ["alert:a", "alert:b", "alert:a"]
    assert calls[1][0] - calls[0][0] < 1, "the call that was not made costs nothing"


async def test_a_refused_card_is_put_off_and_the_next_one_goes(rig: Rig) -> None:
    rig.chat.refuses = [PermanentError("too long")]
    await rig.wants("alert:a", Priority.PAGE)
    await rig.wants("alert:b")
    async with rig.running():
        assert [subject for _, _, subject in await rig.called(2)] == ["alert:a", "alert:b"]


async def test_a_message_that_is_gone_is_posted_anew(rig: Rig) -> None:
    await rig.wants("alert:a")
    async with rig.running():
        await rig.called(1)
        rig.chat.refuses = [LostReferenceError("deleted")]
        await rig.store.write(lambda tx: tx.bump("alert:a", rig.clock.at))
        calls = await rig.called(3)
    assert [how for _, how, _ in calls] == ["post", "edit", "post"]


async def test_a_back_off_of_days_does_not_overflow(rig: Rig) -> None:
    rig.lane._failures = 5_000
    assert rig.lane._backoff(1.0, 60.0) == 60.0


@dataclass
class Lost:
    """A lease that went to another replica after the lane looked."""

    ok: bool = True
    name = "lane"

    def valid(self) -> bool:
        return self.ok

    def fence(self, tx: object) -> None:
        raise FencedError("it is another replica's")


async def test_what_was_posted_under_a_lost_lease_is_not_recorded_and_the_lane_ends(rig: Rig) -> None:
    rig.lane._lease = Lost()
    await rig.wants("alert:a")
    async with asyncio.timeout(10):
        await rig.lane.run()
    assert [call[1:] for call in rig.chat.calls] == [("post", "alert:a")]
    (card,) = await rig.store.read(lambda tx: tx.cards_of("alert:a"))
    assert (card.shown, card.ref) == (0, None)


async def test_nothing_is_begun_under_a_lease_that_was_not_renewed(rig: Rig) -> None:
    rig.lane._lease = lease = Lost(ok=False)
    await rig.wants("alert:a")
    async with rig.running():
        for _ in range(50):
            await asyncio.sleep(0.002)
        assert rig.chat.calls == []
        lease.ok = True
        await rig.called(1)


def unfinished(rig: Rig, missing: float) -> None:
    """Every card is drawn without something that is known *missing* seconds later."""

    async def enrich(_: object, message: Message) -> Message:
        return replace(message, again=missing)

    rig.present(Presenter(lambda _tx, ident: ident, lambda ident: Message(phrase("{x}", x=ident)), enrich))


async def test_what_was_not_known_in_time_is_added_once(rig: Rig) -> None:
    unfinished(rig, 5.0)
    await rig.wants("alert:a", Priority.PAGE)
    async with rig.running():
        (posted, edited) = await rig.called(2)
        rig.clock.at += timedelta(minutes=5)
        await rig.wants("alert:b")
        assert [how for _, how, _ in (await rig.called(3))[2:]] == ["post"], "not again after the second look"
    assert (posted[1:], edited[1:]) == (("post", "alert:a"), ("edit", "alert:a"))
    assert 5.0 <= edited[0] - posted[0] <= 7.0


async def test_a_picture_that_was_late_is_added_as_well(rig: Rig) -> None:
    rig.chat.again = 3.0
    await rig.wants("alert:a")
    async with rig.running():
        calls = await rig.called(2)
    assert [how for _, how, _ in calls] == ["post", "edit"]
    assert 3.0 <= calls[1][0] - calls[0][0] <= 5.0


async def test_extras_that_hang_cost_their_deadline_and_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enrichment, "ENRICH_DEADLINE", 0.05)

    async def hangs(_: object, message: Message) -> Message:
        await asyncio.Event().wait()
        return message

    bare = Message(phrase("{x}", x="a"))
    assert await enrichment.drawn(Presenter(lambda _tx, _: None, lambda _: bare, hangs), None, "alert:a") == replace(
        bare, again=AFTER
    )
