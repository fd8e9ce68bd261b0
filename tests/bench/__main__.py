"""``make bench``: every budget of the design, measured in one run, beside bare floors. Exit 1 if one can't be measured.

``python -m tests.bench intake storm`` measures only those.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

from tests.bench import commands, history, idle, intake, posting, seeing, starting, storm, watching
from tests.bench.common import BrokenError, Row, table
from tests.bench.setups import department, drive

Measure = Callable[[Path], list[Row]]


def _beside(measure: Callable[[Path, str], list[Row]], rates: float = 0.0) -> Measure:
    """*measure* with a department of its own, whose chats' rates are on (1) or off (0)."""

    def run(folder: Path) -> list[Row]:
        with department(folder.with_name(f"{folder.name}-department")) as sim:
            for platform in ("slack", "telegram"):
                drive(sim, platform, "rates", scale=rates)
            return measure(folder, sim)

    return run


MEASUREMENTS: Mapping[str, Measure] = {
    "starting": _beside(starting.measure),
    "idle": _beside(idle.measure),
    "intake": _beside(intake.measure),
    "posting": posting.measure,
    "commands": _beside(commands.measure),
    "history": history.measure,
    "storm": storm.measure,
    "watching": watching.measure,
    "seeing": seeing.measure,
}


def main() -> int:
    """0 also where a budget is not met: a bench is no test."""
    wanted = sys.argv[1:] or list(MEASUREMENTS)
    if {"-h", "--help"} & set(wanted):
        print(f"{(__doc__ or '').strip()}\n\nMeasurements: {', '.join(MEASUREMENTS)}")
        return 0
    if unknown := [name for name in wanted if name not in MEASUREMENTS]:
        print(f"no such measurement: {', '.join(unknown)}; there are {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 2
    began, load = time.monotonic(), os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="pult-bench-") as name:
        rows, broken = _measured(Path(name), wanted)
    took = time.monotonic() - began
    table(
        rows,
        f"pult on {os.cpu_count()} cores shared with the sender and the chats; load before: {load:.1f}; {took:.0f} s",
    )
    return 1 if broken else 0


def _measured(folder: Path, wanted: list[str]) -> tuple[list[Row], bool]:
    rows: list[Row] = []
    broken = False
    for name in wanted:
        began = time.monotonic()
        try:
            rows += MEASUREMENTS[name](folder / name)
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        except (BrokenError, httpx.HTTPError, OSError, LookupError, ValueError) as error:
            print(f"{name}: broken: {type(error).__name__}: {error}", file=sys.stderr)
            rows.append(Row(name, "broken"))
            broken = True
    return rows, broken


if __name__ == "__main__":
    sys.exit(main())
