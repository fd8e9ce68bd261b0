"""Pull requests: a branch with the change on it, proposed once, merged once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bot.adapters.github.caller import Query, part
from bot.adapters.github.files import Files
from bot.adapters.github.verdicts import MergeMethodError, MissingError
from bot.domain.errors import DriftError, UserError
from bot.domain.phrases import Code, Link
from bot.ports.forge import File, Pull, Texts

JUDGED: Final = 10
"""Seconds GitHub gets to find out whether a pull request merges cleanly; it does that in the background."""
METHODS: Final = ("merge", "squash", "rebase")
"""Tried in this order, since a repository may take only some."""


class Pulls(Files):
    """The other half of the Forge port. Every step looks first whether it was done."""

    async def propose(  # noqa: PLR0913 - a pull request has so many sides
        self, repo: str, base: str, head: str, files: Texts, title: str, body: str, *, pins: Texts | None = None
    ) -> Pull:
        """A pull request from branch *head*, made from *base* with *files* written, or the one there is.

        *pins*: path to the sha that its content has to have on *base* still, else DriftError.
        """
        known = await self._known(repo, base, head)
        if known is not None and known.state != "open":
            return _live(known)
        if await self._tip(repo, head) is None:
            await self._branch(repo, base, head, pins or {})
        for path, text in files.items():
            await self._put(repo, path, head, text, title)
        return known or await self._open(repo, base, head, title, body)

    async def pull(self, repo: str, number: int) -> Pull:
        """As it is now."""
        return _pull(await self._one(repo, number))

    async def merge(self, repo: str, number: int, head: str = "") -> Pull:
        """Merge it, at commit *head* of its branch if given; one that is merged stays so."""
        found = await self._one(repo, number)
        pull = _live(_pull(found))
        if pull.state == "merged":
            return pull
        if head and pull.head != head:
            raise DriftError("Somebody pushed to {path} meanwhile.", path=Code(found["head"]["ref"]))
        if await self._mergeable(repo, number, found) is False:
            raise DriftError("{pull} does not merge cleanly any more.", pull=Code(f"{repo}#{number}"))
        try:
            sha = await self._merged(repo, number, pull.head)
        except UserError:  # also what GitHub says of one that an earlier try has merged, whose answer got lost
            now = await self.pull(repo, number)
            if now.state != "merged":
                raise
            return now
        return replace(pull, state="merged", merged=sha)

    async def _merged(self, repo: str, number: int, head: str) -> str:
        refused: UserError | None = None
        for method in METHODS:
            data = {"sha": head, "merge_method": method}
            try:
                answer = await self._send("PUT", repo, f"/pulls/{number}/merge", data, f"{repo}#{number}")
            except MergeMethodError as error:
                refused = error
                continue
            return str(answer["sha"])
        assert refused is not None
        raise refused

    async def _mergeable(self, repo: str, number: int, found: Mapping[str, Any]) -> bool | None:
        """None: GitHub does not know in time, and will say at the merge itself."""
        for _ in range(JUDGED):
            if found.get("mergeable") is not None:
                return bool(found["mergeable"])
            await self._clock.sleep(1)
            found = await self._one(repo, number)
        return None

    async def _one(self, repo: str, number: int) -> Mapping[str, Any]:
        found: Mapping[str, Any] = await self._get(repo, f"/pulls/{number}", f"{repo}#{number}")
        return found

    async def _known(self, repo: str, base: str, head: str) -> Pull | None:
        """The newest pull request from *head* to *base*, whatever became of it."""
        query: Query = {"head": f"{repo.partition('/')[0]}:{head}", "base": base, "state": "all", "per_page": 1}
        answer = await self._get(repo, "/pulls", f"{repo}@{head}", query)
        return _pull(answer[0]) if answer else None

    async def _tip(self, repo: str, branch: str) -> str | None:
        try:
            answer = await self._get(repo, f"/git/ref/heads/{part(branch)}", f"{repo}@{branch}")
        except MissingError:
            return None
        return str(answer["object"]["sha"])

    async def _branch(self, repo: str, base: str, head: str, pins: Texts) -> None:
        """*head* from the very commit on which *pins* were found to hold."""
        sha = await self._tip(repo, base)
        if sha is None:
            raise MissingError("GitHub has no {path}, or pult's token may not see it.", path=Code(f"{repo}@{base}"))
        for path, pin in pins.items():
            if (await self.read(repo, path, sha)).sha != pin:
                raise DriftError("Somebody pushed to {path} meanwhile.", path=Code(f"{repo}/{path}"))
        data = {"ref": f"refs/heads/{head}", "sha": sha}
        await self._send("POST", repo, "/git/refs", data, f"{repo}@{head}")

    async def _put(self, repo: str, path: str, branch: str, text: str, message: str) -> None:
        try:
            was = await self.read(repo, path, branch)
        except MissingError:
            was = File("", "")
        if was.text != text:
            await self.commit(repo, path, branch, was, text, message)

    async def _open(self, repo: str, base: str, head: str, title: str, body: str) -> Pull:
        data = {"title": title, "head": head, "base": base, "body": body}
        return _pull(await self._send("POST", repo, "/pulls", data, f"{repo}@{head}"))


def _pull(answer: Mapping[str, Any]) -> Pull:
    merged = answer.get("merged_at") is not None
    return Pull(
        int(answer["number"]),
        "merged" if merged else str(answer["state"]),
        str(answer["html_url"]),
        str(answer.get("merge_commit_sha") or "") if merged else "",
        str(answer["head"]["sha"]),
    )


def _live(pull: Pull) -> Pull:
    """UserError: somebody closed it, which is a no."""
    if pull.state == "closed":
        raise UserError("Somebody closed {pull} without merging it.", pull=Link(f"#{pull.number}", pull.url))
    return pull
