"""What knows of releases, in memory: GitHub's history and checks, a registry, a GitOps tool, a workload's history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.domain.errors import TemporaryError, UserError
from bot.domain.phrases import Code
from bot.ports.cluster import Workload
from bot.ports.forge import Commit, Comparison, Pull
from bot.ports.gitops import Applied
from bot.ports.pipeline import Check
from bot.ports.rollouts import Revision
from tests.handlers.fakes import NOON, FakeForge

IN_STEP = Applied("c0ffee", "c0ffee", done=True, automated=True)


def sha(version: str) -> str:
    """The commit of a version."""
    return (version.replace(".", "") + "abcdef" * 7)[:40]


class FakeGitHub(FakeForge):
    """A history of tags and checks, too. ``refs``: commit by tag, branch or sha. ``slow``: never answers in time."""

    def __init__(self) -> None:
        super().__init__()
        self.refs: dict[str, str] = {}
        self.compared: dict[tuple[str, str], Comparison] = {}
        self.checked: dict[str, tuple[Check, ...]] = {}
        self.asked: list[str] = []

    def _there(self, what: str) -> None:
        self.asked.append(what)
        if self.away:
            raise TemporaryError("GitHub does not answer")

    async def resolve(self, repo: str, ref: str) -> Commit:
        self._there(f"resolve {ref}")
        known = self.refs.get(ref) or (ref if ref in self.refs.values() else "")
        if not known:
            raise UserError("There is no {ref} in {repo}.", ref=Code(ref), repo=repo)
        return Commit(known, "feat: this", "anna", NOON)

    async def compare(self, repo: str, base: str, head: str) -> Comparison:
        self._there(f"compare {base[:7]} {head[:7]}")
        if (base, head) not in self.compared:
            raise UserError("There is no {ref} in {repo}.", ref=Code(base), repo=repo)
        return self.compared[base, head]

    async def pull(self, repo: str, number: int) -> Pull:
        raise NotImplementedError

    async def merge(self, repo: str, number: int, head: str = "") -> Pull:
        raise NotImplementedError

    async def checks(self, repo: str, sha: str) -> tuple[Check, ...]:
        self._there(f"checks {sha[:7]}")
        return self.checked.get(sha, ())


@dataclass
class FakeRegistry:
    """Digests by image and tag. ``away``: no answer."""

    digests: dict[str, str] = field(default_factory=dict)
    away: bool = False

    async def digest(self, image: str) -> str:
        if self.away:
            raise TemporaryError("the registry does not answer")
        if image not in self.digests:
            raise UserError("There is no {image}.", image=Code(image))
        return self.digests[image]

    async def check(self) -> str:
        return "here"


class FakeRollouts:
    """The history of each workload, the newest first. ``back``: what an undo does to the workload."""

    def __init__(self) -> None:
        self.kept: dict[Workload, tuple[Revision, ...]] = {}
        self.away = False
        self.undone: list[str] = []
        self.back: Callable[[Workload, Revision], None] = lambda *_: None

    async def revisions(self, workload: Workload) -> tuple[Revision, ...]:
        if self.away:
            raise TemporaryError(f"{workload.cluster} does not answer")
        return self.kept.get(workload, ())

    async def undo(self, workload: Workload, revision: str, template: str) -> None:
        """It gets a new number, as with a real controller."""
        found = next((each for each in self.kept[workload] if each.revision == revision), None)
        if found is None:
            raise UserError("{name} keeps no revision {revision}.", name=Code(workload.name), revision=revision)
        self.undone.append(revision)
        newest = replace(found, revision=str(int(self.kept[workload][0].revision) + 1), current=True)
        rest = (replace(each, current=False) for each in self.kept[workload] if each is not found)
        self.kept[workload] = (newest, *rest)
        self.back(workload, found)

    async def advance(self, workload: Workload, operation: str, *, full: bool = False) -> None:
        raise NotImplementedError

    async def abort(self, workload: Workload) -> None:
        raise NotImplementedError

    async def pause(self, workload: Workload) -> None:
        raise NotImplementedError

    async def unpause(self, workload: Workload) -> None:
        raise NotImplementedError
