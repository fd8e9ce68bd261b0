"""``ops``, ``op``, ``cancel``, ``approve``, ``reject``, ``resume``: what is under way, and people's word on it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from bot.domain.approvals import Word
from bot.domain.ids import OPERATION, full
from bot.domain.messages import Button, Message, Table
from bot.domain.operations import STATE_WORDS, Choice, Operation, State, Verdict, present
from bot.domain.phrases import Code, Phrase, phrase, verbatim
from bot.ports.commands import Call, Command, Reply
from bot.ports.desk import Desk
from bot.ports.store import Store
from handlers.cards.operation import CHOICES
from handlers.commands.replies import argument, done, misuse, said

SHOWN = 15
APPROVE = "approve <op> [--override <name>] [--break-glass] [why]"
HASH = re.compile(r"[0-9a-f]{8}")
"""The beginning of a plan's hash, as buttons carry it and people copy it."""
OVERRIDE, BREAK_GLASS = frozenset({"--override", "--вопреки"}), frozenset({"--break-glass", "--аварийно"})
REASON = 500
_ONE_DASH = re.compile(r"^-(?=[^-])")
RUSSIAN = {"повторить": "retry", "пропустить": "skip", "вернуть": "undo", "прервать": "abort"}
"""Ways on of a paused operation, as its card's buttons name them to Russian readers."""
DrawOperation = Callable[[Operation], Message]


def listing(store: Store) -> Command:
    """Operations under way or waiting, then the latest that ended."""

    async def run(_: Call) -> Reply:
        live, recent = await store.read(lambda tx: (tx.live_operations(), tx.recent_operations(SHOWN)))
        shown = (*live, *(operation for operation in recent if operation.final))[:SHOWN]
        if not shown:
            return said(phrase("No operation yet"))
        header = (phrase("Id"), phrase("What"), phrase("State"), phrase("By"), phrase("When"))
        buttons = tuple(Button(phrase("{id}", id=o.id), f"op {o.id}") for o in live[:3])
        return said(phrase("Operations"), Table(header, tuple(_row(o) for o in shown)), buttons=buttons)

    return Command(("ops", "операции"), "ops", phrase("operations running, waiting, and the latest"), run)


def one(store: Store, draw: DrawOperation) -> Command:
    """One operation with its steps."""

    async def run(call: Call) -> Reply:
        ident = full(OPERATION, argument(call, 0, "op <id>"))
        operation = await store.read(lambda tx: present(tx.operation(ident), ident))
        return Reply(draw(operation), operation.id)

    return Command(("op", "операция"), "op <id>", phrase("one operation with its steps"), run)


def cancel(desk: Desk) -> Command:
    """Stop an operation that has not begun."""

    async def run(call: Call) -> Reply:
        operation = await desk.cancel(call, full(OPERATION, argument(call, 0, "cancel <op>")))
        said = phrase("{id} stops before its fence", id=Code(operation.id))
        if operation.state is State.CANCELLED:
            said = phrase("{id} is cancelled", id=Code(operation.id))
        return done(said, operation=operation.id)

    return Command(("cancel", "отменить"), "cancel <op>", phrase("stop an operation where it is safe"), run, "cancel")


def approve(desk: Desk) -> Command:
    """A person's yes to one plan."""
    return Command(
        ("approve", "одобрить"),
        APPROVE,
        phrase("approve a plan; override what holds it, or go on alone, with your reason"),
        _verdict(desk, Verdict.APPROVE, APPROVE),
        examples=(
            "approve op-41c9",
            "approve op-41c9 --override freeze the outage needs this fix",
            "approve op-41c9 --break-glass nobody else is awake and it burns",
        ),
    )


def reject(desk: Desk) -> Command:
    """A person's no to one plan."""
    return Command(
        ("reject", "отклонить"), "reject <op> [why]", phrase("reject a plan"),
        _verdict(desk, Verdict.REJECT, "reject <op> [why]"),
    )  # fmt: skip


def resume(desk: Desk) -> Command:
    """How a paused operation goes on."""

    async def run(call: Call) -> Reply:
        usage = "resume <op> retry|skip|undo|abort"
        ident = full(OPERATION, argument(call, 0, usage))
        try:
            word = argument(call, 1, usage).lower()
            choice = Choice(RUSSIAN.get(word, word))
        except ValueError as error:
            raise misuse(usage) from error
        await desk.choose(call, ident, choice)
        return done(phrase("{id} goes on: {choice}", id=Code(ident), choice=CHOICES[choice]), operation=ident)

    return Command(
        ("resume", "продолжить"),
        "resume <op> retry|skip|undo|abort",
        phrase("tell a paused operation how to go on"),
        run,
    )


def _verdict(desk: Desk, verdict: Verdict, usage: str) -> Callable[[Call], Awaitable[Reply]]:
    async def run(call: Call) -> Reply:
        ident = full(OPERATION, argument(call, 0, usage))
        outcome = await desk.press(call, ident, _word(call, verdict))
        if outcome.refusal:
            raise outcome.refusal
        operation = outcome.operation
        code, state = Code(ident), STATE_WORDS[operation.state]
        title = (
            phrase("You approved {id}", id=code) if verdict is Verdict.APPROVE else phrase("You rejected {id}", id=code)
        )
        return done(title, phrase("It is now: {state}.", state=state), operation=ident)

    return run


def _word(call: Call, verdict: Verdict) -> Word:
    """What stands after the operation's id: the plan's hash, what is set aside, and why, in any order but that."""
    seen, rest = "", list(call.args[1:])
    if rest and (call.request.pressed or HASH.fullmatch(rest[0])):
        seen = rest.pop(0)
    said, overrides, glass = list[str](), list[str](), False
    while rest:
        word = rest.pop(0)
        flag, _, value = _ONE_DASH.sub("--", word).lower().partition("=")
        if verdict is Verdict.APPROVE and flag in OVERRIDE:
            value = value or (rest.pop(0).lower() if rest else "")
            overrides += [name for name in value.split(",") if name]
        elif verdict is Verdict.APPROVE and flag in BREAK_GLASS:
            glass = True
        else:
            said.append(word)
    return Word(verdict, seen, " ".join(said)[:REASON], tuple(dict.fromkeys(overrides)), glass, call.request.pressed)


def _row(operation: Operation) -> tuple[Phrase, ...]:
    return (
        phrase("{id}", id=Code(operation.id)),
        operation.plan.title,
        STATE_WORDS[operation.state],
        verbatim(operation.proposer),
        phrase("{at}", at=operation.created_at),
    )
