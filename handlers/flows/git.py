"""The hand that changes a file in git: a commit, or a pull request that is merged. It never forces anything."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from bot.domain.errors import DriftError, UserError, github
from bot.domain.manifests import image_digest, repository, with_digest
from bot.domain.phrases import Code, phrase
from bot.domain.services import GitOps
from bot.domain.targets import Hand, Target
from bot.ports.flows import Did, Run
from bot.ports.forge import File, Forge

TRIES = 3
"""Somebody may push to the same branch at the same moment, twice."""


@dataclass(frozen=True)
class Edit:
    """One digest in place of another; ``branch``: of the pull request, where it takes one."""

    digest: str
    was: str
    title: str
    branch: str


class Git:
    """The file that names the image, in the deployment repository."""

    def __init__(self, forge: Forge | None) -> None:
        self._forge = forge

    async def check(self, target: Target) -> None:
        """DriftError: the file names another digest than it did at planning. Other changes of it are not ours."""
        gitops = target.environment.gitops
        file = await github(self._forge).read(gitops.repo, gitops.path, gitops.branch)
        if not _as_planned(file, target, await named(file, target)):
            raise DriftError("{path} was changed after this was planned.", path=Code(gitops.path))

    async def put(self, run: Run, target: Target) -> Did:
        """Set the new digest; the commit that brought it."""
        plan, where = run.plan, target.environment.name
        verb = "revert" if plan.action == "rollback" else "deploy"
        title = f"{verb}: {plan.service} {plan.params['version']} to {where}"
        edit = Edit(target.digest, target.committed, title, f"pult/{run.operation}/{where}")
        return await self._written(run, target, edit)

    async def put_back(self, run: Run, target: Target) -> Did:
        """Set again what the file named when the plan was made. It names nothing else by now but what was put there."""
        plan, where = run.plan, target.environment.name
        if not target.committed and await self.names(target, target.digest):
            raise UserError("The file named no digest before, so there is none to put back. Revert the commit by hand.")
        title = f"revert: {plan.service} in {where} to {target.committed[:19]}"
        edit = Edit(target.committed, target.digest, title, f"pult/{run.operation}/{where}-undo")
        return await self._written(run, target, edit)

    async def names(self, target: Target, digest: str) -> bool:
        """Whether the branch's file names *digest* now."""
        gitops = target.environment.gitops
        return await named(await github(self._forge).read(gitops.repo, gitops.path, gitops.branch), target) == digest

    async def head(self, target: Target) -> str:
        """The commit that the branch is at."""
        gitops = target.environment.gitops
        return (await github(self._forge).resolve(gitops.repo, gitops.branch)).sha

    async def _written(self, run: Run, target: Target, edit: Edit) -> Did:
        gitops = target.environment.gitops
        for _ in range(TRIES):
            file = await github(self._forge).read(gitops.repo, gitops.path, gitops.branch)
            now = await named(file, target)
            if now == edit.digest:
                return Did(phrase("it was committed already"), await self.head(target))
            if now != edit.was or not (now or _as_planned(file, target, now)):
                raise DriftError(
                    "{path} names another digest by now: somebody pushed meanwhile. Plan again.", path=Code(gitops.path)
                )
            text = await asyncio.to_thread(
                with_digest, file.text, repository(target.image), edit.digest, target.environment.gitops.key
            )
            try:
                return await self._write(run, target, edit, file, text)
            except DriftError:  # pushed between the look and the write: look again, never force
                continue
        raise DriftError("Somebody keeps pushing to {branch}. Try again.", branch=Code(gitops.branch))

    async def _write(self, run: Run, target: Target, edit: Edit, file: File, text: str) -> Did:
        message = Message(edit.title, f"pult operation {run.operation}", edit.branch)
        by_pull = target.hand is not Hand.COMMIT
        return await write(
            github(self._forge), target.environment.gitops, Rewrite(file, text), message, by_pull=by_pull
        )


@dataclass(frozen=True)
class Message:
    """What a commit or a pull request says; ``branch``: of the pull request, where it takes one."""

    title: str
    body: str
    branch: str


@dataclass(frozen=True)
class Rewrite:
    """*text* in place of what the file was when it was read."""

    was: File
    text: str


async def write(forge: Forge, gitops: GitOps, rewrite: Rewrite, message: Message, *, by_pull: bool) -> Did:
    """Write the deployment file; the commit that brought it. DriftError: somebody pushed since it was read."""
    if not by_pull:
        whole = f"{message.title}\n\n{message.body}"
        sha = await forge.commit(gitops.repo, gitops.path, gitops.branch, rewrite.was, rewrite.text, whole)
        return Did(phrase("commit {sha}", sha=Code(sha[:12])), sha)
    files, pins = {gitops.path: rewrite.text}, {gitops.path: rewrite.was.sha}
    pull = await forge.propose(
        gitops.repo, gitops.branch, message.branch, files, message.title, message.body, pins=pins
    )  # fmt: skip
    head = "" if pull.state == "merged" else await _own(forge, gitops, message.branch, rewrite.text)
    merged = await forge.merge(gitops.repo, pull.number, head)
    said = phrase(
        "pull request {number} is merged as {sha}", number=Code(f"#{pull.number}"), sha=Code(merged.merged[:12])
    )
    return Did(said, merged.merged)


async def _own(forge: Forge, gitops: GitOps, branch: str, text: str) -> str:
    """The commit that the pull request is merged at. UserError: it brings more than what was approved.

    Its branch has a name that can be guessed, and whoever may push could have put something there before pult.
    """
    found = await forge.compare(gitops.repo, gitops.branch, branch)
    head = found.commits[-1].sha if found.commits else ""
    alone = found.files == (gitops.path,) and not found.more
    if not alone or (await forge.read(gitops.repo, gitops.path, head)).text != text:
        raise UserError(
            "{branch} has other changes than the approved one, so it is not merged. Close its pull request, and "
            "plan again.",
            branch=Code(branch),
        )  # fmt: skip
    return head


async def named(file: File, target: Target) -> str:
    """The digest that *file* names for the target's image. A long file takes a second to read, so a thread does."""
    return await asyncio.to_thread(
        image_digest, file.text, repository(target.image), target.environment.gitops.key
    )  # fmt: skip


def _as_planned(file: File, target: Target, digest: str) -> bool:
    """Whether *file*, which names *digest*, says of the image what it said at planning.

    Of a tag in its place only the whole file can tell: one tag is as little a digest as the next.
    """
    return file.sha == target.file or bool(target.committed and digest == target.committed)
