"""What an operation makes of the versions it moves: the fate of each, read off the operation and its steps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.domain.messages import StepMark
from bot.domain.operations import Operation, State, StepReport
from bot.domain.releases import Deployment, Fate
from bot.domain.targets import Hand, Stage, Target, step_name

BEFORE = frozenset({State.PROPOSED, State.WAITING, State.APPROVED})
NEVER = frozenset({State.REJECTED, State.EXPIRED, State.CANCELLED})
PAST = frozenset({StepMark.DONE, StepMark.SKIPPED})
"""A step that a person skipped counts as done: it is on the record who took the version as it is."""
BACK = "undo "
"""Begins the name of a step on the way back."""


def deployments(operation: Operation, now: datetime) -> Iterator[Deployment]:
    """One for each target of *operation*, as it stands; ``at`` is *now*. None where it moves no version."""
    plan = operation.plan
    for target in plan.targets if "version" in plan.params else ():
        seen = _Seen(operation, target)
        yield Deployment(
            plan.service, target.environment.name, plan.params["version"], target.digest, seen.fate(), now,
            operation.id, seen.commit(), seen.since(),
        )  # fmt: skip


class _Seen:
    """The steps of one target."""

    def __init__(self, operation: Operation, target: Target) -> None:
        self._state, self._git = operation.state, target.hand in {Hand.COMMIT, Hand.PULL}
        alone = len(operation.plan.targets) == 1
        names = {stage: step_name(stage, target, alone=alone) for stage in target.stages}
        planned = {step.name for step in operation.plan.steps}
        found = {stage: operation.report(name) for stage, name in names.items() if name in planned}
        self._reports = {stage: report or StepReport(names[stage]) for stage, report in found.items()}
        back = (operation.report(BACK + name) for name in names.values())
        self._back = [report for report in back if report is not None]

    def fate(self) -> Fate:
        """What became of it so far."""
        if self._state in BEFORE:
            return Fate.WAITING
        if self._state in NEVER:
            return Fate.ENDED
        if self._state is State.UNDONE or self._returned():
            return self._undone()
        if self._well():
            return Fate.GOOD
        if any(report.bad for report in self._reports.values()):
            return Fate.BAD
        return self._halfway()

    def since(self) -> datetime | None:
        """When it came to run: the end of its rollout."""
        rollout = self._reports.get(Stage.ROLLOUT)
        if rollout is None or rollout.mark not in PAST:
            return None
        return rollout.ended_at or self._reports[Stage.APPLY].ended_at

    def commit(self) -> str:
        """The commit that brought it, where git did."""
        return self._reports[Stage.APPLY].value if self._git else ""

    def _begun(self) -> bool:
        return self._reports[Stage.APPLY].mark is not StepMark.PENDING

    def _well(self) -> bool:
        return all(report.mark in PAST for report in self._reports.values())

    def _returned(self) -> bool:
        """Whether the whole way back of this target lies behind, though not that of all."""
        return bool(self._back) and all(report.mark in PAST for report in self._back) and self._verified_back()

    def _verified_back(self) -> bool:
        return any(report.name.startswith(f"{BACK}{Stage.VERIFY}") for report in self._back)

    def _undone(self) -> Fate:
        """Back if it was in, or was too bad to get in; else it never got there."""
        bad = any(report.bad for report in self._reports.values())
        return Fate.BACK if self.since() or bad else Fate.ENDED

    def _halfway(self) -> Fate:
        """Under way, or left where it was. What was applied and never found good is bad: somebody gave it up."""
        if self._state in {State.RUNNING, State.PAUSED}:
            return Fate.RUNNING if self._begun() else Fate.WAITING
        return Fate.BAD if self._reports[Stage.APPLY].mark in PAST else Fate.ENDED
