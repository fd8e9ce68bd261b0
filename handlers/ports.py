"""What duties may ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from bot.domain.failover import Pair
from bot.domain.freezes import Window
from bot.domain.hours import Daily
from bot.domain.oncall import Rotation
from bot.domain.phrases import English, Phrase, Words
from bot.domain.policy import Policy
from bot.domain.services import Catalogue
from bot.domain.slo import Slo
from bot.domain.watched import Watch
from bot.ports.budgets import Budgets
from bot.ports.canary import Canary, Flight
from bot.ports.clock import Clock
from bot.ports.cluster import Cluster
from bot.ports.costs import Costs
from bot.ports.diagnoses import Diagnoses
from bot.ports.estate import Estate
from bot.ports.evictions import Evictions
from bot.ports.forge import Forge
from bot.ports.gitops import GitOps
from bot.ports.guard import Guard
from bot.ports.happenings import Happenings
from bot.ports.jobs import Jobs
from bot.ports.logs import Logs
from bot.ports.metrics import Metrics
from bot.ports.nodes import Nodes
from bot.ports.pipeline import Pipeline
from bot.ports.probe import Examine
from bot.ports.registry import Registry
from bot.ports.rollouts import Rollouts
from bot.ports.scaling import Scaling
from bot.ports.silencer import Silencer
from bot.ports.store import Store
from bot.ports.watching import Watching
from bot.ports.witnesses import Witnesses
from handlers.alerting.rules import Rules
from handlers.cards.eaten import Teller
from handlers.cards.surroundings import Surroundings
from handlers.commands.evidence_case import Sources
from handlers.operating import freezing
from handlers.schedules.spending import Spending
from handlers.shaping.sizes import Sizer


@dataclass(frozen=True)
class Ports:
    """Everything duties may ask for; each gets only what it uses. None: not configured.

    ``regions``: by cluster. ``estate``: what a failover moves; ``staged``: what a live drill does. ``logs``: Loki's
    where there is one, ``pod_logs`` the pods'. ``zone``: of shared chats. ``words``: the department's own language, for
    files.
    """

    store: Store
    clock: Clock
    cluster: Cluster
    rollouts: Rollouts
    scaling: Scaling
    evictions: Evictions
    nodes: Nodes
    gitops: GitOps
    regions: Mapping[str, str]
    guard: Guard
    policy: Policy
    services: Catalogue
    slos: tuple[Slo, ...]
    metrics: Metrics | None
    budgets: Budgets | None
    logs: Logs
    pod_logs: Logs
    happenings: Happenings
    diagnoses: Diagnoses
    jobs: Jobs
    watching: Watching
    watch: Watch
    silencer: Silencer | None
    forge: Forge | None
    pipeline: Pipeline | None
    registry: Registry | None
    pair: Pair | None
    estate: Estate | None
    witnesses: Witnesses | None
    costs: Costs
    sizer: Sizer
    rules: Rules
    approvals_in: tuple[str, ...]
    freezes: tuple[Window, ...]
    trouble: Callable[[], Mapping[str, Phrase]]
    canary: Canary
    measure: Callable[[Flight], None]
    digest: Rotation | None
    slo_digest: Daily | None
    retention: timedelta
    zone: str
    examine: Examine
    staged: Estate | None = None
    words: Words = field(default_factory=English)

    @cached_property
    def surroundings(self) -> Surroundings:
        """One for every card and command: what it learned for one serves the next."""
        return Surroundings(
            self.clock, self.guard, metrics=self.metrics, cluster=self.cluster, services=self.services,
            regions=self.regions,
        )  # fmt: skip

    @property
    def spending(self) -> Spending | None:
        """What digests ask about error budgets; None where nobody can tell of any."""
        teller = Teller(self.store, self.budgets, self.services) if self.budgets and self.slos else None
        return Spending(teller, self.clock, self.slos) if teller else None

    @cached_property
    def sources(self) -> Sources:
        """Whom plans ask for what speaks for and against them."""
        return Sources(
            store=self.store, clock=self.clock, cluster=self.cluster, guard=self.guard, policy=self.policy,
            services=self.services, slos=self.slos, budgets=self.budgets, forge=self.forge, pipeline=self.pipeline,
            registry=self.registry, rollouts=self.rollouts, frozen=freezing.lookup(self.freezes),
        )  # fmt: skip
