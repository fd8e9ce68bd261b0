"""/pulls: open, read, close, merge."""

from bot.simulator.github import errors, shapes
from bot.simulator.github.ask import Ask, Reply
from bot.simulator.github.errors import Json
from bot.simulator.github.git import Commit
from bot.simulator.github.state import LOGIN, Pull, Repository

_METHODS = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}


def listed(ask: Ask) -> Reply:
    state, head = ask.query.get("state", "open"), ask.query.get("head", "").split(":")[-1]
    base = ask.query.get("base", "")
    found = [p for p in reversed(ask.repo.pulls) if state in ("all", p.state) and head in ("", p.head)]
    found = [p for p in found if base in ("", p.base)]
    return Reply([_shape(ask.repo, each) for each in found], paged=True)


def create(ask: Ask) -> Reply:
    """201; 422 when the branches are unknown, the same pull request is open, or there is nothing to merge."""
    repo, title = ask.repo, ask.text("title")
    head, base = ask.text("head").split(":")[-1], ask.text("base")
    for field, name in (("head", head), ("base", base)):
        if name not in repo.history.branches:
            raise errors.invalid("PullRequest", field, "invalid")
    if any(p.state == "open" and (p.head, p.base) == (head, base) for p in repo.pulls):
        why = f"A pull request already exists for {repo.owner}:{head}."
        raise errors.invalid("PullRequest", "", "custom", why)
    if not repo.history.between(repo.branch(base), repo.branch(head)):
        raise errors.invalid("PullRequest", "", "custom", f"No commits between {base} and {head}")
    made = Pull(len(repo.pulls) + 1, title, ask.body.get("body") or "", head, base, ask.now)
    repo.pulls.append(made)
    return Reply(_shape(repo, made), 201)


def one(ask: Ask) -> Reply:
    return Reply(_shape(ask.repo, _found(ask)))


def update(ask: Ask) -> Reply:
    found = _found(ask)
    for key in ("title", "body", "state"):
        if isinstance(ask.body.get(key), str):
            setattr(found, key, ask.body[key])
    return Reply(_shape(ask.repo, found))


def merged(ask: Ask) -> Reply:
    """204 when it is merged, 404 when not."""
    if _found(ask).merged_at is None:
        raise errors.not_found()
    return Reply(None, 204)


def merge(ask: Ask) -> Reply:
    """200 ``{sha, merged, message}``; 405 when it cannot be merged (so), 409 when the head moved on."""
    repo, found = ask.repo, _found(ask)
    head, base = repo.branch(found.head), repo.branch(found.base)
    if ask.body.get("sha") not in (None, head.sha):
        raise errors.RefusedError(409, "Head branch was modified. Review and try the merge again.")
    files = repo.history.merge(base, head)
    if found.state != "open" or files is None:
        raise errors.RefusedError(405, "Pull Request is not mergeable")
    method = ask.body.get("merge_method") or "merge"
    if method not in repo.merges:
        raise errors.RefusedError(405, f"{_METHODS[method]} are not allowed on this repository.")
    title = ask.body.get("commit_title") or f"{found.title} (#{found.number})"
    parents = (base.sha, head.sha) if method == "merge" else (base.sha,)
    made = repo.history.add(Commit(title, LOGIN, ask.now, parents, files), found.base)
    found.state, found.merged_at, found.merge_sha = "closed", ask.now, made.sha
    return Reply({"sha": made.sha, "merged": True, "message": "Pull Request successfully merged"})


def _found(ask: Ask) -> Pull:
    number = ask.number("number")
    if not 0 < number <= len(ask.repo.pulls):
        raise errors.not_found()
    return ask.repo.pulls[number - 1]


def _shape(repo: Repository, found: Pull) -> Json:
    history = repo.history
    head, base = history.branches.get(found.head, ""), history.branches[found.base]
    mergeable = None
    if found.state == "open" and head:
        mergeable = history.merge(history.commits[base], history.commits[head]) is not None
    return shapes.pull(repo, found, head, base, mergeable=mergeable)
