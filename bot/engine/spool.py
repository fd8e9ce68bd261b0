"""The spool: while the store is away, what webhooks bring is kept in a small store of this replica's own, and shown.

A sender is told 503 all the same: it sends again, and only the store's own commit lets it stop. Once the store is back
everything is merged into it in one transaction: what was heard is heard there, at the time it came, and the messages
that were posted meanwhile become those of the store's cards, so that what follows edits them.
"""

from __future__ import annotations

import asyncio
import logging
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol
from uuid import uuid4

from bot.domain.alerts import Group
from bot.domain.cards import Card, Ref, Wish, subject
from bot.domain.errors import MalformedError, TemporaryError
from bot.domain.events import Event, Heard
from bot.domain.leases import shares
from bot.domain.messages import Aside, Message, Paragraph, Tone
from bot.domain.phrases import Code, phrase
from bot.engine.delivery import Delivery
from bot.engine.intake import Intake
from bot.engine.meters import Meters
from bot.engine.ownership import Sole
from bot.ports.clock import Clock
from bot.ports.presenters import Presenter, Presenters
from bot.ports.store import Store, Tx
from bot.ports.webhooks import Delivery as Received
from bot.ports.webhooks import Source

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0
"""Seconds between two looks whether the store is back."""
READ = ("content-type", "x-github-event")
"""Headers that a body is read by; no other is kept, since some prove who sent it."""
COURTESY = 3.0
"""Seconds that the replica which would own a destination has to post there before another does, of what both were sent
while nobody could own anything: longer than a post takes, and no long time to wait for a page."""
SETTLING = timedelta(seconds=3 * LOOK_EVERY)
"""How long what this replica did not show waits after the merge: another that did merges within a look or two."""
COUNT = "spooled"
MOST = 100_000
"""Groups and cards that are looked through at a merge: more than the spool has room for."""
Probe = Callable[[], Awaitable[None]]


class Local(Store, Protocol):
    """The spool's own store: small, on this machine."""

    async def empty(self) -> None:
        """Forget everything."""
        ...


@dataclass(frozen=True)
class Shown:
    """What the spool has of alerts: its groups, and the cards whose messages stand in chats."""

    groups: tuple[Group, ...]
    cards: tuple[Card, ...]


class Spool:
    """``active``: the store is away, or what came meanwhile is not merged yet. ``probe``: raises while it is away."""

    def __init__(  # noqa: PLR0913 - two stores, and how each hears
        self,
        store: Store,
        local: Local,
        clock: Clock,
        meters: Meters,
        *,
        probe: Probe,
        intake: Intake,
        apart: Intake,
        sources: Mapping[str, Source],
    ) -> None:
        self._store, self._local, self._clock, self._meters = store, local, clock, meters
        self._probe, self._intake, self._apart, self._sources = probe, intake, apart, sources
        self._one = asyncio.Lock()
        self._stirred = asyncio.Event()
        self.count = 0

    @property
    def active(self) -> bool:
        return self._stirred.is_set()

    async def find(self) -> None:
        """Go on with what an earlier process left."""
        self.count = await self._local.read(lambda tx: tx.mark(COUNT) or 0)
        if self.count:
            self._stirred.set()
        self._meters.spooled.set(self.count)

    async def keep(self, source: Source, received: Received, heard: Heard, *, still: bool) -> bool:
        """Keep what was *heard*, durably. False, and nothing kept: *still* away, it was said, and it is not any more.

        UnavailableError: there is no room left.
        """
        async with self._one:
            if still and not self.active:
                return False
            self.count = await self._local.write(lambda tx: self._kept(tx, source, received, heard))
            self._stirred.set()
        self._meters.spooled.set(self.count)
        return True

    async def run(self, lanes: Delivery) -> None:
        """Show what is kept through *lanes* while the store is away, then merge; until cancelled."""
        while True:
            await self._stirred.wait()
            async with asyncio.TaskGroup() as group:
                serving = [group.create_task(lanes.serve(Sole(name))) for name in shares()]
                await self._back()
                for task in serving:
                    task.cancel()
            try:
                await self._merge()
            except TemporaryError as error:
                log.warning("the spool waits", extra={"error": str(error)})
            except Exception:  # it goes on being shown from here; pult would find the same at each start
                log.exception("the spool can't be merged")

    def _kept(self, tx: Tx, source: Source, received: Received, heard: Heard) -> int:
        """A sender that comes again adds nothing: its key is the same, or the body is."""
        count: int = tx.mark(COUNT) or 0
        key = source.key(received)
        same = key or f"body {sha256(received.body).hexdigest()}"
        event = Event(uuid4().hex, source.name, same, received.received_at, heard)
        if self._apart.record(tx, event) is None:
            return count
        headers = {name: received.headers[name] for name in READ if name in received.headers}
        body = b64encode(received.body).decode()
        tx.put_mark(f"{COUNT} {count}", (source.name, key, received.received_at, headers, body))
        tx.put_mark(COUNT, count + 1)
        return count + 1

    async def _back(self) -> None:
        while True:
            await self._clock.sleep(LOOK_EVERY)
            try:
                await self._probe()
            except TemporaryError:
                continue
            return

    async def _merge(self) -> None:
        """Nothing is kept meanwhile, and nothing accepted before. Done twice it changes nothing more."""
        async with self._one:
            kept, shown = await self._local.read(lambda tx: (_events(tx), _shown(tx)))
            events = [event for each in kept if (event := self._read(each)) is not None]
            now = self._clock.now()
            adopted = await self._store.write(lambda tx: self._merged(tx, events, shown, now))
            await self._local.empty()
            self._stirred.clear()
            self.count = 0
        self._meters.spooled.set(0)
        told = {"events": len(events), "messages": len(shown.cards), "adopted": adopted}
        log.info("the spool is merged", extra=told)

    def _read(self, kept: tuple[str, str, datetime, Mapping[str, str], str]) -> Event | None:
        name, key, at, headers, text = kept
        body = b64decode(text)
        try:
            heard = self._sources[name].parse(Received(headers, body, at))
        except (MalformedError, KeyError):  # its source was removed from the configuration, or it reads otherwise now
            log.exception("a spooled event can't be read", extra={"source": name})
            return None
        return Event(uuid4().hex, name, key, at, heard, body)

    def _merged(self, tx: Tx, events: Iterable[Event], shown: Shown, now: datetime) -> int:
        for event in events:
            self._intake.record(tx, event)
        names = {group.id: known.id for group in shown.groups if (known := tx.latest_group(group.key))}
        adopted = sum(_adopted(tx, card, names, now) for card in shown.cards)
        for card in (card for ident in names.values() for card in tx.cards_of(subject("alert", ident))):
            if card.ref is None:
                tx.postpone(card, now + SETTLING, "another replica may have shown it from its own spool")
        return adopted


def _events(tx: Tx) -> list[tuple[str, str, datetime, Mapping[str, str], str]]:
    return [tx.mark(f"{COUNT} {number}") for number in range(tx.mark(COUNT) or 0)]


def _shown(tx: Tx) -> Shown:
    groups = tx.recent_groups(MOST)
    lanes = {card.place.lane for group in groups for card in tx.cards_of(subject("alert", group.id))}
    cards = (card for lane in sorted(lanes) for card in tx.latest_cards(lane, MOST))
    return Shown(groups, tuple(card for card in cards if card.ref is not None))


def _adopted(tx: Tx, posted: Card, names: Mapping[str, str], now: datetime) -> bool:
    """The store's own card of what was *posted* takes the message over, unless it has one. Shown at no revision: the
    next thing its lane does is to say what the store knows."""
    what, ref = posted.subject, posted.ref
    for ours, theirs in names.items():
        what = what.replace(ours, theirs)
    own = next((card for card in tx.cards_of(what) if card.place.lane == posted.place.lane), None)
    if own is None or ref is None:
        return False
    if own.ref is None:
        tx.shown(replace(own, wanted=0), ref, now)
    elif what.startswith("alert:") and (own.ref.chat, own.ref.message) != (ref.chat, ref.message):
        _point(tx, replace(posted, subject=what), ref, now)
    return own.ref is None


def _point(tx: Tx, posted: Card, ref: Ref, now: datetime) -> None:
    """Two messages stand for one alert: another replica was told of it meanwhile, or it stood before. This one says
    that it is the other which goes on, else it would tell of a fire for ever."""
    alert = Code(posted.subject.partition(":")[2])
    said = phrase(
        "pult's store was away when this was told. What has become of {alert} is in its other message.", alert=alert
    )
    what = subject("reply", f"twice/{ref.chat}/{ref.message}")
    tx.put_message(what, Message(phrase("Told twice: {alert}", alert=alert), Tone.MUTED, (Paragraph(said),)))
    tx.show(Wish(what, posted.place), now)
    for card in tx.cards_of(what):
        tx.shown(replace(card, wanted=0), ref, now)


def spooled(presenters: Presenters) -> Presenters:
    """*presenters* that say where their messages come from, and offer nothing that could not be done now."""
    return {kind: replace(each, draw=_noted(each)) for kind, each in presenters.items()}


def _noted(presenter: Presenter) -> Callable[[object], Message]:
    note = Aside(phrase("pult's own store is away: this comes from its local spool. Buttons follow once it is back."))

    def draw(state: object) -> Message:
        message = presenter.draw(state)
        return replace(message, blocks=(*message.blocks, note), buttons=())

    return draw
