"""Trouble in clusters is told once for each workload, over when it is seen over, and never by silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.alerts import Alert, Group, Notification
from bot.domain.phrases import NOTHING, verbatim
from bot.domain.sights import Kind, Owner, Place
from bot.domain.trouble import Finding, Trouble
from bot.domain.watched import Watch, places
from bot.ports.watching import Seen, State
from handlers import periodic
from handlers.alerting import episodes
from handlers.cards import alert as card
from tests.handlers.department import SERVICES, Check, Department, read
from tests.handlers.fakes import NOON

PODS = Place("nyc2", "production", Kind.POD)
API = Owner("deployment", "api")
LONG_AGO = NOON - timedelta(hours=1)


class Rounds:
    """The warden as it goes round."""

    def __init__(self, department: Department) -> None:
        self.department = department
        self.begin()

    def begin(self) -> None:
        """Pult starts: nothing is remembered but the store."""
        (self.duty,) = (
            each for each in periodic(self.department.ports, self.department.desk()) if each.name == "watch"
        )

    def shows(self, *findings: Finding, place: Place = PODS, since: datetime = LONG_AGO) -> None:
        self.department.watching.places[place] = Seen(State.LIVE, since, NOTHING, findings)

    def fails(self, state: State, why: str = "no answer", place: Place = PODS) -> None:
        self.department.watching.places[place] = Seen(state, None, verbatim(why))

    async def __call__(self, seconds: float = 2) -> dict[str, Group]:
        self.department.clock.at += timedelta(seconds=seconds)
        await self.duty.run()
        groups = await self.department.store.read(lambda tx: tx.open_groups())
        return {f"{group.name} {group.service}": group for group in groups}


@pytest.fixture
def rounds(department: Department) -> Rounds:
    found = Rounds(department)
    found.shows()
    return found


async def test_a_job_of_a_service_names_it(rounds: Rounds, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Finding(Trouble.JOBS, Owner("cronjob", "report"), {"why": "BackoffLimitExceeded"})
    jobs = Place("nyc2", "production", Kind.JOB)
    rounds.shows(job, place=jobs)
    assert list(await rounds()) == ["JobFailed report"], "somebody else's, for all that is known"
    rounds.shows(place=jobs)
    await rounds()
    owned = replace(SERVICES.named("web"), jobs=("cronjob/report",))
    monkeypatch.setitem(SERVICES._services, "web", owned)
    rounds.begin()
    rounds.shows(job, place=jobs)
    assert "JobFailed web" in await rounds()


def storm(**told: str) -> Finding:
    return Finding(Trouble.RESTARTS, API, {"how": "Error (1)", **told})


async def test_it_is_one_alert_from_the_next_round_to_its_end(department: Department, rounds: Rounds) -> None:
    assert await rounds() == {}
    rounds.shows(storm())
    found = await rounds()
    assert list(found) == ["RestartStorm api"]
    group = found["RestartStorm api"]
    assert {name: group.common(name) for name in ("severity", "cluster", "region", "namespace", "environment")} == {
        "severity": "warning", "cluster": "nyc2", "region": "nyc2", "namespace": "production",
        "environment": "production",
    }  # fmt: skip
    cards = await department.store.read(lambda tx: tx.cards_of(f"alert:{group.id}"))
    for _ in range(3):
        assert (await rounds(61))["RestartStorm api"].id == group.id
    assert await department.store.read(lambda tx: tx.cards_of(f"alert:{group.id}")) == cards, "nothing was edited"
    rounds.shows()
    assert await rounds() == {}


async def test_a_restart_of_pult_tells_nothing_twice_and_ends_nothing_early(rounds: Rounds) -> None:
    rounds.shows(storm())
    first = await rounds()
    rounds.begin()
    rounds.shows(storm())
    assert {name: group.id for name, group in (await rounds()).items()} == {n: g.id for n, g in first.items()}
    rounds.begin()
    rounds.shows(since=rounds.department.clock.at)
    assert list(await rounds()) == list(first), "what it has not seen for ten minutes it can't call over"
    assert list(await rounds(10 * 60 - 8)) == list(first)
    assert await rounds(6) == {}, "and then it does at once"


async def test_a_deleted_workload_is_over_although_pult_was_down(rounds: Rounds) -> None:
    rounds.shows(Finding(Trouble.IMAGES, API, {"image": "api:9"}))
    assert list(await rounds()) == ["ImagePullFailing api"]
    rounds.begin()
    rounds.shows(since=rounds.department.clock.at)
    assert await rounds() == {}


@pytest.mark.parametrize("state", [State.UNKNOWN, State.REFUSED, State.STARTING, State.ABSENT])
async def test_silence_ends_no_alert(rounds: Rounds, state: State) -> None:
    rounds.shows(storm())
    first = await rounds()
    rounds.fails(state)
    for _ in range(5):
        assert list(await rounds(120)) == list(first)


async def test_what_is_not_firm_raises_nothing_and_ends_nothing(rounds: Rounds) -> None:
    rounds.shows(replace(storm(), firm=False))
    assert await rounds() == {}
    rounds.shows(storm())
    assert await rounds()
    rounds.shows(replace(storm(), firm=False, told={}))
    assert await rounds()


async def test_what_is_so_now_is_what_the_card_says(rounds: Rounds) -> None:
    rounds.shows(storm())
    first = (await rounds())["RestartStorm api"]
    rounds.shows(storm(how="OOMKilled (137)"))
    now = (await rounds())["RestartStorm api"]
    assert (now.id, now.common("how")) == (first.id, "OOMKilled (137)")


async def test_two_troubles_of_one_workload_are_two_alerts(rounds: Rounds) -> None:
    rounds.shows(storm(), Finding(Trouble.MEMORY, API, {"container": "api"}))
    assert set(await rounds()) == {"RestartStorm api", "OutOfMemory api"}
    rounds.shows(storm())
    assert set(await rounds()) == {"RestartStorm api"}


async def test_each_cluster_is_its_own(rounds: Rounds) -> None:
    other = PODS._replace(cluster="sfo3")
    rounds.shows(storm())
    rounds.shows(storm(), place=other)
    await rounds()
    groups = await rounds.department.store.read(lambda tx: tx.open_groups())
    assert {group.common("cluster") for group in groups} == {"nyc2", "sfo3"}
    rounds.fails(State.UNKNOWN, place=other)
    rounds.shows()
    await rounds()
    groups = await rounds.department.store.read(lambda tx: tx.open_groups())
    assert {group.common("cluster") for group in groups} == {"sfo3"}


async def told(department: Department, *, firing: bool = True, **labels: str) -> None:
    now = department.clock.at
    every = {"severity": "warning", **labels}
    alert = Alert("f1", every, {}, NOON, None if firing else now)
    said = Notification("alertmanager", "g1", "pult", {"alertname": labels["alertname"]}, (alert,))
    await department.store.write(lambda tx: episodes.notified(tx, department.rules, said, now))


@pytest.mark.parametrize(
    ("labels", "enough"),
    [
        ({"alertname": "PodRestarting", "service": "api"}, True),
        ({"alertname": "KubePodCrashLooping", "namespace": "production", "pod": "api-6c9f-xk2lp"}, True),
        ({"alertname": "KubePodCrashLooping", "namespace": "staging", "pod": "api-6c9f-xk2lp"}, False),
        ({"alertname": "PodRestarting", "service": "api", "region": "sfo3"}, False),
        ({"alertname": "PodRestarting", "service": "web"}, False),
        ({"alertname": "PodPending", "service": "api"}, False),
    ],
)
async def test_one_alert_of_a_meaning_is_enough(rounds: Rounds, labels: dict[str, str], enough: bool) -> None:
    await told(rounds.department, **labels)
    rounds.shows(storm())
    assert ("RestartStorm api" in await rounds()) is not enough
    await told(rounds.department, firing=False, **labels)
    assert "RestartStorm api" in await rounds(61), "nobody else tells of it any more"


async def test_critical_counts_in_production_only(department: Department) -> None:
    department.watch = Watch(severities=dict.fromkeys(Trouble, "critical"))
    rounds = Rounds(department)
    rounds.shows(storm(), Finding(Trouble.RESTARTS, Owner("deployment", "nobodys")))
    found = await rounds()
    assert {name: group.severity for name, group in found.items()} == {
        "RestartStorm api": "critical",
        "RestartStorm nobodys": "warning",
    }


async def test_where_nobody_wants_it_watched_any_more_it_is_let_go(rounds: Rounds) -> None:
    rounds.shows(storm())
    assert await rounds()
    rounds.department.watching.places.clear()
    rounds.begin()
    assert await rounds() == {}


async def test_status_says_what_is_not_watched(department: Department, rounds: Rounds) -> None:
    rounds.shows(place=PODS._replace(cluster="sfo3"))
    assert "Clusters watched nyc2, sfo3" in " ".join((await department.say("vera", "status")).split())
    rounds.fails(State.ABSENT, place=PODS._replace(kind=Kind.CERTIFICATE))
    assert "Clusters watched nyc2, sfo3" in " ".join((await department.say("vera", "status")).split())
    rounds.fails(State.REFUSED, 'cannot watch "pods"')
    assert 'nyc2: not wholly, since pult may not: cannot watch "pods"' in await department.say("vera", "status")
    rounds.fails(State.UNKNOWN, "the API server does not answer")
    assert "nyc2: unknown, the API server does not answer" in await department.say("vera", "status")


@pytest.mark.parametrize(
    "finding",
    [
        storm(),
        Finding(Trouble.RESTARTS, API),
        Finding(Trouble.MEMORY, API, {"container": "api"}),
        Finding(Trouble.PENDING, API, {"why": "0/3 nodes are available: 3 Insufficient memory."}),
        Finding(Trouble.PENDING, API),
        Finding(Trouble.IMAGES, API, {"image": "registry.example/api:9"}),
        Finding(Trouble.ROLLOUTS, API, {"why": 'ReplicaSet "api-7f" has timed out progressing.'}),
        Finding(Trouble.ROLLOUTS, Owner("statefulset", "db")),
        Finding(Trouble.JOBS, Owner("cronjob", "backup"), {"why": "BackoffLimitExceeded"}),
        Finding(Trouble.CERTIFICATES, Owner("certificate", "web"), {"why": "Issuing certificate"}),
        Finding(Trouble.CERTIFICATES, Owner("certificate", "web"), {"expires": "2026-11-25T12:00+00:00"}),
        Finding(Trouble.CERTIFICATES, Owner("certificate", "x"), {"expires": "2026-11-25T12:00+00:00", "why": "order"}),
    ],
    ids=lambda each: f"{each.trouble}-{each.owner.name}-{'-'.join(each.told)}",
)
async def test_cards(rounds: Rounds, finding: Finding, reads_as: Check, request: pytest.FixtureRequest) -> None:
    rounds.shows(finding)
    (group,) = (await rounds()).values()
    name = f"{finding.trouble}-{finding.owner.name}-{'-'.join(finding.told) or 'bare'}".lower()
    reads_as(f"watch/{name}", read(card.draw(group)).replace(group.id, "a-0000"))


def test_what_is_watched_is_where_services_run() -> None:
    found = places(SERVICES)
    expected = {("nyc2", "staging"), ("nyc2", "production"), ("sfo3", "production")}
    assert {(place.cluster, place.namespace) for place in found} == expected
    assert Kind.ROLLOUT not in {place.kind for place in found}, "where no service is one nobody needs the right"
