"""The table of docs/failover.md names tests, and each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_line_is_shown_by_a_test() -> None:
    text = (ROOT / "docs" / "failover.md").read_text()
    named = NAMED.findall(text)
    assert len(named) >= 30
    missing = [f"{path}::{name}" for path, name in named if f"def {name}(" not in (ROOT / path).read_text()]
    assert missing == []
