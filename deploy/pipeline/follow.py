#!/usr/bin/env python3
"""Waits for pult's verdict on a release: the deployment records that it keeps on GitHub (deployments: read).

    follow.py dept/api "$GITHUB_SHA" production --patience 240

Exit 0: pult has verified it there. 1: it is bad, or was taken back. 3: people said no, or nobody brought it there
in time, which says nothing against it. The word for it is the step's output ``verdict``: verified, bad or unpromoted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import github

UNPROMOTED = "unpromoted"
PAUSE = 10.0
"""Seconds between two looks: one or two calls each, of the 1,000 an hour that GitHub allows a workflow's token."""
SLOW = timedelta(minutes=5)
"""How far clocks may be apart: a failure noted so long before the start is one of an earlier try."""
BAD = frozenset({"failure", "error", "inactive"})
REFUSED = "refused"
"""What "inactive" means where nothing was begun before: pult proposed it, and nobody wanted it."""
BEGUN = frozenset({"in_progress", "success", "failure", "error"})


def main(arguments: list[str] | None = None) -> int:
    """Follow until pult has decided."""
    given = _arguments(arguments)
    since, ends = datetime.now(UTC) - SLOW, time.monotonic() + given.patience * 60
    verdict, said = UNPROMOTED, "nobody has promoted it"
    while time.monotonic() < ends:
        try:
            verdict, said = _look(given, since)
        except (github.RefusedError, OSError) as error:
            said = str(error)  # GitHub may be away for a while; what it said before still stands
        if verdict != UNPROMOTED:
            break
        time.sleep(given.pause)
    verdict = UNPROMOTED if verdict == REFUSED else verdict
    github.output(verdict=verdict)
    sys.stdout.write(f"{verdict}: {said}\n")
    return {"verified": 0, "bad": 1}.get(verdict, 3)


def _look(given: argparse.Namespace, since: datetime) -> tuple[str, str]:
    """The verdict so far, and what pult says. Environments on the way count as far as they go wrong."""
    states = _states(given, since)
    for environment, (state, said) in states.items():
        if state in BAD:
            return "bad", f"{environment}: {said or state}"
    state, said = states.get(given.environment, ("", ""))
    verdict = {"success": "verified", REFUSED: REFUSED}.get(state, UNPROMOTED)
    return verdict, said or "nobody has promoted it"


def _states(given: argparse.Namespace, since: datetime) -> dict[str, tuple[str, str]]:
    """Environment → latest state and description of pult's own newest record of this commit."""
    found: dict[str, tuple[str, str]] = {}
    every = github.call("GET", f"/repos/{given.repository}/deployments", sha=given.commit, per_page=100)
    for record in sorted(every, key=lambda each: int(each["id"]), reverse=True):
        if record["environment"] in found or not _by_pult(record):
            continue
        path = f"/repos/{given.repository}/deployments/{record['id']}/statuses"
        found[record["environment"]] = _state(github.call("GET", path, per_page=100), since)
    return found


def _state(statuses: list[dict[str, Any]], since: datetime) -> tuple[str, str]:
    """The latest of *statuses*, which is their first. A failure from before *since* says nothing of this try."""
    if not statuses:
        return "", ""
    latest, state = statuses[0], statuses[0]["state"]
    if state in BAD and datetime.fromisoformat(latest["created_at"]) < since:
        return "", ""
    if state == "inactive" and not any(each["state"] in BEGUN for each in statuses):
        state = REFUSED
    return state, latest.get("description") or ""


def _by_pult(record: dict[str, Any]) -> bool:
    """GitHub makes records itself, for each job with an environment; pult's carry its operation."""
    payload = record.get("payload")
    try:
        payload = json.loads(payload) if isinstance(payload, str) else payload
    except ValueError:
        return False
    return isinstance(payload, dict) and "operation" in payload


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Wait for pult's verdict on a release.")
    for name in ("repository", "commit", "environment"):
        parser.add_argument(name)
    parser.add_argument("--patience", type=float, default=240.0, help="minutes")
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between two looks")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
