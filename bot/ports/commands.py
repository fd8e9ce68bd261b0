"""Commands: what the router offers a duty, and what a duty gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.audit import Deed
from bot.domain.messages import Message
from bot.domain.people import Person
from bot.domain.phrases import Phrase
from bot.domain.plans import Plan
from bot.domain.requests import Request


@dataclass(frozen=True)
class Call:
    """One person's command. ``args`` are the words after its name; ``person`` is None for an outsider."""

    request: Request
    command: str
    args: tuple[str, ...]
    person: Person | None
    now: datetime

    @property
    def who(self) -> Person:
        """The person. Only ``open`` commands may be called by an outsider, and they don't ask."""
        if self.person is None:
            raise TypeError(f"{self.command} was called without a person")
        return self.person

    def deed(self, action: str, target: str, result: str, detail: str = "") -> Deed:
        """What the person did, for the audit chain."""
        return Deed(self.now, self.who.name, self.request.platform, str(action), target, result, detail)


@dataclass(frozen=True)
class Reply:
    """What to answer. ``operation``: the id of one that was made or changed. ``public``: others may read it too."""

    message: Message
    operation: str = ""
    public: bool = False
    ok: bool = True


@dataclass(frozen=True)
class Proposal:
    """A change to be approved: becomes an operation."""

    plan: Plan


@dataclass(frozen=True)
class Command:
    """``words`` are the names it answers to, the canonical (Latin) one first; ``usage`` its argument pattern.

    ``action`` names the policy rule that must allow the person before anything is read; empty for a read. With one of
    ``reads`` as its first word it only reads, and without any word unless ``bare``. ``open`` ones answer outsiders too.
    """

    words: tuple[str, ...]
    usage: str
    about: Phrase
    run: Callable[[Call], Awaitable[Reply | Proposal]]
    action: str = ""
    open: bool = False
    examples: tuple[str, ...] = ()  # with this configuration's services
    reads: tuple[str, ...] = ()
    bare: bool = False

    @property
    def name(self) -> str:
        return self.words[0]

    def only_reads(self, args: tuple[str, ...]) -> bool:
        """Whether *args* ask for no change, so that the action's rule does not apply."""
        return not self.action or (bool(self.reads) and (args[0] in self.reads if args else not self.bare))
