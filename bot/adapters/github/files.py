"""Files, commits and what lies between two of them: GitHub's contents and commits API."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from bot.adapters.github.caller import PER_PAGE, Caller, Query, part
from bot.domain.errors import UserError
from bot.ports.forge import Commit, Comparison, File

FILES: Final = 300
"""Files of a comparison that GitHub names at most: docs.github.com, compare two commits."""
COMMITS: Final = 500
"""Commits of a comparison that are fetched: ours; no changelog is read further."""


class Files(Caller):
    """The half of the Forge port that needs no pull request."""

    async def read(self, repo: str, path: str, branch: str) -> File:
        """The file on *branch*, or at a tag or commit, with the sha that a write has to name."""
        what = f"{repo}/{path}"
        answer = await self._get(repo, f"/contents/{quote(path)}", what, {"ref": branch})
        if not isinstance(answer, dict) or answer.get("encoding") != "base64":  # a folder, a submodule, over 1 MB
            raise UserError("GitHub refuses this: {why}", why=f"{what} is no file that pult can read")
        try:
            return File(base64.b64decode(answer["content"]).decode(), answer["sha"])
        except UnicodeDecodeError as error:
            raise UserError("GitHub refuses this: {why}", why=f"{what} is not text in UTF-8") from error

    async def commit(self, repo: str, path: str, branch: str, was: File, text: str, message: str) -> str:
        """One commit that replaces one file, or makes it (*was* has no sha); refused when somebody pushed meanwhile.

        When the file has *text* already, as after an answer that got lost, the commit that brought it.
        """
        if was.text == text:
            return await self._last(repo, path, branch)
        try:
            return await self._write(repo, path, branch, was.sha, text, message)
        except UserError:  # also what an earlier try is told, whose answer got lost
            if not await self._has(repo, path, branch, text):
                raise
            return await self._last(repo, path, branch)

    async def _has(self, repo: str, path: str, branch: str, text: str) -> bool:
        try:
            return (await self.read(repo, path, branch)).text == text
        except UserError:
            return False

    async def resolve(self, repo: str, ref: str) -> Commit:
        """The commit that a tag, a branch or a sha names."""
        answer = await self._get(repo, f"/commits/{part(ref)}", f"{repo}@{ref}", {"per_page": 1})
        return _commit(answer)

    async def compare(self, repo: str, base: str, head: str) -> Comparison:
        """What *head* has that *base* has not."""
        path, what = f"/compare/{part(base)}...{part(head)}", f"{repo}@{base}…{head}"
        first = await self._get(repo, path, what, {"per_page": PER_PAGE, "page": 1})
        total = int(first["total_commits"])
        commits = [_commit(each) for each in first["commits"]]
        page = 1
        while len(commits) < min(total, COMMITS):
            page += 1
            more = (await self._get(repo, path, what, {"per_page": PER_PAGE, "page": page}))["commits"]
            if not more:
                break
            commits += [_commit(each) for each in more]
        files = tuple(each["filename"] for each in first.get("files") or ())  # only the first page has them
        return Comparison(
            tuple(commits), files, total - len(commits), int(first["behind_by"]), str(first.get("html_url") or ""),
            whole=len(files) < FILES,
        )  # fmt: skip

    async def _write(self, repo: str, path: str, branch: str, sha: str, text: str, message: str) -> str:
        """The new commit. *sha* is that of the content it replaces, "" for a new file."""
        content = base64.b64encode(text.encode()).decode()
        data = {"message": message, "content": content, "branch": branch, **({"sha": sha} if sha else {})}
        answer = await self._send("PUT", repo, f"/contents/{quote(path)}", data, f"{repo}/{path}")
        return str(answer["commit"]["sha"])

    async def _last(self, repo: str, path: str, branch: str) -> str:
        """The commit that *path* has its content on *branch* from."""
        query: Query = {"path": path, "sha": branch, "per_page": 1}
        answer = await self._get(repo, "/commits", f"{repo}/{path}", query)
        return str(answer[0]["sha"])


def _commit(answer: Mapping[str, Any]) -> Commit:
    inner = answer["commit"]
    login = (answer.get("author") or {}).get("login")
    return Commit(
        str(answer["sha"]),
        str(inner["message"]),
        str(login or inner["author"]["name"]),
        _moment(inner["committer"]["date"]),
        str(answer.get("html_url") or ""),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
