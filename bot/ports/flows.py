"""What a flow needs of its runner, and what a runner needs of a flow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from bot.domain.phrases import Phrase
from bot.domain.plans import Plan

Say = Callable[[Phrase], Awaitable[None]]
"""Shows on the live card how far the running step is."""

Work = Callable[[Say], Awaitable[Phrase]]
"""One step: looks before it acts, since a crash may run it again; returns what it did."""


class Run(Protocol):
    """One execution of an approved plan; survives the death of the process."""

    operation: str
    plan: Plan

    async def step(self, name: str, work: Work) -> None:
        """Do the planned step *name* once, journaled. A failure pauses until a person chooses what is safe."""
        ...


@dataclass(frozen=True)
class Flow:
    """``check`` raises DriftError when the world no longer matches the plan (run right before the first change).

    ``run`` returns the result in one sentence; ``undo`` (operation id, plan) puts back what ``run``
    did, or is None when it can't be.
    """

    action: str
    check: Callable[[Plan], Awaitable[None]]
    run: Callable[[Run], Awaitable[Phrase]]
    undo: Callable[[str, Plan], Awaitable[Phrase]] | None = None
