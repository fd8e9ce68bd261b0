"""The simulated GitHub, through gidgethub and plain requests."""

import base64
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
from bot.simulator.github.seeding import WAITING_RUN, kustomization
from bot.simulator.github.state import Decision, Forge, Repository
from bot.simulator.github.surface import TOKEN
from bot.simulator.world import World

FILE = "/repos/dept/api/contents/deploy/production/kustomization.yaml"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Bench:
    world: World
    url: str
    http: aiohttp.ClientSession
    api: GitHubAPI

    @property
    def repo(self) -> Repository:
        assert isinstance(self.world.github, Forge)
        return self.world.github.repository("dept/api")

    async def write(self, text: str, **more: str) -> Any:
        body = {"message": "chore(deploy): api", "content": base64.b64encode(text.encode()).decode()} | more
        return await self.api.put(FILE, data=body)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    world = World()
    app = web.Application()
    app.add_subapp("/github", github.application(world))
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        url = str(server.make_url("/github")).rstrip("/")
        yield Bench(world, url, http, GitHubAPI(http, "pult", oauth_token=TOKEN, base_url=url))


async def test_a_file_is_read_changed_and_read_again(bench: Bench) -> None:
    found = await bench.api.getitem(FILE)
    assert base64.b64decode(found["content"]).decode() == kustomization("api", "production", "1.7.2")
    made = await bench.write(kustomization("api", "production", "1.8.0"), sha=found["sha"], branch="main")
    again = await bench.api.getitem(FILE + "?ref=main")
    assert again["sha"] == made["content"]["sha"] != found["sha"]
    assert bench.repo.history.branches["main"] == made["commit"]["sha"]
    old = await bench.api.getitem(f"{FILE}?ref={made['commit']['parents'][0]['sha']}")
    assert old["sha"] == found["sha"]
    listed = await bench.api.getitem("/repos/dept/api/contents/deploy")
    assert [entry["name"] for entry in listed] == ["base", "production", "staging"]


async def test_a_write_without_the_sha_is_422_and_with_an_old_one_409(bench: Bench) -> None:
    with pytest.raises(gidgethub.HTTPException) as caught:
        await bench.write("x")
    assert caught.value.status_code == 422
    with pytest.raises(gidgethub.HTTPException) as caught:
        await bench.write("x", sha="0" * 40)
    assert caught.value.status_code == 409
    with pytest.raises(gidgethub.HTTPException) as caught:
        await bench.write("x", sha="0" * 40, branch="nope")
    assert caught.value.status_code == 404


async def test_a_wrong_token_is_401_and_an_unknown_repository_404(bench: Bench) -> None:
    async with bench.http.get(f"{bench.url}/repos/dept/api", headers={"Authorization": "Bearer x"}) as answer:
        assert (answer.status, (await answer.json())["message"]) == (401, "Bad credentials")
    async with bench.http.get(f"{bench.url}/repos/dept/secret", headers=HEADERS) as answer:
        body = await answer.json()
        assert (answer.status, body["message"], body["status"]) == (404, "Not Found", "404")


async def test_releases_come_newest_first_in_pages(bench: Bench) -> None:
    tags = [release["tag_name"] async for release in bench.api.getiter("/repos/dept/api/releases?per_page=1")]
    assert tags == ["v1.8.1", "v1.8.0", "v1.7.2"]
    latest = await bench.api.getitem("/repos/dept/api/releases/latest")
    assert latest["tag_name"] == "v1.8.1"
    found = await bench.api.getitem("/repos/dept/api/releases/tags/v1.8.0")
    assert "### Features\n- cursor pagination for /v1/items" in found["body"]
    assert (await bench.api.getitem(f"/repos/dept/api/releases/{found['id']}"))["tag_name"] == "v1.8.0"


async def test_a_draft_is_not_the_latest_release_and_a_tag_is_released_once(bench: Bench) -> None:
    body = {"tag_name": "v1.9.0", "draft": True, "generate_release_notes": True}
    made = await bench.api.post("/repos/dept/api/releases", data=body)
    assert made["published_at"] is None
    assert (await bench.api.getitem("/repos/dept/api/releases/latest"))["tag_name"] == "v1.8.1"
    with pytest.raises(gidgethub.InvalidField) as caught:
        await bench.api.post("/repos/dept/api/releases", data=body)
    assert caught.value.errors[0]["code"] == "already_exists"


async def test_a_comparison_tells_the_commits_between_two_tags(bench: Bench) -> None:
    found = await bench.api.getitem("/repos/dept/api/compare/v1.7.2...v1.8.0")
    assert (found["status"], found["ahead_by"], found["behind_by"]) == ("ahead", 5, 0)
    assert found["commits"][0]["commit"]["message"].startswith("feat(items)")
    back = await bench.api.getitem("/repos/dept/api/compare/v1.8.0...v1.7.2")
    assert (back["status"], back["behind_by"]) == ("behind", 5)
    same = await bench.api.getitem("/repos/dept/api/compare/main...v1.8.1")
    assert same["status"] == "identical"


async def test_commits_can_be_narrowed_to_a_path(bench: Bench) -> None:
    sha = (await bench.api.getitem(FILE))["sha"]
    await bench.write("images: []\n", sha=sha)
    path = "deploy/production/kustomization.yaml"
    found = [commit async for commit in bench.api.getiter(f"/repos/dept/api/commits?path={path}")]
    assert [commit["commit"]["message"] for commit in found] == ["chore(deploy): api", "chore: repository skeleton"]
    one = await bench.api.getitem(f"/repos/dept/api/commits/{found[0]['sha']}")
    assert [(f["filename"], f["status"]) for f in one["files"]] == [(path, "modified")]


async def test_a_branch_a_change_and_a_merged_pull_request(bench: Bench) -> None:
    main = await bench.api.getitem("/repos/dept/api/git/ref/heads/main")
    new = {"ref": "refs/heads/pult/op-1", "sha": main["object"]["sha"]}
    await bench.api.post("/repos/dept/api/git/refs", data=new)
    with pytest.raises(gidgethub.HTTPException) as caught:
        await bench.api.post("/repos/dept/api/git/refs", data=new)
    assert caught.value.status_code == 422
    pull = {"title": "Promote api", "head": "pult/op-1", "base": "main", "body": "op-1"}
    with pytest.raises(gidgethub.ValidationError, match="No commits between"):
        await bench.api.post("/repos/dept/api/pulls", data=pull)
    sha = (await bench.api.getitem(FILE))["sha"]
    await bench.write("images: []\n", sha=sha, branch="pult/op-1")
    opened = await bench.api.post("/repos/dept/api/pulls", data=pull)
    assert (opened["number"], opened["mergeable"]) == (1, True)
    with pytest.raises(gidgethub.ValidationError, match="already exists"):
        await bench.api.post("/repos/dept/api/pulls", data=pull)


async def test_a_pull_request_is_merged_once_and_at_the_head_it_names(bench: Bench) -> None:
    bench.repo.history.branches["pult/op-1"] = bench.repo.history.branches["main"]
    sha = (await bench.api.getitem(FILE))["sha"]
    await bench.write("images: []\n", sha=sha, branch="pult/op-1")
    pull = {"title": "Promote api", "head": "pult/op-1", "base": "main"}
    opened = await bench.api.post("/repos/dept/api/pulls", data=pull)
    merge = "/repos/dept/api/pulls/1/merge"
    with pytest.raises(gidgethub.HTTPException) as caught:
        await bench.api.put(merge, data={"sha": "0" * 40})
    assert caught.value.status_code == 409
    done = await bench.api.put(merge, data={"sha": opened["head"]["sha"]})
    assert done["merged"] is True
    assert (await bench.api.getitem("/repos/dept/api/pulls/1"))["merged"] is True
    assert bench.repo.branch("main").files["deploy/production/kustomization.yaml"] == b"images: []\n"
    with pytest.raises(gidgethub.HTTPException) as caught:
        await bench.api.put(merge, data={})
    assert caught.value.status_code == 405


async def test_a_conflicting_pull_request_cannot_be_merged(bench: Bench) -> None:
    sha = (await bench.api.getitem(FILE))["sha"]
    bench.repo.history.branches["other"] = bench.repo.history.branches["main"]
    await bench.write("a\n", sha=sha, branch="other")
    await bench.write("b\n", sha=sha)
    opened = await bench.api.post("/repos/dept/api/pulls", data={"title": "x", "head": "other", "base": "main"})
    assert opened["mergeable"] is False
    with pytest.raises(gidgethub.HTTPException) as caught:
        await bench.api.put("/repos/dept/api/pulls/1/merge", data={})
    assert caught.value.status_code == 405


async def test_refs_move_forward_only_unless_forced(bench: Bench) -> None:
    older = bench.repo.history.tags["v1.7.2"]
    with pytest.raises(gidgethub.HTTPException, match="not a fast forward"):
        await bench.api.patch("/repos/dept/api/git/refs/heads/main", data={"sha": older})
    await bench.api.patch("/repos/dept/api/git/refs/heads/main", data={"sha": older, "force": True})
    assert (await bench.api.getitem("/repos/dept/api/branches/main"))["commit"]["sha"] == older
    found = [ref["ref"] async for ref in bench.api.getiter("/repos/dept/api/git/matching-refs/tags/v1.8")]
    assert found == ["refs/tags/v1.8.0", "refs/tags/v1.8.1"]
    await bench.api.delete("/repos/dept/api/git/refs/tags/v1.8.1")
    with pytest.raises(gidgethub.HTTPException) as caught:
        await bench.api.getitem("/repos/dept/api/git/ref/tags/v1.8.1")
    assert caught.value.status_code == 404


@pytest.mark.parametrize(
    ("conclusion", "state", "last"),
    [("success", "success", "success"), ("failure", "failure", "failure"), ("in_progress", "pending", None)],
)
async def test_checks_of_a_commit(bench: Bench, conclusion: str, state: str, last: str | None) -> None:
    bench.repo.checks[bench.repo.history.tags["v1.8.0"]] = conclusion
    runs = await bench.api.getitem("/repos/dept/api/commits/v1.8.0/check-runs")
    assert [run["name"] for run in runs["check_runs"]] == ["build", "unit tests", "trivy", "e2e"]
    assert runs["check_runs"][-1]["conclusion"] == last
    assert (await bench.api.getitem("/repos/dept/api/commits/v1.8.0/status"))["state"] == state


async def test_a_dispatch_answers_204_or_the_run_and_needs_the_trigger(bench: Bench) -> None:
    url = "/repos/dept/api/actions/workflows/{}/dispatches"
    assert await bench.api.post(url.format("deploy.yml"), data={"ref": "main", "inputs": {"tag": "v1.8.0"}}) is None
    assert bench.repo.runs[-1].inputs == {"tag": "v1.8.0"}
    body = {"ref": "main", "return_run_details": True}
    told = await bench.api.post(url.format("deploy.yml"), data=body)
    assert (await bench.api.getitem(f"/repos/dept/api/actions/runs/{told['workflow_run_id']}"))["event"] == (
        "workflow_dispatch"
    )
    with pytest.raises(gidgethub.HTTPException, match="workflow_dispatch") as caught:
        await bench.api.post(url.format("ci.yml"), data={"ref": "main"})
    assert caught.value.status_code == 422


async def test_a_pending_deployment_is_reviewed(bench: Bench) -> None:
    url = f"/repos/dept/api/actions/runs/{WAITING_RUN}/pending_deployments"
    (waiting,) = await bench.api.getitem(url)
    assert waiting["environment"]["name"] == "production"
    body: dict[str, Any] = {"environment_ids": [waiting["environment"]["id"]], "state": "approved"}
    with pytest.raises(gidgethub.HTTPException) as caught:
        await bench.api.post(url, data=body)
    assert caught.value.status_code == 422
    await bench.api.post(url, data=body | {"comment": "op-1"})
    assert await bench.api.getitem(url) == []
    assert bench.repo.decisions == [Decision(WAITING_RUN, ("production",), "approved", "op-1")]


async def test_a_protection_rule_is_noted_then_answered(bench: Bench) -> None:
    url = f"/repos/dept/api/actions/runs/{WAITING_RUN}/deployment_protection_rule"
    note = {"environment_name": "production", "comment": "waiting for a second person"}
    assert await bench.api.post(url, data=note) is None
    assert bench.repo.run(WAITING_RUN).environments == ["production"]
    assert await bench.api.post(url, data=note | {"state": "rejected"}) is None
    assert [decision.state for decision in bench.repo.decisions] == ["", "rejected"]
    assert bench.repo.run(WAITING_RUN).conclusion == "failure"


async def test_an_unchanged_answer_is_304_and_costs_nothing(bench: Bench) -> None:
    async with bench.http.get(f"{bench.url}/repos/dept/api", headers=HEADERS) as answer:
        tag, left = answer.headers["ETag"], answer.headers["x-ratelimit-remaining"]
    headers = HEADERS | {"If-None-Match": tag}
    async with bench.http.get(f"{bench.url}/repos/dept/api", headers=headers) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    limits = await bench.api.getitem("/rate_limit")
    assert limits["resources"]["core"]["remaining"] == int(left)


async def test_an_exhausted_limit_is_403_with_remaining_0(bench: Bench) -> None:
    bench.world.faults.start("ratelimit", "github")
    async with bench.http.get(f"{bench.url}/repos/dept/api", headers=HEADERS) as answer:
        assert answer.status == 403
        assert answer.headers["x-ratelimit-remaining"] == "0"
        assert int(answer.headers["x-ratelimit-reset"]) > bench.world.clock.now().timestamp()
    with pytest.raises(gidgethub.RateLimitExceeded):
        await bench.api.getitem("/repos/dept/api")
