"""Plans built by hand, and what their flow works with: the world of the promotion tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from bot.adapters.sql import SqlStore
from bot.domain.phrases import Phrase, phrase
from bot.domain.plans import Plan, PlannedStep
from bot.domain.releases import Release
from bot.domain.services import Catalogue, Environment, GitOps, Probed, Service, Verification
from bot.domain.slo import Slo
from bot.domain.targets import Hand, Stage, Target, step_name
from bot.ports.cluster import Workload
from handlers.flows import promote
from handlers.flows.tools import Tools
from tests.handlers.fakes import (
    NOON,
    DiedError,
    FakeBudgets,
    FakeClock,
    FakeCluster,
    FakeErrorLines,
    FakeForge,
    FakeGitOps,
    FakePipeline,
    FakeRollouts,
    FakeRun,
    digest,
    image,
)

REPO = "registry.example/dept/api"
SLO = Slo("api", "availability", "availability", 0.999, timedelta(days=30), "t[$window]", "b[$window]")
NYC2 = Environment(
    "nyc2", "nyc2", "production", "deployment", "api", GitOps("flux", "api", "dept/deploy", "nyc2/kustomization.yaml")
)
SFO3 = Environment(
    "sfo3", "sfo3", "production", "deployment", "api",
    GitOps("argocd", "api", "dept/deploy", "sfo3/kustomization.yaml"), after="nyc2",
)  # fmt: skip
BARE = Environment("bare", "nyc2", "bare", "deployment", "api", workflow="deploy.yml", gate="production")
BAKE = timedelta(minutes=10)


def manifest(version: str) -> str:
    return f"images:\n  - name: {REPO}\n    digest: {digest('api', version)}\n"


def file(environment: Environment) -> tuple[str, str]:
    return environment.gitops.repo, environment.gitops.path


@dataclass
class World:
    """One service in a few environments: git brings it to two regions, nothing to the third."""

    store: SqlStore
    clock: FakeClock = field(default_factory=FakeClock)
    cluster: FakeCluster = field(default_factory=FakeCluster)
    forge: FakeForge = field(default_factory=FakeForge)
    pipeline: FakePipeline = field(default_factory=FakePipeline)
    budgets: FakeBudgets = field(default_factory=FakeBudgets)
    unwell: dict[str, Phrase | None] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)
    """Of the tools: what is not there, or is another one."""

    def __post_init__(self) -> None:
        self.gitops, self.rollouts, self.logs = FakeGitOps(self.applies), FakeRollouts(self.cluster), FakeErrorLines()
        for environment in (NYC2, SFO3, BARE):
            self.cluster.runs(Workload.of(environment), (image("api", "1.7.2"),), 3)
            if environment is not BARE:
                self.forge.files[file(environment)] = manifest("1.7.2")
        self.clock.ticks.append(self.cluster.settles)

    def applies(self) -> None:
        """Every cluster runs what its file names."""
        for environment in (NYC2, SFO3):
            for version in ("1.7.2", "1.8.0", "1.9.0"):
                place, wanted = Workload.of(environment), image("api", version)
                if digest("api", version) in self.forge.files[file(environment)] and (
                    self.cluster.rollouts[place].images != (wanted,)
                ):
                    self.cluster.becomes(place, images=(wanted,), updated=0, done=False, template=f"t-{version}")

    @property
    def tools(self) -> Tools:
        service = Service("api", "production", "deployment", "api", ("nyc2", "sfo3"), (BARE, NYC2, SFO3), "dept/api")
        made = Tools(
            self.store, self.clock, Catalogue((service,)), (SLO,), self.cluster, self.examine, rollouts=self.rollouts,
            gitops=self.gitops, forge=self.forge, pipeline=self.pipeline, budgets=self.budgets, logs=self.logs,
        )  # type: ignore[arg-type]  # fmt: skip
        return replace(made, **self.changes)

    async def examine(self, probed: Probed) -> Phrase | None:
        return self.unwell.get(probed.url)

    def settles_slowly(self, place: Workload, after: int) -> None:
        """Its rollout is held for so many looks."""
        looks = count()
        self.clock.ticks.append(lambda: self.cluster.becomes(place, done=next(looks) >= after))

    async def released(self, **changes: Any) -> Release:
        """The pipeline has told of 1.8.0."""
        values = {"version": "1.8.0", "image": REPO, "digest": digest("api", "1.8.0"), "commit": "c" * 40, **changes}
        release = Release("api", stage="ready", at=NOON, **values)
        await self.store.write(lambda tx: tx.save_release(release))
        return release

    def target(self, environment: Environment, hand: Hand | None = None, **changes: Any) -> Target:
        """1.8.0 for *environment*, as it is pinned now."""
        made = Target(
            environment, hand or (Hand.COMMIT if environment.gitops.repo else Hand.PATCH), image("api", "1.8.0"),
            image("api", "1.7.2"), self.cluster.rollouts[Workload.of(environment)].template,
        )  # fmt: skip
        if made.hand in {Hand.COMMIT, Hand.PULL}:
            made = replace(made, file="?", committed=digest("api", "1.7.2"))
        return replace(made, **changes)

    async def run(self, plan: Plan, dies_in: str = "", skips: frozenset[str] = frozenset()) -> FakeRun:
        """One run; a death in a step is followed by a second run of everything, as after a restart of the process."""
        found, running = promote.flow(plan.action, self.tools), FakeRun(plan, dies_in, skips, self.clock)
        if dies_in:
            with pytest.raises(DiedError):
                await found.run(running)
            running = FakeRun(plan, clock=self.clock)
        running.said["result"] = (await found.run(running)).plain()
        return running

    async def undone(self, running: FakeRun, dies_in: str = "") -> FakeRun:
        """The way back of what *running* began, in a run of its own."""
        undo = promote.flow(running.plan.action, self.tools).undo
        assert undo is not None
        back = FakeRun(running.plan, dies_in, clock=self.clock)
        back.begun |= running.begun
        if dies_in:
            with pytest.raises(DiedError):
                await undo(back)
            back = FakeRun(running.plan, clock=self.clock)
            back.begun |= running.begun
        back.said["result"] = (await undo(back)).plain()
        return back


def planned(*targets: Target, action: str = "promote", version: str = "1.8.0") -> Plan:
    """A plan of all stages of *targets*."""
    alone = len(targets) == 1
    steps = tuple(
        PlannedStep(step_name(stage, target, alone=alone), phrase("do it"), skippable=stage is Stage.VERIFY)
        for target in targets
        for stage in target.stages
    )
    names = ", ".join(target.environment.name for target in targets)
    params = {"version": version, "digest": targets[0].digest}
    return Plan(action, phrase("Promote"), "api", names, steps, params, targets=targets)


def judged(environment: Environment, **rules: Any) -> Environment:
    """*environment* with rules of verification."""
    return replace(environment, verification=Verification(**rules))
