#!/usr/bin/env python3
"""Step 3's gate: a critical or high finding that has a fix ends the pipeline. Exit 1, and says which.

    gate.py trivy.json        a report of trivy --format json

What has no fix is counted and lets through: nobody could mend it by waiting. pult shows both beside the release.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

STOPS = ("CRITICAL", "HIGH")


def main(arguments: list[str]) -> int:
    """0 when nothing stops it; 1 with the findings that do; 2 when the file is no report."""
    try:
        report = json.loads(Path(arguments[0]).read_text())
        found = findings(report)
    except (IndexError, OSError, ValueError, AttributeError, TypeError) as error:
        sys.stderr.write(f"no report of trivy --format json: {error}\n")  # silence is not "nothing found"
        return 2
    fixable = [one for one in found if one.get("FixedVersion")]
    said = [f"{len(found)} critical or high, {len(fixable)} with a fix", *map(_line, fixable)]
    sys.stdout.write("\n".join(said) + "\n")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a") as file:
            file.write("### Trivy\n\n" + "\n".join(f"- {line}" for line in said) + "\n")
    return 1 if fixable else 0


def findings(report: dict[str, Any]) -> list[dict[str, str]]:
    """Critical and high ones, once for each package they are in. ValueError: this is no report of Trivy's."""
    if "SchemaVersion" not in report:
        raise ValueError("it has no SchemaVersion")
    every = [one for result in report.get("Results") or [] for one in result.get("Vulnerabilities") or []]
    once = {(one["VulnerabilityID"], one["PkgName"]): one for one in every if one["Severity"] in STOPS}
    return sorted(once.values(), key=lambda one: (STOPS.index(one["Severity"]), one["VulnerabilityID"]))


def _line(one: dict[str, str]) -> str:
    return f"{one['Severity']} {one['VulnerabilityID']} in {one['PkgName']}: fixed in {one['FixedVersion']}"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
