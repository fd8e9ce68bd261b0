"""Verification where a version runs: all through its bake, by each judgement, and never good on missing data."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.sql import open_store
from bot.domain.errors import BadVersionError, TemporaryError
from bot.domain.phrases import phrase
from bot.domain.services import Environment, Probed
from bot.domain.slo import FRESHNESS
from bot.ports.cluster import Workload
from bot.ports.flows import Did
from handlers.flows import looks
from handlers.flows.verify import GRACE, Verifying
from tests.handlers.deploying import BAKE, BARE, NYC2, SLO, World, judged, planned
from tests.handlers.fakes import NOON, STUCK, FakeRun, FakeSay, StoppedError, image
from tests.migrated import sqlite_store

URL = "https://api.example/healthz"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PLACE = Workload.of(NYC2)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_store(sqlite_store(tmp_path)) as store:
        made = World(store)
        made.clock.at = NOON + 2 * MINUTE  # the rollout took two minutes
        for environment in (NYC2, BARE):
            made.cluster.runs(Workload.of(environment), (image("api", "1.8.0"),), 3)
        yield made


async def verified(
    world: World, environment: Environment = NYC2, since: timedelta | None = None, action: str = "promote", **rules: Any
) -> str:
    """What the step says in the end; the card's texts stay in ``world.changes``."""
    world.said = []  # type: ignore[attr-defined]
    target = replace(world.target(judged(environment, **rules)), previous=image("api", "1.7.2"))
    running = FakeRun(planned(target, action=action), clock=world.clock)
    since_when = world.clock.now() - (since or timedelta())
    did = await Verifying(world.tools).verify(running, target, FakeSay(since_when, world.said))  # type: ignore[attr-defined]
    assert isinstance(did, Did)
    assert did.value == "verified"
    return did.said.plain()


def at(world: World, after: timedelta, act) -> None:
    """Do *act* once, so long after now."""
    when, done = world.clock.now() + after, []

    def tick() -> None:
        if world.clock.now() >= when and not done:
            done.append(act())

    world.clock.ticks.append(tick)


async def test_without_a_bake_one_look_is_enough(world: World) -> None:
    assert await verified(world) == "3 of 3 pods, burn 0.3× over 300 s, errors as before"
    assert world.clock.now() == NOON + 2 * MINUTE
    assert world.budgets.windows[-1] == (NOON - 3 * MINUTE, NOON + 2 * MINUTE)


async def test_a_bake_lasts_as_long_as_it_should_and_says_how_far_it_is(world: World) -> None:
    assert await verified(world, bake=BAKE) == "3 of 3 pods, burn 0.3× over 300 s, errors as before"
    assert world.clock.now() == NOON + 2 * MINUTE + BAKE
    assert world.said[0] == "watched 0 s of 600 s: 3 of 3 pods, burn not yet known, errors as before"
    assert world.said[1:] == [
        f"watched {60 * n} s of 600 s: 3 of 3 pods, burn 0.3× over {min(60 * n, 300)} s, errors as before"
        for n in range(1, 10)
    ]
    first, last = world.budgets.windows[0], world.budgets.windows[-1]
    assert first == (NOON + 2 * MINUTE, NOON + 3 * MINUTE), "its own numbers, as soon as there are some"
    assert last[1] - last[0] == timedelta(minutes=5)


async def test_a_bake_goes_on_from_when_it_began(world: World) -> None:
    await verified(world, since=BAKE - MINUTE, bake=BAKE)
    assert world.clock.now() == NOON + 3 * MINUTE


async def test_a_short_bake_is_not_stretched_to_the_next_look(world: World) -> None:
    await verified(world, bake=4 * SECOND)
    assert world.clock.now() == NOON + 2 * MINUTE + 4 * SECOND


@pytest.mark.parametrize("bake", [timedelta(), 20 * SECOND])
async def test_a_rollback_is_not_blamed_for_the_minutes_of_the_bad_one(world: World, bake: timedelta) -> None:
    """Else the version that was put back is called bad, and an undo would bring the bad one again."""
    world.budgets.burned["availability"], world.logs.now = [80.0], 500
    said = await verified(world, action="rollback", bake=bake)
    assert said == "3 of 3 pods, burn not judged, it still holds the minutes of the version before"
    world.unwell[URL] = phrase("answers 503")
    with pytest.raises(BadVersionError):
        await verified(world, action="rollback", bake=bake, probes=(Probed(URL),))


async def test_a_rollback_that_is_watched_is_judged_by_its_own_minutes(world: World) -> None:
    world.budgets.burned["availability"] = [80.0]
    with pytest.raises(BadVersionError, match="availability burns 80"):
        await verified(world, action="rollback", bake=BAKE)
    start, end = world.budgets.windows[-1]
    assert start >= NOON + 2 * MINUTE
    assert end - start >= MINUTE


BAD = {
    "burn": (lambda w: w.budgets.burned.update(availability=[80.0]), "availability burns 80.0×, 0.2× before"),
    "errors": (lambda w: setattr(w.logs, "now", 500), "500 error lines, 0 before"),
    "probe": (lambda w: w.unwell.update({URL: phrase("answers 503")}), f"{URL}: answers 503"),
    "pods": (lambda w: w.cluster.becomes(PLACE, available=1, done=False, updated=3), "1 of 3 pods"),
    "stuck": (lambda w: w.cluster.becomes(PLACE, stuck=STUCK, done=False), "3 of 3 pods: ImagePullBackOff"),
    "restarts": (
        lambda w: w.cluster.found.update({PLACE: tuple(replace(p, restarts=2) for p in w.cluster.found[PLACE][:1])}),
        "3 of 3 pods, restarted: api-6c9f7-a",
    ),
    "trouble": (
        lambda w: w.cluster.found.update({PLACE: tuple(replace(p, trouble=STUCK) for p in w.cluster.found[PLACE])}),
        "3 of 3 pods: ImagePullBackOff",
    ),
}


@pytest.mark.parametrize("what", sorted(BAD))
@pytest.mark.parametrize("after", [0, 300])
async def test_what_is_bad_at_any_moment_of_the_bake_fails_it(world: World, what: str, after: int) -> None:
    act, why = BAD[what]
    world.clock.ticks.remove(world.cluster.settles)
    at(world, after * SECOND, lambda: act(world))
    with pytest.raises(BadVersionError) as bad:
        await verified(world, bake=BAKE, probes=(Probed(URL),))
    assert str(bad.value) == f"api 1.8.0 is bad in nyc2: {why}."
    assert not bad.value.at_once
    assert world.clock.now() < NOON + 2 * MINUTE + after * SECOND + 80 * SECOND


async def test_policy_may_want_it_undone_at_once(world: World) -> None:
    world.budgets.burned["availability"] = [80.0]
    with pytest.raises(BadVersionError) as bad:
        await verified(world, on_bad="rollback")
    assert bad.value.at_once


@pytest.mark.parametrize(("name", "rule"), [("burn", {"burn": 100.0}), ("errors", {"errors": 1e9})])
async def test_the_limits_are_the_environments(world: World, name: str, rule: dict) -> None:
    world.logs.before = 1
    BAD[name][0](world)
    await verified(world, **rule)


async def test_one_bad_look_is_looked_at_again(world: World) -> None:
    world.unwell[URL] = phrase("no answer in time")
    at(world, 2 * SECOND, world.unwell.clear)
    assert "probes ok" in await verified(world, probes=(Probed(URL),))
    assert world.clock.now() == NOON + 2 * MINUTE + 3 * SECOND


async def test_what_burned_before_is_not_blamed_on_it(world: World) -> None:
    """It may be the very version that mends it."""
    world.budgets.before, world.budgets.burned["availability"] = 90.0, [80.0]
    assert "burn 80.0×" in await verified(world)


@pytest.mark.parametrize("away", ["burn", "pods", "probes", "budgets"])
async def test_what_nobody_knows_in_the_end_is_never_verified(world: World, away: str) -> None:
    match away:
        case "burn":
            world.budgets.burned["availability"] = [None]
        case "budgets":
            world.changes["budgets"] = None
        case "pods":
            world.cluster.away.add("nyc2")
        case "probes":
            world.changes["examine"] = refuses
    with pytest.raises(Exception, match=r"Nobody knows whether api 1.8.0 is well in nyc2: .*unknown") as failed:
        await verified(world, probes=(Probed(URL),), on_bad="rollback")
    assert not isinstance(failed.value, BadVersionError), "a lack of data undoes nothing"
    assert world.clock.now() - NOON - 2 * MINUTE >= GRACE, "it was waited for a little"


async def refuses(_: Probed):
    raise TemporaryError("no more sockets")


async def test_what_is_known_again_in_time_is_verified(world: World) -> None:
    world.budgets.burned["availability"] = [None, None, 0.1]
    assert "burn 0.1×" in await verified(world)


async def test_a_gap_in_the_middle_of_a_bake_is_said_and_passes(world: World) -> None:
    world.budgets.burned["availability"] = [0.1, None, None, 0.1]
    assert "burn 0.1×" in await verified(world, bake=BAKE)
    assert any("burn of availability unknown" in said for said in world.said)


@pytest.mark.parametrize("lines", [None, "away"])
async def test_error_lines_that_nobody_counts_are_said(world: World, lines: str | None) -> None:
    world.logs.now = None
    if lines:

        async def away(*_: object) -> int:
            raise TemporaryError("Loki does not answer")

        world.logs.errors = away  # type: ignore[method-assign]
    assert await verified(world) == "3 of 3 pods, burn 0.3× over 300 s, error lines unknown"


async def test_what_is_not_configured_is_not_judged(world: World) -> None:
    world.changes |= {"logs": None, "slos": ()}
    assert await verified(world) == "3 of 3 pods"


async def test_the_slos_are_about_production_alone(world: World) -> None:
    world.budgets.burned["availability"] = [80.0]
    assert await verified(world, BARE) == "3 of 3 pods, errors as before"


async def test_a_queue_that_is_late(world: World) -> None:
    world.changes["slos"] = (replace(SLO, name="queue", kind=FRESHNESS, threshold=300.0),)
    assert await verified(world) == "3 of 3 pods, queue: oldest waits 0 s, errors as before"
    world.budgets.ages = [400.0]
    with pytest.raises(BadVersionError, match="queue: oldest waits 400 s"):
        await verified(world)
    world.budgets.waited = ((NOON - MINUTE, 350.0),)
    assert "queue: oldest waits 400 s" in await verified(world), "it was late before"
    world.budgets.ages = [None]
    with pytest.raises(Exception, match="age of queue unknown"):
        await verified(world, burn=7.0)


async def test_where_no_verification_was_asked_for_the_unknown_is_said_and_stops_nothing(world: World) -> None:
    """It stays, but it is not called verified: promise 14."""
    world.budgets.burned["availability"] = [None]
    target = replace(world.target(judged(NYC2)), previous=image("api", "1.7.2"))
    did = await Verifying(world.tools).verify(
        FakeRun(planned(target), clock=world.clock), target, FakeSay(world.clock.now(), [])
    )
    assert isinstance(did, Did)
    assert did.value == ""
    assert "burn of availability unknown" in did.said.plain()
    world.cluster.away.add("nyc2")
    with pytest.raises(Exception, match="pods unknown"):
        await verified(world)


async def test_another_version_in_its_place_is_neither_good_nor_bad(world: World) -> None:
    at(world, MINUTE, lambda: world.cluster.becomes(PLACE, images=(image("api", "1.9.0"),)))
    with pytest.raises(Exception, match="Something else runs now") as failed:
        await verified(world, bake=BAKE)
    assert not isinstance(failed.value, BadVersionError)


async def test_a_judgement_that_hangs_is_unknown_and_holds_up_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "DEADLINE", 0.05)
    hung = asyncio.Event()

    async def hang(*_: object) -> float:
        await hung.wait()
        return 0.0

    world.budgets.burn = hang  # type: ignore[method-assign]
    with pytest.raises(Exception, match=r"Nobody knows .*: burn unknown"):
        await asyncio.wait_for(verified(world, bake=SECOND), 10)


async def test_what_was_put_back_is_looked_at_once(world: World) -> None:
    """Its SLOs still hold the minutes of the bad one."""
    running = await world.run(planned(world.target(BARE)))
    world.budgets.burned["availability"], world.logs.now = [80.0], 500
    back = await world.undone(running)
    assert back.said["undo verify"] == "3 of 3 pods"
    world.cluster.runs(Workload.of(BARE), (image("api", "1.7.2"),), 3)
    world.cluster.found[Workload.of(BARE)] = tuple(
        replace(pod, trouble=STUCK) for pod in world.cluster.found[Workload.of(BARE)]
    )
    with pytest.raises(StoppedError, match="The earlier version is not well in bare"):
        await world.undone(running)
