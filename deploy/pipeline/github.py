"""GitHub's REST API as the pipeline needs it: JSON there and back, over Python's standard library.

GITHUB_API_URL and GITHUB_TOKEN say where and as whom; GitHub's own runners set the first.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

ANSWER = 15.0
"""Seconds for one answer."""


class RefusedError(Exception):
    """GitHub said no; ``status`` is its HTTP status."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"GitHub answers {status}: {said}")
        self.status = status


def call(method: str, path: str, body: dict[str, Any] | None = None, /, **query: object) -> Any:  # noqa: ANN401 - JSON
    """The answer. RefusedError: GitHub said no. OSError: it could not be reached in ANSWER seconds."""
    url = os.environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/") + path
    url += "?" + urllib.parse.urlencode(query) if query else ""
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
        "User-Agent": "pult-pipeline",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - the operator's own address
    try:
        with urllib.request.urlopen(request, timeout=ANSWER) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        raise RefusedError(error.code, error.read().decode(errors="replace")[:300]) from error


def output(**values: str) -> None:
    """Outputs of the step, where it runs in one. ValueError: a value has more than one line."""
    if any("\n" in value for value in values.values()):
        raise ValueError("an output has one line")
    if path := os.environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in values.items())
