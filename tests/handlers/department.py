"""The department the duties serve in these tests, and a way to talk to them as a person does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path

import handlers
from bot.adapters.sql import SqlStore
from bot.domain.alerts import Alert, Group, Notification, fold
from bot.domain.cards import Place
from bot.domain.failover import Move, Pair, Way, Witness
from bot.domain.freezes import Window
from bot.domain.messages import Message
from bot.domain.operations import Operation
from bot.domain.people import Directory, Person
from bot.domain.phrases import English, Phrase
from bot.domain.policy import Policy
from bot.domain.releases import Release
from bot.domain.requests import Request
from bot.domain.routes import Route
from bot.domain.services import Catalogue, Environment, GitOps, Probed, Service
from bot.domain.slo import Slo
from bot.domain.watched import Watch
from bot.engine.budgets import PrometheusBudgets
from bot.engine.desk import Desk
from bot.engine.guard import Guarded
from bot.engine.meters import Meters
from bot.engine.router import Router
from bot.platforms.console.plain import plain
from bot.ports.cluster import Workload
from bot.ports.commands import Reply
from bot.ports.estate import Estate
from handlers.alerting.rules import Rules
from handlers.shaping.sizes import Sizer
from tests.handlers.fake_diagnoses import FakeDiagnoses, FakeJobs
from tests.handlers.fake_gitops import FakeGitOps
from tests.handlers.fakes import (
    NOON,
    FakeCanary,
    FakeClock,
    FakeCluster,
    FakeCosts,
    FakeHappenings,
    FakeLogs,
    FakeMetrics,
    FakeScaling,
    FakeSilencer,
    FakeWatching,
    digest,
    image,
)
from tests.handlers.fakes_failover import FakeConnections, FakeDatabase, FakePools, FakeTraffic, FakeWitnesses
from tests.handlers.fakes_nodes import FakeEvictions, FakeNodes
from tests.handlers.fakes_releases import FakeGitHub, FakeRegistry, FakeRollouts
from tests.handlers.fakes_sizes import FakeAnatomies, FakeUsages

EXPECTED = Path(__file__).parent / "expected"
PEOPLE = Directory([
    Person("anna", "U0ANNA", "1001", roles=frozenset({"sre"})),
    Person("boris", "U0BORIS", "1002", roles=frozenset({"sre"})),
    Person("chen", "U0CHEN", "1003", roles=frozenset({"sre", "lead"})),
    Person("vera", "U0VERA", "1004"),
    Person("dora", "U0DORA", "1005", zone="Asia/Kolkata"),
])  # fmt: skip
BY_FLUX = GitOps("flux", "api", "dept/api", "deploy/production/kustomization.yaml")
STAGING = Environment("staging", "nyc2", "staging", "deployment", "api")
PRODUCTION = Environment("production", "nyc2", "production", "deployment", "api", BY_FLUX)
SERVICES = Catalogue([
    Service("api", "production", "deployment", "api", ("nyc2", "sfo3"), (STAGING, PRODUCTION), "dept/api"),
    Service("web", "production", "deployment", "web", ("nyc2", "sfo3"), (
        Environment("production-nyc2", "nyc2", "production", "deployment", "web"),
        Environment("production-sfo3", "sfo3", "production", "deployment", "web"),
    ), "dept/web"),
])  # fmt: skip
MONTH = timedelta(days=30)
SLOS = (
    Slo("api", "availability", "availability", 0.999, MONTH, "total[$window]", "bad[$window]", "p99[$window]"),
    Slo("web", "availability", "availability", 0.99, MONTH, "web_total[$window]", "web_bad[$window]"),
)
PAIR = Pair(Move(Way("nyc2", "sfo3")), timedelta(seconds=60), (Witness("prometheus", query="up"),))
API, WEB, WEB_SFO3 = (
    Workload("nyc2", "production", "deployment", "api"),
    Workload("nyc2", "production", "deployment", "web"),
    Workload("sfo3", "production", "deployment", "web"),
)
DEPLOY = ("dept/api", "deploy/production/kustomization.yaml")


def manifest(version: str) -> str:
    return f"images:\n  - name: registry.example/dept/api\n    digest: {digest('api', version)}\n"


@dataclass
class Department:
    """``say`` is the way in; everything behind the duties is a fake, except the store, the desk and the router."""

    store: SqlStore
    clock: FakeClock = field(default_factory=FakeClock)
    cluster: FakeCluster = field(default_factory=FakeCluster)
    forge: FakeGitHub = field(default_factory=FakeGitHub)
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    gitops: FakeGitOps = field(default_factory=FakeGitOps)
    rollouts: FakeRollouts = field(default_factory=FakeRollouts)
    metrics: FakeMetrics = field(default_factory=FakeMetrics)
    logs: FakeLogs = field(default_factory=FakeLogs)
    pod_logs: FakeLogs = field(default_factory=FakeLogs)
    happenings: FakeHappenings = field(default_factory=FakeHappenings)
    watching: FakeWatching = field(default_factory=FakeWatching)
    watch: Watch = field(default_factory=Watch)
    silencer: FakeSilencer = field(default_factory=FakeSilencer)
    database: FakeDatabase = field(default_factory=FakeDatabase)
    traffic: FakeTraffic = field(default_factory=FakeTraffic)
    witnesses: FakeWitnesses = field(default_factory=FakeWitnesses)
    connections: FakeConnections = field(default_factory=FakeConnections)
    pools: FakePools = field(default_factory=FakePools)
    pair: Pair = PAIR
    staged: Estate | None = None
    costs: FakeCosts = field(default_factory=FakeCosts)
    anatomies: FakeAnatomies = field(default_factory=FakeAnatomies)
    usages: FakeUsages = field(default_factory=FakeUsages)
    policy: Policy = field(default_factory=Policy)
    freezes: tuple[Window, ...] = ()
    approvals_in: tuple[str, ...] = ()
    trouble: dict[str, Phrase] = field(default_factory=dict)
    unwell: dict[str, Phrase] = field(default_factory=dict)
    approved: list[str] = field(default_factory=list)
    without: frozenset[str] = frozenset()
    rules: Rules = field(default_factory=lambda: Rules((Route(("slack:C0OPS",)),), PEOPLE))

    def __post_init__(self) -> None:
        for workload, version, replicas in ((API, "1.7.2", 4), (WEB, "5.1.0", 2), (WEB_SFO3, "5.1.0", 1)):
            self.cluster.runs(workload, (image(workload.name, version),), replicas)
        self.cluster.runs(Workload("nyc2", "staging", "deployment", "api"), (image("api", "1.8.0"),), 1)
        self.forge.files[DEPLOY] = manifest("1.7.2")
        self.scaling = FakeScaling(self.cluster)
        self.diagnoses = FakeDiagnoses(self.cluster)
        self.jobs = FakeJobs()
        self.nodes = FakeNodes(self.clock)
        self.evictions = FakeEvictions(self.nodes)
        self._numbers = count(1)

    @property
    def estate(self) -> Estate:
        return Estate(self.database, self.traffic, self.connections, self.pools)

    @property
    def ports(self) -> handlers.Ports:
        found = {
            name: None if name in self.without else getattr(self, name)
            for name in ("metrics", "silencer", "forge", "registry", "estate", "witnesses")
        }
        return handlers.Ports(
            store=self.store, clock=self.clock, cluster=self.cluster, gitops=self.gitops, rollouts=self.rollouts,
            scaling=self.scaling, nodes=self.nodes, evictions=self.evictions,
            pipeline=found["forge"], guard=Guarded(self.clock),
            regions={"nyc2": "nyc2", "sfo3": "sfo3"}, policy=self.policy, services=SERVICES, slos=SLOS,
            budgets=self.budgets, costs=self.costs,
            pair=self.pair, staged=self.staged,
            sizer=Sizer(self.anatomies, self.usages, self.costs),
            rules=self.rules, approvals_in=self.approvals_in,
            freezes=self.freezes,
            trouble=lambda: self.trouble, canary=FakeCanary(), measure=lambda _: None, digest=None, slo_digest=None,
            retention=timedelta(days=90), zone="Europe/Moscow",
            logs=self.pod_logs if "loki" in self.without else self.logs, pod_logs=self.pod_logs,
            watching=self.watching, watch=self.watch,
            happenings=self.happenings, diagnoses=self.diagnoses, jobs=self.jobs, examine=self.examine, **found,
        )  # type: ignore[arg-type]  # fmt: skip

    @cached_property
    def budgets(self) -> PrometheusBudgets | None:
        return None if "metrics" in self.without else PrometheusBudgets(self.metrics, self.clock, patience=60)

    async def examine(self, probed: Probed) -> Phrase | None:
        return self.unwell.get(probed.url)

    def desk(self) -> Desk:
        desk = Desk(
            self.store, self.clock, directory=PEOPLE, policy=self.policy, draw=handlers.draw_plan,
            approvals_in=self.approvals_in, platforms=("slack", "telegram"), meters=Meters("test"),
            on_call=handlers.on_call(self.rules), frozen=handlers.frozen(self.freezes),
            turned=handlers.turning(SERVICES, English()),
        )  # fmt: skip
        desk.on_approved = self.approved.append
        return desk

    async def looks(self) -> None:
        """Pult asks the witnesses of its region, as a process that has just been started."""
        self.witnesses.at = self.clock.now()
        (duty,) = (each for each in handlers.periodic(self.ports, self.desk()) if each.name == "regions")
        await duty.run()

    def router(self) -> Router:
        desk, meters = self.desk(), Meters("test")
        commands = handlers.commands(self.ports, desk)
        return Router(
            self.store, self.clock, directory=PEOPLE, policy=self.policy, commands=commands, desk=desk, meters=meters
        )

    async def reply(self, who: str, text: str, *, pressed: bool = False, platform: str = "console") -> Reply:
        place = Place("console:ops")
        request = Request(
            f"test:{next(self._numbers)}", platform, who, text, place, place, self.clock.now(), pressed=pressed
        )
        return await self.router().answer(request)

    async def say(self, who: str, text: str, *, pressed: bool = False, ok: bool = True) -> str:
        """What *who* reads after typing (or pressing) *text*; *ok*: whether it is expected to have worked."""
        reply = await self.reply(who, text, pressed=pressed)
        shown = read(reply.message)
        assert reply.ok is ok, shown
        return shown

    async def proposed(self, who: str, text: str) -> Operation:
        """The operation that *text* made."""
        reply = await self.reply(who, text)
        assert reply.operation, read(reply.message)
        return await self.operation(reply.operation)

    async def operation(self, ident: str) -> Operation:
        found = await self.store.read(lambda tx: tx.operation(ident))
        assert found is not None
        return found

    async def fires(self, *alerts: Alert, key: str = "{}", ident: str = "a-7k2f", at: datetime | None = None) -> Group:
        now = at or self.clock.now()
        told = Notification("alertmanager", key, "pult", {"alertname": "HighErrors"}, alerts)

        def heard(tx: object) -> Group:
            group = fold(tx.latest_group(key), told, now, ident)  # type: ignore[attr-defined]
            tx.save_group(group)  # type: ignore[attr-defined]
            return group

        return await self.store.write(heard)

    async def reported(self, version: str = "1.8.0", **changes: object) -> Release:
        values: dict[str, object] = {
            "image": "registry.example/dept/api", "digest": digest("api", version), "commit": "0123456789abcdef",
            "evidence": {"tests": "412 passed", "trivy": "0 critical"}, **changes,
        }  # fmt: skip
        release = Release("api", version, str(values.pop("stage", "ready")), self.clock.now(), **values)  # type: ignore[arg-type]
        await self.store.write(lambda tx: tx.save_release(release))
        return release

    async def audit(self) -> list[tuple[str, str, str, str]]:
        entries = await self.store.read(lambda tx: tuple(tx.entries()))
        return [(e.deed.person, e.deed.action, e.deed.target, e.deed.result) for e in entries]


def alert(name: str = "a", starts: datetime = NOON - timedelta(minutes=5), **labels: str) -> Alert:
    """A critical alert of api."""
    named = {"alertname": "HighErrors", "service": "api", "severity": "critical", "region": "nyc2", **labels}
    return Alert(name, named, {"summary": "8 % of requests fail"}, starts)


def read(message: Message) -> str:
    """*message* as a terminal shows it, in English; very long lines shortened."""
    return "\n".join(map(_short, plain(message, English()).splitlines())) + "\n"


def _short(line: str) -> str:
    return line if len(line) <= 300 else f"{line[:200]} […{len(line) - 200} characters]"


Check = Callable[[str, str], None]
