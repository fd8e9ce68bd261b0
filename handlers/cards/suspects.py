"""The version that came to run shortly before an alert: the first suspect, and one press to propose its rollback."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.alerts import SEVERITIES, Group, Status
from bot.domain.changes import ClusterChange, Rolled
from bot.domain.messages import Button, Style, pressable
from bot.domain.operations import FINAL
from bot.domain.phrases import Phrase, Strong, phrase
from bot.domain.services import Catalogue, Environment, Service
from bot.ports.store import Tx
from handlers.cards.arrivals import arrivals
from handlers.cards.changes import LOOKED_AT, Change, explains
from handlers.cards.happened import version

LEAST = timedelta(minutes=30)
"""A version is watched for at least so long, also where no bake time is configured: a burn needs its hour to show."""
ROLLOUT = timedelta(minutes=5)
"""What a version breaks it may break while it is rolled out, before others tell that it is there."""


@dataclass(frozen=True)
class Suspect:
    """``version`` of ``service`` came to run ``at``. ``revert``: it runs still, and nobody takes it back already."""

    service: str
    version: str
    at: datetime
    revert: bool


@dataclass(frozen=True)
class Known:
    """What pult itself did to the service lately, and the versions of its images by their digests."""

    changes: tuple[Change, ...]
    versions: Mapping[str, str]

    def news(self, place: Environment, fact: Rolled) -> bool:
        """Whether *fact* is another version, brought there by somebody else."""
        own = any(change.cause and explains(change.cause, place, fact) for change in self.changes)
        return bool(not fact.back and not own and fact.image and version(fact.image, self.versions))


def suspect(tx: Tx, services: Catalogue, group: Group) -> Suspect | None:
    """By what is stored. None for alerts that say nothing of a release, and where none came within its bake time."""
    service = _watched(services, group)
    if service is None:
        return None
    begun, bake = _begun(group), _bake(service)
    found = arrivals(tx, services, service.name, begun - bake, LOOKED_AT)
    for at, arrival in enumerate(found):
        if arrival.at > begun + ROLLOUT or arrival.gone or arrival.back:
            continue
        operation = tx.operation(arrival.operation) if arrival.operation else None
        own = operation is not None and operation.state not in FINAL  # it watches itself, and proposes what to do
        return Suspect(service.name, arrival.version, arrival.at, revert=at == 0 and not own)
    return None


def rolled(
    services: Catalogue, group: Group, told: Mapping[Environment, Iterable[ClusterChange]], known: Known
) -> Suspect | None:
    """By what clusters themselves tell, for versions that nobody told pult of."""
    service = _watched(services, group)
    if service is None:
        return None
    begun, bake = _begun(group), _bake(service)
    latest = ((place, max(_rolled(facts), key=_at, default=None)) for place, facts in told.items())
    fresh = [
        fact
        for place, fact in latest
        if fact and begun - bake <= fact.at <= begun + ROLLOUT and known.news(place, fact)
    ]  # fmt: skip
    if not fresh:
        return None
    fact = max(fresh, key=_at)
    return Suspect(service.name, version(fact.image, known.versions), fact.at, revert=True)


def _rolled(facts: Iterable[ClusterChange]) -> Iterator[Rolled]:
    return (fact for fact in facts if isinstance(fact, Rolled))


def sentence(found: Suspect) -> Phrase:
    """Said as what it is: a coincidence in time."""
    return phrase(
        "First suspect: {version}, running since {at}.", version=Strong(found.version), at=found.at
    )  # fmt: skip


def button(found: Suspect) -> Iterable[Button]:
    """The way back. It proposes: a plan comes first, and its approvals."""
    command = f"rollback {found.service}"
    if found.revert and pressable(command):
        yield Button(phrase("Roll back {service}", service=found.service), command, style=Style.DANGER)


def _watched(services: Catalogue, group: Group) -> Service | None:
    """The service of an alert that a release may have caused: a page, or one about an SLO, of production."""
    service = services.find(group.service)
    if service is None or group.status is not Status.FIRING:
        return None
    if group.severity != SEVERITIES[0] and not group.common("slo"):
        return None
    elsewhere = {environment.namespace for environment in service.environments} - {service.namespace}
    return None if group.common("namespace") in elsewhere else service


def _bake(service: Service) -> timedelta:
    return max(LEAST, *(environment.verification.bake for environment in service.production))


def _begun(group: Group) -> datetime:
    return min(group.opened_at, group.since)


def _at(fact: ClusterChange) -> datetime:
    return fact.at
