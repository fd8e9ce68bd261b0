"""An idle pult with everything configured: memory, CPU. Its first start makes the store, which the next one finds."""

from __future__ import annotations

import time
from pathlib import Path

from tests.bench.common import Row
from tests.bench.setups import department_config, pult

REST, WATCHED = 3.0, 10.0
MEMORY_BUDGET, CPU_BUDGET = 150e6, 0.005


def measure(folder: Path, sim: str) -> list[Row]:
    """After three seconds of rest."""
    folder.mkdir()
    config = department_config(folder, sim)
    first, _ = _rested(config)
    memory, share = _rested(config)
    return [
        _memory("memory, idle", memory),
        _memory("…after the start that made the store", first),
        Row("CPU, idle, of one core", f"{share:.2%}", f"< {CPU_BUDGET:.1%}", met=share < CPU_BUDGET),
    ]


def _memory(what: str, resident: int) -> Row:
    return Row(what, f"{resident / 1e6:.0f} MB", f"< {MEMORY_BUDGET / 1e6:.0f} MB", met=resident < MEMORY_BUDGET)


def _rested(config: Path) -> tuple[int, float]:
    """Resident bytes, and the share of one core that it takes."""
    with pult(config) as running:
        time.sleep(REST)
        before, began = running.program.usage(), time.monotonic()
        time.sleep(WATCHED)
        after = running.program.usage()
        return after.resident, (after.cpu - before.cpu) / (time.monotonic() - began)
