"""``releases <service> <version>``: where one version went, on which evidence, by whose word, step by step."""

from __future__ import annotations

import json
from collections.abc import Iterable

from bot.domain.errors import UserError
from bot.domain.messages import Aside, Block, Collapsed, Facts, Lines, Table, Tone
from bot.domain.operations import STATE_WORDS, Approval, Operation, Verdict
from bot.domain.phrases import Code, Phrase, Strong, counted, phrase, verbatim
from bot.domain.releases import Deployment, Release
from bot.domain.trail import Trail, about, exported
from bot.ports.commands import Reply
from bot.ports.store import Store, Tx
from handlers.cards.release import STAGE_WORDS, evidence_rows
from handlers.commands.releases_known import FATE_WORDS
from handlers.commands.replies import said

RECENT, ENTRIES = 200, 1000
"""Latest operations that are looked at, and entries about one of them."""
PLATFORMS = {"slack": "Slack", "telegram": "Telegram"}


async def answer(store: Store, service: str, version: str) -> Reply:
    """UserError: pult has never heard of it."""
    trail = await store.read(lambda tx: read(tx, service, version))
    if not trail:
        raise UserError(
            "pult has not heard of {service} {version}. {releases} lists what it knows.",
            service=service, version=Code(version[:40]), releases=Code(f"releases {service}"),
        )  # fmt: skip
    title = phrase("Trail of {service} {version}", service=service, version=version)
    whole = json.dumps(exported(trail), ensure_ascii=False, indent=2) + "\n"
    return said(title, *_blocks(trail), tone=Tone.INFO, whole=whole)


def read(tx: Tx, service: str, version: str) -> Trail:
    """Everything that is kept of it."""
    rows = tx.deployments_of(service, version)
    found = {row.operation: tx.operation(row.operation) for row in rows if row.operation}
    for operation in tx.recent_operations(RECENT):
        if operation.plan.service == service and operation.plan.params.get("version") == version:
            found.setdefault(operation.id, operation)
    operations = tuple(sorted((each for each in found.values() if each), key=lambda each: each.created_at))
    entries = (entry for each in operations for entry in tx.latest_entries(each.id, ENTRIES))
    chain = {entry.number: entry for entry in about(entries, operations)}
    return Trail(
        service, version, tx.release(service, version), rows, operations, tuple(chain[at] for at in sorted(chain))
    )  # fmt: skip


def _blocks(trail: Trail) -> Iterable[Block]:
    if trail.release:
        yield Facts(tuple(_facts(trail.release)))
        if trail.release.evidence:
            yield Table((phrase("Evidence"), phrase("Says")), evidence_rows(trail.release))
    if trail.deployments:
        yield Table(
            (phrase("Where"), phrase("State"), phrase("Since"), phrase("By")), tuple(map(_row, trail.deployments))
        )
    for operation in trail.operations:
        yield Lines(tuple(_story(operation)))
        if operation.plan.evidence:
            evidence = tuple(phrase("{what}: {said}", what=what, said=told) for what, told in operation.plan.evidence)
            yield Collapsed(phrase("What {id} was approved on", id=Code(operation.id)), evidence)
    if trail.entries:
        last = trail.entries[-1]
        yield Aside(
            counted(
                "{n} entry of the audit trail, the last is {number}: {hash}",
                "{n} entries of the audit trail, the last is {number}: {hash}",
                len(trail.entries), number=last.number, hash=Code(last.hash[:16]),
            )
        )  # fmt: skip


def _facts(release: Release) -> Iterable[tuple[Phrase, Phrase]]:
    yield phrase("Stage"), STAGE_WORDS[release.stage]
    yield phrase("Reported"), phrase("{at}", at=release.at)
    if release.commit:
        yield phrase("Commit"), phrase("{sha}", sha=Code(release.commit[:12]))
    yield phrase("Image"), phrase("{digest}", digest=Code(release.digest or "–"))


def _row(row: Deployment) -> tuple[Phrase, ...]:
    by = phrase("{id}", id=Code(row.operation)) if row.operation else phrase("not pult")
    return (
        verbatim(row.environment), FATE_WORDS[row.fate], phrase("{at}", at=row.since or row.at), by,
    )  # fmt: skip


def _story(operation: Operation) -> Iterable[Phrase]:
    """Proposed, approved, done: one line each, in order."""
    plan = operation.plan
    yield phrase(
        "{id} {title}: {state}",
        id=Code(operation.id), title=Strong(plan.title), state=STATE_WORDS[operation.state],
    )  # fmt: skip
    yield phrase(
        "{at}: {person} proposed plan {hash}", at=operation.created_at, person=operation.proposer,
        hash=Code(plan.hash[:8]),
    )  # fmt: skip
    yield from map(_word, operation.approvals)
    titles = {step.name: step.title for step in plan.steps}
    for report in operation.steps:
        if report.started_at:
            told = report.said or phrase("…")
            step = titles.get(report.name) or verbatim(report.name)
            yield phrase("{at}: {step}: {said}", at=report.started_at, step=step, said=told)
    if operation.ended_at and operation.result:
        yield phrase("{at}: {result}", at=operation.ended_at, result=operation.result)


def _word(given: Approval) -> Phrase:
    """One person's word, with the plan that it was given to."""
    who, plan = given.person, Code(given.plan_hash[:8])
    platform = PLATFORMS.get(given.platform, given.platform)
    if given.verdict is Verdict.APPROVE:
        said = phrase(
            "{at}: {person} approved plan {hash} on {platform}", at=given.at, person=who, hash=plan, platform=platform
        )
    else:
        said = phrase(
            "{at}: {person} rejected plan {hash} on {platform}", at=given.at, person=who, hash=plan, platform=platform
        )
    return phrase("{said}: {reason}", said=said, reason=given.reason) if given.reason else said
