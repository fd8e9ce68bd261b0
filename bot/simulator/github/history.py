"""Commits, branches, refs and comparisons."""

from bot.simulator.github import errors, shapes
from bot.simulator.github.ask import Ask, Reply
from bot.simulator.github.errors import Json
from bot.simulator.github.git import differences
from bot.simulator.github.state import Repository

_UNPAGED = 250
"""Commits of a comparison when no page is asked for: docs.github.com, compare two commits."""


def repository(ask: Ask) -> Reply:
    return Reply(shapes.repository(ask.repo))


def commits(ask: Ask) -> Reply:
    """Newest first; ``sha`` chooses where to start, ``path`` keeps commits that touched it."""
    history = ask.repo.history
    found = history.log(ask.repo.commit_at(ask.query.get("sha", "main")))
    if path := ask.query.get("path"):
        parents = {commit.sha: [history.commits[sha].files.get(path) for sha in commit.parents] for commit in found}
        found = [commit for commit in found if commit.files.get(path) not in (parents[commit.sha] or [None])]
    return Reply([shapes.commit(ask.repo, commit) for commit in found], paged=True)


def commit(ask: Ask) -> Reply:
    """422, not 404, when nothing is known by that name."""
    found = ask.repo.history.resolve(ask.names["ref"])
    if found is None:
        raise errors.RefusedError(422, f"No commit found for SHA: {ask.names['ref']}")
    before = ask.repo.history.commits[found.parents[0]].files if found.parents else {}
    files = [shapes.difference(each) for each in differences(before, found.files)]
    return Reply(shapes.commit(ask.repo, found) | {"files": files})


def branches(ask: Ask) -> Reply:
    found = ask.repo.history.branches
    listed = [{"name": name, "commit": {"sha": sha}, "protected": False} for name, sha in sorted(found.items())]
    return Reply(listed, paged=True)


def branch(ask: Ask) -> Reply:
    found = ask.repo.branch(ask.names["branch"])
    body = {"name": ask.names["branch"], "commit": shapes.commit(ask.repo, found), "protected": False}
    return Reply(body)


def compare(ask: Ask) -> Reply:
    """``base...head``: what head has that base lacks. Only the first page names the files."""
    left, separator, right = ask.names["basehead"].partition("...")
    if not separator:
        raise errors.not_found()
    repo, base, head = ask.repo, ask.repo.commit_at(left), ask.repo.commit_at(right)
    ahead, behind = repo.history.between(base, head), repo.history.between(head, base)
    fork = repo.history.base(base, head)
    paged, first = bool({"page", "per_page"} & ask.query.keys()), ask.query.get("page", "1") == "1"
    words = {(False, False): "identical", (True, False): "ahead", (False, True): "behind", (True, True): "diverged"}
    body: Json = {
        "status": words[bool(ahead), bool(behind)],
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "base_commit": shapes.commit(repo, base),
        "merge_base_commit": shapes.commit(repo, fork) if fork else None,
        "commits": [shapes.commit(repo, each) for each in (ahead if paged else ahead[-_UNPAGED:])],
        "files": [shapes.difference(each) for each in differences(fork.files if fork else {}, head.files) if first],
        "html_url": f"https://github.com/{repo.full_name}/compare/{left}...{right}",
    }
    return Reply(body, paged=paged, key="commits")


def ref(ask: Ask) -> Reply:
    kind, name = _split(ask.names["ref"])
    table = _table(ask.repo, kind)
    if name not in table:
        raise errors.not_found()
    return Reply(_ref(f"refs/{kind}/{name}", table[name]))


def matching(ask: Ask) -> Reply:
    wanted = "refs/" + ask.names["ref"]
    every = [(f"refs/heads/{name}", sha) for name, sha in ask.repo.history.branches.items()]
    every += [(f"refs/tags/{name}", sha) for name, sha in ask.repo.history.tags.items()]
    return Reply([_ref(name, sha) for name, sha in sorted(every) if name.startswith(wanted)], paged=True)


def create_ref(ask: Ask) -> Reply:
    full, sha = ask.text("ref"), ask.text("sha")
    if not full.startswith("refs/"):
        raise errors.RefusedError(422, "Reference name must start with 'refs/'")
    kind, name = _split(full.removeprefix("refs/"))
    table = _table(ask.repo, kind)
    if name in table:
        raise errors.RefusedError(422, "Reference already exists")
    if sha not in ask.repo.history.commits:
        raise errors.RefusedError(422, "Object does not exist")
    table[name] = sha
    return Reply(_ref(full, sha), 201)


def update_ref(ask: Ask) -> Reply:
    """Fast-forward only, unless ``force``."""
    kind, name = _split(ask.names["ref"])
    table, sha = _table(ask.repo, kind), ask.text("sha")
    history = ask.repo.history
    if name not in table or sha not in history.commits:
        raise errors.RefusedError(422, "Reference does not exist" if name not in table else "Object does not exist")
    older = {commit.sha for commit in history.log(history.commits[sha])}
    if table[name] not in older and not ask.body.get("force"):
        raise errors.RefusedError(422, "Update is not a fast forward")
    table[name] = sha
    return Reply(_ref(f"refs/{kind}/{name}", sha))


def delete_ref(ask: Ask) -> Reply:
    kind, name = _split(ask.names["ref"])
    if _table(ask.repo, kind).pop(name, None) is None:
        raise errors.RefusedError(422, "Reference does not exist")
    return Reply(None, 204)


def _split(name: str) -> tuple[str, str]:
    kind, _, rest = name.partition("/")
    if kind not in ("heads", "tags") or not rest:
        raise errors.not_found()
    return kind, rest


def _table(repo: Repository, kind: str) -> dict[str, str]:
    return repo.history.branches if kind == "heads" else repo.history.tags


def _ref(full: str, sha: str) -> Json:
    return {"ref": full, "object": {"type": "commit", "sha": sha}}
