"""/releases."""

from bot.simulator.github import errors, shapes
from bot.simulator.github.ask import Ask, Reply
from bot.simulator.github.state import Release, Repository


def listed(ask: Ask) -> Reply:
    found = sorted(ask.repo.releases, key=lambda each: each.created, reverse=True)
    return Reply([shapes.release(ask.repo, each) for each in found], paged=True)


def latest(ask: Ask) -> Reply:
    """The newest release that is neither a draft nor a pre-release."""
    full = [each for each in ask.repo.releases if not (each.draft or each.prerelease)]
    if not full:
        raise errors.not_found()
    return Reply(shapes.release(ask.repo, max(full, key=lambda each: each.created)))


def by_tag(ask: Ask) -> Reply:
    return Reply(shapes.release(ask.repo, _one(ask.repo, tag=ask.names["tag"])))


def by_id(ask: Ask) -> Reply:
    return Reply(shapes.release(ask.repo, _one(ask.repo, number=ask.number("id"))))


def create(ask: Ask) -> Reply:
    """201; makes the tag when it is not there; 422 already_exists."""
    repo, tag = ask.repo, ask.text("tag_name")
    if any(each.tag == tag for each in repo.releases):
        raise errors.invalid("Release", "tag_name", "already_exists")
    target = repo.commit_at(ask.body.get("target_commitish") or "main")
    repo.history.tags.setdefault(tag, target.sha)
    body = ask.body.get("body") or ""
    if ask.body.get("generate_release_notes"):
        body += notes_of(repo, tag)
    made = Release(
        ask.forge.next_id(),
        tag,
        ask.body.get("name") or tag,
        body,
        ask.now,
        draft=bool(ask.body.get("draft")),
        prerelease=bool(ask.body.get("prerelease")),
    )
    repo.releases.append(made)
    return Reply(shapes.release(repo, made), 201)


def update(ask: Ask) -> Reply:
    found = _one(ask.repo, number=ask.number("id"))
    for key in ("name", "body"):
        if isinstance(ask.body.get(key), str):
            setattr(found, key, ask.body[key])
    for key in ("draft", "prerelease"):
        if isinstance(ask.body.get(key), bool):
            setattr(found, key, ask.body[key])
    return Reply(shapes.release(ask.repo, found))


def notes(ask: Ask) -> Reply:
    """POST /releases/generate-notes: nothing is stored."""
    tag = ask.text("tag_name")
    return Reply({"name": tag, "body": notes_of(ask.repo, tag, ask.body.get("previous_tag_name", ""))})


def notes_of(repo: Repository, tag: str, previous: str = "") -> str:
    """Commit subjects since the release before."""
    history = repo.history
    head = history.resolve(tag) or repo.branch("main")
    tagged = set(history.tags.values())
    older = (commit for commit in history.log(head)[1:] if commit.sha in tagged)
    base = history.resolve(previous) if previous else next(older, None)
    between = history.between(base, head) if base else list(reversed(history.log(head)))
    lines = "".join(f"* {commit.message.splitlines()[0]} by @{commit.author}\n" for commit in between)
    return f"## What's Changed\n{lines}"


def _one(repo: Repository, *, tag: str = "", number: int = 0) -> Release:
    found = next((each for each in repo.releases if each.id == number or (tag and each.tag == tag)), None)
    if found is None:
        raise errors.not_found()
    return found
