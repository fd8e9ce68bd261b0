"""Rollback: to what ran well, by the hand that owns the workload, held by nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

import tests.handlers.department as place
from bot.domain.operations import Choice, State
from bot.domain.phrases import phrase
from bot.domain.plans import Plan
from bot.domain.policy import Policy
from bot.domain.progressive import Progressive
from bot.domain.releases import Deployment, Fate
from bot.domain.services import Catalogue, GitOps, Service
from bot.domain.targets import Hand
from bot.ports.cluster import Workload
from bot.ports.rollouts import Revision
from tests.handlers.department import API, DEPLOY, PRODUCTION, STAGING, Check, Department, alert, manifest, read
from tests.handlers.fakes import NOON, digest, image
from tests.handlers.fakes_releases import sha

OWN = replace(PRODUCTION, gitops=GitOps())


@pytest.fixture
async def bad(department: Department) -> Department:
    """1.8.0 runs in production since ten minutes, 1.7.2 ran well before it; git owns the workload."""
    await department.reported("1.7.2", stage="released", commit=sha("1.7.2"))
    await department.reported("1.8.0", commit=sha("1.8.0"))
    department.cluster.becomes(API, images=(image("api", "1.8.0"),))
    department.forge.files[DEPLOY] = manifest("1.8.0")
    await ran(department, "1.7.1", NOON - timedelta(days=9))
    await ran(department, "1.7.2", NOON - timedelta(days=2))
    await ran(department, "1.8.0", NOON - timedelta(minutes=10), Fate.BAD)
    return department


async def ran(
    department: Department, version: str, since: datetime, fate: Fate = Fate.GOOD, where: str = "production"
) -> None:
    row = Deployment("api", where, version, digest("api", version), fate, since, since=since)
    await department.store.write(lambda tx: tx.save_deployment(row))


async def planned(department: Department, words: str = "rollback api") -> Plan:
    return (await department.proposed("anna", words)).plan


def owned_by_nobody(monkeypatch: pytest.MonkeyPatch, *environments) -> None:
    api = Service(
        "api", "production", "deployment", "api", ("nyc2", "sfo3"), environments or (STAGING, OWN), "dept/api"
    )
    monkeypatch.setattr(place, "SERVICES", Catalogue([api]))


def kept(*versions: str) -> tuple[Revision, ...]:
    """Its history, the newest first; the first is what runs."""
    count = len(versions)
    return tuple(
        Revision(str(count - at), (image("api", version),), NOON - timedelta(days=at), current=at == 0)
        for at, version in enumerate(versions)
    )


async def test_the_plan_of_a_rollback_by_git(bad: Department, reads_as: Check) -> None:
    await bad.fires(alert("a"))
    made = await bad.proposed("anna", "откатить api")
    (target,) = made.plan.targets
    assert (target.hand, target.digest) == (Hand.COMMIT, digest("api", "1.7.2"))
    assert target.committed == digest("api", "1.8.0")
    assert made.plan.holds == ()
    assert made.plan.params == {"version": "1.7.2", "digest": digest("api", "1.7.2"), "from": "1.8.0"}
    text = read((await bad.reply("anna", f"op {made.id}")).message)
    reads_as("operations/rollback-git", text.replace(made.id, "op-0000").replace(made.plan.hash[:8], "0" * 8))


async def test_a_freeze_and_a_spent_budget_hold_nothing(bad: Department) -> None:
    await bad.say("anna", "freeze api 1h holidays")
    bad.policy = Policy({"promote": replace(Policy().rule("promote"), floor=100.0)})
    made = await bad.proposed("anna", "rollback api")
    assert made.plan.holds == ()
    await bad.say("anna", f"approve {made.id}")
    assert (await bad.operation(made.id)).state is State.APPROVED, "one person is enough: the one who asks, too"


async def test_what_was_rolled_back_once_is_not_gone_back_to(bad: Department) -> None:
    await ran(bad, "1.7.3", NOON - timedelta(days=1), Fate.BACK)
    assert (await planned(bad)).params["version"] == "1.7.2"


async def test_a_named_version_that_ran_once_is_taken_without_asking_anybody(bad: Department) -> None:
    bad.registry.away = True
    for words in ("rollback api to 1.7.1", "rollback api 1.7.1", "откатить api на v1.7.1 в production"):
        made = await bad.proposed("anna", words)
        assert made.plan.targets[0].digest == digest("api", "1.7.1")
        await bad.say("anna", f"cancel {made.id}")


async def test_a_named_version_that_never_ran_is_resolved(bad: Department) -> None:
    await bad.reported("1.6.0", commit=sha("1.6.0"))
    assert (await planned(bad, "rollback api to 1.6.0")).targets[0].digest == digest("api", "1.6.0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("rollback", "rollback <service>"),
        ("rollback moon", "There is no service moon"),
        ("rollback api to", "Write it like this"),
        ("rollback api in moon", "has no environment moon"),
        ("rollback api to 9.9.9", "has not heard of api 9.9.9"),
        ("rollback api to 1.8.0", "1.8.0 already runs in production"),
        ("rollback api in staging", "no earlier version of api in staging. Name one: rollback api to 1.2.3 in staging"),
    ],
)
async def test_what_can_not_be_rolled_back(bad: Department, words: str, said: str) -> None:
    assert said in await bad.say("anna", words, ok=False)


async def test_a_workload_of_nobodys_is_undone_by_its_own_history(
    bad: Department, monkeypatch: pytest.MonkeyPatch, reads_as: Check
) -> None:
    owned_by_nobody(monkeypatch)
    bad.rollouts.kept[API] = kept("1.8.0", "1.7.2", "1.7.1")
    made = await bad.proposed("anna", "rollback api")
    (target,) = made.plan.targets
    assert (target.hand, target.revision, target.digest) == (Hand.UNDO, "2", digest("api", "1.7.2"))
    text = read((await bad.reply("anna", f"op {made.id}")).message)
    reads_as("operations/rollback-undo", text.replace(made.id, "op-0000").replace(made.plan.hash[:8], "0" * 8))


async def test_without_such_a_revision_the_image_is_set(bad: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    owned_by_nobody(monkeypatch)
    bad.rollouts.kept[API] = kept("1.8.0", "1.7.9")
    assert [target.hand for target in (await planned(bad)).targets] == [Hand.PATCH]


async def test_history_stands_in_where_pult_has_no_record(
    department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned_by_nobody(monkeypatch)
    department.rollouts.kept[API] = kept("1.7.2", "1.7.1", "1.7.0")
    plan = await planned(department)
    assert plan.targets[0].digest == digest("api", "1.7.1")
    assert plan.params["version"] == digest("api", "1.7.1")[:19], "nobody told its version"


async def test_history_stands_in_under_git_too(department: Department) -> None:
    department.rollouts.kept[API] = kept("1.7.2", "1.7.1")
    (target,) = (await planned(department)).targets
    assert (target.hand, target.digest, target.revision) == (Hand.COMMIT, digest("api", "1.7.1"), "")


async def test_a_history_that_does_not_answer_is_no_history(bad: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    owned_by_nobody(monkeypatch)
    bad.rollouts.away = True
    assert [target.hand for target in (await planned(bad)).targets] == [Hand.PATCH]


async def test_a_canary_that_is_under_way_is_aborted(bad: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = replace(OWN, kind="rollout")
    owned_by_nobody(monkeypatch, STAGING, rollout)
    canary = Workload("nyc2", "production", "rollout", "api")
    bad.cluster.runs(canary, (image("api", "1.8.0"),), 4)
    bad.cluster.becomes(canary, progressive=Progressive(1, 4, 20, under_way=True, waits=phrase("unknown")))
    new, old = kept("1.8.0", "1.7.2")
    bad.rollouts.kept[canary] = (new, replace(old, stable=True))
    plan = await planned(bad)
    (target,) = plan.targets
    assert (target.hand, target.digest, target.revision) == (Hand.ABORT, digest("api", "1.7.2"), "1")
    assert [step.name for step in plan.steps] == ["apply", "rollout", "verify"]
    assert "aborting the rollout" in " ".join(each.plain() for each in plan.blast)


async def test_every_region_that_runs_it_goes_back_the_last_first(
    bad: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    sfo3 = replace(OWN, name="production-sfo3", cluster="sfo3")
    owned_by_nobody(monkeypatch, STAGING, sfo3, replace(OWN, after="production-sfo3"))
    there = replace(API, cluster="sfo3")
    bad.cluster.runs(there, (image("api", "1.8.0"),), 2)
    await ran(bad, "1.7.2", NOON - timedelta(days=2), where="production-sfo3")
    plan = await planned(bad)
    assert [target.environment.name for target in plan.targets] == ["production", "production-sfo3"]
    assert plan.steps[0].name == "apply production"


async def test_a_region_that_never_got_it_is_left_alone(bad: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    sfo3 = replace(OWN, name="production-sfo3", cluster="sfo3")
    owned_by_nobody(monkeypatch, STAGING, sfo3, replace(OWN, after="production-sfo3"))
    bad.cluster.runs(replace(API, cluster="sfo3"), (image("api", "1.7.2"),), 2)
    assert [target.environment.name for target in (await planned(bad)).targets] == ["production"]


async def test_data_that_was_changed_is_said(bad: Department) -> None:
    await bad.reported("1.8.0", commit=sha("1.8.0"), migrations=True)
    plan = await planned(bad)
    assert "✗ what runs has changed data" in {what.plain(): said.plain() for what, said in plan.evidence}["Migrations"]
    assert plan.holds == ()


async def test_a_plan_that_only_waits_does_not_bar_the_way_back(bad: Department) -> None:
    await bad.reported("1.9.0", commit=sha("1.9.0"))
    waiting = await bad.proposed("boris", "promote api 1.9.0")
    back = await bad.proposed("anna", "rollback api")
    assert (back.after, back.plan.params["version"]) == ("", "1.7.2")
    assert (await bad.operation(waiting.id)).state is State.WAITING
    assert f"{back.id} still waits, and comes first" in await bad.say("boris", "rollback api", ok=False)


@pytest.mark.parametrize("choices", [(Choice.UNDO, Choice.RETRY, Choice.ABORT), (Choice.RETRY, Choice.ABORT)])
async def test_where_a_promotion_is_paused_its_own_way_back_is_offered(
    bad: Department, choices: tuple[Choice, ...]
) -> None:
    await bad.reported("1.9.0", commit=sha("1.9.0"))
    made = await bad.proposed("boris", "promote api 1.9.0")
    running = replace(made.moved(State.APPROVED).moved(State.RUNNING), started_at=NOON)
    await bad.store.write(lambda tx: tx.save_operation(replace(running.moved(State.PAUSED), choices=choices)))
    said = await bad.say("anna", "rollback api", ok=False)
    assert f"{made.id} is paused there: decide that first" in said
    assert f"resume {made.id} abort" in said
    assert (f"resume {made.id} undo" in said) is (Choice.UNDO in choices)
    await bad.store.write(lambda tx: tx.save_operation(replace(running.moved(State.FAILED), ended_at=NOON)))
    assert (await planned(bad)).params["version"] == "1.7.2"


async def test_a_cluster_that_does_not_tell_its_history_is_not_taken_for_one_without(
    department: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned_by_nobody(monkeypatch)
    department.rollouts.away = True
    assert "nyc2 did not tell in time what ran there before. Ask again" in await department.say(
        "anna", "rollback api", ok=False
    )
    department.rollouts.away = False
    assert "pult knows no earlier version of api" in await department.say("anna", "rollback api", ok=False)
