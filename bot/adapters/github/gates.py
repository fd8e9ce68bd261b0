"""GitHub Actions: what checked a commit, which run waits for a word, and starting one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from bot.adapters.github.caller import Caller, Query, part
from bot.domain.errors import AmbiguousError, RateLimitedError, UserError
from bot.domain.phrases import Code
from bot.ports.pipeline import Check

GOOD: Final = frozenset({"success", "neutral", "skipped"})
"""Conclusions of a check run that stop nothing."""
APPEARS: Final = 10
"""Seconds a run may take to show after a dispatch whose answer did not name it."""
_RUNS: Final[Query] = {"event": "workflow_dispatch", "per_page": 100}


class Gates(Caller):
    """The part of the Pipeline port that speaks with workflows."""

    async def checks(self, repo: str, sha: str) -> tuple[Check, ...]:
        """Check runs and statuses. A job that waits at a gate has checked nothing yet, and is left out."""
        path, what = f"/commits/{part(sha)}", f"{repo}@{sha}"
        runs = await self._pages(repo, f"{path}/check-runs", what, {"filter": "latest"}, key="check_runs")
        statuses = await self._pages(repo, f"{path}/status", what, key="statuses")
        latest: dict[tuple[str, ...], Check] = {}
        for run in sorted(runs, key=lambda each: (each.get("started_at") or "", each["id"])):
            if run["status"] != "waiting":
                latest["run", run["name"], (run.get("app") or {}).get("slug") or ""] = _check_run(run)
        for status in reversed(statuses):  # the newest comes first
            latest["status", status["context"]] = _status(status)
        return tuple(sorted(latest.values(), key=lambda check: check.name))

    async def waiting(self, repo: str, run: int) -> tuple[str, ...]:
        """Environments that workflow *run* waits for."""
        return tuple(each["environment"]["name"] for each in await self._pending(repo, run))

    async def answer_gate(self, repo: str, run: int, environment: str, *, approve: bool, comment: str) -> None:
        """As the protection rule's own app; where pult is not that, as a reviewer. Again is harmless."""
        state, what = "approved" if approve else "rejected", f"{repo}/actions/runs/{run}"
        data = {"environment_name": environment, "state": state, "comment": comment}
        try:
            await self._send("POST", repo, f"/actions/runs/{run}/deployment_protection_rule", data, what)
        except RateLimitedError:
            raise
        except UserError as error:
            await self._review(repo, run, environment, {"state": state, "comment": comment}, error)

    async def _review(
        self, repo: str, run: int, environment: str, data: Mapping[str, object], refused: UserError
    ) -> None:
        pending = [each for each in await self._pending(repo, run) if each["environment"]["name"] == environment]
        if not pending:  # it was answered before
            return
        if not pending[0].get("current_user_can_approve"):
            raise refused
        body = {"environment_ids": [pending[0]["environment"]["id"]], **data}
        await self._send("POST", repo, f"/actions/runs/{run}/pending_deployments", body, f"{repo}/actions/runs/{run}")

    async def run_state(self, repo: str, run: int) -> str:
        """success, failure, waiting or pending. A run that was skipped as a whole has deployed nothing: a failure."""
        answer = await self._get(repo, f"/actions/runs/{run}", f"{repo}/actions/runs/{run}")
        if answer["status"] != "completed":
            return "waiting" if answer["status"] == "waiting" else "pending"
        return "success" if answer["conclusion"] in {"success", "neutral"} else "failure"

    async def dispatch(self, repo: str, workflow: str, ref: str, inputs: dict[str, str]) -> int:
        """Start a workflow; the run's id. The input ``operation`` is looked for in the titles of its runs first.

        AmbiguousError: it is started, and GitHub does not show the run yet.
        """
        known = await self._runs(repo, workflow)
        mine = _titled(known, inputs.get("operation", ""))
        if mine is not None:
            return mine
        answer = await self._start(repo, workflow, {"ref": ref, "inputs": inputs})
        if "workflow_run_id" in answer:
            return int(answer["workflow_run_id"])
        newest = max((run["id"] for run in known), default=0)
        return await self._appeared(repo, workflow, newest, inputs.get("operation", ""))

    async def _start(self, repo: str, workflow: str, data: dict[str, object]) -> Mapping[str, Any]:
        path, what = f"/actions/workflows/{part(workflow)}/dispatches", f"{repo}/{workflow}"
        try:
            return await self._send("POST", repo, path, data | {"return_run_details": True}, what)
        except UserError as error:
            if "return_run_details" not in str(error):  # a GitHub Enterprise that does not know it
                raise
            return await self._send("POST", repo, path, data, what)

    async def _appeared(self, repo: str, workflow: str, newest: int, operation: str) -> int:
        for _ in range(APPEARS):
            await self._clock.sleep(1)
            fresh = [run for run in await self._runs(repo, workflow) if run["id"] > newest]
            mine = _titled(fresh, operation) or (fresh[0]["id"] if len(fresh) == 1 else None)
            if mine is not None:
                return int(mine)
            if fresh:
                raise UserError(
                    "Several runs of {workflow} began at once, and none says whose it is. Give it the run-name {name}.",
                    workflow=Code(workflow),
                    name=Code("deploy ${{ inputs.operation }}"),
                )
        raise AmbiguousError("GitHub started the workflow and shows no run of it yet")

    async def _runs(self, repo: str, workflow: str) -> list[dict[str, Any]]:
        """The latest that were started by hand or by pult, newest first."""
        path = f"/actions/workflows/{part(workflow)}/runs"
        answer = await self._get(repo, path, f"{repo}/{workflow}", _RUNS)
        return list(answer["workflow_runs"])

    async def _pending(self, repo: str, run: int) -> list[dict[str, Any]]:
        answer = await self._get(repo, f"/actions/runs/{run}/pending_deployments", f"{repo}/actions/runs/{run}")
        return list(answer)


def _titled(runs: list[dict[str, Any]], operation: str) -> int | None:
    """The run whose title has *operation* as a word of its own."""
    word = re.compile(rf"(?<![\w-]){re.escape(operation)}(?![\w-])")
    found = (run["id"] for run in runs if operation and word.search(run.get("display_title") or ""))
    return next(found, None)


def _check_run(run: Mapping[str, Any]) -> Check:
    state = "pending"
    if run["status"] == "completed":
        state = "success" if run["conclusion"] in GOOD else "failure"
    return Check(run["name"], state, run.get("html_url") or run.get("details_url") or "")


def _status(status: Mapping[str, Any]) -> Check:
    state = status["state"] if status["state"] in {"success", "pending"} else "failure"
    return Check(status["context"], state, status.get("target_url") or "")
