"""The outside of the duties, in memory: what they see of it is set, what they do to it is noted in ``done``."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha1, sha256

from bot.domain.changes import ClusterChange
from bot.domain.errors import DriftError, TemporaryError, UserError
from bot.domain.failover import Sight
from bot.domain.loglines import has
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.domain.services import Environment
from bot.domain.silences import Matching, Silence
from bot.domain.testimony import Testimony
from bot.ports.cluster import Pod, Rollout, Workload
from bot.ports.flows import Say
from bot.ports.forge import File
from bot.ports.happenings import Happening
from bot.ports.logs import Found, Line, Wanted
from bot.ports.metrics import Reading, Sample, Series
from bot.ports.regions import Replication

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def digest(service: str, version: str) -> str:
    return "sha256:" + sha256(f"{service}:{version}".encode()).hexdigest()


def image(service: str, version: str) -> str:
    return f"registry.example/dept/{service}@{digest(service, version)}"


@dataclass
class FakeClock:
    """Sleeping moves it; ``ticks`` are called at each sleep."""

    at: datetime = NOON
    ticks: list[Callable[[], None]] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        for tick in list(self.ticks):
            tick()


class FakeCluster:
    """Workloads by cluster, namespace and name. ``away``: clusters whose API server does not answer."""

    def __init__(self) -> None:
        self.rollouts: dict[Workload, Rollout] = {}
        self.found: dict[Workload, tuple[Pod, ...]] = {}
        self.changed: dict[str, tuple[ClusterChange, ...]] = {}
        self.asked: list[Environment] = []
        self.away: set[str] = set()
        self.done: list[tuple[str, ...]] = []

    def runs(self, workload: Workload, images: tuple[str, ...], replicas: int) -> None:
        self.rollouts[workload] = Rollout(
            replicas, replicas, replicas, replicas, True, None, images, f"t-{images[0][-6:]}"
        )
        self.found[workload] = tuple(
            Pod(f"{workload.name}-6c9f7-{letter}", "Running", True, 0, NOON, "node-1")
            for letter in "abcdefgh"[:replicas]
        )

    def becomes(self, workload: Workload, **changes: object) -> None:
        self.rollouts[workload] = replace(self.rollouts[workload], **changes)  # type: ignore[arg-type]

    def _there(self, workload: Workload) -> None:
        if workload.cluster in self.away:
            raise TemporaryError(f"{workload.cluster} does not answer")
        if workload not in self.rollouts:
            raise UserError("There is no {name} in {cluster}.", name=Code(workload.name), cluster=workload.cluster)

    async def rollout(self, workload: Workload) -> Rollout:
        self._there(workload)
        return self.rollouts[workload]

    async def pods(self, workload: Workload) -> tuple[Pod, ...]:
        self._there(workload)
        return self.found[workload]

    async def changes(self, environment: Environment, since: datetime) -> tuple[ClusterChange, ...]:
        """By cluster; a real server tells nothing older than asked for."""
        self.asked.append(environment)
        self._there(Workload(environment.cluster, environment.namespace, environment.kind, environment.workload))
        return tuple(change for change in self.changed.get(environment.cluster, ()) if change.at >= since)

    async def restart(self, workload: Workload, operation: str, at: datetime) -> None:
        self._there(workload)
        if self.rollouts[workload].restarted_by == operation:
            return
        self.done.append(("restart", workload.cluster, workload.name))
        self.becomes(workload, restarted_by=operation, template=f"t-{operation}", updated=0, done=False)

    async def delete_pod(self, workload: Workload, pod: str) -> None:
        self._there(workload)
        if pod in {found.name for found in self.found[workload]}:
            self.done.append(("delete", pod))
            self.found[workload] = tuple(found for found in self.found[workload] if found.name != pod)

    async def set_image(self, workload: Workload, image: str, template: str) -> None:
        self._there(workload)
        if self.rollouts[workload].template != template:
            raise DriftError("{name} was changed meanwhile.", name=Code(workload.name))
        self.done.append(("image", image))
        self.becomes(workload, images=(image,), template=f"t-{image[-6:]}", updated=0, done=False)

    async def scale(self, workload: Workload, replicas: int) -> None:
        raise NotImplementedError

    def settles(self) -> None:
        """Every rollout gets one pod further."""
        for workload, now in self.rollouts.items():
            updated = min(now.desired, now.updated + 1)
            self.becomes(workload, updated=updated, done=updated == now.desired)


@dataclass
class FakeLogs:
    """Lines by cluster and namespace. ``away``: it does not answer; ``refuses``: it does, with a refusal."""

    written: dict[tuple[str, str], tuple[Line, ...]] = field(default_factory=dict)
    silent: tuple[Phrase, ...] = ()
    cut: bool = False
    away: bool = False
    refuses: Exception | None = None
    asked: list[Wanted] = field(default_factory=list)
    counts: dict[tuple[str, str], int | None] = field(default_factory=dict)

    async def lines(self, environment: Environment, wanted: Wanted) -> Found:
        self.asked.append(wanted)
        if self.away:
            raise TemporaryError("no answer")
        if self.refuses:
            raise self.refuses
        every = self.written.get((environment.cluster, environment.namespace), ())
        found = [
            line
            for line in every
            if wanted.since <= line.at < wanted.until and has(line.text, wanted.grep) and wanted.pod in line.source
        ]
        return Found(tuple(found[-wanted.limit :]), wanted.until, self.cut or len(found) > wanted.limit, self.silent)

    async def errors(self, environment: Environment, since: datetime, until: datetime) -> int | None:
        return self.counts.get((environment.cluster, environment.namespace))

    async def check(self) -> str:
        return "here"


@dataclass
class FakeHappenings:
    """Events by cluster. ``away``: clusters whose API server does not answer."""

    told: dict[str, tuple[Happening, ...]] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    refuses: UserError | None = None

    async def happenings(self, environment: Environment, since: datetime) -> tuple[Happening, ...]:
        if environment.cluster in self.away:
            raise TemporaryError("no answer")
        if self.refuses:
            raise self.refuses
        return tuple(each for each in self.told.get(environment.cluster, ()) if each.at >= since)


class FakeForge:
    """Files by repository and path. A write over anything but the present content is refused."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], str] = {}
        self.messages: list[str] = []
        self.away = False

    async def read(self, repo: str, path: str, branch: str) -> File:
        if self.away:
            raise TemporaryError("GitHub does not answer")
        if (repo, path) not in self.files:
            raise UserError("There is no {path} in {repo}.", path=Code(path), repo=repo)
        text = self.files[repo, path]
        return File(text, sha1(text.encode()).hexdigest())

    async def commit(self, repo: str, path: str, branch: str, was: File, text: str, message: str) -> str:
        if (await self.read(repo, path, branch)).sha != was.sha:
            raise DriftError("Somebody pushed meanwhile.")
        self.files[repo, path] = text
        self.messages.append(message)
        return sha1(message.encode()).hexdigest()

    async def check(self) -> str:
        return "here"


class FakeDatabase:
    """A primary and its standby. ``deaf``: the fence is asked for and does not take hold."""

    def __init__(self) -> None:
        self.now = Replication("db-nyc2", "db-sfo3", 0.4, promoted=False, fenced=False)
        self.deaf, self.away, self.slow = False, False, 0
        self.done: list[str] = []

    def becomes(self, **changes: object) -> None:
        self.now = replace(self.now, **changes)  # type: ignore[arg-type]

    async def replication(self) -> Replication:
        if self.away:
            raise TemporaryError("DigitalOcean does not answer")
        return self.now

    async def fence(self) -> None:
        self.done.append("fence")
        self.becomes(fenced=not self.deaf)

    async def promote(self) -> None:
        self.done.append("promote")
        if not self.slow:
            self.becomes(promoted=True)

    def tick(self) -> None:
        """A promotion that was asked for is done after ``slow`` looks."""
        self.slow -= 1
        if self.slow == 0:
            self.becomes(promoted=True)


class FakeTraffic:
    def __init__(self) -> None:
        self.to, self.away = "nyc2", False
        self.done: list[str] = []

    async def region(self) -> str:
        if self.away:
            raise TemporaryError("DNS does not answer")
        return self.to

    async def shift(self, region: str) -> float:
        self.done.append(region)
        self.to = region
        return 60.0


@dataclass
class FakeWitnesses:
    sights: Mapping[str, Sight] = field(
        default_factory=lambda: {"prometheus": Sight.UP, "outside": Sight.UP, "kubernetes": Sight.UP}
    )

    async def ask(self) -> Mapping[str, Sight]:
        return self.sights


class FakeMetrics:
    """Answers by the query's text: a number, a whole reading, an error to raise; else an empty answer.

    A batch is answered as Prometheus does: the answers of its members under their marks, the warnings of all, and a
    refusal of one is one of the whole. ``spans`` answer the members of a range query, ``rises`` a range query without.
    """

    def __init__(self) -> None:
        self.answers: dict[str, float | Reading | Exception] = {}
        self.spans: dict[str, tuple[Series, ...] | Exception] = {}
        self.rises: Exception | tuple[Series, ...] = ()
        self.asked: list[str] = []
        self.requests = 0

    async def query(self, promql: str, at: datetime | None = None) -> Reading:
        self.requests += 1
        members = [MEMBER.fullmatch(line) for line in promql.split("\nor ")]
        if not all(members):
            return self._one(promql)
        readings = [(found[2], self._one(found[1])) for found in members if found]
        samples = (
            Sample({**one.labels, "pult_query": mark}, one.value) for mark, read in readings for one in read.samples
        )
        return Reading(tuple(samples), tuple(text for _, read in readings for text in read.warnings))

    def _one(self, promql: str) -> Reading:
        self.asked.append(promql)
        match self.answers.get(promql, Reading(())):
            case Exception() as error:
                raise error
            case Reading() as reading:
                return reading
            case number:
                return Reading((Sample({}, number),))

    async def span(self, promql: str, start: datetime, end: datetime, step: timedelta) -> tuple[Series, ...]:
        self.requests += 1
        members = [MEMBER.fullmatch(line) for line in promql.split("\nor ")]
        if not all(members):
            self.asked.append(promql)
            if isinstance(self.rises, Exception):
                raise self.rises
            return self.rises
        found: list[Series] = []
        for member in filter(None, members):
            self.asked.append(member[1])
            match self.spans.get(member[1], ()):
                case Exception() as error:
                    raise error
                case series:
                    found += [
                        replace(
                            one, labels={**one.labels, "pult_query": member[2]},
                            points=tuple(point for point in one.points if start <= point[0] <= end),
                        )
                        for one in series
                    ]  # fmt: skip
        return tuple(found)

    async def check(self) -> str:
        return "here"


MEMBER = re.compile(r'label_replace\((.*), "pult_query", "(\w+)", "", ""\)', re.DOTALL)


class FakeSilencer:
    size = 1

    def __init__(self) -> None:
        self.made: dict[str, tuple[Mapping[str, str], datetime, str, str]] = {}
        self.matchers: dict[str, tuple[Matching, ...]] = {}
        self.told: tuple[Testimony, ...] = ()
        self.refusal: Exception | None = None

    async def testimonies(self) -> tuple[Testimony, ...]:
        return self.told

    async def silences(self) -> tuple[Silence, ...]:
        return tuple(
            Silence(ident, self.matchers[ident], person, comment, NOON, until)
            for ident, (_, until, person, comment) in self.made.items()
        )

    async def silence(self, matchers: tuple[Matching, ...], until: datetime, person: str, comment: str) -> str:
        if self.refusal:
            raise self.refusal
        ident = f"s{len(self.made) + 1}"
        self.matchers[ident] = matchers
        self.made[ident] = ({each.label: each.value for each in matchers}, until, person, comment)
        return ident

    async def end(self, ident: str) -> None:
        del self.made[ident]

    async def check(self) -> str:
        return "here"


class FakeCanary:
    """Takes ``seconds``; with ``why`` it gets lost."""

    def __init__(self) -> None:
        self.seconds, self.why = 0.02, ""

    async def fly(self) -> float:
        if self.why:
            raise TemporaryError(self.why)
        return self.seconds


class StoppedError(Exception):
    """A step failed: where the real run would pause and ask."""


class DiedError(Exception):
    """The process is gone."""


class FakeRun:
    """Runs steps as the engine does, and remembers each. ``dies_in``: the process dies after this step's work."""

    def __init__(self, plan: Plan, dies_in: str = "", skips: frozenset[str] = frozenset()) -> None:
        self.plan, self.operation, self._dies_in, self._skips = plan, "op-41c9", dies_in, skips
        self.said: dict[str, str] = {}
        self.progress: list[str] = []

    async def step(self, name: str, work: Callable[[Say], Awaitable[Phrase]]) -> None:
        assert name in {step.name for step in self.plan.steps}, "a step that was not planned"
        if name in self._skips:
            return
        try:
            said = await work(self._say)
        except UserError as error:
            raise StoppedError(f"{name}: {error}") from error
        if name == self._dies_in:
            raise DiedError(name)
        self.said[name] = said.plain()

    async def _say(self, so_far: Phrase) -> None:
        self.progress.append(so_far.plain())


STUCK = phrase("ImagePullBackOff")
