"""The card of an operation: the plan, who must approve, how far it is, how it ended, what may be pressed now."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.messages import (
    Aside,
    Block,
    Button,
    Confirm,
    Facts,
    Lines,
    Message,
    Paragraph,
    Progress,
    StepMark,
    Style,
    Table,
    Tone,
)
from bot.domain.operations import STATE_WORDS, Choice, Operation, State, Verdict, consenting
from bot.domain.phrases import Code, Phrase, Strong, phrase
from bot.domain.policy import Policy, Rule
from bot.ports.presenters import Presenter

TONES = {
    State.PROPOSED: Tone.INFO,
    State.WAITING: Tone.WARNING,
    State.APPROVED: Tone.WORKING,
    State.RUNNING: Tone.WORKING,
    State.PAUSED: Tone.CRITICAL,
    State.SUCCEEDED: Tone.OK,
    State.FAILED: Tone.CRITICAL,
    State.UNDONE: Tone.WARNING,
    State.REJECTED: Tone.MUTED,
    State.EXPIRED: Tone.MUTED,
    State.CANCELLED: Tone.MUTED,
}
CHOICES = {
    Choice.RETRY: phrase("Retry"),
    Choice.SKIP: phrase("Skip"),
    Choice.UNDO: phrase("Undo"),
    Choice.ABORT: phrase("Abort"),
}
SEEN_HASH = 8
"""Digits of the plan's hash that a button carries: a press on another plan's card is refused."""


def presenter(policy: Policy) -> Presenter:
    """Operation cards, told what the policy asks of each."""
    return Presenter(lambda tx, ident: tx.operation(ident), lambda op: draw(op, policy.rule(op.plan.action)))


def draw(operation: Operation, rule: Rule) -> Message:
    """The whole card, from the operation and its rule."""
    title = phrase("{title}: {state}", title=operation.plan.title, state=STATE_WORDS[operation.state])
    return Message(title, TONES[operation.state], tuple(_blocks(operation, rule)), _buttons(operation))


def _blocks(operation: Operation, rule: Rule) -> Iterable[Block]:
    if operation.result:
        yield Paragraph(operation.result)
    yield Facts(tuple(_facts(operation, rule)))
    plan = operation.plan
    yield Progress(tuple(_progress(operation)))
    if plan.evidence and not operation.final:
        yield Table((phrase("Evidence"), phrase("Says")), plan.evidence)
    if plan.blast and not operation.final:
        yield Lines(plan.blast)
    if operation.state is State.WAITING:
        yield Paragraph(_undo(operation))
    yield Aside(phrase("{id} · plan {hash}", id=Code(operation.id), hash=Code(plan.hash[:SEEN_HASH])))


def _facts(operation: Operation, rule: Rule) -> Iterable[tuple[Phrase, Phrase]]:
    plan = operation.plan
    if plan.service:
        yield phrase("Service"), phrase("{service}", service=Strong(plan.service))
    if plan.environment:
        yield phrase("Where"), phrase("{environment}", environment=plan.environment)
    yield phrase("Proposed by"), phrase("{person}", person=operation.proposer)
    approvers = [given.person for given in operation.approvals if given.verdict is Verdict.APPROVE]
    if rule.approvals:
        count = len(consenting(operation, rule))
        names = ", ".join(approvers)
        said = phrase("{count} of {needed}: {names}", count=count, needed=rule.approvals, names=names)
        bare = phrase("{count} of {needed}", count=count, needed=rule.approvals)
        yield phrase("Approvals"), said if names else bare
    for given in operation.approvals:
        if given.verdict is Verdict.REJECT:
            text = phrase("{person}: {reason}", person=given.person, reason=given.reason or "–")
            yield phrase("Rejected by"), text
    if operation.state is State.WAITING:
        yield phrase("Expires"), phrase("{at}", at=operation.expires_at)
    if operation.started_at and operation.ended_at:
        yield phrase("Took"), phrase("{length}", length=operation.ended_at - operation.started_at)


def _progress(operation: Operation) -> Iterable[tuple[StepMark, Phrase, Phrase | None]]:
    reports = {report.name: report for report in operation.steps}
    for step in operation.plan.steps:
        report = reports[step.name]
        said = report.said
        if said and report.started_at and report.ended_at:
            said = phrase("{said} ({length})", said=said, length=report.ended_at - report.started_at)
        yield report.mark, step.title, said


def _undo(operation: Operation) -> Phrase:
    undos = [step.undo for step in operation.plan.steps if step.undo]
    if not undos:
        return phrase("This can't be undone by pult.")
    values = {f"u{at}": undo for at, undo in enumerate(undos)}
    listed = Phrase("; ".join(f"{{{name}}}" for name in values), values)
    return phrase("To undo: {steps}.", steps=listed)


def _buttons(operation: Operation) -> tuple[Button, ...]:
    ident, seen = operation.id, operation.plan.hash[:SEEN_HASH]
    if operation.state is State.WAITING:
        approve = Button(
            phrase("Approve"), f"approve {ident} {seen}", style=Style.PRIMARY,
            confirm=Confirm(
                phrase("Approve?"),
                phrase("{title}. It starts at once when nobody else has to approve.", title=operation.plan.title),
            ),
        )  # fmt: skip
        sure = Confirm(phrase("Reject?"), phrase("{title}. The plan is dropped.", title=operation.plan.title))
        return (approve, Button(phrase("Reject"), f"reject {ident} {seen}", style=Style.DANGER, confirm=sure))
    if operation.state is State.PAUSED:
        return tuple(
            Button(CHOICES[choice], f"resume {ident} {choice}", style=_weight(choice)) for choice in operation.choices
        )
    return ()


def _weight(choice: Choice) -> Style:
    match choice:
        case Choice.RETRY:
            return Style.PRIMARY
        case Choice.ABORT | Choice.UNDO:
            return Style.DANGER
        case Choice.SKIP:
            return Style.PLAIN
