"""The desk, as commands see it: people's word on plans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bot.domain.approvals import Word
from bot.domain.errors import UserError
from bot.domain.operations import Choice, Operation
from bot.domain.plans import Plan
from bot.ports.commands import Call
from bot.ports.store import Tx


@dataclass(frozen=True)
class Outcome:
    """What a press came to: the operation as it now stands, or why it was refused."""

    operation: Operation
    refusal: UserError | None = None


class Desk(Protocol):
    """UserError: there is no such operation, or it can't be done, with the reason."""

    async def press(self, call: Call, ident: str, word: Word) -> Outcome:
        """One person's word on one plan."""
        ...

    async def cancel(self, call: Call, ident: str) -> Operation: ...
    async def choose(self, call: Call, ident: str, choice: Choice) -> Operation: ...


class Volunteer(Protocol):
    """The desk, as pult's own proposals see it."""

    async def volunteer(
        self, plan: Plan, chat: str, claim: Callable[[Tx, Operation], bool], *, alone: bool = False
    ) -> Operation | None:
        """Make *plan*, which pult proposes, an operation whose card also stands in *chat*.

        It takes as many people as if one of them had proposed it; *alone*: none, unless something holds it. *claim* is
        asked first, in the same transaction: where it says no there is none. UserError: the policy does not allow it,
        or another operation has what it would change.
        """
        ...
