"""The desk, as commands see it: people's word on plans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.domain.approvals import Word
from bot.domain.errors import UserError
from bot.domain.operations import Choice, Operation
from bot.ports.commands import Call


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
