"""Promote and roll back by every hand: order, drift, crashes at each step, and the way back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.sql import open_store
from bot.domain.errors import BadVersionError, DriftError, UserError
from bot.domain.phrases import phrase
from bot.domain.progressive import Progressive
from bot.domain.releases import Deployment, Fate
from bot.domain.services import Environment
from bot.domain.targets import Hand
from bot.ports.cluster import Workload
from bot.ports.flows import Flow
from handlers.flows import promote
from tests.handlers.deploying import BARE, NYC2, REPO, SFO3, World, file, judged, manifest, planned
from tests.handlers.fakes import NOON, STUCK, FakeRun, StoppedError, digest, image
from tests.migrated import sqlite_store

SECOND = timedelta(seconds=1)
ORDER = ["apply nyc2", "sync nyc2", "rollout nyc2", "verify nyc2", "apply sfo3", "sync sfo3", "rollout sfo3"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_store(sqlite_store(tmp_path)) as store:
        yield World(store)


def flow(world: World, action: str = "promote") -> Flow:
    return promote.flow(action, world.tools)


def runs(world: World, environment) -> str:
    (running,) = world.cluster.rollouts[Workload.of(environment)].images
    return next(version for version in ("1.7.2", "1.8.0", "1.9.0") if running == image("api", version))


async def test_two_regions_one_after_the_other(world: World) -> None:
    plan = planned(world.target(NYC2), world.target(SFO3))
    await flow(world).check(plan)
    seen: list[str] = []
    world.clock.ticks.append(lambda: seen.append(f"{runs(world, NYC2)} {runs(world, SFO3)}"))
    running = await world.run(plan)
    assert list(running.said) == [*ORDER, "verify sfo3", "result"]
    assert list(dict.fromkeys(seen)) == ["1.7.2 1.7.2", "1.8.0 1.7.2", "1.8.0 1.8.0"]
    assert running.said["result"] == "api 1.8.0 runs in nyc2, sfo3."
    assert world.forge.messages == [
        f"deploy: api 1.8.0 to {name}\n\npult operation op-41c9" for name in ("nyc2", "sfo3")
    ]
    assert next(iter(world.gitops.asked.values())).startswith("nyc2 "), "the commit's own revision is asked for"
    assert world.cluster.done == [], "git owns the workloads"


async def test_the_second_region_is_left_alone_when_the_first_is_bad(world: World) -> None:
    world.budgets.burned["availability"] = [80.0]
    with pytest.raises(StoppedError, match=r"verify nyc2: api 1.8.0 is bad in nyc2: availability burns 80.0"):
        await world.run(planned(world.target(NYC2), world.target(SFO3)))
    assert world.forge.files[file(SFO3)] == manifest("1.7.2")


@pytest.mark.parametrize("step", ["apply", "sync", "rollout", "verify"])
@pytest.mark.parametrize("hand", [Hand.COMMIT, Hand.PULL])
async def test_a_crash_changes_git_once(world: World, hand: Hand, step: str) -> None:
    running = await world.run(planned(world.target(NYC2, hand)), dies_in=step)
    assert len(world.forge.messages) == 1
    assert running.said["apply"] == "it was committed already"
    assert runs(world, NYC2) == "1.8.0"


@pytest.mark.parametrize("step", ["apply", "rollout", "verify"])
async def test_a_crash_patches_once(world: World, step: str) -> None:
    running = await world.run(planned(world.target(BARE)), dies_in=step)
    assert world.cluster.done == [("image", image("api", "1.8.0"))]
    assert running.said["apply"] == "it was set already"


async def test_by_a_pull_request(world: World) -> None:
    running = await world.run(planned(world.target(NYC2, Hand.PULL)))
    assert list(world.forge.pulls) == ["pult/op-41c9/nyc2"]
    assert world.forge.files[file(NYC2)] == manifest("1.8.0")
    assert running.said["apply"].startswith("pull request #1 is merged as ")


@pytest.mark.parametrize(
    "theirs", [{"deploy/other.yaml": "image: evil"}, {file(NYC2)[1]: manifest("1.8.0") + "image: evil\n"}]
)
async def test_a_pull_request_that_brings_more_than_was_approved_is_not_merged(
    world: World, theirs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its branch can be guessed from the operation's id, which is on the card."""
    propose, plan = world.forge.propose, planned(world.target(NYC2, Hand.PULL))

    async def raced(*asked, **pinned):
        made = await propose(*asked, **pinned)
        world.forge.pulls["pult/op-41c9/nyc2"] = {**world.forge.pulls["pult/op-41c9/nyc2"], **theirs}
        return made

    monkeypatch.setattr(world.forge, "propose", raced)
    with pytest.raises(StoppedError, match="pult/op-41c9/nyc2 has other changes than the approved one"):
        await world.run(plan)
    assert world.forge.files[file(NYC2)] == manifest("1.7.2")
    assert world.forge.messages == []


async def test_somebody_pushed_the_same_file_another_digest(world: World) -> None:
    plan = planned(world.target(NYC2))
    world.forge.pushed(*file(NYC2), manifest("1.9.0"), "by hand")
    with pytest.raises(DriftError, match="was changed after this was planned"):
        await flow(world).check(plan)
    with pytest.raises(StoppedError, match=r"apply: .* names another digest by now: somebody pushed meanwhile"):
        await world.run(plan)
    assert world.forge.files[file(NYC2)] == manifest("1.9.0"), "nothing is forced"


def tagged(tag: str) -> str:
    return f"images:\n  - name: {REPO}\n    newTag: {tag}\n"


async def test_somebody_pushed_the_same_file_another_tag(world: World) -> None:
    """It names no digest, neither then nor now: that is no reason to take it for the same."""
    world.forge.files[file(NYC2)] = tagged("1.7.2")
    was = await world.forge.read(*file(NYC2), "main")
    plan = planned(replace(world.target(NYC2), committed="", file=was.sha))
    await flow(world).check(plan)
    world.forge.pushed(*file(NYC2), tagged("1.9.0"), "by hand")
    with pytest.raises(DriftError, match="was changed after this was planned"):
        await flow(world).check(plan)
    with pytest.raises(StoppedError, match=r"apply: .* names another digest by now: somebody pushed meanwhile"):
        await world.run(plan)
    assert world.forge.files[file(NYC2)] == tagged("1.9.0")


async def test_a_tag_that_was_never_replaced_needs_no_way_back(world: World) -> None:
    world.forge.files[file(NYC2)] = tagged("1.7.2")
    was = await world.forge.read(*file(NYC2), "main")
    plan = planned(replace(world.target(NYC2), committed="", file=was.sha))
    running = FakeRun(plan, clock=world.clock)
    running.begun.add("apply")  # it failed before it changed anything
    back = await world.undone(running)
    assert world.forge.files[file(NYC2)] == tagged("1.7.2")
    assert back.said["undo apply"] == "it was committed already"
    running = await world.run(plan)
    with pytest.raises(StoppedError, match="named no digest before"):
        await world.undone(running)


async def test_somebody_pushed_something_else_to_the_same_file(world: World) -> None:
    """A line of another service is no reason to plan again, and stays."""
    plan = planned(world.target(NYC2))
    world.forge.pushed(*file(NYC2), manifest("1.7.2") + "# a word\n", "by hand")
    await flow(world).check(plan)
    await world.run(plan)
    assert world.forge.files[file(NYC2)] == manifest("1.8.0") + "# a word\n"


async def test_somebody_pushes_between_the_look_and_the_write(world: World) -> None:
    plan, commit = planned(world.target(NYC2)), world.forge.commit
    pushed = ["# one\n", "# two\n"]

    async def raced(repo, path, branch, was, text, message):
        if pushed:
            world.forge.pushed(repo, path, world.forge.files[repo, path] + pushed.pop(0), "by hand")
        return await commit(repo, path, branch, was, text, message)

    world.forge.commit = raced  # type: ignore[method-assign]
    await world.run(plan)
    assert world.forge.files[file(NYC2)] == manifest("1.8.0") + "# one\n# two\n"
    pushed[:] = ["# a\n", "# b\n", "# c\n"]
    world.forge.files[file(SFO3)] = manifest("1.7.2")
    with pytest.raises(StoppedError, match="Somebody keeps pushing"):
        await world.run(planned(world.target(SFO3)))


@pytest.mark.parametrize("at", [0, 1])
async def test_a_workload_that_was_changed_is_drift_in_every_region(world: World, at: int) -> None:
    plan = planned(world.target(NYC2), world.target(SFO3))
    world.cluster.becomes(Workload.of((NYC2, SFO3)[at]), template="t-else")
    with pytest.raises(DriftError, match="api was changed after this was planned"):
        await flow(world).check(plan)


async def test_a_patch_over_what_nobody_planned_is_refused(world: World) -> None:
    plan = planned(world.target(BARE))
    world.cluster.becomes(Workload.of(BARE), images=(image("api", "1.9.0"),))
    with pytest.raises(StoppedError, match="apply: Something else runs now"):
        await world.run(plan)
    assert world.cluster.done == []


async def test_a_plan_of_before_targets_is_planned_again(world: World) -> None:
    plan = replace(planned(world.target(BARE)), targets=())
    with pytest.raises(DriftError, match="Plan it again"):
        await flow(world).check(plan)


async def test_without_github(world: World) -> None:
    world.changes["forge"] = None
    with pytest.raises(UserError, match="No GitHub is configured"):
        await flow(world).check(planned(world.target(NYC2)))


async def test_a_sync_that_will_not_come_says_why(world: World) -> None:
    world.gitops.stuck = phrase("ComparisonError: no such path")
    with pytest.raises(StoppedError, match="sync: It can't be applied: ComparisonError: no such path"):
        await world.run(planned(world.target(NYC2)))


async def test_a_sync_waits_for_a_cluster_that_is_away_and_not_for_ever(world: World) -> None:
    world.gitops.away = 30
    await world.run(planned(world.target(NYC2)))
    assert len(world.gitops.asked) == 1
    world.gitops.ready_after = 10_000
    with pytest.raises(StoppedError, match=r"sync: Not applied after 600 s"):
        await world.run(planned(world.target(SFO3)))


async def test_a_tool_that_went_straight_to_a_later_commit(world: World) -> None:
    """Somebody pushed after us: that commit holds our digest, and is what the tool applied."""

    def pushed() -> None:
        if len(world.forge.messages) == 1:
            world.forge.pushed("dept/deploy", "other.yaml", "x", "by hand")
            world.gitops.applied_head = world.forge.head
            world.applies()

    world.clock.ticks.append(pushed)
    running = await world.run(planned(world.target(NYC2)))
    assert running.said["sync"] == f"commit {world.forge.head[:12]} is applied"


async def test_a_later_commit_that_takes_our_digest_away_is_not_ours(world: World) -> None:
    def pushed() -> None:
        if len(world.forge.messages) == 1:
            world.forge.pushed(*file(NYC2), manifest("1.9.0"), "by hand")
            world.gitops.applied_head = world.forge.head

    world.clock.ticks.append(pushed)
    with pytest.raises(StoppedError, match="sync: Not applied after"):
        await world.run(planned(world.target(NYC2)))


async def test_without_a_way_to_ask_the_tool_its_own_looks_are_waited_for(world: World) -> None:
    world.changes["gitops"] = None
    world.clock.ticks.append(world.applies)
    running = await world.run(planned(world.target(NYC2)))
    assert running.said["sync"] == "its tool applies it by itself"
    assert runs(world, NYC2) == "1.8.0"


async def test_what_its_tool_finds_ill_is_not_verified(world: World) -> None:
    """All its pods may be well while something else of the application is not."""
    world.gitops.well = False
    with pytest.raises(StoppedError, match=r"verify: It runs, but its tool does not find it healthy.*ImagePullBackOff"):
        await world.run(planned(world.target(NYC2)))
    begun = world.clock.now()
    world.clock.ticks.append(lambda: setattr(world.gitops, "well", world.clock.now() - begun > 60 * SECOND))
    await world.run(planned(world.target(SFO3)))


def canary(world: World, steps: int = 3) -> Environment:
    """An Argo Rollout that waits after each step; the new image is in at the first."""
    environment = replace(BARE, kind="rollout", workflow="", gate="")
    place = Workload.of(environment)
    world.cluster.runs(place, (image("api", "1.7.2"),), steps)

    def arrives() -> None:
        now = world.cluster.rollouts[place]
        if now.progressive is None and now.images == (image("api", "1.8.0"),):
            way = Progressive(0, steps, 0, under_way=True, waits=phrase("it waits to be promoted"))
            world.cluster.becomes(place, progressive=way, done=False)
        elif now.progressive is not None and now.images == (image("api", "1.7.2"),):
            world.cluster.becomes(place, progressive=None)

    world.clock.ticks.insert(0, arrives)
    return environment


async def test_a_canary_goes_on_after_each_step_that_is_verified(world: World) -> None:
    environment = judged(canary(world), bake=timedelta(minutes=2))
    running = await world.run(planned(world.target(environment)))
    assert world.rollouts.done == [("advance", f"op-41c9-{step}") for step in range(3)]
    assert world.clock.now() - NOON >= 4 * timedelta(minutes=2), "each step bakes, and the whole"
    assert "0 of 3 new, 3 available: it waits to be promoted" in running.progress


async def test_a_canary_that_is_bad_is_aborted_before_anything_else_on_the_way_back(world: World) -> None:
    environment = canary(world)
    running = FakeRun(planned(world.target(environment)), clock=world.clock)
    world.logs.now = 500
    with pytest.raises(StoppedError, match=r"rollout: api 1\.8\.0 is bad in bare: 500 error lines"):
        await flow(world).run(running)
    await world.undone(running)
    assert world.rollouts.done == [("abort", "api")]
    assert world.cluster.done[-1] == ("image", image("api", "1.7.2"))


async def test_a_canary_that_a_person_paused_is_left_to_them(world: World) -> None:
    environment = canary(world)
    world.clock.ticks.append(lambda: world.cluster.becomes(Workload.of(environment), paused=True))
    with pytest.raises(StoppedError, match="rollout: Not available after"):
        await world.run(planned(world.target(environment)))
    assert world.rollouts.done == []


async def test_a_tool_that_can_not_be_asked_is_waited_for_and_that_is_said(world: World) -> None:
    """Its object may have another name than somebody wrote down; git brings the version all the same."""
    world.gitops.unknown = True
    world.clock.ticks.append(world.applies)
    running = await world.run(planned(world.target(NYC2)))
    assert running.said["sync"].endswith("only waited for: There is no kustomization api in nyc2.")
    assert running.said["verify"].endswith("(There is no kustomization api in nyc2.)")
    assert world.gitops.asked == {}


async def test_the_old_image_is_not_mistaken_for_the_new(world: World) -> None:
    """All pods are well before the new image arrives: that is not the end of the rollout."""
    world.changes["gitops"] = None
    with pytest.raises(StoppedError, match="rollout: Not available after"):
        await world.run(planned(world.target(NYC2)))


@pytest.mark.parametrize(("on_bad", "at_once"), [("propose", False), ("rollback", True)])
async def test_a_version_that_does_not_come_up_is_bad(world: World, on_bad: str, *, at_once: bool) -> None:
    world.clock.ticks.append(lambda: world.cluster.becomes(Workload.of(BARE), stuck=STUCK, done=False))
    with pytest.raises(
        StoppedError, match=r"rollout: api 1.8.0 does not come up in bare: .*ImagePullBackOff"
    ) as stopped:
        await world.run(planned(world.target(judged(BARE, on_bad=on_bad))))
    error = stopped.value.__cause__
    assert isinstance(error, BadVersionError)
    assert error.at_once is at_once


async def test_a_gate_gets_its_word_once(world: World) -> None:
    world.pipeline.gates[41] = {"production"}
    plan = planned(world.target(BARE, Hand.PIPELINE, run=41))
    world.clock.ticks.append(lambda: world.cluster.becomes(Workload.of(BARE), images=(image("api", "1.8.0"),)))
    running = await world.run(plan, dies_in="apply")
    answers = [call for call in world.pipeline.done if call[0] == "gate"]
    assert answers == [("gate", "41", "production", "pult operation op-41c9")]
    assert running.said["apply"] == "run 41 does not wait any more"
    assert "waiting for run 41" in running.progress


async def test_a_workflow_is_started_where_none_waits(world: World) -> None:
    plan = planned(world.target(BARE, Hand.PIPELINE))
    world.clock.ticks.append(lambda: world.cluster.becomes(Workload.of(BARE), images=(image("api", "1.8.0"),)))
    await world.run(plan, dies_in="rollout")
    assert world.pipeline.done == [("dispatch", "deploy.yml", "main", "1.8.0", digest("api", "1.8.0")[:12], "op-41c9")]


async def test_a_run_that_waits_for_the_next_gate_has_done_its_part(world: World) -> None:
    world.pipeline.gates[41], world.pipeline.runs = {"production"}, ["waiting"]
    world.clock.ticks.append(lambda: world.pipeline.gates.__setitem__(41, {"later"}))
    world.cluster.becomes(Workload.of(BARE), images=(image("api", "1.8.0"),))
    await world.run(planned(world.target(BARE, Hand.PIPELINE, run=41)))


async def test_a_run_that_fails_fails_the_step(world: World) -> None:
    world.pipeline.runs = ["pending", "failure"]
    with pytest.raises(StoppedError, match=r"rollout: Run 700 of the pipeline failed\."):
        await world.run(planned(world.target(BARE, Hand.PIPELINE)))


async def test_a_pipeline_without_anything_to_start(world: World) -> None:
    with pytest.raises(StoppedError, match="Nothing waits at production, and no workflow"):
        await world.run(planned(world.target(replace(BARE, workflow=""), Hand.PIPELINE)))


async def test_a_rollback_by_the_workloads_own_history(world: World) -> None:
    world.rollouts.known = {"3": (image("api", "1.8.0"),), "4": (image("api", "1.7.2"),)}
    plan = planned(world.target(BARE, Hand.UNDO, revision="3"), action="rollback")
    await world.run(plan, dies_in="apply")
    assert world.rollouts.done == [("undo", "3")]
    assert runs(world, BARE) == "1.8.0"
    back = await world.undone(await world.run(plan))
    assert world.rollouts.done == [("undo", "3"), ("undo", "4")], "the revision of before, not only its image"
    assert back.said["undo apply"] == "revision 4 is back"


async def test_a_revision_that_is_gone_leaves_its_image(world: World) -> None:
    world.rollouts.known = {"3": (image("api", "1.8.0"),)}
    plan = planned(world.target(BARE, Hand.UNDO, revision="3"), action="rollback")
    await world.undone(await world.run(plan))
    assert world.cluster.done == [("image", image("api", "1.7.2"))]


async def test_a_rollout_that_is_under_way_is_aborted_and_has_no_way_back(world: World) -> None:
    world.rollouts.known = {"3": (image("api", "1.8.0"),)}
    plan = planned(world.target(BARE, Hand.ABORT, revision="3"), action="rollback")
    running = await world.run(plan, dies_in="apply")
    assert world.rollouts.done == [("abort", "api"), ("undo", "3")]
    with pytest.raises(UserError, match="Promote the version anew"):
        await world.undone(running)


async def test_a_rollback_by_git_says_so_in_its_commit(world: World) -> None:
    await world.run(planned(world.target(NYC2), action="rollback"))
    assert world.forge.messages[0].startswith("revert: api 1.8.0 to nyc2")


async def test_the_way_back_goes_in_reverse_over_what_was_changed(world: World) -> None:
    running = await world.run(planned(world.target(NYC2), world.target(SFO3)))
    back = await world.undone(running)
    assert list(back.said) == [
        f"undo {stage} {name}" for name in ("sfo3", "nyc2") for stage in ("apply", "sync", "rollout", "verify")
    ] + ["result"]
    assert back.said["result"] == "What ran before of api runs in nyc2, sfo3 again."
    assert (runs(world, NYC2), runs(world, SFO3)) == ("1.7.2", "1.7.2")
    assert "1.8.0" not in "".join(world.forge.messages[2:]), "no message names what it takes back as what it brings"


async def test_a_region_that_was_not_reached_has_no_way_back(world: World) -> None:
    world.budgets.burned["availability"] = [80.0]
    plan, running = planned(world.target(NYC2), world.target(SFO3)), None
    running = FakeRun(plan, clock=world.clock)
    with pytest.raises(StoppedError):
        await flow(world).run(running)
    back = await world.undone(running)
    assert [name for name in back.said if "sfo3" in name] == []
    assert runs(world, NYC2) == "1.7.2"


@pytest.mark.parametrize("step", ["undo apply", "undo sync", "undo rollout", "undo verify"])
async def test_a_crash_on_the_way_back_undoes_once(world: World, step: str) -> None:
    running = await world.run(planned(world.target(NYC2)))
    await world.undone(running, dies_in=step)
    assert len(world.forge.messages) == 2
    assert runs(world, NYC2) == "1.7.2"


async def test_a_crash_on_the_way_back_of_a_patch_undoes_once(world: World) -> None:
    running = await world.run(planned(world.target(BARE)))
    await world.undone(running, dies_in="undo apply")
    assert world.cluster.done == [("image", image("api", version)) for version in ("1.8.0", "1.7.2")]


async def test_the_way_back_over_what_somebody_else_pushed_is_refused(world: World) -> None:
    running = await world.run(planned(world.target(NYC2)))
    world.forge.pushed(*file(NYC2), manifest("1.9.0"), "by hand")
    with pytest.raises(StoppedError, match=r"undo apply: .* names another digest by now"):
        await world.undone(running)
    assert world.forge.files[file(NYC2)] == manifest("1.9.0")


async def test_the_way_back_puts_what_git_named_not_what_ran(world: World) -> None:
    """A workload may run an image that is named by tag only."""
    was = "registry.example/dept/api:1.7.2"
    world.cluster.becomes(Workload.of(NYC2), images=(was,))
    running = await world.run(planned(world.target(NYC2, previous=was)))
    await world.undone(running)
    assert world.forge.files[file(NYC2)] == manifest("1.7.2")


async def test_the_way_back_through_a_pipeline(world: World) -> None:
    world.cluster.becomes(Workload.of(BARE), images=(image("api", "1.8.0"),))
    running = await world.run(planned(world.target(BARE, Hand.PIPELINE)))
    world.clock.ticks.append(lambda: world.cluster.becomes(Workload.of(BARE), images=(image("api", "1.7.2"),)))
    world.pipeline.runs = ["pending", "success"]
    await world.undone(running)
    assert world.pipeline.done[-1] == ("dispatch", "deploy.yml", "main", "", digest("api", "1.7.2")[:12], "op-41c9")


async def test_the_way_back_where_the_pipeline_can_not_be_started_is_a_patch(world: World) -> None:
    world.pipeline.gates[41] = {"production"}
    bare = replace(BARE, workflow="")
    world.clock.ticks.append(
        lambda: world.cluster.done or world.cluster.becomes(Workload.of(BARE), images=(image("api", "1.8.0"),))
    )
    running = await world.run(planned(world.target(bare, Hand.PIPELINE, run=41)))
    await world.undone(running)
    assert world.cluster.done == [("image", image("api", "1.7.2"))]


async def test_github_hears_how_it_goes(world: World) -> None:
    await world.released()
    running = await world.run(planned(world.target(NYC2), world.target(SFO3)))
    assert world.pipeline.done == [("status", str(n), state) for n in (1, 2) for state in ("in_progress", "success")]
    assert world.pipeline.notes["1.8.0"].splitlines()[-1].startswith(f"In sfo3 since {NOON:%Y-%m-%d} ")
    await world.undone(running)
    assert world.pipeline.done[4:] == [("status", "2", "inactive"), ("status", "1", "inactive")]


async def test_the_notes_of_both_releases_say_where_each_is_by_now(world: World) -> None:
    before = await world.released()
    await world.released(version="1.7.2", digest=digest("api", "1.7.2"), commit="b" * 40)
    row = Deployment("api", "sfo3", "1.7.2", digest("api", "1.7.2"), Fate.GOOD, NOON, since=NOON)
    await world.store.write(lambda tx: tx.save_deployment(row))
    running = await world.run(planned(world.target(NYC2)))
    at = f"{NOON:%Y-%m-%d %H:%M} UTC"
    assert world.pipeline.notes["1.7.2"].splitlines() == [
        f"In sfo3 since {at} (told)",
        f"In nyc2 until {at}, then 1.8.0 (op-41c9)",
    ]
    await world.undone(running)
    assert world.pipeline.notes["1.8.0"] == f"In nyc2 until {at}, rolled back (op-41c9)"
    assert world.pipeline.notes["1.7.2"].splitlines()[-1] == f"In nyc2 since {at} (op-41c9)"
    gone = Deployment("api", "sfo3", "1.8.0", before.digest, Fate.BACK, NOON, "op-1", since=NOON)
    await world.store.write(lambda tx: tx.save_deployment(gone))
    await world.run(planned(world.target(NYC2)))
    assert world.pipeline.notes["1.8.0"].splitlines()[0] == f"In sfo3 until {at}, rolled back (op-1)"


async def test_github_hears_of_a_failure(world: World) -> None:
    await world.released()
    world.budgets.burned["availability"] = [80.0]
    with pytest.raises(StoppedError):
        await world.run(planned(world.target(NYC2)))
    assert world.pipeline.done[-1] == ("status", "1", "failure")


async def test_a_github_that_is_away_fails_nothing_and_is_said(world: World) -> None:
    await world.released()
    world.pipeline.away = True
    running = await world.run(planned(world.target(NYC2)))
    assert running.said["apply"].endswith("(GitHub was not told: GitHub does not answer)")
    assert running.said["result"] == "api 1.8.0 runs in nyc2."


async def test_a_verification_that_was_skipped_is_said(world: World) -> None:
    world.budgets.burned["availability"] = [None]
    running = await world.run(planned(world.target(NYC2)), skips=frozenset({"verify"}))
    assert running.said["result"] == "api 1.8.0 runs in nyc2. It is not verified in nyc2."
