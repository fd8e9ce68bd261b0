"""The trail of one release: what spoke for it, who approved which plan, what was done, how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from bot.domain.audit import Entry
from bot.domain.operations import Operation, StepReport
from bot.domain.phrases import Phrase
from bot.domain.plans import Plan
from bot.domain.redact import redact
from bot.domain.releases import Deployment, Release


@dataclass(frozen=True)
class Trail:
    """``release`` is None where no pipeline told of the version; the rest in the order in which it happened.

    ``entries``: those of the audit chain that are about ``operations``.
    """

    service: str
    version: str
    release: Release | None = None
    deployments: tuple[Deployment, ...] = ()
    operations: tuple[Operation, ...] = ()
    entries: tuple[Entry, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.release or self.deployments or self.operations)


def about(entries: Iterable[Entry], operations: Iterable[Operation]) -> tuple[Entry, ...]:
    """Those of *entries* that are about one of *operations*."""
    idents = {operation.id for operation in operations}
    return tuple(entry for entry in entries if entry.deed.target in idents)


def exported(trail: Trail) -> dict[str, Any]:
    """*trail* as JSON: sentences in English, times in ISO 8601, secrets masked."""
    told = {
        "service": trail.service,
        "version": trail.version,
        "release": _fields(trail.release, "runs", "results", "scan") if trail.release else None,
        "deployments": [_fields(row, "service") for row in trail.deployments],
        "operations": [_operation(each) for each in trail.operations],
        "audit": [
            {"number": each.number, **_fields(each.deed), "previous": each.previous, "hash": each.hash}
            for each in trail.entries
        ],
    }
    masked: dict[str, Any] = _json(told)
    return masked


def _operation(operation: Operation) -> dict[str, Any]:
    """Without where its cards stand, which is nothing to those who read it."""
    return {
        **_fields(operation, "plan", "steps", "approvals", "asked_in", "choices", "pauses", "stalls"),
        "plan": _plan(operation.plan),
        "approvals": [_fields(given, "operation") for given in operation.approvals],
        "steps": [_step(report, operation.plan) for report in operation.steps],
        "stalls": [_fields(stall) for stall in operation.stalls],
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "hash": plan.hash,
        **_fields(plan, "steps", "targets", "evidence", "holds", "blast", "lock", "pins"),
        "evidence": [{"what": what, "said": said} for what, said in plan.evidence],
        "holds": [_fields(hold) for hold in plan.holds],
        "targets": [
            {**_fields(target, "environment", "run"), "environment": target.environment.name}
            for target in plan.targets
        ],
    }  # fmt: skip


def _step(report: StepReport, plan: Plan) -> dict[str, Any]:
    title = next((step.title for step in plan.steps if step.name == report.name), "")
    return {**_fields(report), "title": title}


def _fields(told: Any, *without: str) -> dict[str, Any]:  # noqa: ANN401 - any of our dataclasses
    return {field.name: getattr(told, field.name) for field in fields(told) if field.name not in without}


def _json(value: Any) -> Any:  # noqa: ANN401 - JSON
    match value:
        case Phrase():
            return redact(value.plain())
        case datetime():
            return value.isoformat()
        case str():
            return redact(str(value))
        case Mapping():
            return {str(key): _json(item) for key, item in value.items()}
        case list() | tuple():
            return [_json(item) for item in value]
        case _:
            return value
