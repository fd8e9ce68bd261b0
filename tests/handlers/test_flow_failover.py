"""The way to the other region: fence before promote, unknown is not small, nothing happens twice, all of it visible."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

import handlers
from bot.domain.codec import decode
from bot.domain.errors import DriftError, TemporaryError, UntouchedError
from bot.domain.failover_course import read
from bot.domain.freezes import EVERYTHING, Freeze
from bot.domain.operations import State
from bot.domain.plans import Plan, PlannedStep
from bot.domain.services import Catalogue, GitOps
from bot.engine.scheduler import Scheduler
from bot.ports.scaling import Autoscaler
from handlers.flows.failover_tools import PATIENCE
from handlers.operating import freezing
from handlers.schedules import freezes
from tests.handlers.department import SERVICES, Department
from tests.handlers.fakes import NOON, StoppedError
from tests.handlers.moving import API_SFO3, HOME, IDENT, SECRET, STEPS, Moving, capped, quota


@pytest.fixture
def moving(department: Department) -> Moving:
    return Moving(department)


async def test_from_one_region_to_the_other(moving: Moving) -> None:
    plan = await moving.plan()
    running = await moving.runs(plan)
    assert tuple(step.name for step in plan.steps) == STEPS
    assert list(running.said) == [*STEPS, "result"]
    assert moving.done == ["fence", "promote", "sfo3"]
    assert running.said["lag"] == "0.4\N{NO-BREAK SPACE}s behind"
    assert running.said["capacity"] == "api 4 of 4; web 2 of 2; pool-a 4 of 4"
    assert running.said["connections"] == "api-database:url is switched, api restarted"
    assert "until 2026-03-01" in running.said["shift"]
    assert running.said["verify"].startswith("sfo3 serves reads and writes; every probe from outside answers")
    assert running.said["report"].startswith("RTO ")
    assert running.said["result"].startswith("sfo3 serves. Plan the failback when nyc2 is healthy.")
    assert moving.connections.held == {SECRET: "db-sfo3.example:5432", HOME: "db-nyc2.example:5432"}
    restarts = [each for each in moving.cluster.done if each[0] == "restart"]
    assert restarts == [("restart", "sfo3", "api")], "web does not read it"


async def test_who_can_not_be_looked_at_is_restarted_too(moving: Moving) -> None:
    moving.department.anatomies.found["web", "production-sfo3"] = TemporaryError("sfo3 does not answer")
    running = await moving.runs(await moving.plan())
    assert running.said["connections"] == "api-database:url is switched, api, web restarted"


async def test_promotions_are_frozen_meanwhile(moving: Moving) -> None:
    frozen = []
    moving.clock.ticks.append(lambda: frozen.append(moving.database.roles["sfo3"]))
    plan = await moving.plan()
    await moving.dies(plan, "promote")
    (kept,) = await moving.store.read(freezing.kept)
    assert (kept.service, kept.by) == (EVERYTHING, "pult")
    await moving.resumes(plan)
    assert await moving.store.read(freezing.kept) == ()


async def test_what_somebody_else_froze_stays_frozen(moving: Moving) -> None:
    theirs = Freeze(EVERYTHING, NOON + timedelta(hours=1), "holidays", "boris")
    await moving.store.write(lambda tx: freezing.begin(tx, (), theirs, NOON))
    await moving.runs(await moving.plan())
    (kept,) = await moving.store.read(freezing.kept)
    assert (kept.by, kept.until) == ("boris", theirs.until)


async def test_what_somebody_froze_meanwhile_stays_frozen(moving: Moving) -> None:
    plan = await moving.plan()
    await moving.dies(plan, "promote")
    theirs = Freeze(EVERYTHING, NOON + timedelta(days=1), "nobody releases today", "boris")
    await moving.store.write(lambda tx: freezing.begin(tx, (), theirs, NOON))
    running = await moving.resumes(plan)
    (kept,) = await moving.store.read(freezing.kept)
    assert kept.by == "boris"
    assert running.said["result"].startswith("sfo3 serves.")


async def ticks(moving: Moving, hours: float) -> tuple[Freeze, ...]:
    """Time passes, as the scheduler sees it; what is frozen then."""
    scheduler = Scheduler(moving.store, moving.clock, [freezes.ending(("console:ops",))])
    for _ in range(round(hours * 4)):
        moving.clock.at += timedelta(minutes=15)
        await scheduler.sweep()
        if not (await moving.store.read(freezing.kept)):
            break
    return await moving.store.read(freezing.kept)


async def test_the_freeze_lasts_as_long_as_the_move_does(moving: Moving) -> None:
    """People think for nine hours at a paused step: nothing is promoted meanwhile, and one card tells of it."""
    plan = await moving.plan()
    await moving.dies(plan, "promote")
    (first,) = await moving.store.read(freezing.kept)
    (kept,) = await ticks(moving, 9)
    assert (kept.by, kept.since, kept.why) == ("pult", first.since, f"nyc2 → sfo3 ({IDENT})")
    assert moving.clock.at < kept.until <= moving.clock.at + timedelta(hours=4)
    await moving.resumes(plan)
    assert await moving.store.read(freezing.kept) == ()


async def test_a_move_that_was_given_up_leaves_what_is_left_of_its_freeze(moving: Moving) -> None:
    plan = await moving.plan()
    await moving.dies(plan, "promote")
    operation = await moving.store.read(lambda tx: tx.operation(IDENT))
    assert operation is not None
    await moving.store.write(lambda tx: tx.save_operation(replace(operation, state=State.FAILED)))
    assert len(await ticks(moving, 3.75)) == 1
    assert await ticks(moving, 0.5) == ()


async def test_what_somebody_froze_for_longer_and_ends_first_is_gone_on_with(moving: Moving) -> None:
    theirs = Freeze(EVERYTHING, NOON + timedelta(hours=6), "holidays", "boris")
    await moving.store.write(lambda tx: freezing.begin(tx, (), theirs, NOON))
    plan = await moving.plan()
    await moving.dies(plan, "promote")
    (kept,) = await moving.store.read(freezing.kept)
    assert kept.by == "boris"
    (kept,) = await ticks(moving, 7)
    assert (kept.by, kept.why) == ("pult", f"nyc2 → sfo3 ({IDENT})")
    await moving.resumes(plan)
    assert await moving.store.read(freezing.kept) == ()


async def test_whoever_unfroze_everything_meanwhile_meant_it(moving: Moving) -> None:
    plan = await moving.plan()
    await moving.dies(plan, "promote")
    await moving.store.write(lambda tx: freezing.lift(tx, EVERYTHING, "boris", NOON))
    assert await ticks(moving, 9) == ()


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_in_any_step_does_nothing_twice(moving: Moving, step: str) -> None:
    plan = await moving.plan()
    await moving.dies(plan, step)
    running = await moving.resumes(plan)
    assert moving.done.count("promote") == 1
    assert moving.done.index("fence") < moving.done.index("promote") < moving.done.index("sfo3")
    assert len(moving.connections.done) == 1
    orders = [each for each in moving.cluster.done if each[0] in {"restart", "scale"}]
    assert len(orders) == len(set(orders)), orders
    assert running.said["result"].startswith("sfo3 serves.")
    assert await moving.store.read(freezing.kept) == ()


# --- the table of docs/failover.md: what is broken, where it stops, what is said, what people may do then ---


def away(moving: Moving) -> None:
    moving.database.away = True


def lag_grows(moving: Moving) -> None:
    moving.database.becomes(lag=60.1)


def lag_unknown(moving: Moving) -> None:
    moving.database.becomes(lag=None)


def lag_no_number(moving: Moving) -> None:
    moving.database.becomes(lag=float("nan"))


def deaf(moving: Moving) -> None:
    moving.database.deaf = True


def mute(moving: Moving) -> None:
    moving.database.mute = True


def never_done(moving: Moving) -> None:
    moving.database.slow = 10**9


def no_dns(moving: Moving) -> None:
    moving.traffic.failing = True


def pods_pending(moving: Moving) -> None:
    moving.clock.ticks.remove(moving.cluster.settles)


def machines_missing(moving: Moving) -> None:
    moving.department.pools.stuck = 3


def target_dies(moving: Moving) -> None:
    moving.cluster.away.add("sfo3")


def secret_closed(moving: Moving) -> None:
    moving.connections.closed = "patch secrets in production"


def secret_gone(moving: Moving) -> None:
    moving.connections.held.pop(SECRET)


def outside_wrong(moving: Moving) -> None:
    moving.unwell()


def write_refused(moving: Moving) -> None:
    moving.database.gone.add("sfo3")


BROKEN = [
    ("lag grown", lag_grows, "lag", "more than the 60 s allowed", []),
    ("lag unknown", lag_unknown, "lag", "Nobody knows the replication lag", []),
    ("lag no number", lag_no_number, "lag", "Nobody knows the replication lag", []),
    ("pods do not come", pods_pending, "capacity", "Not ready after 600 s: api 2 of 4", []),
    ("machines do not come", machines_missing, "capacity", "pool-a 3 of 4", []),
    ("quota", quota, "capacity", "3 machines at most, and 4 are needed", []),
    ("autoscaler's most", capped, "capacity", "The autoscaler api allows 3 pods at most, and 4 are needed", []),
    ("fence asked for and not seen", deaf, "fence", "The fence can't be confirmed", ["fence"]),
    ("fence unreachable", mute, "fence", "db-nyc2 does not answer", []),
    ("promotion never ends", never_done, "promote", "not done after 600 s", ["fence", "promote"]),
    ("secret closed", secret_closed, "connections", "pult may not: patch secrets", ["fence", "promote"]),
    ("secret gone", secret_gone, "connections", "There is no Secret", ["fence", "promote"]),
    ("outside does not answer", outside_wrong, "verify", "answers 503", ["fence", "promote", "sfo3"]),
    ("new primary takes no writes", write_refused, "verify", "does not take writes", ["fence", "promote", "sfo3"]),
]


@pytest.mark.parametrize(("breaks", "step", "why", "done"), [each[1:] for each in BROKEN], ids=[b[0] for b in BROKEN])
async def test_what_is_broken_stops_it_where_nothing_is_lost(
    moving: Moving, breaks: Callable[[Moving], None], step: str, why: str, done: list[str]
) -> None:
    plan = await moving.plan()
    breaks(moving)
    assert await moving.stops(why, plan) == step
    assert moving.done == done
    assert len(moving.database.writable) <= 1


@pytest.mark.parametrize("breaks", [pods_pending, machines_missing, mute, no_dns, outside_wrong, secret_closed])
async def test_once_it_is_mended_the_same_operation_ends_well(moving: Moving, breaks: Callable[[Moving], None]) -> None:
    plan = await moving.plan()
    breaks(moving)
    with pytest.raises(Exception, match=r"."):
        await moving.runs(plan)
    moving.clock.ticks += [] if moving.cluster.settles in moving.clock.ticks else [moving.cluster.settles]
    moving.department.pools.stuck, moving.database.mute, moving.traffic.failing = 100, False, False
    moving.connections.closed = ""
    moving.unwell(well=True)
    running = await moving.resumes(plan)
    assert running.said["verify"].startswith("sfo3 serves reads and writes")
    assert moving.done.count("promote") == 1


async def test_an_api_that_is_away_at_the_check_pauses_at_a_step_and_ends_nothing(moving: Moving) -> None:
    plan = await moving.plan()
    away(moving)
    with pytest.raises(Exception, match="DigitalOcean does not answer"):
        await moving.runs(plan)
    assert moving.done == []


async def test_a_target_that_dies_in_the_middle_is_waited_for_and_then_said(moving: Moving) -> None:
    plan = await moving.plan()
    await moving.dies(plan, "capacity")
    target_dies(moving)
    with pytest.raises(Exception, match="sfo3 does not answer"):
        await moving.runs(plan)
    assert moving.done == [], "nothing is fenced for a region that can't take over"


async def test_a_failed_step_after_the_promotion_says_the_way_back(moving: Moving) -> None:
    plan = await moving.plan()
    secret_closed(moving)
    await moving.stops("the way back is a plan of its own: failover sfo3 to nyc2", plan)
    assert moving.flow.no_return >= {"promote"}


@pytest.mark.parametrize("skips", [{"lag", "fence"}, {"lag", "fence", "capacity"}])
async def test_no_promotion_without_a_fence_whatever_was_skipped(moving: Moving, skips: set[str]) -> None:
    assert await moving.stops("The old primary is not fenced", skips=frozenset(skips)) == "promote"
    assert moving.done == []


async def test_a_fence_that_fell_before_the_promotion_stops_it_and_may_be_undone(moving: Moving) -> None:
    plan = await moving.plan()
    await moving.dies(plan, "fence")
    moving.database.becomes(fenced=False)
    with pytest.raises(StoppedError) as stopped:
        await moving.runs(plan, skips=frozenset({"lag", "fence"}))
    assert isinstance(stopped.value.__cause__, UntouchedError)
    assert "promote" not in moving.done


# --- what was overridden ---


async def test_a_large_lag_holds_the_plan_and_what_was_overridden_may_be_lost(moving: Moving) -> None:
    lag_grows(moving)
    plan = await moving.plan()
    assert [hold.name for hold in plan.holds] == ["rpo"]
    assert "60.1" in plan.holds[0].why.plain()
    running = await moving.runs(plan)
    assert running.said["lag"] == "60.1\N{NO-BREAK SPACE}s behind"


async def test_more_than_what_was_overridden_may_not(moving: Moving) -> None:
    lag_grows(moving)
    plan = await moving.plan()
    moving.database.becomes(lag=75.0)
    assert await moving.stops("behind, more than the 60.1 s allowed", plan) == "lag"


async def test_behind_a_dead_primary_a_lag_grows_with_the_clock_alone(moving: Moving) -> None:
    moving.database.becomes(lag=90.0, reachable=False)
    plan = await moving.plan()
    moving.clock.at += timedelta(minutes=5)
    moving.database.becomes(lag=389.0)
    await moving.runs(plan)
    assert "promote" in moving.done


async def test_an_unknown_lag_that_was_overridden_goes_on(moving: Moving) -> None:
    lag_unknown(moving)
    plan = await moving.plan()
    assert "Nobody knows" in plan.holds[0].why.plain()
    running = await moving.runs(plan)
    assert running.said["lag"] == "nobody knows the replication lag, and that was overridden"
    assert "RPO unknown" in running.said["report"]


async def test_a_healthy_region_is_left_by_plain_approvals_and_said_in_red(moving: Moving) -> None:
    plan = await moving.plan()
    assert plan.holds == ()
    assert "🔴" in next(says.plain() for about, says in plan.evidence if "Region nyc2" in about.plain())


# --- the world moved ---


async def test_the_world_as_it_was_planned(moving: Moving) -> None:
    plan = await moving.plan()
    moving.database.becomes(promoted=True, fenced=True)
    with pytest.raises(DriftError, match="no longer where it was"):
        await moving.runs(plan)


async def test_traffic_that_was_moved_meanwhile(moving: Moving) -> None:
    plan = await moving.plan()
    moving.traffic.to = "sfo3"
    with pytest.raises(DriftError, match="Traffic goes to sfo3 by now"):
        await moving.runs(plan)


async def test_the_second_of_two_failovers_finds_it_done(moving: Moving) -> None:
    plan = await moving.plan()
    await moving.runs(plan)
    with pytest.raises(DriftError):
        await moving.runs(plan)
    assert moving.done.count("promote") == 1


async def test_a_move_that_was_given_up_half_way_is_finished_by_a_new_plan(moving: Moving) -> None:
    no_dns(moving)
    plan = await moving.plan()
    with pytest.raises(Exception, match="DNS answers 500"):
        await moving.runs(plan)
    moving.traffic.failing = False
    await moving.over()
    again = await moving.plan()
    running = await moving.runs(again)
    assert running.said["promote"] == "promoted already"
    assert (moving.traffic.to, moving.done.count("promote")) == ("sfo3", 1)


# --- people's word where no machine can confirm the fence ---


async def test_a_statement_for_this_operation_takes_the_place_of_the_fence(moving: Moving) -> None:
    plan = await moving.plan()
    moving.database.mute = True
    await moving.stops(f"failover attest {IDENT}", plan)
    await moving.stated()
    moving.database.becomes(reachable=False)
    moving.database.gone.add("nyc2")
    running = await moving.runs(plan)
    assert running.said["fence"] == ("anna states that the primary in nyc2 is off: I pulled its plug; approved by chen")
    assert moving.database.writable == {"sfo3"}


@pytest.mark.parametrize(("region", "operation"), [("nyc2", "op-other"), ("sfo3", IDENT)])
async def test_a_statement_for_another_one_does_not(moving: Moving, region: str, operation: str) -> None:
    await moving.stated(region, operation)
    moving.database.mute = True
    moving.database.gone.add("nyc2")
    assert await moving.stops("can't be confirmed") == "fence"
    assert "promote" not in moving.done


async def test_a_statement_that_pult_sees_to_be_wrong_is_not_believed(moving: Moving) -> None:
    plan = await moving.plan()
    await moving.stated()
    moving.database.mute = True
    assert await moving.stops("but it takes writes", plan) == "promote"
    assert "promote" not in moving.done


# --- capacity ---


async def test_pods_that_the_burning_region_had_are_remembered(moving: Moving) -> None:
    (duty,) = [
        each for each in handlers.periodic(moving.department.ports, moving.department.desk()) if each.name == "rooms"
    ]
    await duty.run()
    moving.cluster.away.add("nyc2")
    lots = {lot.service: lot for lot in read((await moving.plan()).params).lots}
    assert (lots["api"].need, lots["api"].known) == (4, True)


async def test_pods_that_nobody_knows_of_are_said(moving: Moving) -> None:
    moving.cluster.away.add("nyc2")
    plan = await moving.plan()
    lots = {lot.service: lot for lot in read(plan.params).lots}
    assert (lots["api"].need, lots["api"].known) == (2, False)
    said = next(says.plain() for about, says in plan.evidence if about.plain() == "Capacity")
    assert "how many the other region had is not known" in said


async def test_an_autoscaler_is_told_its_least(moving: Moving) -> None:
    moving.department.scaling.scalers[API_SFO3] = Autoscaler("api", 1, 9)
    plan = await moving.plan()
    await moving.runs(plan)
    assert ("bound", "api", "4-9") in moving.cluster.done
    assert moving.department.scaling.scalers[API_SFO3] == Autoscaler("api", 4, 9)


# --- the way back, up to the promotion ---


async def test_undo_takes_the_fence_away_and_asks_for_less(moving: Moving) -> None:
    moving.department.scaling.scalers[API_SFO3] = Autoscaler("api", 1, 9)
    plan = await moving.plan()
    await moving.dies(plan, "fence")
    said = await moving.undone(plan, {"freeze", "lag", "capacity", "fence"})
    assert list(said) == ["undo-fence", "undo-capacity", "undo-freeze", "result"]
    assert moving.database.writable == {"nyc2"}
    assert ("bound", "api", "1-9") in moving.cluster.done
    assert moving.department.scaling.scalers[API_SFO3] == Autoscaler("api", 1, 9)
    assert await moving.store.read(freezing.kept) == ()


async def test_a_number_that_something_puts_back_is_said_within_a_minute(moving: Moving) -> None:
    """Argo CD heals what git says otherwise: ten minutes of a burning region are not waited for that."""
    plan, begun = await moving.plan(), moving.clock.at
    moving.clock.ticks.append(lambda: moving.cluster.becomes(API_SFO3, desired=2, available=2))
    assert await moving.stops("api is kept at 2 pods, and 4 are needed. Argo CD, Flux or", plan) == "capacity"
    assert moving.clock.at - begun < timedelta(minutes=2)
    assert "fence" not in moving.done


async def test_the_card_says_whose_pods_come_from_git(moving: Moving, monkeypatch: pytest.MonkeyPatch) -> None:
    said = [each.plain() for each in (await moving.plan()).blast]
    assert not any("from git" in each for each in said), "nobody's"
    services = []
    for each in SERVICES:
        places = (replace(place, gitops=GitOps("argocd", each.name)) for place in each.environments)
        services.append(replace(each, environments=tuple(places)) if each.name == "web" else each)
    monkeypatch.setattr("tests.handlers.department.SERVICES", Catalogue(services))
    await moving.over()
    said = [each.plain() for each in (await moving.plan()).blast]
    assert any(each.startswith("web: sfo3 takes them from git. Where git says how many pods") for each in said)


async def test_undo_asks_for_what_was_there_also_where_nobody_knew_when_it_was_planned(moving: Moving) -> None:
    """The region did not answer then: -1 pods is no number to go back to."""
    moving.cluster.away = {"sfo3"}
    plan = await moving.plan()
    moving.cluster.away = set()
    await moving.dies(plan, "fence")
    await moving.undone(plan, {"freeze", "lag", "capacity", "fence"})
    assert moving.cluster.rollouts[API_SFO3].desired == 2


async def test_undo_says_that_the_autoscaler_is_gone(moving: Moving) -> None:
    moving.department.scaling.scalers[API_SFO3] = Autoscaler("api", 1, 9)
    plan = await moving.plan()
    await moving.dies(plan, "capacity")
    del moving.department.scaling.scalers[API_SFO3]
    with pytest.raises(StoppedError, match=re.escape("No autoscaler moves the pods of api.")):
        await moving.undone(plan, {"freeze", "lag", "capacity"})


async def test_a_fence_stays_once_the_promotion_was_asked_for(moving: Moving) -> None:
    never_done(moving)
    plan = await moving.plan()
    await moving.stops("not done", plan)
    with pytest.raises(Exception, match="may be a primary by now"):
        await moving.undone(plan, {"freeze", "fence"})
    assert moving.database.writable == set()


# --- the figures, and plans of before ---


async def test_the_report_is_figures(moving: Moving) -> None:
    plan = await moving.plan()
    values: dict[str, str] = {}
    running = await moving.runs(plan)
    values = running.values
    found = json.loads(values["report"])
    assert (found["kind"], found["source"], found["target"]) == ("failover", "nyc2", "sfo3")
    assert found["goals"] == {"rpo": 60.0, "rto": 900.0}
    assert found["rpo"] == found["lag_at_fence"] == 0.4
    assert found["rto"] > 0
    assert found["without_writes"] >= 0
    assert found["verified"] is False
    assert "no Prometheus" not in values["report"]
    assert any("unknown" in decode(each).plain() for each in found["unverified"])


async def test_what_was_under_way_before_there_were_courses_ends_by_its_own_steps(moving: Moving) -> None:
    made = await moving.plan()
    steps = tuple(PlannedStep(name, made.title) for name in ("lag", "fence", "promote", "shift", "verify"))
    old = Plan("failover", made.title, "", "", steps, {"source": "nyc2", "target": "sfo3", "rpo": "60.0"})
    running = await moving.runs(old)
    assert list(running.said) == ["lag", "fence", "promote", "shift", "verify", "result"]
    assert moving.database.writable == {"sfo3"}


async def test_a_promotion_takes_its_time(moving: Moving) -> None:
    moving.database.slow = 60
    running = await moving.runs(await moving.plan())
    assert "asked, waiting for it" in running.progress
    assert moving.clock.now() - NOON < PATIENCE


async def test_what_a_living_primary_wrote_last_is_waited_for(moving: Moving) -> None:
    plan = await moving.plan()
    moving.database.becomes(behind=3)

    def replays() -> None:
        if moving.database.behind and "fence" in moving.done:
            moving.database.behind -= 1

    moving.clock.ticks.append(replays)
    running = await moving.runs(plan)
    assert json.loads(running.values["report"])["rpo"] == 0.0


async def test_a_fence_that_falls_while_the_last_bytes_are_waited_for_stops_the_promotion(moving: Moving) -> None:
    plan = await moving.plan()
    moving.database.becomes(behind=3)

    def opened_by_somebody() -> None:
        if moving.done == ["fence"]:
            moving.database.becomes(fenced=False, behind=0)

    moving.clock.ticks.append(opened_by_somebody)
    assert await moving.stops("The old primary is not fenced", plan) == "promote"
    assert "promote" not in moving.done
