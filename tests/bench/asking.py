"""Asking over ``POST /api/ask``, one at a time, at a pace that no person's own limit stops."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

import httpx

from tests.bench.common import BrokenError
from tests.bench.setups import TOKENS

PAUSE = 0.02
"""Seconds between two: four people in turn stay under twenty a second each."""


def ask(url: str, texts: Sequence[str], times: int) -> list[float]:
    """Seconds each of *times* answers took, each text in turn."""
    found: list[float] = []
    with httpx.Client(timeout=20, headers={"Connection": "keep-alive"}) as client:
        asking = itertools.islice(zip(itertools.cycle(texts), itertools.cycle(TOKENS), strict=False), times)
        for text, token in asking:
            began = time.monotonic()
            answer = client.post(f"{url}/api/ask", json={"text": text}, headers={"Authorization": f"Bearer {token}"})
            found.append(time.monotonic() - began)
            if answer.status_code != 200 or not answer.json()["ok"]:
                raise BrokenError(f"{text!r} was answered {answer.status_code}: {answer.text[:300]}")
            time.sleep(PAUSE)
    return found
