"""Services and what they lack, as far as their clusters tell."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.anatomy import Anatomy
from bot.domain.errors import PermanentError, TemporaryError, UserError
from bot.domain.manifests_tree import Named
from bot.domain.messages import Block, Lines
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.posture import Weight, audit
from bot.domain.posture_changes import remedy
from bot.domain.services import Catalogue, Environment, Service
from bot.ports.anatomies import Anatomies
from handlers.cards.posture import Row


@dataclass(frozen=True)
class Posture:
    """One service in one environment; ``rows`` the worst first."""

    service: Service
    environment: Environment
    anatomy: Anatomy
    rows: tuple[Row, ...]

    @property
    def named(self) -> Named:
        return Named(self.environment.kind, self.environment.workload)


async def weekly(anatomies: Anatomies, services: Catalogue) -> tuple[Block, ...]:
    """The digest's line; nothing where all is well."""
    found, silent = await looked_at(anatomies, services)
    rows = [row for each in found for row in each.rows]
    if not rows and not silent:
        return ()
    bad = sum(row.finding.weight is Weight.BAD for row in rows)
    worst = max(found, key=lambda each: sum(row.finding.weight for row in each.rows), default=None)
    text = phrase("Posture: {n} findings, {bad} of them bad. {look} lists them.", n=len(rows), bad=bad,
                  look=Code("audit posture"))  # fmt: skip
    lines = [text]
    if worst and worst.rows:
        command = Code(f"audit posture {worst.service.name}")
        lines.append(phrase("Most is to do in {service}: {command}", service=worst.service.name, command=command))
    lines += unread(silent)
    return (Lines(tuple(lines)),)


async def looked_at(anatomies: Anatomies, services: Iterable[Service]) -> tuple[list[Posture], list[str]]:
    """Every service where production runs first, all at once; and the names of those that could not be read."""

    async def one(service: Service) -> Posture | None:
        try:
            return judged(service, service.primary, await anatomies.anatomy(service.primary))
        except (UserError, TemporaryError, PermanentError):
            return None

    async with asyncio.TaskGroup() as group:
        tasks = [(service.name, group.create_task(one(service))) for service in services]
    found = [(name, task.result()) for name, task in tasks]
    return [each for _, each in found if each], [name for name, each in found if each is None]


def judged(service: Service, environment: Environment, anatomy: Anatomy) -> Posture:
    """The findings with their remedies."""
    named = Named(environment.kind, environment.workload)
    production = environment in service.production
    proposed = bool(environment.gitops.repo and environment.gitops.path)
    rows = tuple(
        Row(service.name, each, remedy(each, anatomy, named, environment.namespace), proposed)
        for each in audit(anatomy, production=production)
    )
    return Posture(service, environment, anatomy, rows)


def unread(silent: Iterable[str]) -> Iterable[Phrase]:
    names = ", ".join(silent)
    if names:
        yield phrase("Nothing is known of {names}: they could not be read.", names=names)
