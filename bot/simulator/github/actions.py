"""Checks, pending deployments and protection rules."""

from bot.simulator.github import errors, shapes
from bot.simulator.github.ask import Ask, Reply
from bot.simulator.github.errors import Json
from bot.simulator.github.git import Commit
from bot.simulator.github.state import Decision, Repository, Run

CHECKS = ("build", "unit tests", "trivy", "e2e")
_STATES = ("approved", "rejected")


def check_runs(ask: Ask) -> Reply:
    commit = ask.repo.commit_at(ask.names["ref"])
    found = ask.repo.check_runs.get(commit.sha)
    if found is None:
        found = [_check_run(ask.repo, commit, number, name) for number, name in enumerate(CHECKS, start=1)]
    return Reply({"total_count": len(found), "check_runs": found}, paged=True, key="check_runs")


def _check_run(repo: Repository, commit: Commit, number: int, name: str) -> Json:
    conclusion = repo.checks.get(commit.sha, "success")
    done = conclusion != "in_progress"
    return {
        "id": number,
        "name": name,
        "head_sha": commit.sha,
        "status": "completed" if done else "in_progress",
        "conclusion": (conclusion if name == CHECKS[-1] else "success") if done else None,
        "started_at": shapes.stamp(commit.date),
        "completed_at": shapes.stamp(commit.date) if done else None,
        "html_url": f"https://github.com/{repo.full_name}/runs/{number}",
        "app": {"slug": "github-actions", "name": "GitHub Actions"},
    }


def combined_status(ask: Ask) -> Reply:
    """``success``, ``failure`` or ``pending`` over all statuses of the commit, the newest first."""
    commit = ask.repo.commit_at(ask.names["ref"])
    states = {"success": "success", "in_progress": "pending"}
    state = states.get(ask.repo.checks.get(commit.sha, "success"), "failure")
    found = ask.repo.statuses.get(commit.sha)
    if found is None:
        found = [{"context": "ci", "state": state, "description": None, "target_url": None}]
    body = {"state": state, "sha": commit.sha, "total_count": len(found), "statuses": found}
    return Reply(body, paged=True, key="statuses")


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
    _decide(ask, found, names, Decision(found.id, tuple(names), state, comment))
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
    _decide(ask, found, [name], Decision(found.id, (name,), state, comment))
    return Reply(None, 204)


def _decide(ask: Ask, run: Run, names: list[str], decision: Decision) -> None:
    ask.repo.decisions.append(decision)
    run.environments = [name for name in run.environments if name not in names]
    if decision.state == "rejected":
        run.status, run.conclusion = "completed", "failure"
    elif not run.environments:
        run.status, run.began, run.environment = "in_progress", ask.now, names[-1]


def _pending(repo: Repository, name: str) -> Json:
    return {
        "environment": {"id": repo.environments[name], "name": name},
        "wait_timer": 0,
        "wait_timer_started_at": None,
        "current_user_can_approve": True,
        "reviewers": [],
    }
