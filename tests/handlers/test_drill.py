"""The rehearsal: the failover's own steps, none of which changes anything; and the one that really moves staging."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.cards import Place as Chat
from bot.domain.failover import Move, Way
from bot.domain.failover_course import read
from bot.domain.freezes import EVERYTHING, Freeze
from bot.domain.operations import Operation, State
from bot.domain.phrases import Phrase, phrase
from bot.domain.plans import PlannedStep
from bot.ports.estate import Estate
from bot.ports.flows import Run, Say
from handlers import planner
from handlers.flows import failover
from handlers.flows.failover_frame import Frame
from handlers.flows.failover_tools import Leg, Tools
from handlers.operating import freezing
from tests.handlers.department import Check, Department
from tests.handlers.fakes import NOON, FakeRun
from tests.handlers.fakes_failover import FakeConnections, FakeDatabase, FakePools, FakeTraffic
from tests.handlers.moving import API_SFO3, STEPS, Moving, capped, quota
from tests.handlers.test_approvals import card


@pytest.fixture
def moving(department: Department) -> Moving:
    return Moving(department)


async def test_a_drill_has_the_steps_of_the_failover_and_changes_nothing(moving: Moving) -> None:
    real = await moving.plan()
    await moving.over()
    plan = await moving.plan("drill")
    assert [step.title for step in plan.steps] == [step.title for step in real.steps]
    running = await moving.runs(plan)
    assert list(running.said) == [*STEPS, "result"]
    assert moving.done == []
    assert moving.cluster.done == []
    assert moving.connections.done == []
    assert moving.department.pools.done == []
    assert await moving.store.read(freezing.kept) == ()
    assert running.said["freeze"] == "promotions would be frozen"
    assert running.said["capacity"] == "would be brought up: api 2 of 4; web 1 of 2; pool-a 3 of 4"
    assert running.said["fence"] == "would be fenced"
    assert running.said["promote"] == "db-sfo3 would be promoted, at db-sfo3.example:5432"
    assert running.said["connections"] == "may be switched: api-database:url holds db-nyc2.example:5432"
    assert "resolvers would forget within 60 s" in running.said["shift"]
    assert running.said["result"] == "Rehearsed. Nothing was changed."


def lag_unknown(moving: Moving) -> None:
    moving.database.becomes(lag=None)


def forbidden(moving: Moving) -> None:
    moving.department.scaling.missing[API_SFO3] = "patch apps/deployments in production"


def closed(moving: Moving) -> None:
    moving.connections.closed = "patch secrets in production"


def slow_dns(moving: Moving) -> None:
    moving.traffic.seconds = 3600.0


def unreachable(moving: Moving) -> None:
    moving.database.becomes(reachable=False)


def outside(moving: Moving) -> None:
    moving.unwell()


@pytest.mark.parametrize(
    ("breaks", "step", "why"),
    [
        (lag_unknown, "lag", "Nobody knows"),
        (capped, "capacity", "the autoscaler of api allows 3 pods, and 4 are needed"),
        (quota, "capacity", "pool-a may have 3 machines at most, and 4 are needed"),
        (forbidden, "capacity", "pult may not change api: patch apps/deployments in production"),
        (unreachable, "fence", "db-nyc2 does not answer, so its fence could not be confirmed"),
        (closed, "connections", "pult may not switch: api-database:url: patch secrets in production"),
        (slow_dns, "shift", "lower the record's TTL"),
        (outside, "verify", "What would verify it fails by itself now"),
    ],
)
async def test_a_drill_finds_what_a_failover_would_stop_at(
    moving: Moving, breaks: Callable[[Moving], None], step: str, why: str
) -> None:
    breaks(moving)
    plan = await moving.plan("drill")
    assert plan.holds == (), "a rehearsal is never held"
    assert await moving.stops(why, plan) == step
    assert all(each.skippable for each in plan.steps), "what blocks one step hides no other"
    assert moving.done == []


async def test_others_bring_steps_of_their_own(moving: Moving) -> None:
    ready = planner(moving.department.ports)
    assert ready
    extra = (PlannedStep("contact", phrase("x")),)
    plan = await replace(ready, extra=extra).drill()
    asked: list[str] = []

    async def contact(running: Run, _: Say) -> Phrase:
        asked.append(running.operation)
        return phrase("x")

    ports = moving.department.ports
    tools = Tools(ports.store, ports.clock, ports.cluster, ports.scaling, ports.gitops, ports.examine)
    assert ports.estate
    flow = failover.flow("drill", tools, ports.estate, extra={"contact": contact})
    await moving.started(plan)
    running = FakeRun(plan, clock=moving.clock)
    await flow.run(running)
    assert [step.name for step in plan.steps][-2:] == ["contact", "report"]
    assert asked == ["op-41c9"]


# --- for real, with staging ---


@pytest.fixture
def staged(moving: Moving) -> Estate:
    """Staging has a database and traffic of its own."""
    database, traffic = FakeDatabase(), FakeTraffic()
    database.done = traffic.done
    move = Move(Way("nyc2", "sfo3"), environment="staging")
    moving.department.pair = replace(moving.department.pair, staging=move)
    moving.department.staged = Estate(database, traffic, FakeConnections(), FakePools())
    moving.clock.ticks.append(database.tick)
    return moving.department.staged


async def test_staging_goes_there_and_back(moving: Moving, staged: Estate) -> None:
    plan = await moving.plan("drill --live staging")
    assert plan.action == "drill"
    running = await moving.runs(plan)
    assert isinstance(staged.traffic, FakeTraffic)
    assert staged.traffic.done == [
        "fence", "promote", "sfo3", "rejoin nyc2", "fence", "promote", "nyc2", "rejoin sfo3",
    ]  # fmt: skip
    assert moving.done == [], "production is not touched"
    assert running.said["result"].startswith("Staging moved to sfo3 and back to nyc2.")
    assert next(iter(running.said)) == "there-freeze"
    assert await moving.store.read(freezing.kept) == ()


async def test_the_card_of_a_live_drill(moving: Moving, staged: Estate, reads_as: Check) -> None:
    made = await moving.department.proposed("anna", "drill --live staging")
    reads_as("operations/drill-live-waiting", await card(moving.department, made.id))
    assert staged


@pytest.mark.parametrize("step", ["there-fence", "there-promote", "back-rejoin", "back-promote", "back-rejoin-other"])
async def test_a_live_drill_survives_a_crash(moving: Moving, staged: Estate, step: str) -> None:
    plan = await moving.plan("drill --live staging")
    await moving.dies(plan, step)
    await moving.resumes(plan)
    assert isinstance(staged.traffic, FakeTraffic)
    assert isinstance(staged.database, FakeDatabase)
    assert staged.traffic.done.count("promote") == 2
    assert staged.database.writable == {"nyc2"}


async def test_nothing_is_staged(moving: Moving) -> None:
    said = await moving.department.say("anna", "drill --live staging", ok=False)
    assert "[failover.drill.staging]" in said
    said = await moving.department.say("anna", "drill --live production", ok=False)
    assert "Only staging moves in a live drill: drill --live staging" in said
    assert "drill [--live staging]" in await moving.department.say("anna", "drill soon", ok=False)


async def test_what_only_looks_has_nothing_to_undo(moving: Moving) -> None:
    made = await moving.department.proposed("anna", "drill")
    shown = await card(moving.department, made.id)
    assert "Nothing is changed: every step only looks." in shown
    assert "undo" not in shown.lower(), "no way back of what changes nothing, and no word that it has none"
    await moving.over()
    made = await moving.department.proposed("anna", "failover nyc2 to sfo3")
    assert "To undo: lift the freeze" in await card(moving.department, made.id)


async def test_a_long_dash_is_two(moving: Moving, staged: Estate) -> None:
    assert (await moving.department.proposed("anna", "drill —live staging")).plan.params["back"]
    assert staged


async def test_a_live_drill_begins_where_staging_is(moving: Moving, staged: Estate) -> None:
    assert isinstance(staged.database, FakeDatabase)
    staged.database.becomes(promoted=True, fenced=True)
    assert "is not seen in nyc2" in await moving.department.say("anna", "drill --live staging", ok=False)


# --- neither ever bars the way of what saves production ---


@pytest.mark.parametrize("state", [State.WAITING, State.RUNNING, State.PAUSED])
@pytest.mark.parametrize("words", ["drill", "drill --live staging"])
async def test_a_failover_waits_for_no_drill(moving: Moving, staged: Estate, words: str, state: State) -> None:
    made = await moving.department.proposed("anna", words)
    await moving.store.write(lambda tx: tx.save_operation(replace(made, state=state)))
    failing = await moving.department.proposed("anna", "failover nyc2 to sfo3")
    assert failing.after == ""
    assert staged
    assert "comes first" in await moving.department.say("anna", "failover nyc2 to sfo3", ok=False)


class Silent:
    """Nobody looks on."""

    since = NOON

    async def __call__(self, so_far: Phrase) -> None:
        assert so_far


@pytest.mark.parametrize("first", [0, 1])
async def test_of_two_that_froze_everything_the_last_lifts_it(moving: Moving, first: int) -> None:
    """Somebody else's freeze, which ends sooner than theirs, is put back by then."""
    ports, plan = moving.department.ports, await moving.plan()
    assert ports.estate
    frame = Frame(Tools(ports.store, ports.clock, ports.cluster, ports.scaling, ports.gitops, ports.examine))
    theirs = Freeze(EVERYTHING, NOON + timedelta(hours=1), "holidays", "boris")
    await moving.store.write(lambda tx: freezing.begin(tx, (), theirs, NOON))
    legs = [Leg(read(plan.params), ident, ports.estate) for ident in ("op-1111", "op-2222")]
    for leg in legs:
        made = Operation(leg.operation, plan, "anna", State.RUNNING, NOON, NOON, Chat("console:ops"), started_at=NOON)
        await moving.store.write(lambda tx, made=made: tx.save_operation(made))
        await frame.freeze(leg, Silent())
    await frame.lift(legs.pop(first), Silent())
    (kept,) = await moving.store.read(freezing.kept)
    assert kept.by == "pult"
    await frame.lift(legs.pop(), Silent())
    (kept,) = await moving.store.read(freezing.kept)
    assert (kept.by, kept.until) == ("boris", theirs.until)
