"""An idle pult with everything configured: memory, CPU."""

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
    with pult(department_config(folder, sim)) as running:
        time.sleep(REST)
        before, began = running.program.usage(), time.monotonic()
        time.sleep(WATCHED)
        after = running.program.usage()
        share = (after.cpu - before.cpu) / (time.monotonic() - began)
    memory = after.resident
    return [
        Row("memory, idle", f"{memory / 1e6:.0f} MB", f"< {MEMORY_BUDGET / 1e6:.0f} MB", met=memory < MEMORY_BUDGET),
        Row("CPU, idle, of one core", f"{share:.2%}", f"< {CPU_BUDGET:.1%}", met=share < CPU_BUDGET),
    ]
