"""Commits, comparisons and pull requests: the Forge port over the simulated GitHub."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.errors import AmbiguousError, DriftError, RateLimitedError, TemporaryError, UserError
from bot.domain.manifests import image_digest, repository
from bot.domain.services import Environment, GitOps
from bot.domain.targets import Hand, Target
from bot.ports.forge import Pull
from bot.simulator.kubernetes import images
from handlers.flows.git import Git
from tests.adapters.github_bench import PATH, REPO, Bench, Script, scripted, simulated
from tests.handlers.deploying import planned
from tests.handlers.fakes import FakeRun

HEAD = "pult/op-41c9/production"
TITLE = "deploy: api 1.8.0 to production"


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with simulated() as bench:
        yield bench


async def test_a_ref_of_any_kind_names_a_commit(bench: Bench) -> None:
    sha = bench.repo.history.tags["v1.8.0"]
    bench.repo.history.branches["release/1.8"] = sha
    for ref in ("v1.8.0", "release/1.8", sha, sha[:9]):
        found = await bench.forge.resolve(REPO, ref)
        assert (found.sha, found.message, found.author) == (sha, "docs: runbook for slow queries", "boris")
    assert found.at == bench.repo.history.commits[sha].date.replace(microsecond=0)
    assert found.url == f"https://github.com/{REPO}/commit/{sha}"


@pytest.mark.parametrize(("repo", "ref"), [(REPO, "v9.9.9"), ("dept/nothing", "main"), (REPO, "0" * 40)])
async def test_a_ref_that_is_not_there(bench: Bench, repo: str, ref: str) -> None:
    with pytest.raises(UserError, match=f"GitHub has no {repo}@{ref}, or pult's token may not see it"):
        await bench.forge.resolve(repo, ref)
    with pytest.raises(UserError, match="GitHub has no"):
        await bench.forge.compare(repo, "main", ref)


async def test_what_lies_between_two_tags(bench: Bench) -> None:
    found = await bench.forge.compare(REPO, "v1.7.2", "v1.8.0")
    assert [commit.message.partition(":")[0] for commit in found.commits] == [
        "feat(items)", "feat(auth)", "fix(db)", "perf", "docs",
    ]  # fmt: skip
    assert (len(found.files), found.more, found.behind) == (5, 0, 0)
    assert found.url.endswith("/dept/api/compare/v1.7.2...v1.8.0")
    back = await bench.forge.compare(REPO, "v1.8.0", "v1.7.2")
    assert (back.commits, back.files, back.behind) == ((), (), 5)


@pytest.mark.parametrize(("count", "got"), [(100, 100), (101, 101), (230, 230), (520, 500)])
async def test_a_long_way_is_read_page_by_page(bench: Bench, count: int, got: int) -> None:
    files, now = dict(bench.repo.branch("main").files), bench.simulation.world.clock.now()
    for number in range(count):
        bench.repo.commit("main", f"fix: number {number}", files, now + timedelta(seconds=number))
    found = await bench.forge.compare(REPO, "v1.8.1", "main")
    assert [commit.message for commit in found.commits] == [f"fix: number {number}" for number in range(got)]
    assert found.more == count - got


async def changed(bench: Bench) -> dict[str, str]:
    return {PATH: (await bench.forge.read(REPO, PATH, "main")).text + "# anna\n"}


async def proposed(bench: Bench, **more: Any) -> Pull:
    return await bench.forge.propose(REPO, "main", HEAD, await changed(bench), TITLE, "pult operation op-41c9", **more)


async def test_a_change_is_proposed_once_and_merged_once(bench: Bench) -> None:
    main, wanted = bench.repo.history.branches["main"], await changed(bench)
    pull = await proposed(bench)
    assert pull == Pull(1, "open", f"https://github.com/{REPO}/pull/1", "", bench.repo.history.branches[HEAD])
    assert (bench.repo.history.branches["main"], bench.repo.branch(HEAD).message) == (main, TITLE)
    assert (bench.repo.pulls[0].title, bench.repo.pulls[0].body) == (TITLE, "pult operation op-41c9")
    assert await proposed(bench) == pull
    merged = await bench.forge.merge(REPO, 1, pull.head)
    assert merged == replace(pull, state="merged", merged=bench.repo.history.branches["main"])
    assert (await bench.forge.read(REPO, PATH, "main")).text == wanted[PATH]
    for again in (bench.forge.merge(REPO, 1), bench.forge.pull(REPO, 1)):
        assert await again == merged
    assert await bench.forge.propose(REPO, "main", HEAD, wanted, TITLE, "") == merged
    assert len(bench.repo.pulls) == 1


@pytest.mark.parametrize("once", [True, False], ids=["once", "for a while"])
@pytest.mark.parametrize("lost", ["/git/refs", PATH, "/deploy/new.yaml", "/pulls", "/pulls/1/merge"])
async def test_whichever_answer_gets_lost_there_is_one_of_everything(bench: Bench, lost: str, once: bool) -> None:
    files = await changed(bench) | {"deploy/new.yaml": "new: true\n"}
    bench.wire.lost, bench.wire.once = lost, once

    async def whole() -> Pull:
        pull = await bench.forge.propose(REPO, "main", HEAD, files, TITLE, "")
        return await bench.forge.merge(REPO, pull.number, pull.head)

    try:
        merged = await whole()
    except AmbiguousError:
        bench.wire.lost = ""
        merged = await whole()
    assert bench.wire.lost == ""
    assert merged.merged == bench.repo.history.branches["main"]
    assert len(bench.repo.pulls) == 1
    made = bench.repo.history.between(bench.repo.commit_at("v1.8.1"), bench.repo.branch("main"))
    assert [commit.message for commit in made] == [TITLE, TITLE, f"{TITLE} (#1)"]
    for path, text in files.items():
        assert (await bench.forge.read(REPO, path, "main")).text == text


async def test_a_push_to_the_base_since_it_was_read_stops_a_pinned_proposal(bench: Bench) -> None:
    was = await bench.forge.read(REPO, PATH, "main")
    await bench.forge.commit(REPO, PATH, "main", was, was.text + "# boris\n", "boris")
    with pytest.raises(DriftError, match=f"Somebody pushed to {REPO}/{PATH} meanwhile"):
        await proposed(bench, pins={PATH: was.sha})
    assert HEAD not in bench.repo.history.branches
    assert (await proposed(bench, pins={PATH: (await bench.forge.read(REPO, PATH, "main")).sha})).state == "open"


async def test_a_push_to_the_branch_since_it_was_approved_stops_the_merge(bench: Bench) -> None:
    pull = await proposed(bench)
    now = await bench.forge.read(REPO, PATH, HEAD)
    await bench.forge.commit(REPO, PATH, HEAD, now, "images: []\n", "mallory")
    with pytest.raises(DriftError, match=f"Somebody pushed to {HEAD} meanwhile"):
        await bench.forge.merge(REPO, 1, pull.head)
    assert (await bench.forge.pull(REPO, 1)).state == "open"


async def test_a_conflict_is_drift(bench: Bench) -> None:
    await proposed(bench)
    was = await bench.forge.read(REPO, PATH, "main")
    await bench.forge.commit(REPO, PATH, "main", was, "images: []\n", "boris")
    with pytest.raises(DriftError, match="does not merge cleanly any more"):
        await bench.forge.merge(REPO, 1)


async def test_a_closed_pull_request_is_a_no(bench: Bench) -> None:
    await proposed(bench)
    bench.repo.pulls[0].state = "closed"
    assert (await bench.forge.pull(REPO, 1)).state == "closed"
    for call in (bench.forge.merge(REPO, 1), proposed(bench)):
        with pytest.raises(UserError, match="Somebody closed #1 without merging it"):
            await call


@pytest.mark.parametrize("allowed", ["merge", "squash", "rebase"])
async def test_the_merge_that_the_repository_takes(bench: Bench, allowed: str) -> None:
    bench.repo.merges = {allowed}
    await proposed(bench)
    assert (await bench.forge.merge(REPO, 1)).merged == bench.repo.history.branches["main"]


async def test_no_merge_at_all_is_said(bench: Bench) -> None:
    bench.repo.merges = set()
    await proposed(bench)
    with pytest.raises(UserError, match="Rebase merges are not allowed"):
        await bench.forge.merge(REPO, 1)


async def test_nothing_to_change_is_no_pull_request(bench: Bench) -> None:
    same = {PATH: (await bench.forge.read(REPO, PATH, "main")).text}
    with pytest.raises(UserError, match="No commits between main"):
        await bench.forge.propose(REPO, "main", HEAD, same, TITLE, "")


async def test_a_base_that_is_not_there(bench: Bench) -> None:
    with pytest.raises(UserError, match=f"GitHub has no {REPO}@trunk"):
        await bench.forge.propose(REPO, "trunk", HEAD, {PATH: "x"}, TITLE, "")
    with pytest.raises(UserError, match=f"GitHub has no {REPO}#7"):
        await bench.forge.merge(REPO, 7)


# Answers of our own making.


def pull_answer(**more: Any) -> dict[str, Any]:
    head = {"ref": HEAD, "sha": "abc"}
    return {"number": 1, "state": "open", "html_url": "u", "merged_at": None, "head": head, "mergeable": True} | more


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (405, "Base branch was modified. Review and try the merge again.", RateLimitedError),
        (405, "Pull Request is not mergeable", DriftError),
        (405, "At least 1 approving review is required by reviewers with write access.", UserError),
        (409, "Head branch was modified. Review and try the merge again.", DriftError),
        (502, "Server Error", AmbiguousError),
        (403, "Resource not accessible by personal access token", UserError),
    ],
)
async def test_what_stands_in_the_way_of_a_merge(status: int, message: str, error: type[Exception]) -> None:
    path = f"/repos/{REPO}/pulls/1"
    script = Script({path: (200, pull_answer(), {}), f"{path}/merge": (status, {"message": message}, {})})
    async with scripted(script) as forge:
        with pytest.raises(error) as caught:
            await forge.merge(REPO, 1)
    assert type(caught.value) is error


async def test_github_gets_time_to_find_out_whether_it_merges() -> None:
    path = f"/repos/{REPO}/pulls/1"
    unknown, known = (200, pull_answer(mergeable=None), {}), (200, pull_answer(mergeable=False), {})
    async with scripted(Script({path: [unknown, unknown, known]})) as forge:
        with pytest.raises(DriftError, match="cleanly"):
            await forge.merge(REPO, 1)
    script = Script({path: (200, pull_answer(mergeable=None), {}), f"{path}/merge": (200, {"sha": "def"}, {})})
    async with scripted(script) as forge:
        assert (await forge.merge(REPO, 1)).merged == "def"
    assert script.bodies[-1] == {"sha": "abc", "merge_method": "merge"}


@pytest.mark.parametrize("body", ["", '"text"', "<html>"])
async def test_a_proxys_page_makes_no_pull_request(body: str) -> None:
    script = Script({"*": (200, body, {"Content-Type": "text/html" if "<" in body else "application/json"})})
    async with scripted(script) as forge:
        with pytest.raises((TemporaryError, UserError)):
            await forge.propose(REPO, "main", HEAD, {PATH: "x"}, TITLE, "")


@pytest.mark.parametrize("foreign", [False, True], ids=["alone", "with more"])
async def test_what_pult_merges_is_the_approved_change_alone(bench: Bench, foreign: bool) -> None:
    """Whoever may push may be at the branch first: its name can be told from the operation's."""
    was, place = await bench.forge.read(REPO, PATH, "main"), GitOps("flux", "api", REPO, PATH)
    wanted = images.image("api", "1.8.1")
    committed = image_digest(was.text, repository(wanted))
    environment = Environment("production", "nyc2", "production", "deployment", "api", place)
    target = Target(environment, Hand.PULL, wanted, "", "t", file=was.sha, committed=committed)
    run = FakeRun(planned(target, version="1.8.1"))
    branch = f"pult/{run.operation}/production"
    if foreign:
        await bench.forge.propose(REPO, "main", branch, {"deploy/evil.yaml": "image: evil\n"}, "mine", "")
        with pytest.raises(UserError, match="has other changes than the approved one"):
            await Git(bench.forge).put(run, target)
        assert (await bench.forge.read(REPO, PATH, "main")).text == was.text
        return
    did = await Git(bench.forge).put(run, target)
    assert did.value == bench.repo.history.branches["main"]
    assert image_digest((await bench.forge.read(REPO, PATH, "main")).text, repository(wanted)) == target.digest
    assert (await Git(bench.forge).put(run, target)).said.plain() == "it was committed already"
