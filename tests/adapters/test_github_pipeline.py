"""Checks, gates, dispatches, deployment records and notes: the Pipeline port over the simulated GitHub."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.domain.errors import AmbiguousError, RateLimitedError, UserError
from bot.ports.pipeline import Check
from bot.simulator.github.seeding import WAITING_RUN
from bot.simulator.github.state import Decision
from bot.simulator.kubernetes.images import digest, image
from tests.adapters.github_bench import REPO, Bench, Script, scripted, simulated

RUN = f"/repos/{REPO}/actions/runs/9001"
FLOW = f"/repos/{REPO}/actions/workflows/deploy.yml"


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with simulated() as bench:
        yield bench


def run(number: int, name: str, conclusion: str | None, **more: Any) -> dict[str, Any]:
    status = "completed" if conclusion else "in_progress"
    started = f"2026-11-24T14:00:{number % 60:02}Z"
    return {"id": number, "name": name, "status": status, "conclusion": conclusion, "started_at": started} | more


@pytest.mark.parametrize(
    ("conclusion", "last", "status"),
    [("success", "success", "success"), ("failure", "failure", "failure"), ("in_progress", "pending", "pending")],
)
async def test_the_checks_of_a_commit(bench: Bench, conclusion: str, last: str, status: str) -> None:
    sha = bench.repo.history.tags["v1.8.0"]
    bench.repo.checks[sha] = conclusion
    found = {check.name: check for check in await bench.forge.checks(REPO, sha)}
    assert found.keys() == {"build", "unit tests", "trivy", "e2e", "ci"}
    assert (found["e2e"].state, found["ci"].state) == (last, status)
    assert found["build"].url == f"https://github.com/{REPO}/runs/1"


async def test_every_page_and_the_latest_of_each_name(bench: Bench) -> None:
    sha = bench.repo.history.tags["v1.8.0"]
    bench.repo.check_runs[sha] = [
        *[run(number, f"shard {number:03}", "success") for number in range(250)],
        run(301, "lint", "failure"),
        run(302, "lint", "success"),
        run(307, "lint", "timed_out", app={"slug": "another"}),
        run(303, "skipped", "skipped"),
        run(304, "neutral", "neutral"),
        run(305, "cancelled", "cancelled"),
        run(306, "production", None, status="waiting"),
    ]
    bench.repo.statuses[sha] = [
        {"context": "ci", "state": "success", "target_url": "https://ci.dept.example/2"},
        {"context": "ci", "state": "error", "target_url": "https://ci.dept.example/1"},
        *[{"context": f"status {number}", "state": "pending", "target_url": None} for number in range(120)],
        {"context": "lint", "state": "error", "target_url": None},
    ]
    found = await bench.forge.checks(REPO, sha)
    named = [(check.name, check.state) for check in found if not check.name.startswith(("shard", "status"))]
    assert named == [
        ("cancelled", "failure"), ("ci", "success"), ("lint", "success"), ("lint", "failure"),
        ("lint", "failure"),
        ("neutral", "success"), ("skipped", "success"),
    ]  # fmt: skip
    assert Check("ci", "success", "https://ci.dept.example/2") in found
    assert sum(check.name.startswith("shard") for check in found) == 250
    assert sum(check.name.startswith("status") for check in found) == 120


async def test_a_commit_that_nothing_checked(bench: Bench) -> None:
    sha = bench.repo.history.tags["v1.8.0"]
    bench.repo.check_runs[sha], bench.repo.statuses[sha] = [], []
    assert await bench.forge.checks(REPO, sha) == ()
    with pytest.raises(UserError, match="GitHub has no dept/api@nope"):
        await bench.forge.checks(REPO, "nope")


@pytest.mark.parametrize(("approve", "state"), [(True, "approved"), (False, "rejected")])
async def test_a_gate_is_answered_once(bench: Bench, approve: bool, state: str) -> None:
    assert await bench.forge.waiting(REPO, WAITING_RUN) == ("production",)
    assert await bench.forge.run_state(REPO, WAITING_RUN) == "waiting"
    for _ in range(2):
        await bench.forge.answer_gate(REPO, WAITING_RUN, "production", approve=approve, comment="op-41c9")
    assert bench.repo.decisions == [Decision(WAITING_RUN, ("production",), state, "op-41c9")]
    assert await bench.forge.waiting(REPO, WAITING_RUN) == ()
    assert await bench.forge.run_state(REPO, WAITING_RUN) == ("pending" if approve else "failure")


async def test_a_gate_whose_answer_got_lost_is_answered_once(bench: Bench) -> None:
    bench.wire.lost = "/deployment_protection_rule"
    with pytest.raises(AmbiguousError):
        await bench.forge.answer_gate(REPO, WAITING_RUN, "production", approve=True, comment="op-41c9")
    bench.wire.lost = ""
    await bench.forge.answer_gate(REPO, WAITING_RUN, "production", approve=True, comment="op-41c9")
    assert len(bench.repo.decisions) == 1


async def test_a_run_that_is_not_there(bench: Bench) -> None:
    for call in (
        bench.forge.run_state(REPO, 1),
        bench.forge.waiting(REPO, 1),
        bench.forge.answer_gate(REPO, 1, "production", approve=True, comment=""),
    ):
        with pytest.raises(UserError, match=f"GitHub has no {REPO}/actions/runs/1"):
            await call


async def test_the_workflow_is_started_once_for_an_operation(bench: Bench) -> None:
    inputs = {"environment": "production", "version": "1.8.0", "operation": "op-41c9"}
    first = await bench.forge.dispatch(REPO, "deploy.yml", "main", inputs)
    assert await bench.forge.dispatch(REPO, "deploy.yml", "main", inputs) == first
    other = await bench.forge.dispatch(REPO, "deploy.yml", "main", inputs | {"operation": "op-41c"})
    assert other != first
    assert [made.inputs for made in bench.repo.runs[1:]] == [inputs, inputs | {"operation": "op-41c"}]
    assert await bench.forge.run_state(REPO, first) == "pending"


async def test_a_dispatch_whose_answer_got_lost_is_found(bench: Bench) -> None:
    bench.wire.lost = "/dispatches"
    with pytest.raises(AmbiguousError):
        await bench.forge.dispatch(REPO, "deploy.yml", "main", {"operation": "op-41c9"})
    bench.wire.lost = ""
    assert await bench.forge.dispatch(REPO, "deploy.yml", "main", {"operation": "op-41c9"}) == bench.repo.runs[-1].id
    assert len(bench.repo.runs) == 2


@pytest.mark.parametrize(
    ("workflow", "ref", "inputs", "why"),
    [
        ("ci.yml", "main", {}, "does not have 'workflow_dispatch' trigger"),
        ("nope.yml", "main", {}, "GitHub has no dept/api/nope.yml"),
        ("deploy.yml", "nope", {}, "GitHub has no dept/api/deploy.yml"),
        ("deploy.yml", "main", {"colour": "red"}, "Unexpected inputs provided"),
    ],
)
async def test_a_workflow_that_can_not_be_started(
    bench: Bench, workflow: str, ref: str, inputs: dict[str, str], why: str
) -> None:
    with pytest.raises(UserError, match=why):
        await bench.forge.dispatch(REPO, workflow, ref, inputs)


async def test_the_simulated_workflow_really_deploys() -> None:
    async with simulated(speed=100) as bench:
        inputs = {"environment": "production-sfo3", "digest": digest("api", "1.8.0"), "operation": "op-41c9"}
        number = await bench.forge.dispatch(REPO, "deploy.yml", "main", inputs)
        await bench.forge.answer_gate(REPO, WAITING_RUN, "production", approve=True, comment="")
        wrong = await bench.forge.dispatch(REPO, "deploy.yml", "main", {"environment": "staging", "version": "9.9.9"})
        async with asyncio.timeout(20):
            while "pending" in {await bench.forge.run_state(REPO, each) for each in (number, WAITING_RUN, wrong)}:
                await asyncio.sleep(0.05)
        assert await bench.forge.run_state(REPO, number) == "success"
        assert await bench.forge.run_state(REPO, wrong) == "failure"
        clusters = bench.simulation.world.clusters
        assert clusters is not None
        async with asyncio.timeout(20):
            while (clusters.image("sfo3", "production", "api"), clusters.image("nyc2", "production", "api")) != (
                image("api", "1.8.0"), image("api", "1.8.1"),
            ):  # fmt: skip
                await asyncio.sleep(0.05)


async def test_a_deployment_is_recorded_once(bench: Bench) -> None:
    sha = bench.repo.history.tags["v1.8.0"]
    bench.repo.checks[sha] = "failure"  # pult has judged that itself
    first = await bench.forge.deploy_begun(REPO, sha, "production", "op-41c9")
    assert await bench.forge.deploy_begun(REPO, sha, "production", "op-41c9") == first
    for other in ((sha, "staging", "op-41c9"), (sha, "production", "op-0000")):
        assert await bench.forge.deploy_begun(REPO, *other) != first
    made = bench.repo.deployments[0]
    assert (made.sha, made.environment, made.payload) == (sha, "production", {"operation": "op-41c9"})
    assert len(bench.repo.deployments) == 3
    made.payload = '{"operation": "op-41c9"}'  # as GitHub gives back what somebody sent as text
    assert await bench.forge.deploy_begun(REPO, sha, "production", "op-41c9") == first
    made.payload = "text"
    assert await bench.forge.deploy_begun(REPO, sha, "production", "op-41c9") != first


async def test_a_deployments_state_is_told_once(bench: Bench) -> None:
    sha = bench.repo.history.tags["v1.8.0"]
    number = await bench.forge.deploy_begun(REPO, sha, "production", "op-41c9")
    for state in ("in_progress", "in_progress", "success", "success", "in_progress"):
        await bench.forge.deploy_status(REPO, number, state, "é" * 200, "https://pult.dept.example/op-41c9")
    told = bench.repo.deployments[0].statuses
    assert [status["state"] for status in told] == ["in_progress", "success", "in_progress"]
    assert told[0]["description"] == "é" * 140
    assert told[0]["log_url"] == "https://pult.dept.example/op-41c9"
    await bench.forge.deploy_status(REPO, number, "failure", "", "")
    assert told[-1]["state"] == "failure"
    with pytest.raises(UserError, match=f"GitHub has no {REPO}/deployments/1"):
        await bench.forge.deploy_status(REPO, 1, "success", "", "")


async def test_a_record_whose_answer_got_lost_is_found(bench: Bench) -> None:
    sha = bench.repo.history.tags["v1.8.0"]
    bench.wire.lost = "/deployments"
    with pytest.raises(AmbiguousError):
        await bench.forge.deploy_begun(REPO, sha, "production", "op-41c9")
    bench.wire.lost = ""
    number = await bench.forge.deploy_begun(REPO, sha, "production", "op-41c9")
    assert [made.id for made in bench.repo.deployments] == [number]


async def test_notes_keep_what_people_wrote(bench: Bench) -> None:
    release = next(each for each in bench.repo.releases if each.tag == "v1.8.0")
    written = release.body
    await bench.forge.annotate(REPO, "1.8.0", "in production since 14:00")
    assert release.body.startswith(written.rstrip())
    assert "in production since 14:00" in release.body
    release.body += "\n\nA word of ours. \r\n"
    writes = len(bench.wire.writes)
    await bench.forge.annotate(REPO, "v1.8.0", "in production since 14:00")
    assert len(bench.wire.writes) == writes
    await bench.forge.annotate(REPO, "1.8.0", r"rolled back: \1 <!-- pult: end --> {x}")
    assert "14:00" not in release.body
    assert release.body.endswith("\n\nA word of ours. \r\n")
    assert release.body.count("<!-- pult: end -->") == 1
    assert r"rolled back: \1  {x}" in release.body
    release.tag, release.body = "1.8.0", ""
    await bench.forge.annotate(REPO, "1.8.0", "x")
    assert release.body == "<!-- pult: begin -->\nx\n<!-- pult: end -->"
    with pytest.raises(UserError, match=r"GitHub has no dept/api 9\.9\.9"):
        await bench.forge.annotate(REPO, "9.9.9", "x")


# Answers of our own making.

FORBIDDEN = (403, {"message": "Resource not accessible by personal access token"}, {})
DONE = (204, "", {})


def pending(*, may: bool) -> tuple[int, Any, dict[str, str]]:
    production = {"environment": {"id": 4102, "name": "production"}, "current_user_can_approve": may}
    return (200, [{"environment": {"id": 4101, "name": "staging"}}, production], {})


async def test_who_is_no_app_answers_as_a_reviewer() -> None:
    script = Script(
        {
            f"{RUN}/deployment_protection_rule": FORBIDDEN,
            f"GET {RUN}/pending_deployments": pending(may=True),
            f"POST {RUN}/pending_deployments": (200, [{"id": 1}], {}),
        }
    )
    async with scripted(script) as forge:
        await forge.answer_gate(REPO, 9001, "production", approve=True, comment="op-41c9")
    assert script.bodies[-1] == {"environment_ids": [4102], "state": "approved", "comment": "op-41c9"}


async def test_who_may_not_review_either_is_told() -> None:
    script = Script({f"{RUN}/deployment_protection_rule": FORBIDDEN, f"{RUN}/pending_deployments": pending(may=False)})
    async with scripted(script) as forge:
        with pytest.raises(UserError, match="Resource not accessible"):
            await forge.answer_gate(REPO, 9001, "production", approve=True, comment="")


async def test_a_limit_is_no_reason_to_try_another_way() -> None:
    limited = (429, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "9"})
    script = Script({"*": limited})
    async with scripted(script) as forge:
        with pytest.raises(RateLimitedError):
            await forge.answer_gate(REPO, 9001, "production", approve=True, comment="")
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    ("status", "conclusion", "state"),
    [
        ("queued", None, "pending"), ("in_progress", None, "pending"), ("requested", None, "pending"),
        ("pending", None, "pending"), ("waiting", None, "waiting"), ("completed", "success", "success"),
        ("completed", "neutral", "success"), ("completed", "failure", "failure"), ("completed", "skipped", "failure"),
        ("completed", "cancelled", "failure"), ("completed", "timed_out", "failure"), ("completed", "stale", "failure"),
        ("completed", "action_required", "failure"), ("completed", "startup_failure", "failure"),
        ("completed", None, "failure"),
    ],
)  # fmt: skip
async def test_every_state_of_a_run(status: str, conclusion: str | None, state: str) -> None:
    async with scripted(Script({RUN: (200, {"status": status, "conclusion": conclusion}, {})})) as forge:
        assert await forge.run_state(REPO, 9001) == state


def listed(*runs: tuple[int, str]) -> tuple[int, Any, dict[str, str]]:
    return (200, {"workflow_runs": [{"id": number, "display_title": title} for number, title in runs]}, {})


async def test_an_older_github_tells_no_run_and_it_is_found() -> None:
    refused = (422, {"message": 'Invalid request.\n\n"return_run_details" is not a permitted key.'}, {})
    script = Script(
        {
            f"{FLOW}/runs": [listed((5, "deploy")), listed((5, "deploy")), listed((7, "deploy"), (5, "deploy"))],
            f"{FLOW}/dispatches": [refused, DONE],
        }
    )
    async with scripted(script) as forge:
        assert await forge.dispatch(REPO, "deploy.yml", "main", {"operation": "op-41c9"}) == 7
    assert [body for body in script.bodies if body] == [
        {"ref": "main", "inputs": {"operation": "op-41c9"}, "return_run_details": True},
        {"ref": "main", "inputs": {"operation": "op-41c9"}},
    ]


async def test_of_several_new_runs_the_title_tells_ours() -> None:
    both = listed((8, "deploy op-41c90"), (7, "deploy op-41c9"), (5, "deploy"))
    script = Script({f"{FLOW}/runs": [listed((5, "deploy")), both], f"{FLOW}/dispatches": DONE})
    async with scripted(script) as forge:
        assert await forge.dispatch(REPO, "deploy.yml", "main", {"operation": "op-41c9"}) == 7


async def test_several_new_runs_without_titles_are_not_guessed() -> None:
    script = Script({f"{FLOW}/runs": [listed(), listed((8, ""), (7, ""))], f"{FLOW}/dispatches": DONE})
    async with scripted(script) as forge:
        with pytest.raises(UserError, match="none says whose it is"):
            await forge.dispatch(REPO, "deploy.yml", "main", {"operation": "op-41c9"})


async def test_a_run_that_does_not_show_may_have_begun() -> None:
    async with scripted(Script({f"{FLOW}/runs": listed(), f"{FLOW}/dispatches": DONE})) as forge:
        with pytest.raises(AmbiguousError, match="shows no run of it yet"):
            await forge.dispatch(REPO, "deploy.yml", "main", {})
