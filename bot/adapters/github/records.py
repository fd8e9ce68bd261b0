"""What GitHub shows of a deployment afterwards: its record, its states, and a part of the release's notes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from bot.adapters.github.caller import Caller, part
from bot.adapters.github.verdicts import MissingError

DESCRIPTION: Final = 140
"""Characters of a status's description: docs.github.com, create a deployment status."""
BEGIN: Final = "<!-- pult: begin -->"
END: Final = "<!-- pult: end -->"
_OWN: Final = re.compile(rf"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)


class Records(Caller):
    """The part of the Pipeline port that gives GitHub its status back."""

    async def deploy_begun(self, repo: str, sha: str, environment: str, operation: str) -> int:
        """A deployment record, found again by the operation in its payload."""
        query, what = {"sha": sha, "environment": environment}, f"{repo}/deployments"
        for known in await self._pages(repo, "/deployments", what, query, most=100):
            if _payload(known).get("operation") == operation:
                return int(known["id"])
        data = {
            "ref": sha,
            "environment": environment,
            "description": f"pult operation {operation}",
            "payload": {"operation": operation},
            "auto_merge": False,  # else GitHub merges the default branch into what was approved
            "required_contexts": [],  # pult has judged the checks, and said so on the card
        }
        answer = await self._send("POST", repo, "/deployments", data, what)
        return int(answer["id"])

    async def deploy_status(self, repo: str, deployment: int, state: str, description: str, url: str) -> None:
        """Nothing when its latest status says the same."""
        path, what = f"/deployments/{deployment}/statuses", f"{repo}/deployments/{deployment}"
        data = {"state": state, "description": description[:DESCRIPTION], **({"log_url": url} if url else {})}
        latest = await self._get(repo, path, what, {"per_page": 1})
        if latest and all(latest[0].get(name) == value for name, value in data.items()):
            return
        await self._send("POST", repo, path, data, what)

    async def annotate(self, repo: str, version: str, text: str) -> None:
        """Its tag is the version, with or without a "v"."""
        release = await self._release(repo, version)
        body = release.get("body") or ""
        own = f"{BEGIN}\n{text.replace(BEGIN, '').replace(END, '')}\n{END}"
        kept = _OWN.sub(lambda _: own, body, count=1)
        new = kept if _OWN.search(body) else f"{body.rstrip()}\n\n{own}".lstrip()
        if new != body:
            await self._send("PATCH", repo, f"/releases/{release['id']}", {"body": new}, f"{repo} {version}")

    async def _release(self, repo: str, version: str) -> Mapping[str, Any]:
        bare = version.removeprefix("v")
        try:
            return await self._tagged(repo, f"v{bare}")
        except MissingError:
            return await self._tagged(repo, bare)

    async def _tagged(self, repo: str, tag: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = await self._get(repo, f"/releases/tags/{part(tag)}", f"{repo} {tag}")
        return found


def _payload(deployment: Mapping[str, Any]) -> Mapping[str, Any]:
    """GitHub gives back what was sent: an object, or text that may be one."""
    payload = deployment.get("payload")
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except ValueError:
            return {}
    return payload if isinstance(payload, dict) else {}
