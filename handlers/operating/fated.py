"""What becomes of the versions that a promotion or a rollback is about, written as the operation turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from bot.domain.fates import deployments
from bot.domain.operations import Operation
from bot.domain.releases import Deployment, Fate
from bot.ports.store import Tx

IN = frozenset({Fate.RUNNING, Fate.GOOD, Fate.BAD})
"""Fates of a version that may be what runs."""


def recorded(tx: Tx, operation: Operation, now: datetime) -> tuple[Deployment, ...]:
    """Write what *operation*'s turn makes of each deployment of it; those that changed, whose cards want to follow."""
    changed: list[Deployment] = []
    for told in deployments(operation, now):
        known = _known(tx, told)
        if known is not None and replace(told, at=known.at) == known:
            continue
        changed.append(told)
        if operation.plan.action == "rollback" and told.fate is Fate.GOOD:
            changed += (replace(each, fate=Fate.BACK, at=now) for each in _replaced(tx, operation, told))
    for deployment in changed:
        tx.save_deployment(deployment)
    return tuple(changed)


def _known(tx: Tx, told: Deployment) -> Deployment | None:
    rows = tx.deployments_of(told.service, told.version)
    mine = (row for row in rows if (row.operation, row.environment) == (told.operation, told.environment))
    return next(mine, None)


def _replaced(tx: Tx, operation: Operation, told: Deployment) -> Iterator[Deployment]:
    """What ran there when the rollback was planned."""
    was = next(t.previous for t in operation.plan.targets if t.environment.name == told.environment)
    digest = was.partition("@")[2]
    for row in tx.deployments(told.service, told.environment):
        if digest and row.digest == digest and row.digest != told.digest and row.fate in IN:
            yield row
