"""A version that its pipeline calls ready, proposed by pult where the environment asks for that (``on_ready``).

So no pipeline needs a person's token: its word is signed, comes in by the webhook that is open to the outside anyway,
and approves nothing. Each version is proposed once in each environment; what was dealt with stands in the store and is
written with the operation, so that a restart or another replica changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.domain.audit import own
from bot.domain.cards import Place, Wish, subject
from bot.domain.errors import TemporaryError, UserError
from bot.domain.messages import Aside, Message, Paragraph, Tone
from bot.domain.operations import Operation
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.domain.releases import READY, STAGE, Release
from bot.domain.services import Catalogue, Environment, Service
from bot.ports.clock import Clock
from bot.ports.desk import Volunteer
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from handlers.schedules import ready_told

EVERY = 5.0
PROPOSE = "propose"
RECENT = 20
"""Releases of a service that are looked at, and versions that are remembered as dealt with."""
PAUSE = timedelta(seconds=20)
"""Between two tries: each asks GitHub, the registry and the cluster."""
PATIENCE = timedelta(minutes=5)
"""How long what keeps or holds a plan may take to pass: registries lag behind, other checks of the commit end."""
LATE = timedelta(hours=1)
"""Nobody waits any more for what was ready so long ago, as when the key is switched on."""
AWAY = phrase("What has to be asked for the plan does not answer.")


@dataclass
class Proposing:
    """*plan* makes the promotion's plan. ``soak``: how long the policy wants a version to run well before.

    ``chats``: the card stands in the first; what keeps one is told in all.
    """

    store: Store
    clock: Clock
    services: Catalogue
    plan: Callable[[Service, str, Environment], Awaitable[Plan]]
    desk: Volunteer
    chats: tuple[str, ...]
    soak: timedelta = timedelta(0)
    _tried: dict[str, datetime] = field(default_factory=dict)
    """When each version was tried last, by its mark and id."""

    def duty(self) -> Periodic:
        """Looks every few seconds at what was told."""
        return Periodic("ready", EVERY, self.round)

    async def round(self) -> None:
        """Propose the newest version that is ready, wherever that is asked for."""
        for service, environment in self._asked():
            now = self.clock.now()
            told = now - self.soak
            release = await self.store.read(lambda tx, s=service, e=environment, at=told: _waiting(tx, s, e, at))  # type: ignore[misc]
            if release is not None and self._turn(environment, release, now):
                await self._propose(service, environment, release, told - _since(release) >= PATIENCE)

    def _asked(self) -> Iterator[tuple[Service, Environment]]:
        for service in self.services:
            for environment in service.environments:
                if environment.on_ready == PROPOSE:
                    yield service, environment

    def _turn(self, environment: Environment, release: Release, now: datetime) -> bool:
        key = f"{_mark(environment, release)} {release.id}"
        last = self._tried.get(key)
        if last is not None and now - last < PAUSE:
            return False
        self._tried[key] = now
        return True

    async def _propose(self, service: Service, environment: Environment, release: Release, last: bool) -> None:
        try:
            plan = await self.plan(service, release.version, environment)
            if plan.holds and not last:
                return
            await self.desk.volunteer(plan, self.chats[0], lambda tx, made: _entered(tx, environment, release, made))
        except UserError as error:
            why = error.phrase
        except TemporaryError as error:
            why = error.said or AWAY
        else:
            return
        if last:
            await self.store.write(lambda tx: self._kept(tx, environment, release, why))

    def _kept(self, tx: Tx, environment: Environment, release: Release, why: Phrase) -> None:
        """Said once: from here on people propose it."""
        if not _claimed(tx, environment, release):
            return
        now = self.clock.now()
        what = subject("notice", f"ready:{environment.name}:{release.id}")
        tx.put_message(what, _message(environment, release, why))
        for chat in self.chats:
            tx.show(Wish(what, Place(chat)), now)
        tx.append(own(now, "promote", release.id, "not proposed", why.plain()))


def _waiting(tx: Tx, service: Service, environment: Environment, at: datetime) -> Release | None:
    """The newest version called ready by *at*, unless it was dealt with; older ones are not the question any more."""
    told = [each for each in tx.releases(service.name, RECENT) if each.stage == READY]
    ready = [each for each in told if timedelta(0) <= at - _since(each) < LATE]
    newest = max(ready, key=_since, default=None)
    return newest if newest and newest.id not in _dealt(tx, environment, newest) else None


def _since(release: Release) -> datetime:
    return release.time(STAGE + READY)


def _entered(tx: Tx, environment: Environment, release: Release, made: Operation) -> bool:
    """Whether *made* is to be; GitHub is told of it then."""
    claimed = _claimed(tx, environment, release)
    if claimed:
        ready_told.follow(tx, made.id)
    return claimed


def _claimed(tx: Tx, environment: Environment, release: Release) -> bool:
    """Whether nobody else was faster; it is dealt with now."""
    dealt = _dealt(tx, environment, release)
    if release.id in dealt:
        return False
    tx.put_mark(_mark(environment, release), (*dealt, release.id)[-RECENT:])
    return True


def _dealt(tx: Tx, environment: Environment, release: Release) -> tuple[str, ...]:
    return tx.mark(_mark(environment, release)) or ()


def _mark(environment: Environment, release: Release) -> str:
    return f"ready:{release.service}:{environment.name}"


def _message(environment: Environment, release: Release, why: Phrase) -> Message:
    title = phrase(
        "{service} {version} is ready, and pult can't propose it for {environment}",
        service=release.service, version=release.version, environment=environment.name,
    )  # fmt: skip
    command = Code(f"promote {release.service} {release.version} to {environment.name}")
    return Message(title, Tone.WARNING, (Paragraph(why), Aside(phrase("{command} proposes it.", command=command))))
