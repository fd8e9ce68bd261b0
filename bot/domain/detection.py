"""Detection: when a region counts as lost, and when a failover is called for. Pure: looks and the time come in.

A majority has to be *seen* at each look: a look without one ends the hold, whoever fell silent, since missing data is
no vote (promise 14). A witness that has nothing to say ends nothing as long as the others are a majority without it.
Where nobody looked, over a restart, what was seen last stands for as long as a witness's word may be old
(``Pair.fresh``); after that the hold begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot.domain.codec import stored
from bot.domain.failover import Pair, Sight, lost
from bot.domain.phrases import Phrase

FLAPS, WINDOW, LONGER = 4, timedelta(minutes=30), 2
"""A majority that came or went so often within so long is flapping: it must hold so many times longer. Ours: a region
that is lost, back, lost and back within half an hour would otherwise be moved at the third loss, in the middle of it.
"""


@dataclass(frozen=True)
class View:
    """What one witness says, ``why``, and ``at`` which moment that was so; None: it says nothing."""

    sight: Sight
    why: Phrase
    at: datetime | None = None


@dataclass(frozen=True)
class Look:
    """All witnesses asked at once. ``blind``: pult reaches nothing outside, so that its own views are no vote."""

    at: datetime
    views: Mapping[str, View]
    blind: bool = False

    @property
    def sights(self) -> Mapping[str, Sight]:
        return {name: view.sight for name, view in self.views.items()}


@dataclass(frozen=True)
class Voice:
    """One witness over time: what it says, since when, and why."""

    name: str
    sight: Sight
    since: datetime
    why: Phrase


@dataclass(frozen=True)
class Vigil:
    """The watch over one region as it stands, kept over restarts.

    ``at``: the last look. ``since``: from then on a majority was seen at each look that it is lost; None: it is not.
    ``turns``: when that came and went, within WINDOW. ``called``: when a failover was first called for in this loss,
    which ends when a majority sees the region up again; ``operation``: what pult proposed for it.
    """

    at: datetime
    voices: tuple[Voice, ...] = ()
    since: datetime | None = None
    turns: tuple[datetime, ...] = ()
    blind: bool = False
    called: datetime | None = None
    operation: str = ""

    @property
    def sights(self) -> tuple[Sight, ...]:
        return tuple(voice.sight for voice in self.voices)


@dataclass(frozen=True)
class Last:
    """The last move, or drill, that ran: how it ended, and when it was begun and ended."""

    operation: str
    kind: str
    outcome: str
    began: datetime
    ended: datetime


@dataclass(frozen=True)
class Past:
    """What operations left: ``last``, the last failover or failback that ran; ``drill``; the region that ``serves``
    since, empty: as configured. ``live``: a move that waits or is under way.
    """

    last: Last | None = None
    drill: Last | None = None
    serves: str = ""
    live: str = ""


@dataclass(frozen=True)
class Stands:
    """The database as it stands: ``lag`` in seconds, None: unknown. ``promoted``: the other server is a primary."""

    primary: str
    lag: float | None
    fenced: bool
    promoted: bool


class Stage(StrEnum):
    """How far a loss is from a failover."""

    UP = "up"
    """A majority sees the region up."""
    UNSURE = "unsure"
    """No majority for either."""
    DOUBTED = "doubted"
    """A majority sees it lost, not long enough."""
    COOLING = "cooling"
    """It is lost, and a move ended too short a time ago."""
    CALLED = "called"
    """A failover is called for."""
    MOVED = "moved"
    """The other region serves already: nothing is left to detect."""


def followed(before: Vigil | None, look: Look, pair: Pair) -> Vigil:
    """The watch after one more *look*."""
    gone, was = lost(look.sights.values()), bool(before and before.since)
    if before is None or look.at - before.at > pair.fresh:  # nobody saw what was in between
        before = replace(before, since=None, voices=()) if before else Vigil(look.at)
    known = {voice.name: voice for voice in before.voices}
    turns = (*before.turns, look.at) if gone != was else before.turns
    now = Vigil(
        at=look.at,
        voices=tuple(_voice(name, view, look.at, known.get(name)) for name, view in look.views.items()),
        since=(before.since or look.at) if gone else None,
        turns=tuple(turn for turn in turns if look.at - turn <= WINDOW),
        blind=look.blind, called=before.called, operation=before.operation,
    )  # fmt: skip
    return replace(now, called=None, operation="") if back(now) else now


def back(vigil: Vigil) -> bool:
    """Whether a strict majority of all witnesses sees the region up."""
    return vigil.sights.count(Sight.UP) * 2 > len(vigil.sights)


def stage(vigil: Vigil, pair: Pair, past: Past) -> Stage:
    """How far it has come, as of its last look."""
    if past.serves == pair.target:
        return Stage.MOVED
    if vigil.since is None:
        return Stage.UP if back(vigil) else Stage.UNSURE
    if vigil.at - vigil.since < hold(vigil, pair):
        return Stage.DOUBTED
    ends = cools(past, pair)
    return Stage.COOLING if ends and vigil.at < ends else Stage.CALLED


def hold(vigil: Vigil, pair: Pair) -> timedelta:
    """How long the majority must last."""
    return pair.hold * (LONGER if flapping(vigil) else 1)


def flapping(vigil: Vigil) -> bool:
    return len(vigil.turns) >= FLAPS


def cools(past: Past, pair: Pair) -> datetime | None:
    """Until when no failover is proposed, since one ended; None: none ever ran."""
    return past.last.ended + pair.cooldown if past.last else None


def nearby(vigil: Vigil, pair: Pair) -> bool:
    """Whether all who see it lost look from where pult stands: then it may be the way there that is broken."""
    own = {witness.name for witness in pair.witnesses if witness.own}
    said = {voice.name for voice in vigil.voices if voice.sight is Sight.LOST}
    return bool(said) and said <= own


@dataclass(frozen=True)
class Report:
    """What the card of a lost region shows. ``stands`` None: the database's API does not answer.

    ``since``: the majority's; None: there is none at the moment. ``nearby``: all who see it lost look from where pult
    stands. ``hindered``: why pult could not propose a failover.
    """

    source: str
    target: str
    stage: Stage
    voices: tuple[Voice, ...]
    since: datetime | None
    hold: timedelta
    rpo: timedelta
    turns: int = 0
    nearby: bool = False
    stands: Stands | None = None
    on_call: str = ""
    operation: str = ""
    cools: datetime | None = None
    hindered: Phrase | None = None

    def repeats(self, before: Report) -> bool:
        """Whether it says what *before* said: a lag that grows, and no more than may be lost, is no news."""
        return replace(self, stands=self._coarse()) == replace(before, stands=before._coarse())

    def _coarse(self) -> Stands | None:
        if self.stands is None or self.stands.lag is None:
            return self.stands
        return replace(self.stands, lag=float(self.stands.lag > self.rpo.total_seconds()))


def told(voices: Iterable[Voice]) -> tuple[tuple[str, Sight], ...]:
    """What makes a watch news to a reader: who says what."""
    return tuple((voice.name, voice.sight) for voice in voices)


def _voice(name: str, view: View, at: datetime, before: Voice | None) -> Voice:
    if before is not None and before.sight is view.sight:
        same = before.why.text == view.why.text  # what only counts on is no news
        return before if same else replace(before, why=view.why)
    return Voice(name, view.sight, view.at or at, view.why)


stored(Sight, Stage, Stands, Voice, Vigil, Last, Report)
