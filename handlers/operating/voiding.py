"""Void: the world moved while a plan waited, so that what people were asked, or said, is no longer the question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from bot.domain.audit import own
from bot.domain.cards import subject
from bot.domain.operations import Operation, State
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.releases import FAILED, Deployment, Release
from bot.ports.store import Tx
from handlers.operating import fated

WAITING = frozenset({State.WAITING, State.APPROVED})
"""Nothing was changed yet: approved ones wait for another operation to end."""


def void(tx: Tx, ident: str, why: Phrase, now: datetime) -> bool:
    """End the waiting operation *ident*, with the reason, a sentence, on its card. False: it is not waiting."""
    operation = tx.operation(ident)
    if operation is None or operation.state not in WAITING:
        return False
    said = phrase("Void: {why} Propose it again.", why=why)
    ended = replace(operation.moved(State.CANCELLED), ended_at=now, result=said)
    tx.save_operation(ended)
    for deployment in fated.recorded(tx, ended, now):
        tx.bump(subject("release", f"{deployment.service}/{deployment.version}"), now)
    tx.bump(subject("op", ident), now)
    tx.bump(subject("ask", ident), now)
    tx.append(own(now, "void", ident, "cancelled", said.plain()))
    return True


def void_each(tx: Tx, moot: Callable[[Operation], Phrase | None], now: datetime) -> tuple[str, ...]:
    """End every waiting operation that *moot* gives a reason for; their ids."""
    reasons = [(operation.id, moot(operation)) for operation in tx.live_operations() if operation.state in WAITING]
    return tuple(ident for ident, why in reasons if why is not None and void(tx, ident, why, now))


def reported(tx: Tx, told: Release, now: datetime) -> tuple[str, ...]:
    """A version was reported: plans to promote it that were made on another digest are void."""

    def moot(operation: Operation) -> Phrase | None:
        plan = operation.plan
        planned = plan.params.get("digest", "")
        if not _promotes(operation, told) or not told.digest or planned == told.digest:
            return None
        return phrase(
            "{version} was reported with the digest {new} after this was planned on {old}.",
            version=told.version, new=Code(told.digest[:19]), old=Code(planned[:19]),
        )  # fmt: skip

    return void_each(tx, moot, now)


def doubted(tx: Tx, known: Release, now: datetime) -> tuple[str, ...]:
    """All that is *known* of a version by now is not what it would be promoted on: plans to do so are void."""
    if known.stage == FAILED:
        why = phrase("The pipeline of {version} failed after this was planned.", version=known.version)
    elif known.moved:
        commit = Code(known.moved[:12])
        why = phrase(
            "The tag of {version} was moved to {commit} after this was planned.", version=known.version, commit=commit
        )
    else:
        return ()
    return void_each(tx, lambda operation: why if _promotes(operation, known) else None, now)


def _promotes(operation: Operation, release: Release) -> bool:
    plan = operation.plan
    return (plan.action, plan.service, plan.params.get("version")) == ("promote", release.service, release.version)


def deployed(tx: Tx, heard: Deployment, now: datetime) -> tuple[str, ...]:
    """A version came to an environment: plans are void that were made on another digest running there."""

    def moot(operation: Operation) -> Phrase | None:
        plan = operation.plan
        if plan.service != heard.service or operation.id == heard.operation or not heard.digest:
            return None
        there = (target for target in plan.targets if target.environment.name == heard.environment)
        if all(target.previous.endswith(heard.digest) for target in there):
            return None
        return phrase(
            "{version} came to {environment} after this was planned.",
            version=heard.version, environment=heard.environment,
        )  # fmt: skip

    return void_each(tx, moot, now)
