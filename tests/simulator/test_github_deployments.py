"""The simulated GitHub's deployments, runs, pages and notes: as strict as the real one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import gidgethub
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from gidgethub.aiohttp import GitHubAPI

from bot.simulator import github
from bot.simulator.github.state import Forge, Repository
from bot.simulator.github.surface import TOKEN
from bot.simulator.world import World
from tests.simulator.world_parts import HandClock

REPO = "/repos/dept/api"
PLAIN: dict[str, Any] = {"auto_merge": False, "required_contexts": []}


@dataclass
class Bench:
    clock: HandClock
    forge: Forge
    api: GitHubAPI

    @property
    def repo(self) -> Repository:
        return self.forge.repository("dept/api")


@pytest.fixture
async def bench(clock: HandClock, world: World) -> AsyncIterator[Bench]:
    app = web.Application()
    app.add_subapp("/github", github.application(world))
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        url = str(server.make_url("/github")).rstrip("/")
        assert isinstance(world.github, Forge)
        yield Bench(clock, world.github, GitHubAPI(http, "pult", oauth_token=TOKEN, base_url=url))


async def refused(call: Any) -> tuple[int, str]:
    with pytest.raises(gidgethub.HTTPException) as caught:
        await call
    return int(caught.value.status_code), str(caught.value)


async def test_a_record_and_its_states(bench: Bench) -> None:
    body = PLAIN | {"ref": "v1.8.0", "payload": {"operation": "op-1"}, "environment": "staging"}
    made = await bench.api.post(f"{REPO}/deployments", data=body)
    assert (made["sha"], made["payload"]) == (bench.repo.history.tags["v1.8.0"], {"operation": "op-1"})
    await bench.api.post(f"{REPO}/deployments", data=PLAIN | {"ref": "main"})
    for query, count in (("", 2), ("?environment=staging", 1), (f"?sha={made['sha']}", 1), ("?task=undo", 0)):
        assert len([each async for each in bench.api.getiter(f"{REPO}/deployments{query}")]) == count
    states = f"{REPO}/deployments/{made['id']}/statuses"
    for state in ("in_progress", "success"):
        await bench.api.post(states, data={"state": state, "log_url": "https://pult.dept.example"})
    assert [each["state"] for each in await bench.api.getitem(states)] == ["success", "in_progress"]
    assert (await bench.api.getitem(f"{REPO}/deployments/{made['id']}"))["environment"] == "staging"


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"ref": "nope"}, 422, "No ref found for: nope"),
        ({"ref": "v1.8.0"}, 409, "Conflict merging main into v1.8.0"),
        ({"ref": "v1.8.0", "auto_merge": False}, 409, "Commit status checks failed"),
        ({}, 422, "wasn't supplied"),
    ],
)
async def test_a_record_that_github_would_not_make(bench: Bench, body: dict[str, Any], status: int, why: str) -> None:
    bench.repo.checks[bench.repo.history.tags["v1.8.0"]] = "failure"
    got = await refused(bench.api.post(f"{REPO}/deployments", data=body))
    assert got[0] == status
    assert why in got[1]


@pytest.mark.parametrize("body", [{"state": "done"}, {"state": "success", "description": "x" * 141}])
async def test_a_state_that_github_would_not_take(bench: Bench, body: dict[str, Any]) -> None:
    made = await bench.api.post(f"{REPO}/deployments", data=PLAIN | {"ref": "main"})
    assert (await refused(bench.api.post(f"{REPO}/deployments/{made['id']}/statuses", data=body)))[0] == 422


async def test_a_run_takes_its_time_and_may_fail(bench: Bench) -> None:
    done: list[int] = []
    bench.forge.deploy = lambda _, run: not done.append(run.id) and run.inputs.get("version") != "bad"
    body = {"ref": "main", "return_run_details": True}
    url = f"{REPO}/actions/workflows/deploy.yml"
    ids = []
    for version in ("1.8.0", "bad"):
        inputs = {"version": version, "operation": f"op-{version}"}
        told = await bench.api.post(f"{url}/dispatches", data=body | {"inputs": inputs})
        ids.append(told["workflow_run_id"])
    seen = []
    for seconds in (0, 5, 20, 20):
        bench.clock.move(seconds=seconds)
        run = await bench.api.getitem(f"{REPO}/actions/runs/{ids[0]}")
        seen.append((run["status"], run["conclusion"]))
    assert seen == [("queued", None), ("in_progress", None), ("completed", "success"), ("completed", "success")]
    listed = (await bench.api.getitem(f"{url}/runs?event=workflow_dispatch"))["workflow_runs"]
    assert [(run["display_title"], run["conclusion"]) for run in listed] == [
        ("deploy op-bad", "failure"), ("deploy op-1.8.0", "success"),
    ]  # fmt: skip
    assert done == ids
    assert (await refused(bench.api.getitem(f"{REPO}/actions/workflows/nope.yml/runs")))[0] == 404
    assert (
        "Unexpected inputs"
        in (await refused(bench.api.post(f"{url}/dispatches", data=body | {"inputs": {"x": "y"}})))[1]
    )


async def test_lists_inside_objects_are_paged_too(bench: Bench) -> None:
    bench.repo.check_runs[bench.repo.history.tags["v1.8.0"]] = [{"id": number} for number in range(45)]
    found = bench.api.getiter(f"{REPO}/commits/v1.8.0/check-runs?per_page=20", iterable_key="check_runs")
    assert [each["id"] async for each in found] == list(range(45))
    first = await bench.api.getitem(f"{REPO}/compare/v1.7.2...v1.8.0?per_page=2")
    second = await bench.api.getitem(f"{REPO}/compare/v1.7.2...v1.8.0?per_page=2&page=2")
    assert (first["total_commits"], len(first["commits"]), len(first["files"])) == (5, 2, 5)
    assert (len(second["commits"]), second["files"]) == (2, [])


async def test_notes_are_edited_and_protected_branches_are_not(bench: Bench) -> None:
    release = await bench.api.getitem(f"{REPO}/releases/tags/v1.8.0")
    changed = await bench.api.patch(f"{REPO}/releases/{release['id']}", data={"body": "new", "prerelease": True})
    assert (changed["body"], changed["prerelease"], changed["name"]) == ("new", True, "v1.8.0")
    bench.repo.protected.add("main")
    write = {"message": "x", "content": "eA==", "branch": "main"}
    status, why = await refused(bench.api.put(f"{REPO}/contents/new", data=write))
    assert (status, "through a pull request" in why) == (409, True)
    assert await refused(bench.api.getitem(f"{REPO}/commits/nope")) == (422, "No commit found for SHA: nope")


async def test_a_merge_keeps_both_parents_and_the_kinds_that_are_allowed(bench: Bench) -> None:
    main, files = bench.repo.branch("main"), dict(bench.repo.branch("main").files) | {"new": b"x"}
    bench.repo.history.branches["topic"] = main.sha
    topic = bench.repo.commit("topic", "feat: new", files, bench.clock.now())
    await bench.api.post(f"{REPO}/pulls", data={"title": "t", "head": "topic", "base": "main"})
    bench.repo.merges = {"merge"}
    merge = f"{REPO}/pulls/1/merge"
    assert await refused(bench.api.put(merge, data={"merge_method": "squash"})) == (
        405, "Squash merges are not allowed on this repository.",
    )  # fmt: skip
    await bench.api.put(merge, data={})
    assert bench.repo.branch("main").parents == (main.sha, topic.sha)
    assert len(await bench.api.getitem(f"{REPO}/pulls?state=all&base=main")) == 1
    assert await bench.api.getitem(f"{REPO}/pulls?state=all&base=other") == []
