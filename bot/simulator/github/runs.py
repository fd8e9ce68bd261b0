"""Workflow runs: started, looked at, and done after a while."""

from datetime import timedelta
from typing import Any, Final

from bot.simulator.github import errors, shapes
from bot.simulator.github.ask import Ask, Reply
from bot.simulator.github.state import Run

INPUTS: Final = frozenset({"environment", "version", "digest", "tag", "operation"})
"""What the workflows here declare; anything else is refused."""
_MAX_INPUTS: Final = 25
_QUEUED: Final = 0.1
"""Share of a run's time that it waits for a runner."""


def dispatch(ask: Ask) -> Reply:
    """204 with no body, or 200 with the run when ``return_run_details`` is asked for; 422 without the trigger."""
    repo, workflow, ref = ask.repo, ask.names["workflow"], ask.text("ref")
    if workflow not in repo.workflows:
        raise errors.not_found()
    if not repo.workflows[workflow]:
        raise errors.RefusedError(422, "Workflow does not have 'workflow_dispatch' trigger")
    commit = repo.history.resolve(ref)
    if commit is None:
        raise errors.RefusedError(422, f"No ref found for: {ref}")
    inputs = _inputs(ask.body.get("inputs") or {})
    made = Run(ask.forge.next_id(), workflow, ref, commit.sha, "workflow_dispatch", ask.now, inputs=inputs)
    made.began, made.environment = ask.now, str(inputs.get("environment", ""))
    repo.runs.append(made)
    if not ask.body.get("return_run_details"):
        return Reply(None, 204)
    url = f"https://api.github.com/repos/{repo.full_name}/actions/runs/{made.id}"
    return Reply({"workflow_run_id": made.id, "run_url": url, "html_url": shapes.run(repo, made)["html_url"]})


def listed(ask: Ask) -> Reply:
    """All, or those of one workflow; the newest first."""
    workflow, event = ask.names.get("workflow"), ask.query.get("event")
    if workflow and workflow not in ask.repo.workflows:
        raise errors.not_found()
    found = [run for run in reversed(ask.repo.runs) if workflow in (None, run.workflow) and event in (None, run.event)]
    for run in found:
        _go_on(ask, run)
    body = {"total_count": len(found), "workflow_runs": [shapes.run(ask.repo, run) for run in found]}
    return Reply(body, paged=True, key="workflow_runs")


def one(ask: Ask) -> Reply:
    found = ask.repo.run(ask.number("run"))
    _go_on(ask, found)
    return Reply(shapes.run(ask.repo, found))


def _inputs(given: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    if not isinstance(given, dict) or len(given) > _MAX_INPUTS:
        raise errors.RefusedError(
            422, f"you may only define up to {_MAX_INPUTS} `inputs` for a `workflow_dispatch` event"
        )
    if unexpected := sorted(given.keys() - INPUTS):
        raise errors.RefusedError(422, f"Unexpected inputs provided: {unexpected}")
    return given


def _go_on(ask: Ask, run: Run) -> None:
    """Where time has brought it."""
    if run.began is None or run.status == "completed":
        return
    worked = ask.now - run.began
    if worked >= timedelta(seconds=ask.forge.work):
        run.status = "completed"
        run.conclusion = "success" if ask.forge.deploy(ask.repo, run) else "failure"
    elif worked >= timedelta(seconds=ask.forge.work * _QUEUED):
        run.status = "in_progress"
