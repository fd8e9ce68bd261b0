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


def settle(running: Running, seconds: float = 1.0) -> None:
    """Let what a start set in motion come to rest."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        before = running.program.usage().cpu
        time.sleep(0.25)
        if running.program.usage().cpu - before < 0.01:
            return


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
