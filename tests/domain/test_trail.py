"""The exported trail is JSON, whatever an operation went through."""

from __future__ import annotations

import json
from dataclasses import replace

from bot.domain.operations import Stall
from bot.domain.phrases import phrase
from bot.domain.trail import Trail, exported
from tests.domain.builders import NOON, operation


def test_a_pause_is_told_with_its_reason_and_times() -> None:
    paused = replace(operation(), stalls=(Stall("verify", phrase("It burns."), NOON, NOON),))
    [told] = json.loads(json.dumps(exported(Trail("api", "1.8.0", operations=(paused,)))))["operations"]
    when = NOON.isoformat()
    assert told["stalls"] == [{"step": "verify", "why": "It burns.", "since": when, "until": when, "began": None}]
