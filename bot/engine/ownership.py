"""Ownership: which duties this replica has, from the leases in the store. Among one there is nothing to agree on.

A duty runs while its lease is held. A lease that another replica should have (it came, it went) is handed over: the
duty ends what it has begun, then the lease is freed. One that was lost ends its duty at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeAlias
from uuid import uuid4

from bot.domain.errors import FencedError, TemporaryError
from bot.domain.leases import CHANGED, MARGIN, RENEW, TTL, Lease, Replica, able, rightful
from bot.domain.phrases import Phrase
from bot.engine.meters import Meters
from bot.engine.supervise import FIRST
from bot.ports.clock import Clock
from bot.ports.leases import Hold
from bot.ports.leases import Leases as Table
from bot.ports.store import Store, Tx

log = logging.getLogger(__name__)
LOOK = 0.25
"""Seconds between two looks whether a strict duty's lease has run out; :data:`MARGIN` covers it."""
Duty: TypeAlias = "Callable[[Hold], Awaitable[None]]"
"""Runs until cancelled; then it ends what it has begun, and returns."""


class Sole:
    """The ``Hold`` port where nobody else is."""

    def __init__(self, name: str) -> None:
        self.name = name

    def valid(self) -> bool:
        return True

    def fence(self, tx: Table) -> None:
        """Nobody could have it."""


class Leased:
    """The ``Hold`` port over one lease. ``until``: by the event loop's clock, moved on with each renewal."""

    def __init__(self, lease: Lease, until: float) -> None:
        self.lease, self.until = lease, until
        self.name = lease.name

    def valid(self) -> bool:
        return asyncio.get_running_loop().time() < self.until

    def fence(self, tx: Table) -> None:
        if not tx.holds(self.lease):
            raise FencedError(f"{self.name} is another replica's by now")


@dataclass
class _Running:
    hold: Leased | Sole
    task: asyncio.Task[None]
    ceding: bool = False


class Ownership:
    """``shared``: other replicas may use the store. ``trouble``: destinations that can't be reached from here."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        meters: Meters,
        *,
        name: str,
        shared: bool,
        trouble: Callable[[], Mapping[str, Phrase]] = dict,
    ) -> None:
        self._store, self._clock, self._meters, self._shared = store, clock, meters, shared
        self.me = Replica(uuid4().hex[:12], name)
        self.replicas: tuple[Replica, ...] = (self.me,)
        self._trouble = trouble
        self._unreached: set[str] = set()
        self._until = 0.0
        self._measured: frozenset[str] = frozenset()
        self._duties: dict[str, Duty] = {}
        self._strict: set[str] = set()
        self._running: dict[str, _Running] = {}
        self._poked = asyncio.Event()
        self._ending = False
        store.on_commit(self._heard)

    def add(self, names: Iterable[str], duty: Duty, *, strict: bool = False) -> None:
        """Run *duty* for each of *names* while this replica holds it. Before ``run``.

        *strict*: it is ended as soon as its lease was not renewed in time. Others may go on with what they have begun,
        since they ask whether the lease is valid, and are fenced.
        """
        names = tuple(names)
        self._duties.update(dict.fromkeys(names, duty))
        self._strict |= set(names) if strict else set()

    def rightful(self, name: str) -> bool:
        """Whether *name* should be this replica's, by who was alive when the store was there."""
        return rightful(name, self._candidates()) in {self.me.boot, ""}

    def trouble(self) -> Mapping[str, Phrase]:
        """Destinations that whoever owns them can't reach, each with the reason."""
        others = [each.trouble for each in self.replicas if each.boot != self.me.boot]
        return {name: why for told in (*others, self._trouble()) for name, why in told.items()}

    def present(self) -> bool:
        """Whether others count on this replica: it could say in time that it is alive."""
        return not self._shared or asyncio.get_running_loop().time() < self._until

    async def attend(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run *work*, which never ends by itself, while this replica is present; until cancelled."""
        while True:
            while not self.present():
                await self._clock.sleep(LOOK)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(work())
                while self.present():
                    await self._clock.sleep(LOOK)
                task.cancel()

    @property
    def unreached(self) -> frozenset[str]:
        """Platforms that do not answer this replica."""
        return frozenset(self._unreached)

    def missed(self, platform: str) -> None:
        """*platform* does not answer this replica. Another one that it answers takes everything over."""
        if platform not in self._unreached:
            log.warning("a platform does not answer here", extra={"platform": platform})
            self._unreached.add(platform)
            self._poked.set()

    def reached(self, platform: str) -> None:
        """*platform* answers."""
        if platform in self._unreached:
            log.info("a platform answers again", extra={"platform": platform})
            self._unreached.discard(platform)
            self._poked.set()

    async def run(self) -> None:
        """Claim, renew, hand over; until cancelled, which stops the duties but frees nothing: see ``hand_over``."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            while True:
                self._poked.clear()
                try:
                    await self._round(group)
                except TemporaryError as error:  # the store is away: what ran out is not valid
                    log.warning("leases wait", extra={"error": str(error)})
                with suppress(TimeoutError):
                    async with asyncio.timeout(RENEW.total_seconds()):
                        await self._poked.wait()

    async def hand_over(self) -> None:
        """End every duty, and free each lease as its duty has ended. Nothing is claimed any more."""
        self._ending, self.me = True, replace(self.me, leaving=True)
        self._poked.set()
        for running in self._running.values():
            self._cede(running)
        while any(not running.task.done() for running in self._running.values()):
            await asyncio.wait({running.task for running in self._running.values()}, timeout=RENEW.total_seconds())

    async def resign(self) -> None:
        """Be gone, at once: others need not wait until what is left has run out."""
        if self._shared:
            with suppress(TemporaryError):
                await self._store.write(lambda tx: tx.resign(self.me.boot))

    def _heard(self, touched: frozenset[str]) -> None:
        if CHANGED in touched:
            self._poked.set()

    async def _round(self, group: asyncio.TaskGroup) -> None:
        if not self._shared:
            for name in () if self._ending else self._duties.keys() - self._running.keys():
                self._begin(group, Sole(name))
            return
        until = asyncio.get_running_loop().time() + (TTL - MARGIN).total_seconds()
        me = replace(self.me, trouble=dict(self._trouble()), unreached=self.unreached)
        mine, self.replicas = await self._store.write(lambda tx: self._claim(tx, me))
        self._until = until
        self._renewed(mine, until)
        for lease in mine.values():
            if lease.name not in self._running and not self._ending:
                self._begin(group, Leased(lease, until))
        boots = self._candidates()
        for name, running in self._running.items():
            if rightful(name, boots) != self.me.boot:
                self._cede(running)
        self._measure()

    def _candidates(self) -> frozenset[str]:
        return able(self.replicas)

    def _claim(self, tx: Tx, me: Replica) -> tuple[dict[str, Lease], tuple[Replica, ...]]:
        """Runs in one transaction, so it changes nothing here: what is held afterwards, and who is alive."""
        tx.enlist(me, TTL)
        replicas = tx.replicas()
        boots = able(replicas)
        held = {each.name: each for each in tx.tenures()}
        mine: dict[str, Lease] = {}
        tx.renew(me.boot, TTL)
        for name in self._duties:
            tenure, running = held.get(name), self._running.get(name)
            own = tenure is not None and tenure.owner == me.boot
            if running is not None and running.task.done():
                if own:
                    tx.give_up(name, me.boot)
            elif own and running is not None and tenure is not None:
                mine[name] = Lease(name, tenure.epoch)
            elif rightful(name, boots) == me.boot and (tenure is None or not tenure.owner or not tenure.live or own):
                mine[name] = tx.take(name, me.boot, TTL)
            elif own:  # taken by a commit that seemed lost, or run out here alone: renewed with the rest it stays free
                tx.give_up(name, me.boot)
        return mine, replicas

    def _renewed(self, mine: Mapping[str, Lease], until: float) -> None:
        """Move on what is held still; end what was lost, and forget what has ended."""
        for name, running in tuple(self._running.items()):
            hold = running.hold
            if running.task.done():
                del self._running[name]
            elif isinstance(hold, Leased) and mine.get(name) == hold.lease:
                hold.until = until
            else:
                log.warning("a lease was lost", extra={"lease": name})
                del self._running[name]
                running.task.cancel()

    async def _watch(self) -> None:
        """Beside the rounds: one that gets no answer from the store hangs for longer than a lease is good."""
        while True:
            self._expire()
            if self._shared and self._held() != self._measured:
                self._measure()
            await self._clock.sleep(LOOK)

    def _expire(self) -> None:
        for name in self._strict & self._running.keys():
            if not self._running[name].hold.valid():
                log.warning("a lease ran out", extra={"lease": name})
                self._running.pop(name).task.cancel()

    def _begin(self, group: asyncio.TaskGroup, hold: Leased | Sole) -> None:
        task = group.create_task(self._keep(hold), name=hold.name)
        self._running[hold.name] = _Running(hold, task)

    async def _keep(self, hold: Leased | Sole) -> None:
        """Run the duty; one that fails begins anew."""
        while True:
            try:
                await self._duties[hold.name](hold)
            except asyncio.CancelledError:
                self._poked.set()
                raise
            except FencedError:
                return
            except Exception:
                log.exception("a duty failed", extra={"lease": hold.name})
            await self._clock.sleep(FIRST)

    def _cede(self, running: _Running) -> None:
        if not running.ceding:
            running.ceding = True
            running.task.cancel()

    def _held(self) -> frozenset[str]:
        """What this replica acts as the owner of: a lease that could not be renewed in time may be another's."""
        running = self._running.items()
        return frozenset(name for name, each in running if each.hold.valid() and not each.task.done())

    def _measure(self) -> None:
        self._measured = self._held()
        self._meters.replicas.set(len(self.replicas))
        self._meters.owner.clear()
        for name in self._duties:
            self._meters.owner.labels(name).set(name in self._measured)
