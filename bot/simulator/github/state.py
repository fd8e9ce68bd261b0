"""The forge: repositories with history, releases, pull requests, checks and runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.simulator.github import errors
from bot.simulator.github.errors import Json
from bot.simulator.github.git import Commit, History

LOGIN = "pult-bot"
"""Who the token belongs to: author of what comes through the API."""
WORK = 20.0
"""Simulated seconds that a workflow run takes."""


@dataclass
class Release:
    id: int
    tag: str
    name: str
    body: str
    created: datetime
    draft: bool = False
    prerelease: bool = False
    author: str = LOGIN


@dataclass
class Pull:
    number: int
    title: str
    body: str
    head: str
    base: str
    created: datetime
    author: str = LOGIN
    state: str = "open"
    merged_at: datetime | None = None
    merge_sha: str | None = None


@dataclass
class Run:
    """A workflow run; *environments* are those whose deployment waits for a review.

    *began*: when it got to work, None while it waits; *environment*: where it deploys to.
    """

    id: int
    workflow: str
    ref: str
    sha: str
    event: str
    created: datetime
    environments: list[str] = field(default_factory=list)
    inputs: Json = field(default_factory=dict)
    status: str = "queued"
    conclusion: str | None = None
    began: datetime | None = None
    environment: str = ""


@dataclass
class Deployment:
    """A deployment record; *statuses* are GitHub's JSON, oldest first."""

    id: int
    sha: str
    ref: str
    task: str
    environment: str
    payload: Any
    description: str
    created: datetime
    statuses: list[Json] = field(default_factory=list)


@dataclass(frozen=True)
class Decision:
    """A review of a pending deployment, or the answer to a protection rule (state empty: only a comment)."""

    run: int
    environments: tuple[str, ...]
    state: str
    comment: str


@dataclass
class Repository:
    """One repository. Tests read *decisions*, *runs* and *deployments*, and change the rest."""

    owner: str
    name: str
    history: History = field(default_factory=History)
    releases: list[Release] = field(default_factory=list)
    pulls: list[Pull] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    workflows: dict[str, bool] = field(default_factory=lambda: {"deploy.yml": True, "ci.yml": False})
    """File name → whether it can be dispatched."""
    checks: dict[str, str] = field(default_factory=dict)
    """Commit sha → conclusion of its checks, where it is not ``success``."""
    check_runs: dict[str, list[Json]] = field(default_factory=dict)
    """Commit sha → its check runs, where they are not the usual ones."""
    statuses: dict[str, list[Json]] = field(default_factory=dict)
    """Commit sha → its statuses, newest first, where it is not the usual one."""
    protected: set[str] = field(default_factory=set)
    """Branches that take pull requests only."""
    merges: set[str] = field(default_factory=lambda: {"merge", "squash", "rebase"})
    """Kinds of merge that are allowed."""
    environments: dict[str, int] = field(default_factory=lambda: {"staging": 4101, "production": 4102})

    @property
    def full_name(self) -> str:
        return f"{self.owner}/{self.name}"

    def commit_at(self, ref: str) -> Commit:
        """404 when *ref* names nothing."""
        found = self.history.resolve(ref)
        if found is None:
            raise errors.RefusedError(404, f"No commit found for the ref {ref}")
        return found

    def branch(self, name: str) -> Commit:
        if name not in self.history.branches:
            raise errors.RefusedError(404, f"Branch {name} not found")
        return self.history.commits[self.history.branches[name]]

    def commit(self, branch: str, message: str, files: dict[str, bytes], now: datetime, author: str = LOGIN) -> Commit:
        """Add a commit with the whole tree *files* to a branch."""
        tip = self.history.branches.get(branch)
        return self.history.add(Commit(message, author, now, (tip,) if tip else (), files), branch)

    def run(self, number: int) -> Run:
        found = next((run for run in self.runs if run.id == number), None)
        if found is None:
            raise errors.not_found()
        return found


class Forge:
    """State class of the surface; also the Git that the simulated GitOps controllers read."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.calls: list[tuple[str, str]] = []
        """(method, path) of every authenticated request, oldest first."""
        self.work = WORK
        self.deploy: Callable[[Repository, Run], bool] = lambda _repo, _run: True
        """What a run does at its end; False: it fails."""
        self._ids = 70_000

    def add(self, repository: Repository) -> None:
        self.repositories[repository.full_name] = repository

    def repository(self, full_name: str) -> Repository:
        """404 when it is unknown."""
        found = self.repositories.get(full_name)
        if found is None:
            raise errors.not_found()
        return found

    def next_id(self) -> int:
        self._ids += 1
        return self._ids

    def head(self, repository: str, branch: str) -> str | None:
        """Commit of a branch; None when either is unknown."""
        found = self.repositories.get(repository)
        return found.history.branches.get(branch) if found else None

    def text(self, repository: str, path: str, ref: str) -> str | None:
        """A file at a branch, tag or commit; None when it is not there."""
        found = self.repositories.get(repository)
        commit = found.history.resolve(ref) if found else None
        data = commit.files.get(path) if commit else None
        return None if data is None else data.decode()
