"""Start to the first accepted webhook, and to the first answered command, on a store that is there already."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.bench.bodies import Bodies
from tests.bench.common import BrokenError, Row
from tests.bench.programs import Program, program, pult_command
from tests.bench.sender import TOKEN
from tests.bench.setups import START_DEADLINE, TOKENS, department_config, free_port, pult

STARTS = 5
ACCEPTING_BUDGET, READY_BUDGET = 1.0, 2.5
LOOK = 0.005


def measure(folder: Path, sim: str) -> list[Row]:
    """Everything configured. Medians of five starts; the first, which makes the store and bytecode, counts nowhere."""
    folder.mkdir()
    path = department_config(folder, sim)
    with pult(path):
        pass
    starts = [_start(department_config(folder, sim, port), port) for port in (free_port() for _ in range(STARTS))]
    rows = []
    for what, figures, budget in (
        ("start → accepting webhooks", [first for first, _ in starts], ACCEPTING_BUDGET),
        ("start → answering commands, chats connected", [second for _, second in starts], READY_BUDGET),
    ):
        value = statistics.median(figures)
        spread = f"{min(figures):.2f} to {max(figures):.2f}"
        rows.append(
            Row(f"{what} (median of {STARTS}: {spread})", f"{value:.2f} s", f"< {budget} s", met=value < budget)
        )
    return rows


def _start(path: Path, port: int) -> tuple[float, float]:
    """Seconds to the first 200 of a webhook, and to ready: said in the log and proven by an answered command."""
    url, bodies = f"http://127.0.0.1:{port}", Bodies("info", first=int(time.time()) % 900_000)
    with program(pult_command(), "run", "--config", str(path), cwd=path.parent) as running, httpx.Client() as client:
        _, body = bodies.take()
        hook = f"{url}/webhooks/alertmanager"
        accepting = _until(running, lambda _: client.post(hook, content=body, headers=_bearer(TOKEN)))
        asking = f"{url}/api/ask"
        answered = _until(running, lambda token: client.post(asking, json={"text": "whoami"}, headers=_bearer(token)))
        said, _ = running.line('"event": "ready"', START_DEADLINE)
        return accepting - running.began, max(answered, said) - running.began


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _until(running: Program, call: Callable[[str], httpx.Response]) -> float:
    """When *call* first succeeded, on the monotonic clock."""
    for token in itertools.cycle(TOKENS):
        if time.monotonic() - running.began > START_DEADLINE:
            break
        try:
            if call(token).status_code == 200:
                return time.monotonic()
        except httpx.TransportError:
            pass
        time.sleep(LOOK)
    raise BrokenError(f"pult did not start: {running.said()}")
