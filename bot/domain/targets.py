"""Targets: the environments that a plan changes, by which hand, and what was there when it was planned."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.domain.codec import stored
from bot.domain.services import Environment


class Hand(StrEnum):
    """What changes the image: exactly one hand owns each workload."""

    COMMIT = "commit"
    """A commit to the branch that Argo CD or Flux follows."""
    PULL = "pull"
    """A pull request to it, merged once the plan is approved."""
    PIPELINE = "pipeline"
    """The GitHub workflow that waits for a word, else one that is started."""
    PATCH = "patch"
    """A patch of the workload, where nothing else owns it."""
    UNDO = "undo"
    """The workload's own history: the template of an earlier revision."""
    ABORT = "abort"
    """An Argo Rollout that is under way goes back to its stable version."""


class Stage(StrEnum):
    """The steps of a change in one environment, in this order."""

    APPLY = "apply"
    SYNC = "sync"
    ROLLOUT = "rollout"
    VERIFY = "verify"


@dataclass(frozen=True)
class Target:
    """One environment's change. ``image`` is to run, as ``repository@sha256:…``; ``previous`` ran at planning.

    Pins: ``template`` of the workload; ``file``, the deployment file's sha, and ``committed``, the digest in it.
    ``run``: the workflow run that waits; ``revision``: the one of the workload's history that an UNDO goes back to.
    """

    environment: Environment
    hand: Hand
    image: str
    previous: str
    template: str
    file: str = ""
    committed: str = ""
    run: int = 0
    revision: str = ""

    @property
    def digest(self) -> str:
        """``sha256:…`` of the image that is to run."""
        return self.image.partition("@")[2]

    @property
    def earlier(self) -> str:
        """How an image ends that ran, or stood in git, before: a digest, or all of it where it had none."""
        return self.committed or self.previous.partition("@")[2] or self.previous

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The steps it takes: only what git owns has something to sync."""
        synced = self.hand in {Hand.COMMIT, Hand.PULL}
        return tuple(stage for stage in Stage if synced or stage is not Stage.SYNC)


def step_name(stage: Stage, target: Target, *, alone: bool) -> str:
    """The plan's and the journal's name of one step: the stage, and where, unless the target is the only one."""
    return str(stage) if alone else f"{stage} {target.environment.name}"


stored(Hand, Target)
