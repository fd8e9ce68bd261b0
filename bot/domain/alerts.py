"""Alert groups: what a notification does to the state people see. Time-ordered, so repeats and late ones do nothing.

Per fingerprint the state follows startsAt/endsAt (a fingerprint is the same across repeats,
re-fires and Alertmanagers; a new incident shows as a new startsAt).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from bot.domain.silences import Silence

RE_FIRE_AFTER = timedelta(minutes=5)
"""A firing with the old startsAt this long after its resolve was received is a real re-fire (Prometheus keeps
ActiveAt when an alert only expired in Alertmanager), not the late word of a second Alertmanager."""

OWN = "pult"
"""The source of pult's own alerts."""
GRAFANA = "grafana"
"""The source whose alerts no Alertmanager of ours has a say in: they are silenced there."""
BLIND = {"DatasourceNoData": "NoData", "DatasourceError": "Error"}
"""Grafana's alerts about its own blindness → the state they tell of; the rule's name is their label ``rulename``."""
REASON = "grafana_state_reason"
"""Annotation that says why an alert has its state without a measurement: MissingSeries, NoData, Error, Paused…"""

WATCHDOG, CANARY = "Watchdog", "PultCanary"
NEVER = frozenset({WATCHDOG, CANARY})
"""Names of alerts that prove that the way is open; nobody is told of them."""

SAME_START = timedelta(milliseconds=1)
"""Alertmanager's API tells an alert's start to the millisecond, its webhook to the nanosecond."""

CRITICAL, WARNING = "critical", "warning"
SEVERITIES = (CRITICAL, WARNING, "info", "none")
"""From worst to mildest; an unknown or missing severity counts as warning."""


class Status(StrEnum):
    """Of an alert and of a group."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Alert:
    """One alert as its source told it last. ``ends_at`` is None while it fires."""

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None = None
    url: str = ""

    @property
    def firing(self) -> bool:
        return self.ends_at is None


@dataclass(frozen=True)
class Notification:
    """What was said of one group. ``key`` is the source's group identity; ``truncated``: alerts that were cut off.

    ``whole``: it names everything that fires, for a group of which the source's webhook had cut something off.
    """

    source: str
    key: str
    receiver: str
    labels: Mapping[str, str]
    alerts: tuple[Alert, ...]
    url: str = ""
    truncated: int = 0
    whole: bool = False


@dataclass(frozen=True)
class Ack:
    """Who holds the group, and until when the hold lasts while it still fires."""

    person: str
    at: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Silenced:
    """The silence under which every firing alert of the group is, and when it was noticed."""

    silence: Silence
    at: datetime


@dataclass(frozen=True)
class Happening:
    """One line of a group's history. ``kind`` is one of HAPPENINGS; ``who``: a person, a level, a destination."""

    at: datetime
    kind: str
    who: str = ""
    detail: str = ""


HAPPENINGS = (
    "fired", "grew", "worsened", "paged", "acked", "lapsed", "silenced", "unsilenced", "outgrew", "escalated",
    "nobody", "unanswered", "resolved",
)  # fmt: skip
REMEMBERED = 50
"""Happenings kept of one episode; of more, the first and the latest."""


@dataclass(frozen=True)
class Group:
    """One episode of an alert group, from its first firing to its last resolve.

    ``seen`` holds, per resolved fingerprint, when its resolve was received: see RE_FIRE_AFTER. ``pages``: it wakes
    people. ``told``: how many steps of the escalation were taken. ``acked_at``: when somebody first took it.
    ``happened`` counts what its ``history`` may have dropped too. ``storms`` are those that gathered it.
    ``gone``: of the alerts that were cut off, how many turned out to be over.
    """

    id: str
    key: str
    source: str
    labels: Mapping[str, str]
    alerts: Mapping[str, Alert]
    opened_at: datetime
    closed_at: datetime | None = None
    url: str = ""
    truncated: int = 0
    episode: int = 1
    previous: str = ""
    ack: Ack | None = None
    silenced: Silenced | None = None
    seen: Mapping[str, datetime] = field(default_factory=dict)
    receiver: str = ""
    pages: bool = False
    told: int = 0
    acked_at: datetime | None = None
    history: tuple[Happening, ...] = ()
    happened: int = 0
    storms: tuple[str, ...] = ()
    gone: int = 0

    @cached_property
    def firing(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in self.alerts.values() if alert.firing)

    @property
    def status(self) -> Status:
        return Status.FIRING if self.firing else Status.RESOLVED

    @cached_property
    def severity(self) -> str:
        """The highest of the firing alerts, or of all once resolved (ruling 24)."""
        return min((severity(alert) for alert in self.firing or self.alerts.values()), key=SEVERITIES.index)

    @property
    def since(self) -> datetime:
        return min(alert.starts_at for alert in self.firing or self.alerts.values())

    def lasted(self, heard: datetime) -> timedelta:
        """From its first firing to the end that its sender names; to when that was *heard* where no such end can be."""
        end = max((alert.ends_at for alert in self.alerts.values() if alert.ends_at), default=heard)
        return max((end if self.since <= end <= heard else heard) - self.since, timedelta())

    @property
    def name(self) -> str:
        """The rule's, also where Grafana can't see whether it holds."""
        alert = self.common("alertname")
        return (alert in BLIND and self.common("rulename")) or alert or "alert"

    @property
    def blind(self) -> str:
        """ "NoData" or "Error" where the group tells that a rule can't be evaluated, else empty."""
        return BLIND.get(self.common("alertname"), "")

    @property
    def unmeasured(self) -> str:
        """Why its state comes from no measurement, hence says nothing of health; empty where it does."""
        if self.blind:
            return self.blind if self.firing else ""  # over: there is data again
        reasons = (alert.annotations.get(REASON, "") for alert in self.firing or self.alerts.values())
        return next(filter(None, reasons), "")

    @property
    def service(self) -> str:
        return self.common("service") or self.common("job")

    def logged(self, at: datetime, kind: str, who: str = "", detail: str = "") -> Group:
        """The group with one more line in its history."""
        history = (*self.history, Happening(at, kind, who, detail))
        if len(history) > REMEMBERED:
            history = (history[0], *history[1 - REMEMBERED :])
        return replace(self, history=history, happened=self.happened + 1)

    def happening(self, number: int) -> Happening | None:
        """The one that was the *number*th (from 0), None when it is forgotten."""
        back = self.happened - number
        if not 1 <= back <= self.happened:
            return None
        return self.history[0] if number == 0 else self.history[-back] if back < len(self.history) else None

    def common(self, label: str) -> str:
        """The value every alert shares for *label*, or an empty string."""
        values = {alert.labels.get(label, "") for alert in self.firing or self.alerts.values()}
        return values.pop() if len(values) == 1 else ""


def severity(alert: Alert) -> str:
    """The alert's level, folded to one of SEVERITIES."""
    word = alert.labels.get("severity", "").lower()
    match word:
        case "critical" | "page" | "error" | "fatal" | "emergency":
            return CRITICAL
        case "info" | "none":
            return word
        case _:
            return WARNING


def alias(source: str, receiver: str, labels: Mapping[str, str]) -> str:
    """The key of a group that pult found by itself: the sender's own key can't be known before it speaks of it."""
    return f"{source} {receiver} {sorted(labels.items())}"


def fold(group: Group | None, told: Notification, now: datetime, new_id: str) -> Group | None:
    """The group after *told*; the same object when nothing a reader sees changed; None when there is nothing to show.

    A group that fires again after it closed becomes a new episode that names the old one (ruling 10).
    """
    open_group = group if group and group.closed_at is None else None
    stale = group.alerts if group and open_group is None else {}
    fresh = [_placed(alert, group) for alert in told.alerts if _news(alert, group, now)]
    if open_group is None:
        firing = [alert for alert in fresh if alert.firing]
        if not firing:
            return group
        kept = {alert.fingerprint: alert for alert in fresh if alert.fingerprint not in stale or alert.firing}
        return Group(
            new_id, told.key, told.source, told.labels, kept, now, url=told.url, truncated=told.truncated,
            episode=group.episode + 1 if group else 1, previous=group.id if group else "",
            seen={alert.fingerprint: now for alert in kept.values() if not alert.firing}, receiver=told.receiver,
        )  # fmt: skip
    alerts = {**open_group.alerts, **{alert.fingerprint: alert for alert in fresh}}
    truncated, gone = _hidden(open_group, told, len(alerts))
    if not fresh and truncated == open_group.truncated:
        return open_group
    seen = {**open_group.seen, **{alert.fingerprint: now for alert in fresh if not alert.firing}}
    merged = replace(open_group, alerts=alerts, truncated=truncated, gone=gone, seen=seen)
    return merged if merged.firing else replace(merged, closed_at=now)


def _hidden(group: Group, told: Notification, known: int) -> tuple[int, int]:
    """How many alerts nobody has named yet, and how many will never be: they were over before they could be.

    A repeat of the webhook counts those again, so that without the second figure it would undo the completion.
    """
    if told.whole:
        return 0, max(0, len(group.alerts) + group.truncated + group.gone - known)
    if not told.truncated:
        return 0, group.gone
    return max(0, len(told.alerts) + told.truncated - known - group.gone), group.gone


def _news(told: Alert, group: Group | None, now: datetime) -> bool:
    """Whether *told* moves this fingerprint forward in time, or changes words that a reader sees."""
    known = group.alerts.get(told.fingerprint) if group else None
    if known is None or group is None:
        return True
    if abs(told.starts_at - known.starts_at) >= SAME_START:
        return told.starts_at > known.starts_at or _ends(told, known)
    if known.ends_at is not None and told.firing:
        received = group.seen.get(told.fingerprint) or group.closed_at
        return received is not None and now - received >= RE_FIRE_AFTER
    if told.ends_at is not None:
        return known.ends_at is None
    return (told.labels, told.annotations) != (known.labels, known.annotations)


def _ends(told: Alert, known: Alert) -> bool:
    """Whether *told*, which began earlier, is the end of the incident that is *known* to fire.

    Of two Prometheus that saw it begin at different times Alertmanager keeps the earlier start, also later on. An
    incident that was over before the known one began is another.
    """
    return known.ends_at is None and told.ends_at is not None and told.ends_at > known.starts_at


def _placed(told: Alert, group: Group | None) -> Alert:
    """*told* with the latest start that was heard of its incident, else a late word of that one were a new one."""
    known = group.alerts.get(told.fingerprint) if group else None
    return replace(told, starts_at=known.starts_at) if known and told.starts_at < known.starts_at else told
