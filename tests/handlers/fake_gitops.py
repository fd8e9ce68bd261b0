"""Argo CD or Flux in memory: what it says is set, what it is asked is noted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.domain.errors import TemporaryError
from bot.domain.phrases import Phrase, phrase
from bot.domain.services import Environment
from bot.ports.gitops import Applied

OLD, NEW = "1b2c3d4e5f60718293a4b5c6d7e8f9010a2b3c4d", "9d2f0c1e5b7a4c3d8e6f1a2b3c4d5e6f70819293"


@dataclass
class FakeGitOps:
    """In step with git, until ``head`` is another commit. ``slow``: looks that a sync takes. ``away`` for so many.

    ``states``: of single environments, by name; ``silent``: those that do not answer.
    ``apply``: what a sync that ends does to the cluster.
    """

    now: Applied = field(default_factory=lambda: Applied(OLD, OLD, done=True, automated=True, synced=True))
    head: str = OLD
    slow: int = 0
    away: int = 0
    stuck: Phrase | None = None
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    states: dict[str, Applied] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    apply: Callable[[], None] = lambda: None

    def becomes(self, environment: str, **changes: object) -> None:
        self.states[environment] = replace(self.states.get(environment, self.now), **changes)  # type: ignore[arg-type]

    async def state(self, environment: Environment) -> Applied:
        if environment.name in self.silent:
            raise TemporaryError(f"{environment.name} does not answer")
        return self.states.get(environment.name, self.now)

    async def ask(self, environment: Environment, revision: str, operation: str) -> None:
        if (environment.name, revision, operation) not in self.asked:
            self.asked.append((environment.name, revision, operation))
            self.now = replace(self.now, done=False, synced=False, wanted=self.head)

    async def progress(self, environment: Environment, revision: str, operation: str) -> Applied:
        if self.away:
            self.away -= 1
            raise TemporaryError("the API server does not answer")
        if (environment.name, revision, operation) not in self.asked:
            return replace(self.now, done=False, doing=phrase("was not asked yet"))
        if self.stuck:
            return replace(self.now, done=False, stuck=self.stuck)
        if self.slow:
            self.slow -= 1
            return replace(self.now, doing=phrase("{left} to go", left=self.slow))
        self.apply()
        self.now = replace(self.now, revision=self.head, done=True, synced=True)
        return self.now
