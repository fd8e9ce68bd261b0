"""Asking: which chats and people see a plan, and who is told when somebody goes on alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.domain.approvals import needed
from bot.domain.cards import Place, Priority, Wish, subject
from bot.domain.messages import Button, Facts, Message, Paragraph, Style, Tone
from bot.domain.operations import Approval, Operation, State
from bot.domain.people import Directory, Person
from bot.domain.phrases import Code, phrase, verbatim
from bot.domain.policy import Rule
from bot.ports.store import Tx

FEW = 3
"""As many may approve: then those on call are enough to ask (ruling 35)."""


class Asking:
    """``approvals_in``: destinations of every plan; ``platforms``: those where people may be told in private."""

    def __init__(self, directory: Directory, approvals_in: Iterable[str], platforms: Iterable[str]) -> None:
        self._directory, self._approvals_in, self._platforms = directory, tuple(approvals_in), tuple(platforms)

    def wishes(self, operation: Operation, rule: Rule, on_call: frozenset[str]) -> Iterable[Wish]:
        """The cards of a new operation (ruling 9)."""
        what = subject("op", operation.id)
        yield Wish(what, operation.asked_in, Priority.OPERATION)
        for destination in self._approvals_in:
            yield Wish(what, Place(destination), Priority.OPERATION)
        if operation.state is State.WAITING:
            for person in self._asked(operation, rule, on_call):
                yield from self._private(subject("ask", operation.id), person, Priority.OPERATION)

    def alarm(
        self, tx: Tx, operation: Operation, rule: Rule, given: Approval, on_call: frozenset[str]
    ) -> None:  # fmt: skip
        """*given* goes on alone: page whoever is on call and whoever may approve, and tell the approvals chats."""
        what = subject("notice", f"glass:{operation.id}:{given.person}")
        tx.put_message(what, _alarm(operation, given))
        self._page(tx, what, operation, self._concerned(rule, on_call) - {given.person}, given.at)

    def goes_on(self, tx: Tx, operation: Operation, rule: Rule, on_call: frozenset[str]) -> None:
        """Pult itself goes on with it, and nobody was asked: the same people are paged, and can stop it."""
        what = subject("notice", f"automatic:{operation.id}")
        tx.put_message(what, _automatic(operation))
        self._page(tx, what, operation, self._concerned(rule, on_call), operation.created_at)

    def _concerned(self, rule: Rule, on_call: frozenset[str]) -> frozenset[str]:
        return on_call | {person.name for person in self._directory.holding(rule.roles)}

    def _page(self, tx: Tx, what: str, operation: Operation, names: frozenset[str], at: datetime) -> None:
        for person in self._directory:
            if person.name in names:
                for wish in self._private(what, person, Priority.PAGE):
                    tx.show(wish, at)
        for destination in self._approvals_in:
            tx.show(Wish(what, Place(destination), Priority.PAGE, subject("op", operation.id)), at)

    def _asked(self, operation: Operation, rule: Rule, on_call: frozenset[str]) -> Iterable[Person]:
        """Who gets a card of their own: those who may approve and are on call (ruling 35), or all when few may, or when
        those on call alone are fewer than have to approve."""
        roles = rule.roles | (rule.overriders if operation.plan.holds else frozenset())
        able = [
            person
            for person in self._directory.holding(roles)
            if not (rule.four_eyes and person.name == operation.proposer)
        ]
        here = [person for person in able if person.name in on_call]
        enough = len(here) >= max(1, needed(operation, rule))
        return here if enough and len(able) >= FEW else able

    def _private(self, what: str, person: Person, priority: Priority) -> Iterable[Wish]:
        for platform in self._platforms:
            if account := person.account(platform):
                yield Wish(what, Place(f"{platform}:{account}", locale=person.locale, zone=person.zone), priority)


def _alarm(operation: Operation, given: Approval) -> Message:
    title = phrase("{person} goes on alone: {title}", person=given.person, title=operation.plan.title)
    facts = [(phrase("Why"), verbatim(given.reason)), (phrase("Operation"), phrase("{id}", id=Code(operation.id)))]
    if given.overrides:
        facts.insert(1, (phrase("Overridden"), verbatim(", ".join(given.overrides))))
    return Message(title, Tone.CRITICAL, (Facts(tuple(facts)),), (Button(phrase("Look"), f"op {operation.id}"),))


def _automatic(operation: Operation) -> Message:
    title = phrase("pult goes on by itself: {title}", title=operation.plan.title)
    text = phrase("Nobody was asked: {key} is set. It can be stopped until its fence begins: {command}",
                  key=Code("failover.automatic"), command=Code(f"cancel {operation.id}"))  # fmt: skip
    buttons = (
        Button(phrase("Stop"), f"cancel {operation.id}", style=Style.DANGER),
        Button(phrase("Look"), f"op {operation.id}"),
    )
    return Message(title, Tone.CRITICAL, (Paragraph(text),), buttons)
