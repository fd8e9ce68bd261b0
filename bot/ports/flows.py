"""What a flow needs of its runner, and what a runner needs of a flow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from bot.domain.operations import Operation
from bot.domain.phrases import Phrase
from bot.domain.plans import Plan
from bot.ports.store import Tx

Turned: TypeAlias = Callable[[Tx, Operation, datetime], None]
"""Told of each turn of an operation, in the transaction that writes it."""


class Say(Protocol):
    """Shows on the live card how far the running step is. ``since``: its beginning, also when a crash lies between."""

    @property
    def since(self) -> datetime: ...

    async def __call__(self, so_far: Phrase) -> None: ...


@dataclass(frozen=True)
class Did:
    """What a step did, and what later steps need of it: ``value`` is journaled."""

    said: Phrase
    value: str = ""


Work: TypeAlias = Callable[[Say], Awaitable[Phrase | Did]]
"""One step: looks before it acts, since a crash may run it again; returns what it did."""


class Run(Protocol):
    """One execution of an approved plan; survives the death of the process.

    ``started``: before it nothing of this operation was done. ``begun``: names of the steps that were, in no order.
    """

    operation: str
    plan: Plan
    started: datetime

    @property
    def begun(self) -> Collection[str]: ...

    async def step(self, name: str, work: Work, title: Phrase | None = None) -> str:
        """Do the step *name* once, journaled; its value. A failure pauses until a person chooses what is safe.

        *title*: of a step that the plan does not have.
        """
        ...


@dataclass(frozen=True)
class Flow:
    """``check`` raises DriftError when the world no longer matches the plan (run right before the first change).

    ``run`` returns the result in one sentence. ``undo`` puts back what ``run`` did as far as its steps were begun, in
    steps of its own, and returns what is now; None where nothing can be put back. ``undoes``: whether it can of a plan.
    ``no_return``: names of the steps that nothing is undone after, once one of them has begun.
    """

    action: str
    check: Callable[[Plan], Awaitable[None]]
    run: Callable[[Run], Awaitable[Phrase]]
    undo: Callable[[Run], Awaitable[Phrase]] | None = None
    undoes: Callable[[Plan], bool] = lambda _: True
    no_return: frozenset[str] = frozenset()
