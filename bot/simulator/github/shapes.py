"""GitHub's JSON for what the forge holds (api.github.com.json, reduced to the fields clients read)."""

import base64
from datetime import UTC, datetime

from bot.simulator.github.errors import Json
from bot.simulator.github.git import Commit, Difference, blob_sha
from bot.simulator.github.state import LOGIN, Deployment, Pull, Release, Repository, Run


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def user(login: str) -> Json:
    return {"login": login, "id": sum(login.encode()), "type": "User", "html_url": f"https://github.com/{login}"}


def repository(repo: Repository) -> Json:
    return {
        "id": sum(repo.full_name.encode()),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": True,
        "owner": user(repo.owner),
        "html_url": f"https://github.com/{repo.full_name}",
        "url": f"https://api.github.com/repos/{repo.full_name}",
        "default_branch": "main",
        "archived": False,
        "permissions": {"admin": False, "maintain": False, "push": True, "triage": True, "pull": True},
    }


def file(repo: Repository, path: str, data: bytes, ref: str) -> Json:
    """A file of the contents API; the content is base64 in lines of 60, as GitHub sends it."""
    coded = base64.b64encode(data).decode()
    lines = "".join(f"{coded[at : at + 60]}\n" for at in range(0, len(coded), 60))
    return entry(repo, path, data, ref) | {"content": lines, "encoding": "base64"}


def entry(repo: Repository, path: str, data: bytes | None, ref: str) -> Json:
    """A line of a directory listing; *data* None is a folder."""
    url = f"https://api.github.com/repos/{repo.full_name}/contents/{path}?ref={ref}"
    return {
        "type": "dir" if data is None else "file",
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "size": len(data or b""),
        "sha": blob_sha(data if data is not None else path.encode()),
        "url": url,
        "html_url": f"https://github.com/{repo.full_name}/blob/{ref}/{path}",
    }


def git_commit(repo: Repository, commit: Commit) -> Json:
    """The short form, inside the answer to a contents write."""
    who = {"name": commit.author, "email": f"{commit.author}@dept.example", "date": stamp(commit.date)}
    return {
        "sha": commit.sha,
        "message": commit.message,
        "author": who,
        "committer": who,
        "tree": {"sha": commit.tree},
        "parents": [{"sha": sha} for sha in commit.parents],
        "html_url": f"https://github.com/{repo.full_name}/commit/{commit.sha}",
    }


def commit(repo: Repository, found: Commit) -> Json:
    """The form of ``GET /commits``."""
    short = git_commit(repo, found)
    inner = {key: short[key] for key in ("message", "author", "committer", "tree")}
    return {
        "sha": found.sha,
        "commit": inner,
        "author": user(found.author),
        "committer": user(found.author),
        "parents": short["parents"],
        "html_url": short["html_url"],
    }


def difference(found: Difference) -> Json:
    return {
        "filename": found.path,
        "status": found.status,
        "additions": found.additions,
        "deletions": found.deletions,
        "changes": found.additions + found.deletions,
        "patch": found.patch,
    }


def release(repo: Repository, found: Release) -> Json:
    return {
        "id": found.id,
        "tag_name": found.tag,
        "target_commitish": "main",
        "name": found.name,
        "body": found.body,
        "draft": found.draft,
        "prerelease": found.prerelease,
        "created_at": stamp(found.created),
        "published_at": None if found.draft else stamp(found.created),
        "author": user(found.author),
        "assets": [],
        "html_url": f"https://github.com/{repo.full_name}/releases/tag/{found.tag}",
        "url": f"https://api.github.com/repos/{repo.full_name}/releases/{found.id}",
    }


def pull(repo: Repository, found: Pull, head: str, base: str, *, mergeable: bool | None) -> Json:
    """*head* and *base* are the shas the two branches point at."""
    closed = found.merged_at or (found.created if found.state == "closed" else None)
    return {
        "id": 900_000 + found.number,
        "number": found.number,
        "state": found.state,
        "title": found.title,
        "body": found.body,
        "user": user(found.author),
        "head": {"ref": found.head, "sha": head, "label": f"{repo.owner}:{found.head}"},
        "base": {"ref": found.base, "sha": base, "label": f"{repo.owner}:{found.base}"},
        "merged": found.merged_at is not None,
        "merged_at": stamp(found.merged_at) if found.merged_at else None,
        "merge_commit_sha": found.merge_sha,
        "mergeable": mergeable,
        "draft": False,
        "created_at": stamp(found.created),
        "closed_at": stamp(closed) if closed else None,
        "html_url": f"https://github.com/{repo.full_name}/pull/{found.number}",
    }


def run(repo: Repository, found: Run) -> Json:
    return {
        "id": found.id,
        "name": found.workflow.removesuffix(".yml"),
        "display_title": " ".join(filter(None, ["deploy", found.inputs.get("operation")])),
        "path": f".github/workflows/{found.workflow}",
        "head_branch": found.ref,
        "head_sha": found.sha,
        "event": found.event,
        "status": found.status,
        "conclusion": found.conclusion,
        "run_attempt": 1,
        "created_at": stamp(found.created),
        "html_url": f"https://github.com/{repo.full_name}/actions/runs/{found.id}",
    }


def deployment(repo: Repository, found: Deployment) -> Json:
    url = f"https://api.github.com/repos/{repo.full_name}/deployments/{found.id}"
    return {
        "url": url,
        "id": found.id,
        "sha": found.sha,
        "ref": found.ref,
        "task": found.task,
        "payload": found.payload,
        "original_environment": found.environment,
        "environment": found.environment,
        "description": found.description,
        "creator": user(LOGIN),
        "created_at": stamp(found.created),
        "updated_at": stamp(found.created),
        "statuses_url": f"{url}/statuses",
        "transient_environment": False,
        "production_environment": found.environment == "production",
    }
