"""What is measured against what: pult's configuration, and a pult or a department running."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bot.cli.sample import sample
from tests.bench.common import BrokenError
from tests.bench.programs import Program, program, pult_command

BASE = """
[server]
port = {port}
[store]
url = "sqlite:///{folder}/pult.db"
[webhooks.alertmanager]
token = "sim-alertmanager-token"
"""
PEOPLE = (
    ("anna", "U0ANNA", 1001, "sre"), ("boris", "U0BORIS", 1002, "sre"),
    ("chen", "U0CHEN", 1003, "lead"), ("vera", "U0VERA", 1004, "viewer"),
)  # fmt: skip
TOKENS = tuple(f"token-{name}" for name, *_ in PEOPLE)
QUIET_ROUTE = '[[routes]]\nmatch = { severity = "info" }\nto = ["console:ops"]\n'
CHATS = """
[slack]
bot_token = "xoxb-sim"
app_token = "xapp-sim"
api_url = "{sim}/slack/api/"
[telegram]
bot_token = "424242:SIM"
api_url = "{sim}/telegram"
[[routes]]
match = {{ severity = "critical" }}
to = ["slack:C0INC", "telegram:-1001000000001", "console:ops"]
page = true
[[routes]]
match = {{ severity = "info" }}
to = ["console:ops"]
[[routes]]
to = ["slack:C0OPS", "console:ops"]
"""
"""The demo's chats and routes; news of severity ``info`` stay on the console."""
START_DEADLINE = 30.0
SETTLE_DEADLINE, SETTLE_LOOK, CALM_SHARE = 15.0, 0.3, 0.07
"""Seconds, seconds, and the part of a core under which a pult counts as at rest."""


@dataclass(frozen=True)
class Running:
    """A pult: its process, its address, and when it first said that it accepts and that it is ready (monotonic)."""

    program: Program
    url: str
    accepting: float
    ready: float


def config(folder: Path, more: str, port: int = 0) -> Path:
    """``pult.toml`` in *folder*: people, the Alertmanager webhook, and *more*."""
    people = "".join(
        f'[[people]]\nname = "{name}"\nslack = "{slack}"\ntelegram = {telegram}\ntoken = "token-{name}"\n'
        f'roles = ["{role}"]\n'
        for name, slack, telegram, role in PEOPLE
    )
    path = folder / "pult.toml"
    path.write_text(BASE.format(port=port, folder=folder) + people + more)
    return path


def department_config(folder: Path, sim: str, port: int = 0) -> Path:
    """``pult.toml`` in *folder* as ``pult simulate`` prints it, everything configured; ``info`` is for the console."""
    kubeconfig = folder.parent / f"{folder.name}-department" / "simulated-kubeconfig.yaml"
    text = sample(sim, port=port, store=f"sqlite:///{folder}/pult.db", kubeconfig=str(kubeconfig))
    path = folder / "pult.toml"
    path.write_text(text.replace("[[routes]]", f"{QUIET_ROUTE}[[routes]]", 1))
    return path


@contextmanager
def pult(path: Path) -> Iterator[Running]:
    """``pult run`` with the configuration at *path*, from ready on."""
    with program(pult_command(), "run", "--config", str(path), cwd=path.parent) as running:
        accepting, line = running.line('"event": "accepting"', START_DEADLINE)
        ready, _ = running.line('"event": "ready"', START_DEADLINE)
        url = line.partition('"url": "')[2].partition('"')[0]
        yield Running(running, url, accepting, ready)


@contextmanager
def department(folder: Path) -> Iterator[str]:
    """``pult simulate``: the address of a strict department. One for the whole bench is enough."""
    folder.mkdir()
    with program(pult_command(), "simulate", "--port", "0", cwd=folder) as running:
        _, line = running.line("The department runs at ", START_DEADLINE)
        yield line.partition(" runs at ")[2].partition(". ")[0]


def drive(sim: str, platform: str, what: str, **body: object) -> httpx.Response:
    """Act in the simulated chat: ``POST /slack/_drive/rates`` and the like. BrokenError: it would not."""
    answer = httpx.post(f"{sim}/{platform}/_drive/{what}", json=body, timeout=30)
    if answer.status_code != 200:
        raise BrokenError(f"the simulator refused {what}: {answer.text}")
    return answer


def settle(*running: Running) -> None:
    """Let what a start or a burst set in motion come to rest: cards of a burst are delivered long after its answers."""
    until = time.monotonic() + SETTLE_DEADLINE
    calm = 0
    while calm < 2 and time.monotonic() < until:
        before = sum(each.program.usage().cpu for each in running)
        time.sleep(SETTLE_LOOK)
        spent = sum(each.program.usage().cpu for each in running) - before
        calm = calm + 1 if spent <= CALM_SHARE * SETTLE_LOOK else 0


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
