"""Git in memory: commits with whole snapshots, hashed as Git hashes blobs. No I/O."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha1

Files = Mapping[str, bytes]


@dataclass(frozen=True, eq=False)
class Commit:
    """One commit and the whole tree at it; *sha* is derived from everything else."""

    message: str
    author: str
    date: datetime
    parents: tuple[str, ...]
    files: Files

    @cached_property
    def tree(self) -> str:
        lines = "".join(f"100644 {path} {blob_sha(data)}\n" for path, data in sorted(self.files.items()))
        return sha1(b"tree\0" + lines.encode(), usedforsecurity=False).hexdigest()

    @cached_property
    def sha(self) -> str:
        head = (
            f"tree {self.tree}\nparents {self.parents}\nauthor {self.author} {self.date.isoformat()}\n\n{self.message}"
        )
        return sha1(b"commit\0" + head.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Difference:
    """How one file changed between two trees."""

    path: str
    status: str
    additions: int
    deletions: int
    patch: str


def blob_sha(data: bytes) -> str:
    """Git's own blob hash: what the contents API wants as ``sha``."""
    return sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class History:
    """Commits of one repository by sha, with branches and tags pointing into them."""

    def __init__(self) -> None:
        self.commits: dict[str, Commit] = {}
        self.branches: dict[str, str] = {}
        self.tags: dict[str, str] = {}

    def add(self, commit: Commit, branch: str) -> Commit:
        self.commits[commit.sha] = commit
        self.branches[branch] = commit.sha
        return commit

    def resolve(self, ref: str) -> Commit | None:
        """A branch, tag, full ref, or (at least seven digits of) a commit."""
        name = ref.removeprefix("refs/").removeprefix("heads/").removeprefix("tags/")
        sha = self.branches.get(name) or self.tags.get(name) or ref
        if sha in self.commits:
            return self.commits[sha]
        short = [known for known in self.commits if len(ref) >= 7 and known.startswith(ref)]
        return self.commits[short[0]] if len(short) == 1 else None

    def log(self, commit: Commit) -> list[Commit]:
        """*commit* and its ancestors, newest first."""
        seen: dict[str, Commit] = {}
        queue = [commit]
        while queue:
            here = queue.pop()
            if here.sha not in seen:
                seen[here.sha] = here
                queue += [self.commits[parent] for parent in here.parents]
        depth = {sha: index for index, sha in enumerate(self.commits)}
        return sorted(seen.values(), key=lambda each: depth[each.sha], reverse=True)

    def base(self, left: Commit, right: Commit) -> Commit | None:
        """The newest common ancestor."""
        mine = {commit.sha for commit in self.log(left)}
        return next((commit for commit in self.log(right) if commit.sha in mine), None)

    def between(self, base: Commit, head: Commit) -> list[Commit]:
        """Commits of *head* that *base* lacks, oldest first."""
        known = {commit.sha for commit in self.log(base)}
        return [commit for commit in reversed(self.log(head)) if commit.sha not in known]

    def merge(self, base: Commit, head: Commit) -> dict[str, bytes] | None:
        """The merged tree, or None when both sides changed the same file differently."""
        fork = self.base(base, head)
        origin: Files = fork.files if fork else {}
        merged = dict(base.files)
        for path in {*head.files, *origin}:
            theirs, mine, was = head.files.get(path), base.files.get(path), origin.get(path)
            if theirs in (was, mine):
                continue
            if mine != was:
                return None
            if theirs is None:
                del merged[path]
            else:
                merged[path] = theirs
        return merged


def differences(old: Files, new: Files) -> list[Difference]:
    paths = sorted(path for path in {*old, *new} if old.get(path) != new.get(path))
    return [_difference(path, old.get(path), new.get(path)) for path in paths]


def _difference(path: str, old: bytes | None, new: bytes | None) -> Difference:
    status = "added" if old is None else "removed" if new is None else "modified"
    before, after = (old or b"").decode().splitlines(), (new or b"").decode().splitlines()
    lines = list(difflib.unified_diff(before, after, lineterm=""))[2:]
    plus = sum(line.startswith("+") for line in lines)
    minus = sum(line.startswith("-") for line in lines)
    return Difference(path, status, plus, minus, "\n".join(lines))
