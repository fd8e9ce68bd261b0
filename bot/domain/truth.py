"""Reconciling: what pult shows, held against what the members of the Alertmanager cluster believe.

A webhook may be lost, and a resolve may never be told (the alert was silenced, a member restarted). What no member
holds any more is a ghost; what any of them holds and nobody was told of is missing. A member that has just started, or
that hears of no Prometheus, believes too little: its word counts for what is there, not for what is absent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from bot.domain.alerts import NEVER, WATCHDOG, Alert, Group, Notification, alias
from bot.domain.codec import stored
from bot.domain.silences import Silence
from bot.domain.testimony import Believed, BelievedGroup, Testimony

SOURCE = "alertmanager"
SETTLED = timedelta(minutes=5)
"""A member that has been up for less may not have heard yet of all that fires: Prometheus repeats every minute."""
WATCHED = timedelta(hours=1)
"""Where a Watchdog was heard in this time, a member without one gets nothing from Prometheus."""
YOUNG = timedelta(minutes=2)
"""What fires for less is left to the webhook, which waits for others of the group."""
FRESH = timedelta(minutes=1)
"""A silence made or ended this lately may not have come round to every member."""
SAME_END = timedelta(seconds=1)
URLS = 20
"""External URLs remembered as this cluster's: a member's may change with each start."""


@dataclass(frozen=True)
class Suspects:
    """What one round noticed; the next acts on what it notices again.

    ``ghosts``: group id and fingerprint. ``missing``: receiver and fingerprint. ``urls``: external URLs of groups that
    a member held, hence of this cluster; the latest last.
    """

    ghosts: tuple[tuple[str, str], ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    urls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Findings:
    """What is to be done.

    The notifications are for the intake: ``ghosts`` resolve, ``missing`` raise, ``completed`` name everything of a
    group that was cut off. ``silenced``: by group id, the silence it is under now, where pult does not know that yet.
    ``unsilenced``: ids of groups that are under none any more.
    """

    ghosts: tuple[Notification, ...] = ()
    missing: tuple[Notification, ...] = ()
    completed: tuple[Notification, ...] = ()
    silenced: Mapping[str, Silence] = field(default_factory=dict)
    unsilenced: tuple[str, ...] = ()
    suspects: Suspects = field(default_factory=Suspects)


def compare(
    groups: Iterable[Group],
    testimonies: Iterable[Testimony],
    before: Suspects,
    receivers: frozenset[str],
    watchdog_at: datetime | None,
    now: datetime,
) -> Findings:
    """One round. *groups*: those that are open, and those that closed in the last RE_FIRE_AFTER.

    *receivers*: those that post to pult. *watchdog_at*: when a Watchdog was heard last. Where no member
    answers nothing is known: nothing is found, and nothing is suspected any longer.
    """
    court = Court(tuple(testimonies), watchdog_at, now)
    ours = tuple(group for group in groups if group.source == SOURCE)
    if not court.testimonies:
        return Findings(suspects=Suspects(urls=before.urls))
    urls = _learnt(court, ours, before.urls)
    ghosts = _ghosts(court, ours, urls)
    gone = ghosts & set(before.ghosts)
    completed = {group.key: _completed(court, group) for group in ours if group.truncated and group.closed_at is None}
    found = {key: told for key, told in completed.items() if told is not None}
    missing = _missing(court, ours, receivers, found.values())
    raised = {seen: told for seen, told in missing.items() if seen in before.missing}
    silenced, unsilenced = _silences(court, ours)
    return Findings(
        _resolved(ours, gone, now), _raised(ours, raised.values()), tuple(found.values()), silenced, unsilenced,
        Suspects(tuple(sorted(ghosts - gone)), tuple(sorted(missing.keys() - raised.keys())), urls),
    )  # fmt: skip


@dataclass(frozen=True)
class Court:
    """The testimonies of those who answered, weighed."""

    testimonies: tuple[Testimony, ...]
    watchdog_at: datetime | None
    now: datetime

    @cached_property
    def held(self) -> Mapping[str, tuple[Believed, ...]]:
        """What any member holds, by fingerprint, in all its words."""
        held: dict[str, list[Believed]] = defaultdict(list)
        for told in self.testimonies:
            for each in told.held():
                held[each.alert.fingerprint].append(each)
        return {name: tuple(words) for name, words in held.items()}

    @cached_property
    def credible(self) -> tuple[Testimony, ...]:
        """Members whose word on absence counts."""
        return tuple(told for told in self.testimonies if self._credible(told))

    @cached_property
    def silences(self) -> Mapping[str, Silence]:
        """Those in force. Of a silence that two members tell differently the earlier end holds: it may be ended early,
        and is never revived under its id."""
        told: dict[str, Silence] = {}
        for silence in (each for one in self.testimonies for each in one.silences):
            known = told.get(silence.id)
            told[silence.id] = silence if known is None or silence.ends_at < known.ends_at else known
        return {name: each for name, each in told.items() if each.starts_at <= self.now < each.ends_at}

    def groups(self) -> Iterator[BelievedGroup]:
        for told in self.testimonies:
            yield from told.groups

    def _credible(self, told: Testimony) -> bool:
        if told.up_since is None or self.now - told.up_since < SETTLED:
            return False
        names = {each.alert.labels.get("alertname") for each in told.held()}
        watched = self.watchdog_at is not None and self.now - self.watchdog_at <= WATCHED
        return WATCHDOG in names if watched else bool(names) or not self.held


def _learnt(court: Court, groups: Iterable[Group], known: tuple[str, ...]) -> tuple[str, ...]:
    held = (group for group in groups if any(each.fingerprint in court.held for each in group.firing))
    seen = tuple(dict.fromkeys(group.url for group in held if group.url))
    return (*(url for url in known if url not in seen), *seen)[-URLS:]


def _ghosts(court: Court, groups: Iterable[Group], urls: tuple[str, ...]) -> set[tuple[str, str]]:
    """Firing here, held by nobody. A group from an Alertmanager that is not of this cluster is none of its business."""
    if not court.credible:
        return set()
    return {
        (group.id, alert.fingerprint)
        for group in groups
        if not (urls and group.url and group.url not in urls)
        for alert in group.firing
        if alert.fingerprint not in court.held and alert.labels.get("alertname") not in NEVER
    }


def _resolved(groups: Iterable[Group], gone: set[tuple[str, str]], now: datetime) -> tuple[Notification, ...]:
    words = (
        (group, tuple(replace(alert, ends_at=now) for alert in group.firing if (group.id, alert.fingerprint) in gone))
        for group in groups
    )
    return tuple(_of(group, alerts) for group, alerts in words if alerts)


def _of(group: Group, alerts: tuple[Alert, ...], *, whole: bool = False) -> Notification:
    return Notification(SOURCE, group.key, group.receiver, group.labels, alerts, group.url, whole=whole)


def _tellable(court: Court, group: BelievedGroup) -> Iterator[Alert]:
    """What people should know of: not what any member says is suppressed."""
    for each in group.alerts:
        words = court.held[each.alert.fingerprint]
        if each.alert.labels.get("alertname") not in NEVER and not any(word.suppressed for word in words):
            yield each.alert


def _same(group: Group, told: BelievedGroup) -> bool:
    """A group that an earlier version stored knows its labels, not its receiver."""
    return group.receiver in {told.receiver, ""} and dict(group.labels) == dict(told.labels)


def _completed(court: Court, group: Group) -> Notification | None:
    """Everything that fires in a group of which something was cut off; None while no credible member holds it."""
    if not any(_same(group, each) for told in court.credible for each in told.groups):
        return None
    parts = (each for each in court.groups() if _same(group, each))
    alerts = {alert.fingerprint: alert for each in parts for alert in _tellable(court, each)}
    return _of(group, tuple(alerts.values()), whole=True)


def _missing(
    court: Court, groups: Iterable[Group], receivers: frozenset[str], completed: Iterable[Notification]
) -> dict[tuple[str, str], tuple[BelievedGroup, Alert]]:
    """What a receiver that pult knows should have been told of, by receiver and fingerprint."""
    shown = {(group.receiver, alert.fingerprint) for group in groups for alert in group.firing}
    shown |= {(told.receiver, alert.fingerprint) for told in completed for alert in told.alerts}
    return {
        (each.receiver, alert.fingerprint): (each, alert)
        for each in court.groups()
        if each.receiver in receivers
        for alert in _tellable(court, each)
        if court.now - alert.starts_at >= YOUNG
        and not {(each.receiver, alert.fingerprint), ("", alert.fingerprint)} & shown
    }


def _raised(groups: Iterable[Group], missing: Iterable[tuple[BelievedGroup, Alert]]) -> tuple[Notification, ...]:
    """Under the key of the group they belong to, the open one or the last that closed; else under an alias."""
    latest = sorted(groups, key=lambda group: (group.closed_at is None, group.opened_at), reverse=True)
    told: dict[str, Notification] = {}
    for each, alert in missing:
        home = next((group for group in latest if _same(group, each)), None)
        key = home.key if home else alias(SOURCE, each.receiver, each.labels)
        known = told.get(key) or Notification(SOURCE, key, each.receiver, each.labels, (), home.url if home else "")
        told[key] = replace(known, alerts=(*known.alerts, alert))
    return tuple(told.values())


def _silences(court: Court, groups: Iterable[Group]) -> tuple[dict[str, Silence], tuple[str, ...]]:
    """Groups that came under a silence, and groups that are under none any more, by those alerts that are held."""
    silenced: dict[str, Silence] = {}
    unsilenced: list[str] = []
    for group in groups:
        held = [court.held[each.fingerprint] for each in group.firing if each.fingerprint in court.held]
        if not held or _fresh(group, court.now):
            continue
        under = _under(court, held)
        if under is None and group.silenced is not None:
            unsilenced.append(group.id)
        elif under is not None and not _known(group, under):
            silenced[group.id] = under
    return silenced, tuple(unsilenced)


def _under(court: Court, held: Iterable[tuple[Believed, ...]]) -> Silence | None:
    """The silence that ends last, where every alert is under one that is in force."""
    each = [{name for word in words for name in word.silenced_by if name in court.silences} for words in held]
    if not all(each):
        return None
    return max((court.silences[name] for name in set().union(*each)), key=lambda silence: (silence.ends_at, silence.id))


def _known(group: Group, silence: Silence) -> bool:
    known = group.silenced.silence if group.silenced else None
    return known is not None and known.id == silence.id and abs(known.ends_at - silence.ends_at) < SAME_END


def _fresh(group: Group, now: datetime) -> bool:
    """Somebody has just made or ended a silence: the members are still telling each other."""
    made = group.silenced is not None and now - group.silenced.at < FRESH
    return made or any(each.kind == "unsilenced" and now - each.at < FRESH for each in group.history)


stored(Suspects)
