"""What happened to one service in one region, as a pure function of time."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from bot.simulator.prometheus.profiles import Profile

MOST_KNOWN: Final = 1024
"""Moments a timeline remembers the counts of."""


@dataclass(frozen=True)
class Condition:
    """How things are from some moment on."""

    share: float
    """Of the service's whole traffic: 1 is all of it."""
    failing: float = 0.0
    """Share of requests that fail besides the usual ones."""
    slowness: float = 1.0
    """How many times slower than normal requests are."""
    alive: bool = True
    """False: nothing answers and nothing can be scraped; the share is lost."""


@dataclass(frozen=True)
class Span:
    """A condition with the counts reached when it began."""

    start: float
    condition: Condition
    requests: float = 0.0
    failures: float = 0.0
    paces: tuple[tuple[float, float], ...] = ()
    """(slowness, requests served at it)."""


class Timeline:
    """Spans without gaps from *born* on. Times are Unix seconds."""

    def __init__(self, profile: Profile, born: float, condition: Condition) -> None:
        self.profile = profile
        self.born = born
        self._spans = [Span(born, condition)]
        self._known: dict[float, Span] = {}
        """Counts by moment: thirteen buckets are asked about the same moments."""

    def change(self, at: float, condition: Condition) -> None:
        """From *at* on things are so. Nothing happens when they are so already, or for a moment in the past."""
        last = self._spans[-1]
        if condition != last.condition and at >= last.start:
            self._spans.append(replace(self._until(last, at), start=at, condition=condition))
            self._known.clear()

    def span(self, at: float) -> Span:
        return self._spans[max(bisect_right(self._spans, at, key=lambda span: span.start) - 1, 0)]

    def alive(self, at: float) -> bool:
        return at >= self.born and self.span(at).condition.alive

    def requests(self, at: float) -> float:
        """Since birth; so are all counts."""
        return self._reached(at).requests

    def failures(self, at: float) -> float:
        return self._reached(at).failures

    def within(self, bound: float, at: float) -> float:
        """Requests answered in *bound* seconds."""
        return sum(count * self.profile.within(bound, pace) for pace, count in self._reached(at).paces)

    def waited(self, at: float) -> float:
        """Seconds of latency of all requests together."""
        return self.profile.mean_latency * sum(count * pace for pace, count in self._reached(at).paces)

    def _reached(self, at: float) -> Span:
        known = self._known.get(at)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[at] = self._until(self.span(at), max(at, self.born))
        return known

    def _until(self, span: Span, at: float) -> Span:
        """The counts of *span* as they are at *at*."""
        now, profile = span.condition, self.profile
        share = now.share if now.alive else 0.0
        requests = share * profile.requests.total(span.start, at)
        usual = share * profile.failures.total(span.start, at)
        paces = dict(span.paces)
        paces[now.slowness] = paces.get(now.slowness, 0.0) + requests
        failures = span.failures + usual + now.failing * requests
        return Span(span.start, now, span.requests + requests, failures, tuple(paces.items()))


class Steps:
    """A gauge as it was seen: each value holds until the next one. Before the first one, *before* tells."""

    def __init__(self, before: Callable[[float], float | None]) -> None:
        self._before = before
        self._times: list[float] = []
        self._values: list[float | None] = []

    def note(self, at: float, value: float | None) -> None:
        """*value* from *at* on; None: it is not there any more."""
        if not self._values or self._values[-1] != value:
            self._times.append(at)
            self._values.append(value)

    def forget(self, before: float) -> None:
        """Drop what was seen earlier; memory stays flat in a world that runs for days."""
        cut = bisect_right(self._times, before)
        del self._times[:cut], self._values[:cut]

    def at(self, moment: float) -> float | None:
        place = bisect_right(self._times, moment)
        return self._values[place - 1] if place else self._before(moment)
