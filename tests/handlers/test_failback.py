"""The way back: planned by people alone, never before a failover, and without losing anything."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from bot.domain.failover import Sight
from bot.domain.failover_course import read
from bot.ports.cluster import Workload
from bot.ports.scaling import Autoscaler
from handlers.operating import freezing
from tests.handlers.department import Check, Department
from tests.handlers.fakes import NOON
from tests.handlers.moving import API_SFO3, BACK, HOME, SECRET, Moving
from tests.handlers.test_approvals import card

WORDS = "failover sfo3 to nyc2"
WEB_SFO3 = Workload("sfo3", "production", "deployment", "web")


@pytest.fixture
async def moving(department: Department) -> Moving:
    """After a failover."""
    made = Moving(department)
    await made.failed_over()
    made.clock.at = NOON + timedelta(hours=3)
    return made


async def test_there_is_nothing_to_fail_back_before_a_failover(department: Department) -> None:
    said = await department.say("anna", WORDS, ok=False)
    assert "There is nothing to fail back: db-nyc2 in nyc2 is the primary." in said
    assert "failover nyc2 to sfo3" in said


async def test_where_nobody_knows_the_primary_no_way_back_is_planned(moving: Moving) -> None:
    moving.database.away = True
    assert "nobody knows where its primary is" in await moving.department.say("anna", WORDS, ok=False)


async def test_the_way_there_is_refused_once_it_was_gone(moving: Moving) -> None:
    said = await moving.department.say("anna", "failover nyc2 to sfo3", ok=False)
    assert "sfo3 serves already. Back to nyc2 goes: failover sfo3 to nyc2" in said


async def test_the_card(moving: Moving, reads_as: Check) -> None:
    made = await moving.department.proposed("anna", WORDS)
    reads_as("operations/failback-waiting", await card(moving.department, made.id))
    reads_as("operations/failback-waiting.ru", await card(moving.department, made.id, "ru"))


async def test_what_was_gone_already_is_not_rehearsed(moving: Moving) -> None:
    """It would say at each step that it is done already, and that nothing would have held it up."""
    said = await moving.department.say("anna", "drill", ok=False)
    assert "nothing is left to rehearse" in said
    assert "failover sfo3 to nyc2" in said


async def test_home_that_still_burns_is_said_in_red(moving: Moving) -> None:
    moving.department.witnesses.sights = {"prometheus": Sight.LOST, "outside": Sight.LOST, "kubernetes": Sight.UP}
    made = await moving.department.proposed("anna", WORDS)
    assert "🔴 a majority of the witnesses still sees it lost" in await card(moving.department, made.id)


async def test_there_and_back_again(moving: Moving) -> None:
    plan = await moving.plan(WORDS)
    assert tuple(step.name for step in plan.steps) == BACK
    assert plan.holds == ()
    running = await moving.runs(plan)
    assert moving.done == ["rejoin nyc2", "fence", "promote", "nyc2", "rejoin sfo3"]
    assert moving.database.writable == {"nyc2"}
    assert moving.database.roles["sfo3"] == "standby"
    assert running.said["rejoin"] == "db-nyc2 follows db-sfo3"
    assert running.said["caught-up"] == "the standby has everything"
    assert running.said["rejoin-other"] == "db-sfo3 follows db-nyc2"
    assert running.said["result"].startswith("nyc2 serves again, and sfo3 stands by.")
    assert moving.connections.held[HOME] == "db-nyc2.example:5432"
    assert moving.traffic.to == "nyc2"
    assert json.loads(running.values["report"])["rpo"] == 0.0
    assert await moving.store.read(freezing.kept) == ()
    await moving.over()
    assert (await moving.plan()).steps[0].name == "freeze", "and away from it again"


async def test_what_the_other_region_was_given_it_has_no_longer(moving: Moving) -> None:
    """Pods by their number, an autoscaler by its least; and not while resolvers still send requests there."""
    assert moving.cluster.rollouts[API_SFO3].desired == 4
    plan = await moving.plan(WORDS)
    less: list[datetime] = []
    scale = moving.department.scaling.scale

    async def scaled(workload: Workload, replicas: int, operation: str) -> None:
        less.append(moving.clock.at)
        await scale(workload, replicas, operation)

    moving.department.scaling.scale = scaled  # type: ignore[method-assign]
    running = await moving.runs(plan)
    assert ("Pods of sfo3 afterwards", "api 2; web 1") in [(name.plain(), said.plain()) for name, said in plan.evidence]
    assert running.said["spare"] == "api 2; web 1"
    assert moving.cluster.rollouts[API_SFO3].desired == 2
    forgotten = datetime.fromisoformat(json.loads(running.values["shift"])["until"])
    assert less
    assert min(less) >= forgotten
    assert any("resolvers have forgotten" in each for each in running.progress)
    await moving.over()
    home = read((await moving.plan()).params)
    assert {lot.service: lot.was for lot in home.lots} == {"api": 2, "web": 1}


async def test_an_autoscaler_has_its_least_again(department: Department) -> None:
    made = Moving(department)
    made.department.scaling.scalers[API_SFO3] = Autoscaler("api", 1, 9)
    await made.failed_over()
    assert made.department.scaling.scalers[API_SFO3].least == 4
    running = await made.runs(await made.plan(WORDS))
    assert running.said["spare"] == "api at least 1; web 1"
    assert made.department.scaling.scalers[API_SFO3] == Autoscaler("api", 1, 9)


async def test_what_people_changed_since_is_left_as_it_is(moving: Moving) -> None:
    moving.cluster.becomes(API_SFO3, desired=6)
    running = await moving.runs(await moving.plan(WORDS))
    assert running.said["spare"] == "api was changed since, and is left as it is; web 1"
    assert moving.cluster.rollouts[API_SFO3].desired == 6


async def test_after_a_second_attempt_it_is_still_known_what_was_there_by_itself(department: Department) -> None:
    made = Moving(department)
    plan = await made.plan()
    await made.dies(plan, "fence")  # given up, with the pods raised
    await made.over()
    assert read((await made.plan()).params).lots[0].was == 4
    await made.over()
    await made.failed_over()
    assert (await made.runs(await made.plan(WORDS))).said["spare"] == "api 2; web 1"


async def test_where_nothing_was_given_there_is_nothing_to_take_back(department: Department) -> None:
    made = Moving(department)
    made.cluster.becomes(API_SFO3, desired=4, available=4, ready=4, updated=4)
    made.cluster.becomes(WEB_SFO3, desired=2, available=2, ready=2, updated=2)
    await made.failed_over()
    assert "spare" not in [step.name for step in (await made.plan(WORDS)).steps]


@pytest.mark.parametrize("step", BACK)
async def test_a_crash_in_any_step_does_nothing_twice(moving: Moving, step: str) -> None:
    plan = await moving.plan(WORDS)
    await moving.dies(plan, step)
    await moving.resumes(plan)
    assert moving.done.count("promote") == moving.done.count("rejoin nyc2") == moving.done.count("rejoin sfo3") == 1
    assert moving.database.writable == {"nyc2"}
    assert moving.cluster.rollouts[API_SFO3].desired == 2


async def test_it_waits_until_nothing_is_behind(moving: Moving) -> None:
    plan = await moving.plan(WORDS)
    moving.database.becomes(behind=5)
    sent: list[int] = []

    def replays() -> None:
        if moving.database.behind and "fence" in moving.done:
            moving.database.behind -= 1
            sent.append(moving.database.behind)

    moving.clock.ticks.append(replays)
    running = await moving.runs(plan)
    assert sent == [4, 3, 2, 1, 0]
    assert "5 bytes behind" in running.progress
    assert moving.database.writable == {"nyc2"}


async def test_what_never_catches_up_is_not_promoted_and_may_be_undone(moving: Moving) -> None:
    plan = await moving.plan(WORDS)
    moving.database.becomes(behind=5)
    assert await moving.stops("still lacks something after 600 s", plan) == "caught-up"
    assert "promote" not in moving.done
    said = await moving.undone(plan, {"freeze", "rejoin", "lag", "fence"})
    assert said["undo-fence"] == "sfo3 takes writes again"
    assert moving.database.writable == {"sfo3"}


async def test_an_old_primary_that_can_not_be_made_to_follow_stops_it_first(moving: Moving) -> None:
    plan = await moving.plan(WORDS)
    moving.database.unjoinable = True
    assert await moving.stops("db-nyc2 does not follow after 600 s", plan) == "rejoin"
    assert "fence" not in moving.done


async def test_seconds_alone_are_believed_once_the_fence_is_older_than_they_are(moving: Moving) -> None:
    """Prometheus may tell how it was a scrape ago: what was written right before the fence must be through."""
    plan = await moving.plan(WORDS)
    moving.database.becomes(lag=8.0)
    begun = moving.clock.now()
    await moving.runs(plan)
    assert (moving.clock.now() - begun).total_seconds() >= 8 + 15


async def test_the_course_goes_the_other_way(moving: Moving) -> None:
    course = read((await moving.plan(WORDS)).params)
    assert (course.source, course.target) == ("sfo3", "nyc2")
    assert [link.place for link in course.links] == [HOME]
    assert {lot.environment.cluster for lot in course.lots} == {"nyc2"}
    assert SECRET not in [link.place for link in course.links]
