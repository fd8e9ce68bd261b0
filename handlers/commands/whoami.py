"""``whoami``: who pult thinks you are, and what you may do."""

from __future__ import annotations

from bot.domain.messages import Facts, Paragraph
from bot.domain.phrases import Code, phrase
from bot.domain.policy import DEFAULTS, Policy
from bot.ports.commands import Call, Command, Reply
from handlers.commands.replies import said


def duty(policy: Policy) -> Command:
    """Identity, roles, and the actions the roles cover."""

    async def run(call: Call) -> Reply:
        ident = Code(f"{call.request.platform}:{call.request.account or '?'}")
        if call.person is None:
            return said(
                phrase("pult does not know you"),
                Paragraph(phrase("Give this id to the administrator: {id}.", id=ident)),
            )
        person = call.person
        may = ", ".join(sorted(action for action in DEFAULTS if policy.allows(person, action)))
        return said(
            phrase("You are {name}", name=person.name),
            Facts((
                (phrase("Account"), phrase("{id}", id=ident)),
                (phrase("Roles"), phrase("{roles}", roles=", ".join(sorted(person.roles)) or "–")),
                (phrase("You may"), phrase("{actions}", actions=may) if may else phrase("look, but change nothing")),
            )),
        )  # fmt: skip

    return Command(("whoami", "кто"), "whoami", phrase("who pult thinks you are and what you may do"), run, open=True)
