"""What an alert's card learns from Prometheus and the clusters: who is asked, what is told, what a failure costs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import quote

import pytest

from bot.domain.alerts import Alert, Group
from bot.domain.cards import Place
from bot.domain.changes import (
    ClusterChange,
    Loss,
    Lost,
    NodeState,
    NodeTurned,
    Restarted,
    Rolled,
    Scaled,
    Synced,
    SyncState,
)
from bot.domain.errors import PermanentError, RateLimitedError, TemporaryError, UserError
from bot.domain.operations import Operation, State
from bot.domain.phrases import phrase
from bot.domain.plans import Plan
from bot.domain.services import Environment, Service
from bot.engine.guard import Guarded
from bot.ports.cluster import Workload
from bot.ports.metrics import Series
from handlers.cards import alert as card
from handlers.cards.changes import Change, explains, merged
from handlers.cards.happened import said
from handlers.cards.surroundings import Surroundings, remembered, where
from tests.handlers.department import PRODUCTION, SERVICES, STAGING, Department, alert, read
from tests.handlers.fakes import NOON, FakeClock, digest, image

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
REGIONS = {"nyc2": "nyc2", "sfo3": "sfo3", "spare": "ams3"}
API_SFO3 = Workload("sfo3", "production", "deployment", "api")


def ago(minutes: float) -> datetime:
    return NOON - minutes * MINUTE


@pytest.fixture
def around(department: Department) -> Surroundings:
    department.cluster.runs(API_SFO3, (image("api", "1.7.2"),), 2)
    return department.ports.surroundings


async def shown(department: Department, around: Surroundings, group: Group) -> str:
    """The card as the lane sends it."""
    seen = await department.store.read(lambda tx: card.seen(tx, SERVICES, group.id))
    assert seen is not None
    return read(await around.enrich(seen, card.draw(seen.group, seen.changes, seen.suspect)))


def measured(**labels: str) -> Alert:
    """An alert whose link tells its rule."""
    return replace(alert(**labels), url=f"http://prometheus/graph?g0.expr={quote('errors > 0.05')}")


RISING = (Series({}, tuple((NOON - HOUR + n * 2 * MINUTE, n / 100) for n in range(31))),)


# --- who is asked ---


def group(**labels: str) -> Group:
    return Group("a-1", "k", "alertmanager", {}, {"a": alert(**labels)}, NOON)


@pytest.mark.parametrize(
    ("labels", "asked"),
    [
        ({"region": "nyc2"}, ["nyc2"]),
        ({"region": "sfo3"}, ["sfo3"]),
        ({"region": "", "cluster": "sfo3"}, ["sfo3"]),
        ({"region": ""}, ["nyc2", "sfo3"]),
        ({"region": "mars"}, ["nyc2", "sfo3"]),
        ({"region": "ams3"}, []),
    ],
)
def test_the_cluster_that_the_alert_names_is_asked_else_those_of_production(
    labels: dict[str, str], asked: list[str]
) -> None:
    places = where(SERVICES.find("web"), group(service="web", **labels), REGIONS)
    assert [place.cluster for place in places] == asked
    assert {place.namespace for place in places} <= {"production"}


def test_one_file_for_every_cluster_is_looked_for_in_each() -> None:
    places = where(SERVICES.find("api"), group(region="sfo3"), REGIONS)
    assert places == (replace(PRODUCTION, cluster="sfo3"),)


def test_an_alert_of_staging_asks_staging() -> None:
    assert where(SERVICES.find("api"), group(namespace="staging"), REGIONS) == (STAGING,)
    assert where(SERVICES.find("api"), group(namespace="staging", region="sfo3"), REGIONS) == ()
    assert where(SERVICES.find("api"), group(namespace="production"), REGIONS) == (PRODUCTION,)


async def test_nothing_is_asked_for_an_alert_of_no_service(department: Department, around: Surroundings) -> None:
    for at, labels in enumerate(({"service": "billing"}, {"service": ""})):
        found = await department.fires(alert(**labels), key=f"k{at}", ident=f"a-00{at}0")
        await shown(department, around, found)
    assert department.cluster.asked == []


# --- what is told ---


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (Rolled(NOON, "12", image("api", "1.8.0")), "rolled out revision 12 (image 1.8.0)"),
        (Rolled(NOON, "12", "registry:5000/dept/api:1.9"), "rolled out revision 12 (image 1.9)"),
        (Rolled(NOON, "12", "registry/api@sha256:0123456789ab"), "rolled out revision 12 (image 0123456)"),
        (Rolled(NOON, "12"), "rolled out revision 12 (same image, other settings)"),
        (Rolled(NOON, "13", "api:1.7", back=True), "rolled back to image 1.7 (revision 13)"),
        (Rolled(NOON, "13", back=True), "rolled back (revision 13)"),
        (Restarted(NOON, "kubectl-rollout"), "restarted with kubectl"),
        (Restarted(NOON, "argocd-server"), "restarted by argocd-server"),
        (Restarted(NOON), "restarted"),
        (Restarted(NOON, "python", "op-41c9"), "restarted by pult (op-41c9)"),
        (Scaled(NOON, 4, 2), "scaled from 4 to 2"),
        (Scaled(NOON, None, 2), "scaled to 2"),
        (Scaled(NOON, 2, 4, autoscaler=True), "the autoscaler scaled it from 2 to 4"),
        (Scaled(NOON, None, 4, autoscaler=True), "the autoscaler scaled it to 4"),
        (NodeTurned(NOON, "pool-a1b2", NodeState.NOT_READY), "node pool-a1b2 is not ready"),
        (NodeTurned(NOON, "pool-a1b2", NodeState.READY), "node pool-a1b2 is ready"),
        (NodeTurned(NOON, "pool-a1b2", NodeState.CORDONED), "node pool-a1b2 was cordoned: it takes no new pods"),
        (NodeTurned(NOON, "pool-a1b2", NodeState.UNCORDONED), "node pool-a1b2 takes pods again"),
        (NodeTurned(NOON, "pool-a1b2", NodeState.REBOOTED), "node pool-a1b2 was rebooted"),
        (NodeTurned(NOON, "pool-a1b2", NodeState.DISK), "node pool-a1b2 is short of disk"),
        (NodeTurned(NOON, "pool-a1b2", NodeState.MEMORY), "node pool-a1b2 is short of memory"),
        (Lost(NOON, Loss.EVICTED, "api-1"), "pod api-1 was evicted"),
        (Lost(NOON, Loss.EVICTED, "api-1", 3), "3 pods were evicted"),
        (Lost(NOON, Loss.PREEMPTED, "api-1"), "pod api-1 had to make room for a more important one"),
        (Lost(NOON, Loss.PREEMPTED, "api-1", 2), "2 pods had to make room for more important ones"),
        (Lost(NOON, Loss.MEMORY, "api-1"), "pod api-1 was killed for using more memory than its limit"),
        (Lost(NOON, Loss.MEMORY, "api-1", 2), "2 pods were killed for using more memory than their limit"),
        (Synced(NOON, "argocd", "3f2a1b9"), "Argo CD synced 3f2a1b9"),
        (Synced(NOON, "argocd", "3f2a1b9", by="admin"), "Argo CD synced 3f2a1b9 for admin"),
        (Synced(NOON, "argocd", "3f2a1b9", back=True), "Argo CD went back to 3f2a1b9"),
        (Synced(NOON, "flux", "3f2a1b9", SyncState.RUNNING), "Flux is syncing 3f2a1b9"),
        (Synced(NOON, "flux", "", SyncState.FAILED), "Flux could not sync –"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_in_words_that_a_tired_person_understands(fact: ClusterChange, words: str) -> None:
    assert said(fact, {digest("api", "1.8.0"): "1.8.0"}).plain() == words


async def test_the_card_names_them_newest_first_and_five_at_most(department: Department, around: Surroundings) -> None:
    facts: tuple[ClusterChange, ...] = tuple(Scaled(ago(50 - n), n, n + 1) for n in range(7))
    department.cluster.changed["nyc2"] = (Restarted(ago(90)), *facts)
    text = await shown(department, around, await department.fires(alert()))
    lines = [line for line in text.splitlines() if "scaled from" in line]
    assert [f"scaled from {n} to {n + 1}" in line for n, line in zip((6, 5, 4, 3, 2), lines, strict=True)] == [True] * 5
    assert "restarted" not in text
    assert "nyc2:" not in text


async def test_of_several_clusters_each_line_names_its_own(department: Department, around: Surroundings) -> None:
    department.cluster.changed = {"nyc2": (Scaled(ago(3), 4, 2),), "sfo3": (Restarted(ago(2), "kubectl-rollout"),)}
    text = await shown(department, around, await department.fires(alert(region="")))
    assert "sfo3: restarted with kubectl" in text
    assert "nyc2: scaled from 4 to 2" in text


async def test_a_release_gives_the_image_its_version(department: Department, around: Surroundings) -> None:
    await department.reported("1.8.0")
    department.cluster.changed["nyc2"] = (Rolled(ago(3), "12", image("api", "1.8.0")),)
    text = await shown(department, around, await department.fires(alert()))
    assert "rolled out revision 12 (image 1.8.0)" in text
    assert "release 1.8.0 of api" in text


async def test_what_came_after_it_was_over_is_not_its_business(department: Department, around: Surroundings) -> None:
    fired = await department.fires(alert())
    over = replace(fired, closed_at=ago(2), alerts={k: replace(a, ends_at=ago(2)) for k, a in fired.alerts.items()})
    await department.store.write(lambda tx: tx.save_group(over))
    department.cluster.changed["nyc2"] = (Scaled(ago(3), 4, 2), Restarted(ago(1)))
    text = await shown(department, around, over)
    assert "scaled from 4 to 2" in text
    assert "restarted" not in text


# --- pult's own operations ---


def operation(action: str = "restart", **changes: object) -> Operation:
    values: dict[str, object] = {"environment": "production", "params": {"cluster": "nyc2"}, **changes}
    plan = Plan(action, phrase("Restart {service}", service="api"), "api", str(values["environment"]), (),
                params=values["params"])  # type: ignore[arg-type]  # fmt: skip
    return Operation(
        "op-41c9", plan, "anna", State.SUCCEEDED, ago(20), NOON, Place("console:ops"), started_at=ago(10),
        ended_at=ago(8),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("did", "fact", "place", "same"),
    [
        (operation(), Restarted(ago(10), "python", "op-41c9"), PRODUCTION, True),
        (operation(), Restarted(ago(10), "python", "op-52d0"), PRODUCTION, False),
        (operation(), Restarted(ago(9)), PRODUCTION, True),
        (operation(), Restarted(ago(7)), PRODUCTION, False),
        (operation(), Restarted(ago(11)), PRODUCTION, False),
        (operation(), Scaled(ago(9), 4, 2), PRODUCTION, False),
        (operation(), Restarted(ago(9)), STAGING, False),
        (operation(), Restarted(ago(9)), replace(PRODUCTION, cluster="sfo3"), False),
        (operation("promote"), Rolled(ago(9), "12", "api:1.8"), PRODUCTION, True),
        (operation("promote"), Synced(ago(9), "flux", "3f2a1b9"), PRODUCTION, True),
        (operation("scale"), Scaled(ago(9), 4, 2), PRODUCTION, True),
        (operation("drill", environment="", params={}), Restarted(ago(9)), PRODUCTION, False),
        (replace(operation("promote"), ended_at=None), Rolled(ago(0), "12"), PRODUCTION, True),
    ],
)
def test_an_operation_explains_what_it_did_and_nothing_else(
    did: Operation, fact: ClusterChange, place: Environment, same: bool
) -> None:
    assert explains(did, place, fact) is same


def test_what_an_operation_did_is_told_once_in_its_own_words() -> None:
    own = (Change(ago(8), phrase("Restart api: succeeded"), operation()),)
    told: dict[Environment, tuple[ClusterChange, ...]] = {PRODUCTION: (Restarted(ago(10)), Scaled(ago(5), 4, 2))}
    assert [change.what.plain() for change in merged(own, told, {})] == ["scaled from 4 to 2", "Restart api: succeeded"]


# --- what a failure costs ---


async def test_each_fails_alone(department: Department, around: Surroundings) -> None:
    department.metrics.rises = TemporaryError("Prometheus does not answer")
    department.cluster.changed["nyc2"] = (Scaled(ago(3), 4, 2),)
    text = await shown(department, around, await department.fires(measured()))
    assert "scaled from 4 to 2" in text
    assert "Last hour" not in text

    department.clock.at += MINUTE
    department.metrics.rises, department.cluster.away = RISING, {"nyc2"}
    text = await shown(department, around, await department.fires(measured(), key="k2", ident="a-0002"))
    assert "Last hour" in text


async def test_one_cluster_away_hides_no_other(department: Department, around: Surroundings) -> None:
    department.cluster.changed = {"nyc2": (Scaled(ago(3), 4, 2),), "sfo3": (Restarted(ago(2)),)}
    department.cluster.away = {"sfo3"}
    text = await shown(department, around, await department.fires(alert(region="")))
    assert "nyc2: scaled from 4 to 2" in text


async def storm(department: Department, around: Surroundings, count: int) -> None:
    for n in range(count):
        service = "api" if n % 2 else "web"
        one = replace(measured(service=service), starts_at=NOON)
        found = await department.fires(one, key=f"s{n}", ident=f"a-{n:04d}", at=department.clock.at)
        await shown(department, around, found)


async def test_a_dead_dependency_costs_a_storm_one_question(department: Department, around: Surroundings) -> None:
    department.metrics.rises, department.cluster.away = TemporaryError("no"), {"nyc2"}
    await storm(department, around, 20)
    assert len(department.cluster.asked) == 1
    assert len(department.metrics.asked) == 1
    department.clock.at += timedelta(seconds=31)
    department.cluster.away.clear()
    department.metrics.rises = RISING
    await storm(department, around, 4)
    assert len({place.workload for place in department.cluster.asked[1:]}) == 2
    assert len(department.metrics.asked) == 5


async def test_a_living_cluster_is_asked_once_for_the_cards_of_one_service(
    department: Department, around: Surroundings
) -> None:
    department.cluster.changed["nyc2"] = (Scaled(ago(3), 4, 2),)
    await storm(department, around, 20)
    assert len(department.cluster.asked) == 2
    department.clock.at += timedelta(seconds=11)
    await storm(department, around, 2)
    assert len(department.cluster.asked) == 4


async def test_cards_at_the_same_moment_share_one_question(department: Department, around: Surroundings) -> None:
    found = await department.fires(alert())
    async with asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(around.told(found)) for _ in range(2)]
    assert both[0].result() == both[1].result()
    assert len(department.cluster.asked) == 1


async def test_what_is_slow_is_given_up_within_the_cards_second(department: Department, around: Surroundings) -> None:
    async def never(*_: object) -> tuple[ClusterChange, ...]:
        await asyncio.Event().wait()
        return ()

    department.cluster.changes = never  # type: ignore[method-assign]
    found = await department.fires(alert())
    async with asyncio.timeout(1):
        told = await around.told(found)
    assert [one.plain() for one in told.silent] == ["What nyc2 itself changed is not known: it does not answer."]
    async with asyncio.timeout(0.2):
        assert (await around.told(found)).silent


async def test_what_did_not_answer_in_time_is_worth_a_second_look(department: Department, around: Surroundings) -> None:
    """The first alert after a start, or a cluster that hesitates: its lines come with the second look."""
    department.cluster.away = {"nyc2"}
    seen = card.Seen(await department.fires(alert()))
    message = await around.enrich(seen, card.draw(seen.group))
    assert "scaled" not in read(message)
    department.cluster.away, department.cluster.changed["nyc2"] = set(), (Scaled(ago(3), 4, 2),)
    department.clock.at += timedelta(seconds=message.again)
    message = await around.enrich(seen, card.draw(seen.group))
    assert "scaled from 4 to 2" in read(message)
    assert message.again == 0, "it is complete"


async def test_a_refusal_is_an_answer(department: Department, around: Surroundings) -> None:
    """No such workload, or a missing permission: the card goes without, and the others are asked as ever."""
    del department.cluster.rollouts[Workload("nyc2", "production", "deployment", "api")]
    assert "Changed shortly" not in await shown(department, around, await department.fires(alert()))
    department.cluster.changed["nyc2"] = (Scaled(ago(3), 4, 2),)
    found = await department.fires(alert(service="web"), key="w", ident="a-0002")
    assert "scaled from 4 to 2" in await shown(department, around, found)


async def test_alert_says_what_is_not_known(department: Department) -> None:
    department.metrics.rises, department.cluster.away = TemporaryError("no"), {"nyc2"}
    await department.fires(measured())
    text = await department.say("anna", "alert 7k2f")
    assert "The trend is not known: Prometheus does not answer." in text
    assert "What nyc2 itself changed is not known: it does not answer." in text


async def test_alert_says_what_changed(department: Department) -> None:
    department.cluster.changed["nyc2"] = (Scaled(ago(3), 4, 2),)
    await department.fires(alert())
    assert "scaled from 4 to 2" in await department.say("anna", "alert 7k2f")


# --- what stays known ---


async def test_what_was_told_stays_while_nobody_answers(department: Department, around: Surroundings) -> None:
    department.cluster.changed["nyc2"] = (Scaled(ago(3), 4, 2),)
    found = await department.fires(alert())
    await shown(department, around, found)
    department.clock.at += MINUTE
    department.cluster.away = {"nyc2"}
    assert "scaled from 4 to 2" in await shown(department, around, found)


async def test_what_the_server_forgets_stays_known(department: Department, around: Surroundings) -> None:
    department.cluster.changed["nyc2"] = (Scaled(ago(3), 4, 2),)
    found = await department.fires(alert())
    await shown(department, around, found)
    department.clock.at += 2 * HOUR
    department.cluster.changed["nyc2"] = ()
    assert "scaled from 4 to 2" in await shown(department, around, found)


def test_of_what_is_recent_the_server_has_the_last_word() -> None:
    before = (Scaled(ago(5), 4, 2), Restarted(ago(55), "kubectl-rollout"), Restarted(ago(25 * 60)))
    told = (Restarted(ago(55)),)
    assert remembered(before, told, NOON) == (Restarted(ago(55)),)
    running = Synced(ago(55), "flux", "3f2a1b9", SyncState.RUNNING)
    assert remembered((running,), (), NOON) == ()
    many = tuple(Scaled(ago(n / 10), n, n + 1) for n in range(150))
    kept = remembered((), many, NOON)
    assert len(kept) == 100
    assert all(one.at <= other.at for one, other in pairwise(kept))
    assert kept[-1] == many[0]


# --- the guard ---


async def fails(error: Exception) -> str:
    raise error


async def finds() -> str:
    return "found"


@pytest.mark.parametrize("error", [TemporaryError("away"), PermanentError("no such host"), TimeoutError()])
async def test_the_guard_leaves_alone_what_failed(error: Exception) -> None:
    clock = FakeClock()
    guard = Guarded(clock)
    with pytest.raises(TemporaryError, match=r"^prometheus: "):
        await guard.ask("prometheus", lambda: fails(error), 1)
    with pytest.raises(TemporaryError, match="did not answer a moment ago"):
        await guard.ask("prometheus", finds, 1)
    assert await guard.ask("kubernetes nyc2", finds, 1) == "found"
    clock.at += timedelta(seconds=30)
    assert await guard.ask("prometheus", finds, 1) == "found"


async def test_the_guard_waits_as_long_as_it_is_told_to() -> None:
    clock = FakeClock()
    guard = Guarded(clock)
    with pytest.raises(TemporaryError):
        await guard.ask("kubernetes nyc2", lambda: fails(RateLimitedError("429", 90)), 1)
    clock.at += timedelta(seconds=89)
    with pytest.raises(TemporaryError, match="a moment ago"):
        await guard.ask("kubernetes nyc2", finds, 1)


async def test_the_guard_lets_a_refusal_through() -> None:
    guard = Guarded(FakeClock())
    for _ in range(2):
        with pytest.raises(UserError, match="no such workload"):
            await guard.ask("kubernetes nyc2", lambda: fails(UserError("no such workload")), 1)


def test_a_service_without_its_own_environment_is_looked_for_where_it_runs() -> None:
    lone = Service(
        "cron", "jobs", "deployment", "cron", ("nyc2",), (Environment("x", "nyc2", "j", "deployment", "cron"),)
    )
    (place,) = where(lone, group(service="cron"), REGIONS)
    assert (place.cluster, place.workload) == ("nyc2", "cron")
