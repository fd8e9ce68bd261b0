"""The card of an operation: the plan, who must approve, how far it is, how it ended, what may be pressed now."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.approvals import Word, consenting, glass, holding, needed, overridden, written
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
from bot.domain.operations import STATE_WORDS, Choice, Operation, State, Verdict
from bot.domain.phrases import Code, Phrase, Strong, in_line, phrase, verbatim
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
    held = bool(holding(operation, rule))
    return Message(title, TONES[operation.state], tuple(_blocks(operation, rule)), _buttons(operation, held=held))


def _blocks(operation: Operation, rule: Rule) -> Iterable[Block]:
    if operation.result:
        yield Paragraph(operation.result)
    yield from _holds(operation, rule)
    yield Facts(tuple(_facts(operation, rule)))
    plan = operation.plan
    if plan.because and needed(operation, rule) > rule.approvals and not operation.final:
        yield Lines(tuple(phrase("More approvals: {why}", why=why) for why in plan.because))
    yield Progress(tuple(_progress(operation)))
    if plan.evidence and not operation.final:
        yield Table((phrase("Evidence"), phrase("Says")), plan.evidence)
    if plan.blast and not operation.final:
        yield Lines(plan.blast)
    if operation.after and operation.state in {State.WAITING, State.APPROVED}:
        text = phrase(
            "It starts when {id} is over, and only if that leaves everything as this was planned on.",
            id=Code(operation.after),
        )
        yield Paragraph(text)
    if operation.state is State.WAITING:
        yield from _before_it_begins(operation, rule)
    yield Aside(phrase("{id} · plan {hash}", id=Code(operation.id), hash=Code(plan.hash[:SEEN_HASH])))


def _before_it_begins(operation: Operation, rule: Rule) -> Iterable[Block]:
    """The way back, and the way without approvals."""
    if not operation.plan.harmless:
        yield Paragraph(_undo(operation))
    if rule.break_glass:
        left = tuple(hold.name for hold in holding(operation, rule))
        command = Code(written(operation, Word(Verdict.APPROVE, overrides=left, glass=True)))
        text = phrase(
            "In an emergency the role {role} goes on alone: {command}", role=rule.break_glass, command=command
        )
        yield Aside(text)


def _holds(operation: Operation, rule: Rule) -> Iterable[Block]:
    """What holds it, each by its name, and how that is overridden; what was overridden stays said."""
    words = overridden(operation, rule)
    lines = [
        phrase("{person} overrode {name}: {why}", person=Strong(words[hold.name].person), name=Code(hold.name),
               why=words[hold.name].reason)
        for hold in operation.plan.holds if hold.name in words
    ]  # fmt: skip
    left = holding(operation, rule)
    if left and not operation.final:
        lines += [phrase("Held by {name}: {why}", name=Code(hold.name), why=hold.why) for hold in left]
    if lines:
        yield Lines(tuple(lines))
    if left and operation.state is State.WAITING:
        command = written(operation, Word(Verdict.APPROVE, overrides=tuple(hold.name for hold in left)))
        roles = ", ".join(sorted(rule.overriders))
        text = phrase("To override it, with the role {roles}: {command}", roles=roles, command=Code(command))
        yield Paragraph(text)


def _facts(operation: Operation, rule: Rule) -> Iterable[tuple[Phrase, Phrase]]:
    plan = operation.plan
    if plan.service:
        yield phrase("Service"), phrase("{service}", service=Strong(plan.service))
    if plan.environment:
        yield phrase("Where"), phrase("{environment}", environment=plan.environment)
    yield phrase("Proposed by"), phrase("{person}", person=operation.proposer)
    yield from _approvals(operation, rule)
    if operation.state is State.WAITING:
        yield phrase("Expires"), phrase("{at}", at=operation.expires_at)
    if operation.started_at and operation.ended_at:
        yield phrase("Took"), phrase("{length}", length=operation.ended_at - operation.started_at)


def _approvals(operation: Operation, rule: Rule) -> Iterable[tuple[Phrase, Phrase]]:
    count = needed(operation, rule)
    if operation.plan.brake:
        yield phrase("Approvals"), phrase("none: pult goes on by itself")
    elif count:
        people = consenting(operation, rule)
        said = phrase("{count} of {needed}: {names}", count=len(people), needed=count, names=", ".join(people))
        bare = phrase("{count} of {needed}", count=len(people), needed=count)
        yield phrase("Approvals"), said if people else bare
    if alone := glass(operation):
        yield phrase("Goes on alone"), phrase("{person}: {reason}", person=alone.person, reason=alone.reason)
    for given in operation.approvals:
        if given.verdict is Verdict.REJECT:
            text = phrase("{person}: {reason}", person=given.person, reason=given.reason or "–")
            yield phrase("Rejected by"), text


def _progress(operation: Operation) -> Iterable[tuple[StepMark, Phrase, Phrase | None]]:
    """The plan's steps, then those of the way back."""
    titles = {step.name: step.title for step in operation.plan.steps}
    for report in operation.steps:
        said = report.said
        if said and report.started_at and report.ended_at:
            said = phrase("{said} ({length})", said=said, length=report.ended_at - report.started_at)
        yield report.mark, titles.get(report.name) or report.title or verbatim(report.name), said


def _undo(operation: Operation) -> Phrase:
    undos = [step.undo for step in operation.plan.steps if step.undo]
    if not undos:
        return phrase("This can't be undone by pult.")
    return phrase("To undo: {steps}.", steps=in_line(undos, "; "))


def _buttons(operation: Operation, *, held: bool) -> tuple[Button, ...]:
    """Whoever overrides a hold types it: a plan that is held has no button to approve it."""
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
        return (
            *(() if held else (approve,)),
            Button(phrase("Reject"), f"reject {ident} {seen}", style=Style.DANGER, confirm=sure),
        )
    if operation.stoppable:
        return (Button(phrase("Stop"), f"cancel {ident}", style=Style.DANGER),)
    if operation.state is State.PAUSED:
        return tuple(
            Button(CHOICES[choice], f"resume {ident} {choice}", style=_weight(choice, operation.choices[0]))
            for choice in operation.choices
        )
    return ()


def _weight(choice: Choice, first: Choice) -> Style:
    """What is offered first stands out: of a bad version that is to undo it, not to try it again."""
    match choice:
        case Choice.RETRY:
            return Style.PRIMARY if first is choice else Style.PLAIN
        case Choice.ABORT | Choice.UNDO:
            return Style.DANGER
        case Choice.SKIP:
            return Style.PLAIN
