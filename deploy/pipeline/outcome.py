#!/usr/bin/env python3
"""Step 10: how the pipeline ended, told to pult, which tells people. Reads what GitHub knows of the jobs from NEEDS.

    NEEDS='{"build": {"result": "success", "outputs": {…}}, …}' outcome.py api 1.8.0 --url … [--trivy trivy.json]

What nobody promoted, and what somebody cancelled, is no failure of the version, and pult is told nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import tell_pult


def main(arguments: list[str] | None = None) -> int:
    """0 when pult knows."""
    parser = argparse.ArgumentParser(description="Tell pult how the pipeline ended.")
    parser.add_argument("service")
    parser.add_argument("version")
    parser.add_argument("--url", default="")
    parser.add_argument("--trivy", type=Path)
    given = parser.parse_args(arguments)
    status, said = outcome(json.loads(os.environ["NEEDS"]))
    sys.stdout.write(f"{said}\n")
    if not status:
        return 0
    more = ["--url", given.url]
    if status == "failed":
        more += ["--notes", said]
        more += ["--trivy", str(given.trivy)] if given.trivy and given.trivy.is_file() else []
    return tell_pult.main([given.service, given.version, status, *more])


def outcome(jobs: dict[str, Any]) -> tuple[str, str]:
    """What pult is told (empty: nothing), and one sentence."""
    failed = [name for name, job in jobs.items() if job["result"] == "failure"]
    cancelled = [name for name, job in jobs.items() if job["result"] == "cancelled"]
    if any((jobs[name].get("outputs") or {}).get("verdict") == "unpromoted" for name in failed):
        return "", "Nobody promoted it. It may still be promoted."
    if failed:
        return "failed", f"The pipeline failed at {', '.join(failed)}."
    if cancelled:
        return "", f"Somebody or something cancelled {', '.join(cancelled)}."
    if jobs.get("verify", {}).get("result") != "success":
        return "", "It did not come to production."
    return "released", "Verified in production."


if __name__ == "__main__":
    raise SystemExit(main())
