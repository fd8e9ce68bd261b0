"""The outside of the duties, in memory: what they see of it is set, what they do to it is noted in ``done``."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha1, sha256

from bot.domain.changes import ClusterChange
from bot.domain.costs import Spend
from bot.domain.errors import DriftError, TemporaryError, UserError
from bot.domain.invariants import Invariant
from bot.domain.loglines import has
from bot.domain.money import Rates
from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.plans import Plan
from bot.domain.services import Environment
from bot.domain.sights import Place
from bot.domain.silences import Matching, Silence
from bot.domain.slo import Slo
from bot.domain.testimony import Testimony
from bot.ports.cluster import Pod, Rollout, Workload
from bot.ports.flows import Did, Say
from bot.ports.forge import Commit, Comparison, File, Pull
from bot.ports.gitops import Applied
from bot.ports.happenings import Happening
from bot.ports.logs import Found, Line, Wanted
from bot.ports.metrics import Reading, Sample, Series
from bot.ports.rollouts import Revision
from bot.ports.scaling import Autoscaler
from bot.ports.watching import Seen

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
            Pod(f"{workload.name}-6c9f7-{letter}", "Running", True, 0, NOON, "node-1", uid=f"uid-{letter}")
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

    async def delete_pod(self, workload: Workload, pod: str, uid: str) -> None:
        self._there(workload)
        if (pod, uid) in {(found.name, found.uid) for found in self.found[workload]}:
            self.done.append(("delete", pod))
            self.found[workload] = tuple(
                replace(each, phase="Terminating") if each.uid == uid else each for each in self.found[workload]
            )

    def ends(self) -> None:
        """Pods that were told to go are gone, and the next of a name is another."""
        for workload, pods in self.found.items():
            self.found[workload] = tuple(
                replace(each, phase="Running", uid=f"{each.uid}-next") if each.phase == "Terminating" else each
                for each in pods
            )

    async def set_image(self, workload: Workload, image: str, template: str) -> None:
        self._there(workload)
        if self.rollouts[workload].template != template:
            raise DriftError("{name} was changed meanwhile.", name=Code(workload.name))
        self.done.append(("image", image))
        self.becomes(workload, images=(image,), template=f"t-{image[-6:]}", updated=0, done=False)

    def settles(self) -> None:
        """Every rollout gets one pod further, unless it goes step by step."""
        for workload, now in self.rollouts.items():
            if now.progressive is not None:
                continue
            updated = min(now.desired, now.updated + 1)
            available = max(now.available, min(updated, now.available + 1))
            self.becomes(workload, updated=updated, available=available, done=updated == now.desired)


class FakeScaling:
    """``scalers`` by workload. What an operation asks for is noted once; pods come as the cluster settles."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self.scalers: dict[Workload, Autoscaler] = {}
        self.noted: dict[Workload, str] = {}
        self.missing: dict[Workload, str] = {}

    async def autoscaler(self, workload: Workload) -> Autoscaler | None:
        await self._cluster.rollout(workload)
        return self.scalers.get(workload)

    async def bound(self, workload: Workload, scaler: Autoscaler) -> None:
        if workload not in self.scalers:
            raise DriftError("The autoscaler {name} is gone.", name=Code(scaler.name))
        if self.scalers[workload] != scaler:
            self._cluster.done.append(("bound", scaler.name, f"{scaler.least}-{scaler.most}"))
            self.scalers[workload] = scaler
        if self._cluster.rollouts[workload].desired < scaler.least:
            self._cluster.becomes(workload, desired=scaler.least, done=False)

    async def scale(self, workload: Workload, replicas: int, operation: str) -> None:
        found = await self._cluster.rollout(workload)
        if self.noted.get(workload) == operation:
            return
        self.noted[workload] = operation
        self._cluster.done.append(("scale", workload.cluster, workload.name, str(replicas)))
        self._cluster.becomes(workload, desired=replicas, updated=min(found.updated, replicas), done=False)

    async def allowed(self, workload: Workload) -> str:
        return self.missing.get(workload, "")


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
class FakeWatching:
    """Watches by place, all of one state unless set apart."""

    places: dict[Place, Seen] = field(default_factory=dict)

    def seen(self) -> dict[Place, Seen]:
        return dict(self.places)


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
        self.pulls: dict[str, Mapping[str, str]] = {}
        self.away = False

    async def read(self, repo: str, path: str, branch: str) -> File:
        if self.away:
            raise TemporaryError("GitHub does not answer")
        path += branch if branch.startswith("@") else ""
        if (repo, path) not in self.files:
            raise UserError("There is no {path} in {repo}.", path=Code(path), repo=repo)
        text = self.files[repo, path]
        return File(text, sha1(text.encode()).hexdigest())

    async def commit(self, repo: str, path: str, branch: str, was: File, text: str, message: str) -> str:
        if (await self.read(repo, path, branch)).sha != was.sha:
            raise DriftError("Somebody pushed meanwhile.")
        return self.pushed(repo, path, text, message)

    def pushed(self, repo: str, path: str, text: str, message: str) -> str:
        """Somebody, or pult, pushed: the new head."""
        self.files[repo, path] = text
        self.messages.append(message)
        return self.head

    @property
    def head(self) -> str:
        return sha1("\n".join(self.messages).encode()).hexdigest()

    async def resolve(self, repo: str, ref: str) -> Commit:
        return Commit(self.head, self.messages[-1] if self.messages else "", "anna", NOON)

    async def propose(
        self, repo: str, base: str, head: str, files: Mapping[str, str], title: str, body: str, *,
        pins: Mapping[str, str] | None = None,
    ) -> Pull:  # fmt: skip
        self.pulls[head] = {**self.pulls.get(head, {}), **files}
        return Pull(list(self.pulls).index(head) + 1, "open", "")

    async def compare(self, repo: str, base: str, head: str) -> Comparison:
        files = self.pulls[head]
        for path, text in files.items():
            self.files[repo, f"{path}@{head}"] = text
        return Comparison((Commit(f"@{head}", "deploy", "pult", NOON),), tuple(files))

    async def merge(self, repo: str, number: int, head: str = "") -> Pull:
        branch, files = list(self.pulls.items())[number - 1]
        assert head == f"@{branch}", "only what was looked at"
        for path, text in files.items():
            self.pushed(repo, path, text, f"Merge {branch}")
        return Pull(number, "merged", "", self.head)

    async def check(self) -> str:
        return "here"


class FakeGitOps:
    """Applies what ``apply`` does at each look. ``asked``: each question once, as the tools themselves keep it."""

    def __init__(self, apply: Callable[[], None] = lambda: None) -> None:
        self.apply, self.asked = apply, dict[str, str]()
        self.stuck: Phrase | None = None
        self.away = 0
        self.looks = 0
        self.ready_after = 2
        self.applied_head, self.well, self.unknown = "", True, False

    async def ask(self, environment: Environment, revision: str, operation: str) -> None:
        self._there()
        self.asked.setdefault(operation, f"{environment.name} {revision}")

    async def progress(self, environment: Environment, revision: str, operation: str) -> Applied:
        self._there()
        assert self.asked[operation] == f"{environment.name} {revision}", "its own request"
        self.looks += 1
        done = self.looks % self.ready_after == 0 and not self.applied_head and self.stuck is None
        if done:
            self.apply()
        return Applied(revision if done else "", revision, done and self.well, True, synced=done, stuck=self.stuck)

    async def state(self, environment: Environment) -> Applied:
        if self.unknown:
            raise UserError("There is no kustomization {name} in nyc2.", name=Code(environment.gitops.application))
        self._there()
        stuck = None if self.well else STUCK
        return Applied(self.applied_head, self.applied_head, self.well, True, stuck=stuck)

    def _there(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise TemporaryError("the cluster does not answer")


class FakePipeline:
    """GitHub's side of a deployment; ``runs``: the states that a run goes through, one a look."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []
        self.gates: dict[int, set[str]] = {}
        self.runs: list[str] = ["pending", "success"]
        self.away = False
        self.notes: dict[str, str] = {}
        self._begun: dict[tuple[str, str], int] = {}

    async def waiting(self, repo: str, run: int) -> tuple[str, ...]:
        return tuple(sorted(self.gates.get(run, set())))

    async def answer_gate(self, repo: str, run: int, environment: str, *, approve: bool, comment: str) -> None:
        self.done.append(("gate", str(run), environment, comment))
        self.gates[run].discard(environment)

    async def dispatch(self, repo: str, workflow: str, ref: str, inputs: dict[str, str]) -> int:
        call = ("dispatch", workflow, ref, inputs["version"], inputs["digest"][:12], inputs["operation"])
        if call not in self.done:
            self.done.append(call)
        return 700 + self.done.index(call)

    async def run_state(self, repo: str, run: int) -> str:
        return self.runs.pop(0) if len(self.runs) > 1 else self.runs[0]

    async def deploy_begun(self, repo: str, sha: str, environment: str, operation: str) -> int:
        self._there()
        return self._begun.setdefault((environment, operation), len(self._begun) + 1)

    async def deploy_status(self, repo: str, deployment: int, state: str, description: str, url: str) -> None:
        self._there()
        self.done.append(("status", str(deployment), state))

    async def annotate(self, repo: str, version: str, text: str) -> None:
        self._there()
        self.notes[version] = text

    def _there(self) -> None:
        if self.away:
            raise TemporaryError("GitHub does not answer")


class FakeBudgets:
    """``burned``: pace by SLO, at each look the next one; None unknown. ``before``: what it was."""

    def __init__(self) -> None:
        self.burned: dict[str, list[float | None]] = {}
        self.before: float | None = 0.2
        self.windows: list[tuple[datetime, datetime]] = []
        self.ages: list[float | None] = [0.0]
        self.apart: list[Mapping[str, float | None]] = [{}]
        self.waited: tuple[tuple[datetime, float], ...] = ()

    async def burn(self, slo: Slo, start: datetime, end: datetime) -> float | None:
        if end <= NOON:
            return self.before
        self.windows.append((start, end))
        paces = self.burned.get(slo.name, [0.3])
        return paces.pop(0) if len(paces) > 1 else paces[0]

    async def burns(self, slo: Slo, label: str, start: datetime, end: datetime) -> Mapping[str, float | None]:
        """By region, at each look the next ones; without any the metrics tell no regions apart."""
        assert label == "region"
        self.windows.append((start, end))
        return self.apart.pop(0) if len(self.apart) > 1 else self.apart[0]

    async def waits(self, slo: Slo) -> tuple[tuple[datetime, float], ...]:
        return self.waited

    async def standings(self, slos: tuple[Slo, ...]) -> tuple[Invariant, ...]:
        age = self.ages.pop(0) if len(self.ages) > 1 else self.ages[0]
        return tuple(Invariant(slo, age) for slo in slos)


class FakeErrorLines:
    """Error lines: ``before`` the operation, and ``now``."""

    def __init__(self, now: int | None = 0, before: int | None = 0) -> None:
        self.now, self.before = now, before

    async def errors(self, environment: Environment, since: datetime, until: datetime) -> int | None:
        return self.before if until <= NOON else self.now


class FakeRollouts:
    """Revisions by their number; each undo is noted."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self.known: dict[str, tuple[str, ...]] = {}
        self.done: list[tuple[str, ...]] = []

    async def revisions(self, workload: Workload) -> tuple[Revision, ...]:
        return tuple(Revision(number, images, NOON, False) for number, images in reversed(self.known.items()))

    async def undo(self, workload: Workload, revision: str, template: str) -> None:
        assert template == self._cluster.rollouts[workload].template
        self.done.append(("undo", revision))
        images = self.known[revision]
        self._cluster.becomes(workload, images=images, template=f"t-{images[0][-6:]}", updated=0, done=False)

    async def abort(self, workload: Workload) -> None:
        self.done.append(("abort", workload.name))
        if way := self._cluster.rollouts[workload].progressive:
            self._cluster.becomes(workload, progressive=replace(way, aborted=True))

    async def advance(self, workload: Workload, operation: str, *, full: bool = False) -> None:
        """One step further; after the last it is the stable version."""
        self.done.append(("advance", operation))
        now = self._cluster.rollouts[workload]
        assert now.progressive is not None
        step, last = now.progressive.step + 1, now.progressive.steps
        way = replace(now.progressive, step=step, weight=25 * step, under_way=step < last)
        self._cluster.becomes(
            workload, updated=min(step, now.desired), done=step == last,
            progressive=replace(way, waits=now.progressive.waits if step < last else None),
        )  # fmt: skip


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
    receivers: frozenset[str] = frozenset()

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
    """Runs steps as the engine does, and remembers each. ``dies_in``: the process dies after this step's work.

    ``journal``: values of steps that were done before it died.
    """

    def __init__(
        self,
        plan: Plan,
        dies_in: str = "",
        skips: frozenset[str] = frozenset(),
        clock: FakeClock | None = None,
        operation: str = "op-41c9",
        journal: Mapping[str, str] | None = None,
    ) -> None:
        self.plan, self.operation, self._dies_in, self._skips = plan, operation, dies_in, skips
        self.started, self.begun, self._clock = NOON, set[str](), clock or FakeClock()
        self.said: dict[str, str] = {}
        self.values: dict[str, str] = dict(journal or {})
        self.progress: list[str] = []

    async def step(self, name: str, work: Callable[[Say], Awaitable[Phrase | Did]], title: Phrase | None = None) -> str:
        assert title or name in {step.name for step in self.plan.steps}, "a step that was not planned"
        self.begun.add(name)
        if name in self.values:
            return self.values[name]
        if name in self._skips:
            return ""
        try:
            did = await work(FakeSay(self._clock.now(), self.progress))
        except UserError as error:
            raise StoppedError(f"{name}: {error}") from error
        if name == self._dies_in:
            raise DiedError(name)
        said, value = (did.said, did.value) if isinstance(did, Did) else (did, "")
        self.said[name], self.values[name] = said.plain(), value
        return value


@dataclass
class FakeSay:
    """Notes what the card would show."""

    since: datetime
    progress: list[str]

    async def __call__(self, so_far: Phrase) -> None:
        self.progress.append(so_far.plain())


STUCK = phrase("ImagePullBackOff")


class FakeCosts:
    """``found``: what is answered, or raised; without it nothing is configured."""

    def __init__(self) -> None:
        self.found: Spend | Exception = UserError("Nothing tells what is used.")
        self.priced: dict[str, Rates] = {}

    async def spend(self) -> Spend:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    async def rates(self, cluster: str) -> Rates | None:
        return self.priced.get(cluster)
