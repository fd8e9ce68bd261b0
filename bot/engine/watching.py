"""Watches: list, follow from the list's version, list anew when the server forgot it, come back when it was away.

What one shows counts only while it is live; then its lookout judges. Nothing here is kept over a restart: the next
list tells it all again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from bot.domain.errors import PermanentError, TemporaryError, UserError, told
from bot.domain.lookout import Lookout
from bot.domain.phrases import NOTHING, Phrase, verbatim
from bot.domain.sights import Place
from bot.domain.trouble import Limits
from bot.ports.clock import Clock
from bot.ports.watching import AbsentError, Change, Feed, Page, Seen, StaleError, State

log = logging.getLogger(__name__)
FIRST, LAST = 0.5, 30.0
"""Seconds before a watch that failed comes back: twice as long each time, each time a part of it by chance."""
SETTLED = 5.0
"""A watch that lasted so many seconds did not fail: the next one waits FIRST again."""
LOOK_AGAIN = 300.0
"""Seconds until it is asked again whether pult may look, or whether a CRD has come."""
LISTS_AT_ONCE = 2
"""Lists under way at the same time, so that a start, or a region that comes back, is no burst of memory and calls."""


@dataclass
class _Post:
    """One watch with what it showed. ``version`` is empty while a list is due."""

    feed: Feed
    lookout: Lookout
    version: str = ""
    state: State = State.STARTING
    since: datetime | None = None
    why: Phrase = NOTHING
    failures: int = 0
    began: datetime | None = field(default=None, repr=False)


class Watches:
    """The Watching port over any feeds."""

    def __init__(self, feeds: Iterable[Feed], limits: Limits, clock: Clock, dice: Random | None = None) -> None:
        self._clock, self._dice = clock, dice or Random()  # noqa: S311 - no secret: it spreads what would come at once
        self._posts = [_Post(feed, Lookout(feed.place.kind, limits)) for feed in feeds]
        self._room = asyncio.Semaphore(LISTS_AT_ONCE)

    async def run(self) -> None:
        """Keep every watch going until cancelled."""
        async with asyncio.TaskGroup() as group:
            for post in self._posts:
                group.create_task(self._keep(post), name=f"watch {' '.join(post.feed.place)}")

    def seen(self) -> Mapping[Place, Seen]:
        """Findings only of what is live: the rest is not known."""
        now = self._clock.now()
        return {post.feed.place: self._one(post, now) for post in self._posts}

    @staticmethod
    def _one(post: _Post, now: datetime) -> Seen:
        findings = tuple(post.lookout.judged(now)) if post.state is State.LIVE else ()
        return Seen(post.state, post.since, post.why, findings)

    async def _keep(self, post: _Post) -> None:
        while True:
            await self._clock.sleep(await self._turn(post))

    async def _turn(self, post: _Post) -> float:
        """One watch from its beginning to its end; how many seconds until the next."""
        post.began = self._clock.now()
        try:
            await self._watch(post)
        except StaleError as error:
            post.version = ""
            # a day's work: it lists anew at once
            return self._failed(post, State.UNKNOWN, told(error), str(error), logging.INFO)
        except AbsentError as error:
            return self._closed(post, State.ABSENT, error)
        except UserError as error:
            return self._closed(post, State.REFUSED, error)
        except (TemporaryError, PermanentError) as error:
            wait = self._failed(post, State.UNKNOWN, told(error), str(error))
            return max(wait, getattr(error, "delay", None) or 0.0)
        except Exception as error:  # whatever it was: this watch begins anew, and no other one ends
            log.exception("a watch broke", extra={"place": " ".join(post.feed.place)})
            post.version = ""
            return self._failed(post, State.UNKNOWN, verbatim(type(error).__name__))
        return self._failed(post, post.state, post.why)  # the server ended it: what it showed is still so

    async def _watch(self, post: _Post) -> None:
        if not post.version:
            await self._list(post)
        async with aclosing(post.feed.changes(post.version)) as news:
            async for changes in news:
                for change in changes:
                    self._take(post, change)
                self._live(post)

    async def _list(self, post: _Post) -> None:
        """To its end before any of it counts: half a list says nothing of what the other half shows."""
        names: set[str] = set()
        async with self._room:
            page = await self._page(post, "", names)
            while page.rest:
                page = await self._page(post, page.rest, names)
        post.lookout.only(names)
        post.version, post.since = page.version, post.since or self._clock.now()
        self._live(post)

    async def _page(self, post: _Post, rest: str, names: set[str]) -> Page:
        page, now = await post.feed.page(rest), self._clock.now()
        for name, sight in page.sights.items():
            post.lookout.seen(name, sight, now)
        names.update(page.sights)
        return page

    def _take(self, post: _Post, change: Change) -> None:
        if change.name and change.sight is None:
            post.lookout.gone(change.name)
        elif change.name and change.sight is not None:
            post.lookout.seen(change.name, change.sight, self._clock.now())
        post.version = change.version or post.version

    @staticmethod
    def _live(post: _Post) -> None:
        post.state, post.why = State.LIVE, NOTHING

    def _failed(self, post: _Post, state: State, why: Phrase, error: str = "", level: int = logging.WARNING) -> float:
        """Said once in the log for each time it goes: an API server that is away would fill it."""
        now = self._clock.now()
        if post.began and (now - post.began).total_seconds() >= SETTLED:
            post.failures = 0
        if state is not State.LIVE and post.state is not state:
            extra = {"place": " ".join(post.feed.place), "error": error or why.plain()}
            log.log(level, "a watch is blind", extra=extra)
        post.state, post.why = state, why
        wait = min(LAST, FIRST * 2.0**post.failures)
        post.failures = min(post.failures + 1, 16)
        return wait * self._dice.uniform(0.5, 1.0)

    def _closed(self, post: _Post, state: State, error: UserError) -> float:
        if post.state is not state:
            log.info(
                "a watch is closed", extra={"place": " ".join(post.feed.place), "state": state, "error": str(error)}
            )
        post.state, post.why, post.version, post.since = state, error.phrase, "", None
        return LOOK_AGAIN * self._dice.uniform(0.8, 1.0)
