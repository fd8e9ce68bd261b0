"""A lane: one destination's deliveries, one after the other, the most urgent first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.domain.cards import Card, Place, Ref, Wish
from bot.domain.errors import (
    AmbiguousError,
    ClosedError,
    DeferredError,
    FencedError,
    LostReferenceError,
    PermanentError,
    RateLimitedError,
    TemporaryError,
    told,
)
from bot.domain.messages import Message
from bot.domain.pacing import Bucket
from bot.domain.phrases import NOTHING
from bot.engine.enrichment import drawn
from bot.engine.meters import Meters
from bot.engine.supervise import STORE_LAST, patiently
from bot.ports.chat import Chat, WordsFor
from bot.ports.clock import Clock
from bot.ports.leases import Hold
from bot.ports.presenters import Presenters
from bot.ports.store import Store, Tx

log = logging.getLogger(__name__)

SEND_DEADLINE = 30.0
LOOK_AGAIN = 0.25
"""Seconds after which a lane looks whether its lease was renewed."""
LOOK_BACK = timedelta(seconds=5)
FIRST_RETRY, LAST_RETRY = 1.0, 60.0
FIRST_REFUSAL, LAST_REFUSAL = 60.0, 3600.0
"""Seconds. A refused card is tried again, rarely: the bot may be invited back, the channel unarchived."""

DOUBLINGS = 16
"""A back-off is at its longest by then; an outage of days must not count beyond what a float holds."""


class Lane:
    """``doubt``: something may have been posted that we don't know of (a crash, a lost answer): look before posting.

    ``wary``: somebody else may post the same. They get so many seconds before each first post, which then looks.
    """

    def __init__(  # noqa: PLR0913 - the delivery's own collaborators
        self,
        destination: str,
        chat: Chat,
        *,
        store: Store,
        clock: Clock,
        presenters: Presenters,
        words: WordsFor,
        meters: Meters,
        doubt: bool,
        hold: Hold,
        wary: float | None = None,
    ) -> None:
        self._destination, self._chat, self._store, self._clock = destination, chat, store, clock
        self._presenters, self._words, self._meters = presenters, words, meters
        self._woken = asyncio.Event()
        self._bucket = Bucket(chat.pace.interval(destination), chat.pace.burst(destination), clock.now())
        self._failures = 0
        self._doubt, self._lease, self._wary = doubt or wary is not None, hold, wary
        self._closed = False
        self._again: list[tuple[datetime, Card]] = []
        self.sending = False
        self.trouble = NOTHING

    def wake(self) -> None:
        self._woken.set()

    def close(self) -> None:
        """Finish what is being sent and start nothing more."""
        self._closed = True

    async def run(self) -> None:
        """Deliver until cancelled or closed."""
        while not self._closed:
            try:
                await self._round()
            except FencedError:  # whoever has it now looks before posting
                log.warning("lane is another replica's now", extra={"destination": self._destination})
                return
            except TemporaryError as error:  # the store is away: what is due stays due
                log.warning("lane waits", extra={"destination": self._destination, "error": str(error)})
                await self._clock.sleep(self._backoff(FIRST_RETRY, STORE_LAST))
            except Exception:
                log.exception("lane stumbled", extra={"destination": self._destination})
                await self._clock.sleep(self._backoff(FIRST_RETRY, LAST_RETRY))

    async def _round(self) -> None:
        self._woken.clear()
        delay = self._bucket.delay(self._clock.now())
        if delay > 0:
            await self._clock.sleep(delay)
        if not self._lease.valid():  # the store was away for as long as the lease was good: it may be another's by now
            await self._clock.sleep(LOOK_AGAIN)
            return
        now = self._clock.now()
        await self._look_again(now)
        card, state = await self._store.read(lambda tx: self._pick(tx, now))
        if self._closed:
            return
        if card is None:
            await self._rest(now)
        elif card.ref is None and self._doubt:
            if self._wary and (ahead := self._wary - (now - card.created_at).total_seconds()) > 0:
                await self._clock.sleep(ahead)
            await self._adopt(card)
        else:
            await self._deliver(card, state)

    async def _write(self, work: Callable[[Tx], None]) -> None:
        """FencedError: the destination is another replica's by now, and nothing was committed."""

        def fenced(tx: Tx) -> None:
            self._lease.fence(tx)
            work(tx)

        await self._store.write(fenced)

    def _pick(self, tx: Tx, now: datetime) -> tuple[Card | None, object]:
        card = tx.due(self._destination, now)
        if card is None:
            return None, None
        return card, self._presenters[card.kind].load(tx, card.ident)

    async def _look_again(self, now: datetime) -> None:
        """Have those drawn once more that went out without something that should be known by now.

        A restart forgets them: they stay as they are until their next edit.
        """
        ripe = [Wish(card.subject, card.place, card.priority, card.parent) for at, card in self._again if at <= now]
        if not ripe:
            return

        def bump(tx: Tx) -> None:
            for wish in ripe:
                tx.show(wish, now)

        await self._write(bump)
        self._again = [each for each in self._again if each[0] > now]

    async def _rest(self, now: datetime) -> None:
        """Wait for a wake, or for the earliest card that was put off or is to be drawn again."""
        put_off = await self._store.read(lambda tx: tx.next_try(self._destination))
        until = min((at for at in (put_off, *(at for at, _ in self._again)) if at), default=None)
        timeout = None if until is None else max(0.05, (until - now).total_seconds())
        try:
            async with asyncio.timeout(timeout):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _adopt(self, first: Card) -> None:
        """Find again what was posted before a crash or a lost answer, so that it is not posted twice."""
        cards = await self._store.read(lambda tx: tx.unposted(self._destination))
        since = min((card.created_at for card in cards), default=first.created_at) - LOOK_BACK
        found: dict[str, Ref] = {}
        try:
            async with asyncio.timeout(SEND_DEADLINE):
                for place in {_where(card) for card in cards}:
                    found.update(await self._chat.find(place, since))
        except (TemporaryError, TimeoutError) as error:
            self._hold(error)
            return
        except PermanentError as error:
            log.warning("can't look back", extra={"destination": self._destination, "error": str(error)})
        for card in cards:
            if ref := found.get(card.key):
                await self._found(card, ref)
        self._doubt = False

    async def _found(self, card: Card, ref: Ref) -> None:
        """It stands there, at a revision nobody knows: shown at none, so that the next step edits it."""
        now = self._clock.now()
        await self._write(lambda tx: tx.shown(replace(card, wanted=0), ref, now))

    async def _deliver(self, card: Card, state: object) -> None:
        if state is None:
            await self._write(lambda tx: tx.bury(card, "its subject is gone"))
            return
        self.sending = True
        try:
            message = await drawn(self._presenters[card.kind], state, card.subject)
            if not self._lease.valid():  # drawing takes up to a second: it stays due, for whoever owns it now
                return
            async with asyncio.timeout(SEND_DEADLINE):
                ref = await self._send(card, message)
        except (LostReferenceError, PermanentError, TemporaryError, TimeoutError) as error:
            await self._failed(card, error)
        except Exception as error:  # one bad card must not stop its destination
            log.exception("card failed", extra={"destination": self._destination, "subject": card.subject})
            await self._put_off(card, str(error) or type(error).__name__, FIRST_REFUSAL)
        else:
            await self._delivered(card, ref)
            if card.ref is None:  # once: what is silent for long is not asked after for ever
                self._again += [
                    (self._clock.now() + timedelta(seconds=s), card) for s in (message.again, ref.again) if s
                ]
        finally:
            self.sending = False

    async def _send(self, card: Card, message: Message) -> Ref:
        words = self._words(card.place)
        self._bucket.take(self._clock.now())
        if card.ref is None:
            return await self._chat.post(card, message, words)
        return await self._chat.edit(card, card.ref, message, words)

    async def _delivered(self, card: Card, ref: Ref) -> None:
        """Record what stands there now, however long the store is away: forgotten, it would be posted twice."""
        now = self._clock.now()
        await patiently(self._destination, lambda: self._write(lambda tx: tx.shown(card, ref, now)), self._clock)
        self._failures, self.trouble = 0, ref.trouble
        self._doubt = self._doubt or self._wary is not None
        self._count("posted" if card.ref is None else "edited")
        if card.ref is None and card.shown == 0:
            self._meters.event_age.observe((now - card.created_at).total_seconds())

    async def _failed(self, card: Card, error: Exception) -> None:
        match error:
            case LostReferenceError():
                self._count("lost")
                await self._write(lambda tx: tx.lose(card))
            case PermanentError():
                self._count("refused")
                self.trouble = told(error)
                if card.subject.startswith("reply:"):
                    await self._write(lambda tx: tx.bury(card, str(error)))
                else:
                    seconds = min(LAST_REFUSAL, FIRST_REFUSAL * 2.0 ** min(card.attempts, DOUBLINGS))
                    await self._put_off(card, str(error), seconds)
            case ClosedError() if card.subject.startswith("reply:"):  # whoever asked has long looked elsewhere
                self._count("refused")
                await self._write(lambda tx: tx.bury(card, str(error)))
                self.trouble = told(error)
            case DeferredError():
                self._count("limited")
                self._bucket.give_back()
                await self._put_off(card, str(error), error.delay or FIRST_RETRY)
            case _:
                self._hold(error)

    def _hold(self, error: Exception) -> None:
        """Let the whole lane wait: for as long as the other side says, else a little longer each time."""
        limited = isinstance(error, RateLimitedError)
        self._count("limited" if limited else "failed")
        if isinstance(error, AmbiguousError | TimeoutError):
            self._doubt = True
        asked = error.delay if isinstance(error, TemporaryError) else None
        delay = self._backoff(FIRST_RETRY, LAST_RETRY) if asked is None else asked
        if not limited:
            self.trouble = told(error)
            why = str(error) or self.trouble.plain()
            log.warning("destination fails", extra={"destination": self._destination, "error": why})
        self._bucket.hold(self._clock.now(), delay)

    async def _put_off(self, card: Card, error: str, seconds: float) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        await self._write(lambda tx: tx.postpone(card, until, error))

    def _backoff(self, first: float, last: float) -> float:
        self._failures += 1
        return min(last, first * 2.0 ** min(self._failures - 1, DOUBLINGS))

    def _count(self, result: str) -> None:
        self._meters.delivery.labels(self._chat.platform, result).inc()


def _where(card: Card) -> Place:
    """Where the card would have been posted: under its parent's message, if it has one."""
    if card.parent_ref is None:
        return card.place
    return replace(card.place, thread=card.parent_ref.extra.get("thread") or card.parent_ref.message)
