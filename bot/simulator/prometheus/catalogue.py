"""Every series of the department, and how selectors find them."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

from bot.simulator.faults import REGIONS
from bot.simulator.prometheus.containers import Told, containers
from bot.simulator.prometheus.history import History
from bot.simulator.prometheus.profiles import BOUNDS, NOT_FOUND
from bot.simulator.prometheus.series import Series
from bot.simulator.prometheus.timeline import Timeline
from bot.simulator.prometheus.values import NAME, Labels, labels

LOOKBACK: Final = 300.0
"""Seconds for which the last sample still answers, as in Prometheus."""
PROBERS: Final = ("ams3", "fra1", "tor1")
"""Places outside both regions that try to reach them."""
Read = Callable[[float], float | None]


class Catalogue:
    """Series over one history. *now* bounds them: the future has no samples."""

    def __init__(self, history: History, now: Callable[[], datetime]) -> None:
        self._history = history
        self._now = now
        self.series = tuple(self._all())

    def select(self, matches: Callable[[Labels], bool]) -> list[Series]:
        return [series for series in self.series if matches(series.labels)]

    def _all(self) -> Iterator[Series]:
        for (service, region), timeline in self._history.timelines.items():
            place = {"job": service, "service": service, "region": region}
            yield from self._requests(timeline, place)
            yield from self._latency(timeline, place)
            yield self._gauge("up", place, _up(timeline))
            yield from self._pods(service, region)
        for region, steps in self._history.reachable.items():
            for prober in PROBERS:
                yield self._gauge("probe_success", {"job": "blackbox", "region": region, "prober": prober}, steps.at)
        yield from self._freshness()
        for told in containers(self._history):
            if isinstance(told, Told):
                yield self._gauge(told.name, told.place, told.read)
            else:
                yield self._counter(told.name, told.place, told.timeline, told.count, whole=False)
        replica = {"job": "postgres", "cluster": "db-nyc2", "replica": "db-sfo3", "region": REGIONS[1]}
        yield self._gauge("pg_replication_lag_seconds", replica, self._history.lag.at)

    def _requests(self, timeline: Timeline, place: dict[str, str]) -> Iterator[Series]:
        def missing(at: float) -> float:
            return timeline.requests(at) * NOT_FOUND

        def good(at: float) -> float:
            return timeline.requests(at) - missing(at) - timeline.failures(at)

        for code, count in (("200", good), ("404", missing), ("500", timeline.failures)):
            yield self._counter("http_requests_total", place | {"code": code}, timeline, count)

    def _latency(self, timeline: Timeline, place: dict[str, str]) -> Iterator[Series]:
        name = "http_request_duration_seconds"
        for text in BOUNDS:
            bound = math.inf if text == "+Inf" else float(text)
            count = _within(timeline, bound)
            yield self._counter(f"{name}_bucket", place | {"le": text}, timeline, count)
        yield self._counter(f"{name}_count", place, timeline, timeline.requests)
        yield self._counter(f"{name}_sum", place, timeline, timeline.waited, whole=False)

    def _pods(self, service: str, region: str) -> Iterator[Series]:
        place = {"job": "kube-state-metrics", "region": region, "namespace": "production"}
        restarts = self._history.restarts[service, region]
        ready = self._history.ready[service, region]
        pods = place | {"service": service, "container": service}
        yield self._gauge("kube_pod_container_status_restarts_total", pods, restarts.at)
        deployment = place | {"service": service, "deployment": service}
        yield self._gauge("kube_deployment_status_replicas_available", deployment, ready.at)

    def _freshness(self) -> Iterator[Series]:
        for region in REGIONS:
            place = {"job": "bots", "service": "bots", "region": region}
            timeline = self._history.timelines["bots", region]
            yield self._gauge("bot_oldest_unprocessed_seconds", place, _oldest(timeline))

    def _counter(
        self,
        name: str,
        place: dict[str, str],
        timeline: Timeline,
        count: Callable[[float], float],
        *,
        whole: bool = True,
    ) -> Series:
        def read(at: float) -> float | None:
            if not timeline.alive(at):
                return None
            return float(math.floor(count(at))) if whole else count(at)

        return Series(labels(place | {NAME: name}), self._past(read), lambda at: count(min(at, self._present())))

    def _gauge(self, name: str, place: dict[str, str], read: Read) -> Series:
        return Series(labels(place | {NAME: name}), self._past(read))

    def _past(self, read: Read) -> Read:
        def bounded(at: float) -> float | None:
            present = self._present()
            return read(min(at, present)) if at <= present + LOOKBACK else None

        return bounded

    def _present(self) -> float:
        return self._now().timestamp()


def _within(timeline: Timeline, bound: float) -> Callable[[float], float]:
    return lambda at: timeline.within(bound, at)


def _up(timeline: Timeline) -> Read:
    return lambda at: float(timeline.alive(at)) if at >= timeline.born else None


def _oldest(timeline: Timeline) -> Read:
    """Age of the oldest unprocessed message: a few seconds, and growing while requests fail."""

    def read(at: float) -> float | None:
        if not timeline.alive(at):
            return None
        span = timeline.span(at)
        usual = (2.0 + 1.5 * math.sin(at / 47)) * span.condition.slowness
        return usual + (at - span.start if span.condition.failing >= 0.01 else 0.0)

    return read


def matcher(op: str, name: str, value: str) -> Callable[[Labels], bool]:
    """A test for one matcher of a selector; *op* is ``=``, ``!=``, ``=~`` or ``!~``. ValueError: bad expression."""
    if op in ("=~", "!~"):
        try:
            pattern = re.compile(value)
        except re.error as error:
            raise ValueError(f"error parsing regexp: {error}: `^(?:{value})$`") from error
        return lambda given: bool(pattern.fullmatch(dict(given).get(name, ""))) == (op == "=~")
    return lambda given: (dict(given).get(name, "") == value) == (op == "=")


def every(tests: Iterable[Callable[[Labels], bool]]) -> Callable[[Labels], bool]:
    chosen = tuple(tests)
    return lambda given: all(test(given) for test in chosen)
