"""Trouble in the clusters, as pult's own alerts: one for each workload and kind of trouble, over when it is seen over.

What a watch that is not live might show is unknown: it raises nothing and ends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.domain.alerts import CRITICAL, OWN, WARNING, Group
from bot.domain.services import Catalogue
from bot.domain.sights import Kind, Place
from bot.domain.trouble import REMEMBERED, Finding, Trouble
from bot.domain.watched import JUDGED, MARKED, Watch, home, told_elsewhere
from bot.ports.clock import Clock
from bot.ports.schedules import Periodic
from bot.ports.store import Store, Tx
from bot.ports.watching import Seen, State, Watching
from handlers.alerting import own
from handlers.alerting.rules import Rules

EVERY = 2.0
AGAIN = timedelta(minutes=1)
"""So long nothing is written while nothing changes: then it is held against what the store says fires."""
Told = dict[str, tuple[Trouble, Mapping[str, str], bool]]
"""By key: the trouble, the labels of its alert, and whether it is firm."""
Known = frozenset[tuple[Place, bool]]
"""The places that are seen now, and whether their past is known: with either something may be over."""


class Warden:
    """Compares what the watches show with what fires. ``known``: the services, and the region of each cluster."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        rules: Rules,
        watching: Watching,
        watch: Watch,
        known: tuple[Catalogue, Mapping[str, str]],
    ) -> None:
        self._store, self._clock, self._rules, self._watching, self._watch = store, clock, rules, watching, watch
        self._services, self._regions = known
        self._last: tuple[Told, Known] | None = None
        self._at = clock.now() - AGAIN

    def duty(self) -> Periodic:
        """Every two seconds: from a change to its alert it is less than ten."""
        return Periodic("watch", EVERY, self.round)

    async def round(self) -> None:
        """Look, and write only what is news."""
        now, seen = self._clock.now(), self._watching.seen()
        found = self._found(seen)
        known = self._known(seen, now)
        if (found, known) == self._last and now - self._at < AGAIN:
            return
        await self._store.write(lambda tx: self._write(tx, found, seen, now))
        self._last, self._at = (found, known), now

    def _known(self, seen: Mapping[Place, Seen], now: datetime) -> Known:
        return frozenset((place, self._remembers(one, now)) for place, one in seen.items() if one.state is State.LIVE)

    def _remembers(self, one: Seen, now: datetime) -> bool:
        """Whether what was, for as long as any judgement asks, was seen."""
        return one.since is not None and now - one.since >= self._watch.limits.within

    def _found(self, seen: Mapping[Place, Seen]) -> Told:
        told: Told = {}
        for place, one in seen.items():
            for finding in one.findings:
                labels = self._labels(place, finding)
                told[key(labels)] = (finding.trouble, labels, finding.firm)
        return told

    def _labels(self, place: Place, finding: Finding) -> dict[str, str]:
        lives = home(self._services, place, finding.owner)
        severity = self._watch.severities.get(finding.trouble, WARNING)
        if severity == CRITICAL and not (lives and lives[1] in lives[0].production):
            severity = WARNING
        where = {"environment": lives[1].name} if lives else {}
        return {
            "alertname": finding.trouble.value, "severity": severity,
            "service": lives[0].name if lives else finding.owner.name, "cluster": place.cluster,
            "region": self._regions.get(place.cluster, place.cluster), "namespace": place.namespace,
            MARKED: str(finding.owner), **where, **finding.told,
        }  # fmt: skip

    def _write(self, tx: Tx, found: Told, seen: Mapping[Place, Seen], now: datetime) -> None:
        groups = tx.open_groups()
        mine = {key(labels): labels for group in groups if (labels := marked(group))}
        for name, (trouble, labels, firm) in found.items():
            if name in mine:
                if firm:
                    own.tells(tx, self._rules, name, labels, now)
            elif firm and not told_elsewhere(groups, trouble, labels):
                own.fires(tx, self._rules, name, labels, now)
        for name, labels in mine.items():
            if name not in found and self._ended(labels, seen, now):
                own.over(tx, self._rules, name, now)

    def _ended(self, labels: Mapping[str, str], seen: Mapping[Place, Seen], now: datetime) -> bool:
        """Whether it is known to be over: its watch is live, or nobody wants it watched any more."""
        trouble, kind = Trouble(labels["alertname"]), labels[MARKED].partition("/")[0]
        shown = JUDGED[trouble]
        place = Place(labels["cluster"], labels["namespace"], Kind(kind) if kind in shown else shown[0])
        one = seen.get(place)
        if one is None:
            return True
        if one.state is State.ABSENT:
            return False
        return one.state is State.LIVE and (self._remembers(one, now) or trouble not in REMEMBERED)


def marked(group: Group) -> Mapping[str, str] | None:
    """The labels of an alert of pult's own about a workload; None for every other group."""
    if group.source != OWN:
        return None
    labels = next((alert.labels for alert in group.firing), {})
    known = {trouble.value for trouble in Trouble}
    return labels if MARKED in labels and labels.get("alertname") in known else None


def key(labels: Mapping[str, str]) -> str:
    """One trouble of one workload, over restarts and replicas."""
    return f"watch {labels['alertname']} {labels['cluster']}/{labels['namespace']}/{labels[MARKED]}"
