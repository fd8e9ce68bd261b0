"""/deployments: records of what was deployed where, and how it went."""

from typing import Final

from bot.simulator.github import errors, shapes
from bot.simulator.github.ask import Ask, Reply
from bot.simulator.github.errors import Json
from bot.simulator.github.git import Commit
from bot.simulator.github.state import Deployment

STATES: Final = frozenset({"error", "failure", "inactive", "in_progress", "queued", "pending", "success"})
_DESCRIPTION: Final = 140


def listed(ask: Ask) -> Reply:
    """The newest first; ``sha``, ``ref``, ``task`` and ``environment`` narrow it."""
    found = [shapes.deployment(ask.repo, each) for each in reversed(ask.repo.deployments)]
    wanted = {key: ask.query[key] for key in ("sha", "ref", "task", "environment") if ask.query.get(key)}
    return Reply([each for each in found if wanted.items() <= each.items()], paged=True)


def create(ask: Ask) -> Reply:
    """201; 409 when GitHub would have to merge the default branch first, or the commit's checks have not passed."""
    repo, ref = ask.repo, ask.text("ref")
    commit = repo.history.resolve(ref)
    if commit is None:
        raise errors.RefusedError(422, f"No ref found for: {ref}")
    _mergeable(ask, commit, ref)
    if ask.body.get("required_contexts") is None and repo.checks.get(commit.sha, "success") != "success":
        raise errors.RefusedError(409, f"Conflict: Commit status checks failed for {ref}.")
    made = Deployment(
        ask.forge.next_id(),
        commit.sha,
        ref,
        ask.body.get("task") or "deploy",
        ask.body.get("environment") or "production",
        ask.body.get("payload", {}),
        ask.body.get("description") or "",
        ask.now,
    )
    repo.deployments.append(made)
    return Reply(shapes.deployment(repo, made), 201)


def one(ask: Ask) -> Reply:
    return Reply(shapes.deployment(ask.repo, _found(ask)))


def statuses(ask: Ask) -> Reply:
    return Reply(list(reversed(_found(ask).statuses)), paged=True)


def tell(ask: Ask) -> Reply:
    """201; 422 for a state there is none of, and for a description over 140 characters."""
    found, state = _found(ask), ask.text("state")
    description = ask.body.get("description") or ""
    if state not in STATES:
        raise errors.invalid("DeploymentStatus", "state", "invalid")
    if len(description) > _DESCRIPTION:
        why = f"description is too long (maximum is {_DESCRIPTION} characters)"
        raise errors.invalid("DeploymentStatus", "description", "custom", why)
    made: Json = {
        "id": ask.forge.next_id(),
        "state": state,
        "description": description,
        "environment": found.environment,
        "log_url": ask.body.get("log_url") or "",
        "environment_url": ask.body.get("environment_url") or "",
        "created_at": shapes.stamp(ask.now),
        "deployment_url": shapes.deployment(ask.repo, found)["url"],
    }
    found.statuses.append(made)
    return Reply(made, 201)


def _mergeable(ask: Ask, commit: Commit, ref: str) -> None:
    behind = ask.repo.history.between(commit, ask.repo.branch("main"))
    if behind and ask.body.get("auto_merge", True):
        raise errors.RefusedError(409, f"Conflict merging main into {ref}.")


def _found(ask: Ask) -> Deployment:
    number = ask.number("id")
    found = next((each for each in ask.repo.deployments if each.id == number), None)
    if found is None:
        raise errors.not_found()
    return found
