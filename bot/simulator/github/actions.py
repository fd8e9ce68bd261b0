"""Checks, workflow dispatch, pending deployments and protection rules."""

from bot.simulator.github import errors, shapes
from bot.simulator.github.ask import Ask, Reply
from bot.simulator.github.errors import Json
from bot.simulator.github.state import Decision, Repository, Run

CHECKS = ("build", "unit tests", "trivy", "e2e")
_MAX_INPUTS = 25
_STATES = ("approved", "rejected")


def check_runs(ask: Ask) -> Reply:
    commit = ask.repo.commit_at(ask.names["ref"])
    conclusion = ask.repo.checks.get(commit.sha, "success")
    done = conclusion != "in_progress"
    found: list[Json] = [
        {
            "id": number,
            "name": name,
            "head_sha": commit.sha,
            "status": "completed" if done else "in_progress",
            "conclusion": (conclusion if name == CHECKS[-1] else "success") if done else None,
            "started_at": shapes.stamp(commit.date),
            "completed_at": shapes.stamp(commit.date) if done else None,
            "html_url": f"https://github.com/{ask.repo.full_name}/runs/{number}",
            "app": {"slug": "github-actions", "name": "GitHub Actions"},
        }
        for number, name in enumerate(CHECKS, start=1)
    ]
    return Reply({"total_count": len(found), "check_runs": found})


def combined_status(ask: Ask) -> Reply:
    """``success``, ``failure`` or ``pending`` over all statuses of the commit."""
    commit = ask.repo.commit_at(ask.names["ref"])
    states = {"success": "success", "in_progress": "pending"}
    state = states.get(ask.repo.checks.get(commit.sha, "success"), "failure")
    status = {"context": "ci", "state": state, "description": None, "target_url": None}
    return Reply({"state": state, "sha": commit.sha, "total_count": 1, "statuses": [status]})


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
    inputs = ask.body.get("inputs") or {}
    if not isinstance(inputs, dict) or len(inputs) > _MAX_INPUTS:
        raise errors.RefusedError(
            422, f"you may only define up to {_MAX_INPUTS} `inputs` for a `workflow_dispatch` event"
        )
    run = Run(ask.forge.next_id(), workflow, ref, commit.sha, "workflow_dispatch", ask.now, inputs=inputs)
    repo.runs.append(run)
    if not ask.body.get("return_run_details"):
        return Reply(None, 204)
    url = f"https://api.github.com/repos/{repo.full_name}/actions/runs/{run.id}"
    return Reply({"workflow_run_id": run.id, "run_url": url, "html_url": shapes.run(repo, run)["html_url"]})


def runs(ask: Ask) -> Reply:
    found = [shapes.run(ask.repo, run) for run in reversed(ask.repo.runs)]
    return Reply({"total_count": len(found), "workflow_runs": found})


def run(ask: Ask) -> Reply:
    return Reply(shapes.run(ask.repo, ask.repo.run(ask.number("run"))))


def pending(ask: Ask) -> Reply:
    found = ask.repo.run(ask.number("run"))
    return Reply([_pending(ask.repo, name) for name in found.environments])


def review(ask: Ask) -> Reply:
    """POST …/pending_deployments: environment_ids, state and comment are all required."""
    found = ask.repo.run(ask.number("run"))
    ids, state = ask.body.get("environment_ids"), ask.text("state")
    if not isinstance(ids, list) or not ids:
        raise errors.missing("environment_ids")
    comment = ask.text("comment")
    names = [name for name in found.environments if ask.repo.environments[name] in ids]
    if state not in _STATES or len(names) != len(ids):
        raise errors.invalid("Deployment", "environment_ids" if state in _STATES else "state", "invalid")
    _decide(ask.repo, found, names, state, comment)
    deployments = [{"id": ask.forge.next_id(), "environment": name, "sha": found.sha} for name in names]
    return Reply(deployments)


def protection_rule(ask: Ask) -> Reply:
    """POST …/deployment_protection_rule: 204. Without ``state`` it only adds a note."""
    found = ask.repo.run(ask.number("run"))
    name, state, comment = ask.text("environment_name"), ask.body.get("state") or "", ask.body.get("comment") or ""
    if name not in found.environments:
        raise errors.invalid("Deployment", "environment_name", "invalid")
    if state and state not in _STATES:
        raise errors.invalid("Deployment", "state", "invalid")
    if not state:
        ask.repo.decisions.append(Decision(found.id, (name,), "", comment))
        return Reply(None, 204)
    _decide(ask.repo, found, [name], state, comment)
    return Reply(None, 204)


def _decide(repo: Repository, run: Run, names: list[str], state: str, comment: str) -> None:
    repo.decisions.append(Decision(run.id, tuple(names), state, comment))
    run.environments = [name for name in run.environments if name not in names]
    run.status = "completed" if state == "rejected" else "in_progress"
    run.conclusion = "failure" if state == "rejected" else None


def _pending(repo: Repository, name: str) -> Json:
    return {
        "environment": {"id": repo.environments[name], "name": name},
        "wait_timer": 0,
        "wait_timer_started_at": None,
        "current_user_can_approve": True,
        "reviewers": [],
    }
