#!/usr/bin/env python3
"""Waits until an address says what it should: exit 0 then, 1 when it has not in time.

serves.py https://staging.dept.example/version --says '"{version}"' --version 1.8.0 --patience 600
"""

from __future__ import annotations

import argparse
import sys
import time
import urllib.request

ANSWER, PAUSE, MOST = 5.0, 5.0, 1 << 20
"""Seconds for one answer and between two; bytes of an answer that are read."""


def main(arguments: list[str] | None = None) -> int:
    """0 when it says so."""
    parser = argparse.ArgumentParser(description="Wait until an address says what it should.")
    parser.add_argument("url")
    parser.add_argument("--says", required=True, help="{version} in it stands for the version")
    parser.add_argument("--version", default="")
    parser.add_argument("--patience", type=float, default=0.0, help="seconds; 0: look once")
    given = parser.parse_args(arguments)
    wanted = given.says.replace("{version}", given.version)
    ends = time.monotonic() + given.patience
    while (why := _why_not(given.url, wanted)) and time.monotonic() < ends:
        time.sleep(min(PAUSE, given.patience))
    sys.stdout.write(f"{given.url}: {why or 'says ' + wanted}\n")
    return 1 if why else 0


def _why_not(url: str, wanted: str) -> str:
    """Why it does not say *wanted*; empty: it does."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER) as answer:  # noqa: S310 - the caller's own address
            return "" if wanted in answer.read(MOST).decode(errors="replace") else f"does not say {wanted}"
    except (OSError, ValueError) as error:  # an HTTP error is one of these
        return str(error)


if __name__ == "__main__":
    raise SystemExit(main())
