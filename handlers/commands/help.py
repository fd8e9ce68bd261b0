"""``help [command]``: what can be asked, with examples from this configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bot.domain.commandline import nearest
from bot.domain.errors import UserError
from bot.domain.messages import Aside, Lines, Paragraph
from bot.domain.people import Person
from bot.domain.phrases import Code, phrase
from bot.domain.policy import Policy
from bot.ports.commands import Call, Command, Reply
from handlers.commands.replies import said


def duty(policy: Policy, all_commands: Callable[[], Iterable[Command]]) -> Command:
    """Help over *all_commands*, asked for late because this one is among them."""

    async def run(call: Call) -> Reply:
        commands = tuple(all_commands())
        if call.person is None:
            return said(
                phrase("pult, the console of an infrastructure department"),
                Paragraph(phrase("You are not on its list. Give this id to the administrator: {id}.",
                                 id=Code(f"{call.request.platform}:{call.request.account or '?'}"))),
            )  # fmt: skip
        return _one(call.args[0], commands) if call.args else _list(call.person, commands, policy)

    return Command(
        ("help", "помощь", "start", "?"), "help [command]", phrase("what you can ask, with examples"), run, open=True
    )


def _list(person: Person, commands: tuple[Command, ...], policy: Policy) -> Reply:
    lines = [
        phrase("{usage}: {about}", usage=Code(command.usage), about=command.about)
        for command in commands
        if command.only_reads(()) or policy.allows(person, command.action)
    ]
    return said(
        phrase("What you can ask"),
        Lines(tuple(lines)),
        Aside(phrase("{example} shows one in detail.", example=Code("help promote"))),
    )


def _one(name: str, commands: tuple[Command, ...]) -> Reply:
    by_word = {word: command for command in commands for word in command.words}
    command = by_word.get(name.lower().lstrip("/"))
    if command is None:
        near = nearest(name, by_word)
        raise UserError(
            "There is no command {typed}. The nearest is {near}.",
            typed=Code(name[:40]),
            near=Code(near[0] if near else "help"),
        )
    examples = tuple(phrase("{example}", example=Code(example)) for example in command.examples or (command.usage,))
    also = ", ".join(command.words[1:])
    blocks = (Paragraph(command.about), Lines(examples))
    extra = (Aside(phrase("Also: {words}", words=also)),) if also else ()
    return said(phrase("{usage}", usage=Code(command.usage)), *blocks, *extra)
