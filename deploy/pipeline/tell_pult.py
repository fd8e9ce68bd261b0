#!/usr/bin/env python3
"""Tells pult how far a release is: one signed POST to /webhooks/release, repeated until it is taken.

Python's standard library only, so that any pipeline can run this one file:

    PULT_URL=https://pult.dept.example PULT_RELEASE_SECRET=… tell_pult.py api 1.8.0 scanned \\
        --image registry.example/api --digest sha256:… --commit "$GITHUB_SHA" --trivy trivy.json

Exit 1 when pult refuses it or does not take it within two minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

STATUSES = ("built", "scanned", "tested", "staging", "ready", "failed", "released")
PATIENCE, PAUSE, ANSWER = 120.0, 5.0, 15.0
"""Seconds: until giving up, between two tries, for one answer."""
TOO_MANY = 429
"""What an ingress says that limits requests. pult itself never does."""


def main(arguments: list[str] | None = None) -> int:
    """0 when pult has taken it."""
    given = _arguments(arguments)
    body = json.dumps(_body(given)).encode()
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            sys.stdout.write(_post(body) + "\n")
        except urllib.error.HTTPError as error:
            said = f"{error.code} {error.read().decode(errors='replace')[:300]}"
            if error.code < 500 and error.code != TOO_MANY:
                sys.stderr.write(f"pult refuses: {said}\n")
                return 1
        except OSError as error:
            said = str(error)
        else:
            return 0
        if time.monotonic() + PAUSE > ends:
            sys.stderr.write(f"pult has not taken it: {said}\n")
            return 1
        time.sleep(PAUSE)


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Tell pult how far a release is.")
    parser.add_argument("service")
    parser.add_argument("version")
    parser.add_argument("status", choices=STATUSES)
    for name in ("environment", "image", "digest", "commit", "url", "notes", "tests", "e2e"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--trivy", type=Path, help="a report of trivy --format json")
    parser.add_argument("--junit", type=Path, help="a report of pytest --junit-xml, in place of --tests")
    parser.add_argument("--migrations", action="store_true", help="this version changes data")
    return parser.parse_args(arguments)


def _body(given: argparse.Namespace) -> dict[str, object]:
    plain = ("service", "version", "status", "environment", "image", "digest", "commit", "url", "notes")
    body: dict[str, object] = {name: getattr(given, name) for name in plain if getattr(given, name)}
    evidence: dict[str, object] = {name: getattr(given, name) for name in ("tests", "e2e") if getattr(given, name)}
    if given.junit:
        evidence["tests"] = _counts(given.junit)
    if given.trivy:
        evidence["trivy"] = _slim(json.loads(given.trivy.read_text()))
    if evidence:
        body["evidence"] = evidence
    if given.migrations:
        body["migrations"] = True
    return body


def _slim(report: dict[str, Any]) -> dict[str, Any]:
    """What pult reads of a report: critical and high findings, so that it knows those that run already from new ones.

    A whole report lists every package and may be larger than the 4 MiB that pult takes.
    """
    kept = ("VulnerabilityID", "PkgName", "Severity", "FixedVersion")
    found = [one for result in report.get("Results") or [] for one in result.get("Vulnerabilities") or []]
    found = [one for one in found if one.get("Severity") in ("CRITICAL", "HIGH")]
    slim: dict[str, Any] = {"SchemaVersion": report.get("SchemaVersion", 2)}
    slim["Results"] = [{"Vulnerabilities": [{name: one[name] for name in kept if name in one} for one in found]}]
    if ((report.get("Metadata") or {}).get("OS") or {}).get("EOSL"):
        slim["Metadata"] = {"OS": {"EOSL": True}}
    return slim


def _counts(path: Path) -> dict[str, int]:
    """passed, failed and skipped of a JUnit report: one suite, or several under one root."""
    root = ET.parse(path).getroot()  # noqa: S314 - written by this pipeline's own tests
    suites = [root] if root.tag == "testsuite" else root.findall("testsuite")
    ran, failed, wrong, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors", "skipped")
    )
    bad = failed + wrong
    return {"passed": ran - bad - skipped, "failed": bad, "skipped": skipped}


def _post(body: bytes) -> str:
    """Sign as pult asks: HMAC-SHA256 over "<timestamp>.<body>", anew at each try."""
    stamp = str(int(time.time()))
    secret = os.environ["PULT_RELEASE_SECRET"].encode()
    signature = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json", "X-Pult-Timestamp": stamp, "X-Pult-Signature": f"sha256={signature}",
    }  # fmt: skip
    url = os.environ["PULT_URL"].rstrip("/") + "/webhooks/release"
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - the operator's own address
    with urllib.request.urlopen(request, timeout=ANSWER) as answer:  # noqa: S310
        return str(answer.read().decode())


if __name__ == "__main__":
    raise SystemExit(main())
