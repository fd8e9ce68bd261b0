"""Faults: what is broken now, on whose order, and until when."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

REGIONS: Final = ("nyc2", "sfo3")
SERVICES: Final = ("api", "bots", "worker", "web")
PLACES: Final = ("us_east", "us_west", "eu_west", "se_asia")
"""Where uptime checks look from (digitalocean/openapi, uptime/models/check.yml)."""
NODES: Final = tuple(f"{region}-pool-a-{number}" for region in REGIONS for number in (1, 2, 3))
SURFACES: Final = (
    "prometheus", "alertmanager", "loki", "kubernetes", "github", "registry", "digitalocean", "slack", "telegram"
)  # fmt: skip

TARGETS: Final[Mapping[str, tuple[str, ...]]] = {
    "region_down": REGIONS,
    "node_down": NODES,
    "slow": SURFACES,
    "ratelimit": SURFACES,
    "error": SURFACES,
    "drop": SURFACES,
    "errors": SERVICES,
    "latency": SERVICES,
    "bad_release": SERVICES,
    "place_down": PLACES,
}
"""Every fault, and what it may strike. A surface may be struck in part: ``digitalocean:/domains`` is what begins so.

* region_down: a region's cluster, traffic and metrics are dead
* node_down: a node of a region's cluster stops answering; its pods are not ready
* slow, ratelimit, error, drop: one surface answers late, with 429, with 503 (or the 5xx in *value*), not at all
* errors, latency: requests to a service fail, are slow, in every region
* bad_release: whatever is rolled out for a service from now on fails requests, as api 1.8.1 always does
* place_down: a place of the uptime check reaches nothing, and says that what it checks is down
"""

DEFAULT_VALUE: Final[Mapping[str, float]] = {"errors": 0.08, "latency": 4.0, "bad_release": 0.08, "error": 503}
"""``errors`` and ``bad_release``: share of failed requests; ``latency``: how many times slower requests are; ``error``:
the status that is answered.
"""
DEFAULT_DELAY: Final = 2.0
"""Seconds that ``slow`` adds to each answer."""


@dataclass(frozen=True)
class Fault:
    """One trouble on one target, from *since* up to *until* (None: until cleared)."""

    fault: str
    target: str
    since: datetime
    until: datetime | None
    value: float
    """See DEFAULT_VALUE; 0 for faults without a size."""
    delay: float
    """Seconds; used by ``slow``."""

    def on(self, moment: datetime) -> bool:
        return self.since <= moment and (self.until is None or moment < self.until)


class Faults:
    """The faults of one world. Ended ones are kept: the metrics remember them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.history: list[Fault] = []

    def active(self, fault: str, target: str) -> Fault | None:
        """The newest such fault that is on, or None."""
        return self.at(fault, target, self._now())

    def striking(self, fault: str, surface: str, path: str) -> Fault | None:
        """The newest such fault that is on for the whole *surface*, or for what *path* (within it) begins with."""
        now = self._now()
        same = (one for one in reversed(self.history) if one.fault == fault and one.on(now))
        return next((one for one in same if _struck(one.target, surface, path)), None)

    def at(self, fault: str, target: str, moment: datetime) -> Fault | None:
        """The newest such fault that was on at *moment*, or None."""
        same = (one for one in reversed(self.history) if (one.fault, one.target) == (fault, target))
        return next((one for one in same if one.on(moment)), None)

    def listed(self) -> list[Fault]:
        """What is on now, oldest first."""
        now = self._now()
        return [one for one in self.history if one.on(now)]

    def start(
        self,
        fault: str,
        target: str,
        seconds: float | None = None,
        *,
        value: float | None = None,
        delay: float = DEFAULT_DELAY,
    ) -> Fault:
        """Switch a fault on, in place of the same one on that target. ValueError says what is wrong with the words."""
        _check(fault, target)
        _check_numbers(seconds, value, delay)
        self.stop(fault, target)
        now = self._now()
        until = None if seconds is None else now + timedelta(seconds=seconds)
        size = DEFAULT_VALUE.get(fault, 0.0) if value is None else value
        started = Fault(fault, target, now, until, size, delay)
        self.history.append(started)
        return started

    def stop(self, fault: str, target: str) -> bool:
        """Switch one off; False when it was not on."""
        return self._end(lambda one: (one.fault, one.target) == (fault, target))

    def clear(self) -> None:
        """Switch everything off."""
        self._end(lambda _: True)

    def _end(self, chosen: Callable[[Fault], bool]) -> bool:
        now = self._now()
        ending = [place for place, one in enumerate(self.history) if one.on(now) and chosen(one)]
        for place in ending:
            old = self.history[place]
            self.history[place] = Fault(old.fault, old.target, old.since, now, old.value, old.delay)
        return bool(ending)


def _struck(target: str, surface: str, path: str) -> bool:
    name, _, prefix = target.partition(":")
    return name == surface and path.startswith(prefix)


def _check(fault: str, target: str) -> None:
    if fault not in TARGETS:
        raise ValueError(f"There is no fault {fault!r}; there are {', '.join(TARGETS)}.")
    name, colon, prefix = target.partition(":")
    partly = TARGETS[fault] == SURFACES and name in SURFACES and bool(colon) and prefix.startswith("/")
    if target not in TARGETS[fault] and not partly:
        raise ValueError(f"The fault {fault!r} cannot strike {target!r}; it strikes {', '.join(TARGETS[fault])}.")


def _check_numbers(seconds: float | None, value: float | None, delay: float) -> None:
    numbers = {"seconds": seconds, "value": value, "delay": delay}
    for name, number in numbers.items():
        if number is not None and not (math.isfinite(number) and number >= 0):
            raise ValueError(f"{name} must be a number of zero or more.")
