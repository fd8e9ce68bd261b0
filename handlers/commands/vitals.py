"""Whether pult sees and is heard: who is on call, the Watchdog, the canary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain import drift
from bot.domain.detection import back, hold
from bot.domain.failover import Pair
from bot.domain.phrases import Phrase, Quantity, counted, phrase, verbatim
from bot.domain.sights import Place
from bot.ports.canary import MARK, Flight
from bot.ports.silencer import MARK as RECONCILED
from bot.ports.store import Tx
from bot.ports.watching import Seen, State, Watching
from handlers.alerting import watchdog
from handlers.alerting.rules import Rules, shifts_now
from handlers.operating import moves
from handlers.operating.freezing import Frozen

Fact = tuple[Phrase, Phrase]
LATE = timedelta(minutes=3)
"""A canary older than this says nothing of now: it flies every minute."""


@dataclass(frozen=True)
class Part:
    """Lines of the screen. ``well``: everything in them is known, and as it should be."""

    facts: tuple[Fact, ...] = ()
    well: bool = True


@dataclass(frozen=True)
class Vitals:
    """``trouble``: destinations that can't be delivered to now, each with the reason. ``frozen``: what freezes what."""

    rules: Rules
    trouble: Callable[[], Mapping[str, Phrase]]
    frozen: Frozen
    watching: Watching
    pair: Pair | None = None

    def read(self, tx: Tx, now: datetime) -> Part:
        """One line each."""
        parts = (
            _on_call(tx, self.rules, now),
            _monitoring(tx, self.rules, now),
            _canary(tx, now),
            _truth(tx, now),
            _drift(tx, now),
            _watched(self.watching.seen()),
            _replicas(tx),
            _region(tx, self.pair, now) if self.pair else Part(),
        )
        return Part(tuple(fact for part in parts for fact in part.facts), all(part.well for part in parts))


def _replicas(tx: Tx) -> Part:
    """Who is alive, where there may be several."""
    alive = tx.replicas()
    if not alive:
        return Part()
    return Part(((phrase("pult's replicas"), verbatim(", ".join(each.name for each in alive))),))


def _on_call(tx: Tx, rules: Rules, now: datetime) -> Part:
    shifts = shifts_now(tx, rules, now)
    if not shifts:
        return Part(((phrase("On call"), phrase("nobody")),), well=False) if rules.staffed else Part()
    people = ", ".join(shift.person for shift in shifts)
    told = phrase("{people} until {at}", people=people, at=min(shift.ends for shift in shifts))
    return Part(((phrase("On call"), told),))


def _monitoring(tx: Tx, rules: Rules, now: datetime) -> Part:
    """The Watchdog that was heard longest ago; without one nobody knows whether silence means peace."""
    clocks = tx.timers(watchdog.KIND)
    if not clocks:
        return Part(((phrase("Watchdog"), phrase("never heard")),), well=False)
    heard = clocks[0].at - rules.watchdog
    return Part(((phrase("Watchdog"), phrase("heard {length} ago", length=max(now - heard, timedelta()))),))


def _canary(tx: Tx, now: datetime) -> Part:
    mark = tx.mark(MARK)
    if mark is None:
        return Part()
    flight = Flight(*mark)
    name = phrase("Webhook to chat")
    if flight.why:
        return Part(((name, phrase("broken: {why}", why=flight.why)),), well=False)
    if now - flight.at > LATE:
        return Part(((name, phrase("unknown: the canary has not flown since {at}", at=flight.at)),), well=False)
    return Part(((name, phrase("{seconds}", seconds=Quantity(flight.seconds * 1000, "ms", 0))),))


def _truth(tx: Tx, now: datetime) -> Part:
    """Whether what is shown was held against Alertmanager's own belief a moment ago."""
    mark = tx.mark(RECONCILED)
    if mark is None:
        return Part()
    at, answering, size = mark
    name = phrase("Alertmanager")
    if answering == 0:
        return Part(((name, phrase("does not answer: alerts are shown as they were told last")),), well=False)
    ago = max(now - at, timedelta())
    told = phrase("{n} of {size} answer, compared {ago} ago", n=answering, size=size, ago=ago)
    return Part(((name, told),), well=answering == size and ago <= LATE)


def _drift(tx: Tx, now: datetime) -> Part:
    """Whether environments run what they should; one that can't be read is not known to be well."""
    mark = tx.mark(drift.MARK)
    if mark is None:
        return Part()
    at, places = mark
    name = phrase("Drift")
    if now - at > LATE:
        return Part(((name, phrase("unknown: not looked at since {at}", at=at)),), well=False)
    states = Counter(sight.state for sight in places.values())
    differ, unknown = states[drift.Likeness.DIFFERS], states[drift.Likeness.UNKNOWN]
    if not differ and not unknown:
        return Part(((name, counted("none in {n} environment", "none in {n} environments", len(places))),))
    told = phrase(
        "{differ} of {n} environments differ, {unknown} unknown", differ=differ, n=len(places), unknown=unknown
    )
    return Part(((name, told),), well=False)


def _watched(seen: Mapping[Place, Seen]) -> Part:
    """Whether trouble in each cluster would be seen; one line for all that are well."""
    every = tuple(_standing(seen))
    blind = [(name, state, why) for name, state, why in every if state is not State.LIVE]
    name = phrase("Clusters watched")
    if not every:
        return Part()
    if not blind:
        return Part(((name, verbatim(", ".join(cluster for cluster, _, _ in every))),))
    return Part(tuple((name, _blind(*each)) for each in blind), well=False)


def _region(tx: Tx, pair: Pair, now: datetime) -> Part:
    """A region in trouble, one that is not watched, or that the other one serves; one that is well takes no line."""
    vigil, past = tx.mark(moves.vigil_mark(pair.source)), moves.past(tx)
    name = phrase("Region {region}", region=pair.source)
    if past.serves == pair.target:
        return Part(((name, phrase("{target} serves instead", target=pair.target)),), well=False)
    if vigil is None or now - vigil.at > LATE:
        return Part(((name, phrase("unknown: its witnesses were not asked lately")),), well=False)
    if vigil.since:
        told = phrase("a majority sees it lost since {at}, for {held} of {hold}",
                      at=vigil.since, held=max(now - vigil.since, timedelta()), hold=hold(vigil, pair))  # fmt: skip
        return Part(((name, told),), well=False)
    if not back(vigil):
        return Part(((name, phrase("unknown: no majority sees it up")),), well=False)
    return Part()


def _blind(cluster: str, state: State, why: Phrase) -> Phrase:
    match state:
        case State.REFUSED:
            return phrase("{cluster}: not wholly, since pult may not: {why}", cluster=cluster, why=why)
        case State.STARTING:
            return phrase("{cluster}: not yet, its objects are being listed", cluster=cluster)
        case _:
            return phrase("{cluster}: unknown, {why}", cluster=cluster, why=why)


def _standing(seen: Mapping[Place, Seen]) -> Iterator[tuple[str, State, Phrase]]:
    """By cluster, how well it is watched: the worst of its watches, kinds that it does not have left out."""
    worst = (State.REFUSED, State.UNKNOWN, State.STARTING, State.LIVE)
    for cluster in dict.fromkeys(place.cluster for place in sorted(seen)):
        fares = [one for place, one in seen.items() if place.cluster == cluster and one.state is not State.ABSENT]
        if fares:
            one = min(fares, key=lambda each: worst.index(each.state))
            yield cluster, one.state, one.why
