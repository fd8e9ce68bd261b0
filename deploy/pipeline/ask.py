#!/usr/bin/env python3
"""Gives pult one command, as the person whose token PULT_TOKEN is: exit 0 when pult did it or planned it.

    PULT_URL=https://pult.dept.example PULT_TOKEN=… ask.py promote api 1.8.0 to production

The id of the operation is the step's output ``op``. What the command is allowed to, pult's own policy says.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request

import github

ANSWER = 30.0
"""Seconds."""


def main(arguments: list[str]) -> int:
    """0 when the answer is yes."""
    body = json.dumps({"text": " ".join(arguments), "locale": "en"}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {os.environ['PULT_TOKEN']}"}
    url = os.environ["PULT_URL"].rstrip("/") + "/api/ask"
    request = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - the operator's own address
    try:
        with urllib.request.urlopen(request, timeout=ANSWER) as answer:  # noqa: S310
            said = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        sys.stderr.write(f"pult answers {error.code}: {error.read().decode(errors='replace')[:300]}\n")
        return 1
    except (OSError, ValueError) as error:
        sys.stderr.write(f"pult does not answer: {error}\n")
        return 1
    github.output(op=said.get("op") or "")
    sys.stdout.write(said["text"] + "\n")
    return 0 if said["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
