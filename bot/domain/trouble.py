"""Trouble in a cluster, judged from what its watches show. Pure; what is not known is neither trouble nor its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias

from bot.domain.sights import CertificateSight, JobSight, Owner, PodSight, RolloutSight


class Trouble(StrEnum):
    """What can be wrong, by the names of pult's own alerts."""

    RESTARTS = "RestartStorm"
    MEMORY = "OutOfMemory"
    PENDING = "PodsPending"
    IMAGES = "ImagePullFailing"
    ROLLOUTS = "RolloutStuck"
    JOBS = "JobFailed"
    CERTIFICATES = "CertificateTrouble"


@dataclass(frozen=True)
class Limits:
    """From when on it is trouble, as ``[watch]`` has it.

    ``restarts`` of one workload ``within`` that time, which is also how long after the last one it is over, and after
    the last kill for memory. ``pending``: how long a pod may wait to run, and a certificate to be ready. ``still``:
    how long the rollout of a controller that knows no deadline may stand. ``expiring``: a certificate ends so soon.
    """

    restarts: int = 5
    within: timedelta = timedelta(minutes=10)
    pending: timedelta = timedelta(minutes=5)
    still: timedelta = timedelta(minutes=10)
    expiring: timedelta = timedelta(days=14)


@dataclass(frozen=True)
class Finding:
    """One trouble of one workload. ``told`` is what its alert says of it, besides where.

    Not ``firm``: no reason to raise an alert, and none to end one either.
    """

    trouble: Trouble
    owner: Owner
    told: Mapping[str, str] = field(default_factory=dict)
    firm: bool = True


DAY = timedelta(days=1)
"""A job that failed longer ago is old news: no alert is raised for it."""
REMEMBERED = frozenset({Trouble.RESTARTS})
"""Judged by what was, not by what is: who looks for less than ``within`` can't say that it is over."""
DUE = 4
"""A certificate that has less than a quarter of its life left was not renewed: cert-manager does so at a third."""


Died: TypeAlias = Mapping[Owner, Iterable[datetime]]


def of_pods(ill: Iterable[PodSight], died: Died, limits: Limits, now: datetime) -> list[Finding]:
    """Findings of pods that ail, and of workloads whose containers *died*, a time for each."""
    by_owner: dict[Owner, list[PodSight]] = {}
    for sight in ill:
        by_owner.setdefault(sight.owner, []).append(sight)
    found = [finding for owner, pods in by_owner.items() for finding in _pods(owner, pods, limits, now)]
    for owner, times in died.items():
        found += _restarts(owner, by_owner.get(owner, []), times, limits, now)
    return found


def _pods(owner: Owner, pods: list[PodSight], limits: Limits, now: datetime) -> Iterator[Finding]:
    waiting = [pod.ailment for pod in pods if pod.ailment.pending and not pod.ailment.image]
    late = [each for each in waiting if each.pending and now - each.pending >= limits.pending]
    if late:
        longest = min(late, key=lambda each: each.pending or now)
        yield Finding(Trouble.PENDING, owner, _said(why=longest.why))
    pulling = [pod.ailment for pod in pods if pod.ailment.image]
    if pulling:
        firm = min((each.image for each in pulling if each.firm), default="")
        yield Finding(Trouble.IMAGES, owner, _said(image=firm), firm=bool(firm))
    killed = [pod.ailment for pod in pods if pod.ailment.killed and now - pod.ailment.killed < limits.within]
    if killed:
        latest = max(killed, key=lambda each: each.killed or now)
        yield Finding(Trouble.MEMORY, owner, _said(container=latest.hog))


def _restarts(
    owner: Owner, pods: list[PodSight], times: Iterable[datetime], limits: Limits, now: datetime
) -> Iterator[Finding]:
    """A storm is over once nothing restarted for the whole time, and nothing waits to."""
    count = sum(now - at < limits.within for at in times)
    looping = any(pod.ailment.looping for pod in pods)
    if count >= limits.restarts:
        last = max((pod.ailment for pod in pods if pod.ailment.ended), key=lambda each: each.ended or now, default=None)
        yield Finding(Trouble.RESTARTS, owner, _said(how=last.how if last else ""))
    elif count or looping:
        yield Finding(Trouble.RESTARTS, owner, firm=False)


def of_rollouts(
    sights: Iterable[RolloutSight], still: Mapping[Owner, datetime], limits: Limits, now: datetime
) -> list[Finding]:
    """Findings of workloads. *still*: since when nothing moved in each one that is under way."""
    found = []
    for sight in sights:
        since = still.get(sight.owner)
        if sight.stuck:
            found.append(Finding(Trouble.ROLLOUTS, sight.owner, _said(why=sight.stuck)))
        elif sight.under_way is not None and sight.owner.kind in {"statefulset", "daemonset"} and since:
            late = now - since >= limits.still
            found.append(Finding(Trouble.ROLLOUTS, sight.owner, firm=late))
    return found


def of_jobs(sights: Iterable[JobSight], now: datetime) -> list[Finding]:
    """The last run that ended speaks for all runs of one owner."""
    last: dict[Owner, JobSight] = {}
    for sight in sights:
        known = last.get(sight.owner)
        if sight.ended and (known is None or known.ended is None or sight.ended > known.ended):
            last[sight.owner] = sight
    return [
        Finding(Trouble.JOBS, owner, _said(why=sight.why), firm=sight.ended is not None and now - sight.ended < DAY)
        for owner, sight in last.items()
        if sight.failed
    ]


def of_certificates(sights: Iterable[CertificateSight], limits: Limits, now: datetime) -> list[Finding]:
    """Those that are not ready for too long, and those that end soon and were not renewed."""
    found = []
    for sight in sights:
        expires = {"expires": sight.expires.isoformat(timespec="minutes")} if sight.expires else {}
        if sight.expires and sight.expires - now < _margin(sight, limits):
            found.append(Finding(Trouble.CERTIFICATES, sight.owner, {**_said(why=sight.why), **expires}))
        elif sight.unready:
            firm = now - sight.unready >= limits.pending
            found.append(Finding(Trouble.CERTIFICATES, sight.owner, _said(why=sight.why), firm=firm))
    return found


def _margin(sight: CertificateSight, limits: Limits) -> timedelta:
    """Certificates of a day are always about to end: of those the share of their life counts."""
    return min(limits.expiring, sight.lifetime / DUE) if sight.lifetime else limits.expiring


def _said(**told: str) -> dict[str, str]:
    return {name: text for name, text in told.items() if text}
