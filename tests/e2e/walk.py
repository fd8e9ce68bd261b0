"""docs/getting-started.md, typed by somebody who has a simulated department in place of accounts."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tomllib
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT, SIGKILL

import aiohttp

from bot.cli.simulate import write_kubeconfig
from tests.department import PATIENCE, Department, until
from tests.deploy.built import tool
from tests.docs_blocks import Block
from tests.real import alertmanager, free_port

ROOT = Path(__file__).parents[2]
GIVEN = {
    "xoxb-…": "xoxb-sim",
    "xapp-…": "xapp-sim",
    "123456789:…": "424242:SIM",
    "github_pat_…": "ghs_sim",
    "dop_v1_…": "dop_v1_sim",
}
"""What the simulated department hands out where the page leaves a secret open."""
ELSEWHERE = {
    "slack": ("PULT_SLACK__API_URL", "{sim}/slack/api/"),
    "telegram": ("PULT_TELEGRAM__API_URL", "{sim}/telegram"),
    "prometheus": ("PULT_PROMETHEUS__URL", "{sim}/prometheus"),
    "alertmanager": ("PULT_ALERTMANAGER__URLS", '["{alertmanager}"]'),
    "loki": ("PULT_LOKI__URL", "{sim}/loki"),
    "github": ("PULT_GITHUB__API_URL", "{sim}/github"),
    "digitalocean": ("PULT_DIGITALOCEAN__API_URL", "{sim}/digitalocean"),
}
"""Where each section's service is here: the overrides that config/pult.example.toml describes."""
PULT = """#!/bin/sh
# pult as it would be installed; the demo, and the terminal's command, on the port that is free here.
case "$1" in
    ask) set -- "$@" --url http://127.0.0.1:{port} ;;
    demo) set -- "$@" --port {port} ;;
esac
PYTHONPATH={root} exec {python} -m bot "$@"
"""
MAKE = """#!/bin/sh
# The real one, in the reader's checkout. Its .venv is what the test itself runs in: everything is installed already.
exec {make} --directory={root} --old-file=.venv/.installed BIN={bin} "$@"
"""
ACTIVATE = "export PATH={bin}:$PATH\n"
"""What .venv/bin/activate is for: without it there is no pult."""
STAYS = {"pult run": '"event": "ready"', "make demo": "http://127.0.0.1:"}
"""Commands that go on until Ctrl-C, each with what it says when it is there."""


@dataclass
class Walk:
    """One reader in one folder. Ports of the page are replaced by free ones."""

    department: Department
    folder: Path
    programs: ExitStack
    port: int = field(default_factory=free_port)
    said: str = ""
    """What the last block printed."""
    alertmanager: str = ""
    running: asyncio.subprocess.Process | None = None
    log: Path = field(init=False)
    """What runs last says there."""

    def __post_init__(self) -> None:
        self.toml, self.state, self.log = (self.folder / name for name in ("pult.toml", "state.sh", "pult.log"))
        self.state.touch()
        self.toml.touch()
        installed = self.folder / ".venv" / "bin"
        places = {"port": self.port, "root": ROOT, "python": sys.executable, "bin": installed, "make": tool("make")}
        for path, text in (
            (installed / "pult", PULT),
            (installed / "activate", ACTIVATE),
            (self.folder / "programs" / "make", MAKE),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(**places))
            path.chmod(0o755)
        write_kubeconfig(self.department.url, self.folder).rename(self.folder / "kubeconfig.yaml")

    async def types(self, block: Block) -> None:
        """Do what *block* says. AssertionError, with what was said, when that fails."""
        text = self._here(block.text)
        match block.language:
            case "toml":
                self.toml.write_text(f"{self.toml.read_text()}\n{text}")
            case "yaml":
                program = self.programs.enter_context(alertmanager(self.folder, text.replace("10s", "100ms")))
                self.alertmanager = program.url
            case "sh":
                for part in re.split(rf"^({'|'.join(STAYS)})\n", text, flags=re.MULTILINE):
                    await (self._runs(part) if part in STAYS else self._shell(part, block))
            case other:
                raise AssertionError(f"{block}: nobody knows what a reader does with {other or 'a block of nothing'}")

    def secret(self, name: str) -> str:
        """An exported variable's value."""
        found = re.search(rf'^declare -x {name}="(.*)"$', self.state.read_text(), re.MULTILINE)
        assert found, name
        return found[1]

    async def _shell(self, text: str, block: Block) -> None:
        if not text.strip():
            return
        script = f"source {self.state}\n{text}\nexport -p | grep -v ' PULT_.*__' > {self.state}"
        process = await asyncio.create_subprocess_exec(
            "bash", "-euc", script, cwd=self.folder, env=self._environ(),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            out, _ = await process.communicate()
        self.said = out.decode()
        assert process.returncode == 0, f"{block}: {text}\n{self.said}"

    async def _runs(self, command: str) -> None:
        """One of STAYS, after Ctrl-C where another one still runs; back once it is ready and answers a browser."""
        await self.stop()
        with self.log.open("ab") as log:
            begun = log.tell()
            self.running = await asyncio.create_subprocess_exec(
                "bash", "-euc", f"source {self.state}\nexec {command}",
                cwd=self.folder, env=self._environ(), stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

        async def ready() -> bool:
            said = self.log.read_bytes()[begun:].decode()
            assert self.running is not None
            assert self.running.returncode is None, said[-3000:]
            return STAYS[command] in said

        await until(f"{command} is not ready", ready)
        assert await self._page() == 200

    async def stop(self) -> None:
        """Ctrl-C, which the terminal sends to all that runs in it; nothing of it answers afterwards."""
        if self.running is None:
            return
        if self.running.returncode is None:
            os.killpg(self.running.pid, SIGINT)
        async with asyncio.timeout(PATIENCE):
            status = await self.running.wait()
        assert status in {0, -SIGINT}, "make ends by the signal, pult by itself"
        assert await self._page() == 0
        self.running = None

    async def _page(self) -> int:
        """The status of the console's page; 0: nobody is there."""
        try:
            async with self.department.session.get(f"http://127.0.0.1:{self.port}/") as answer:
                return answer.status
        except aiohttp.ClientConnectorError:
            return 0

    def _here(self, text: str) -> str:
        for left_open, value in GIVEN.items():
            text = text.replace(left_open, value)
        text = text.replace("http://127.0.0.1:9093", self.alertmanager or "http://127.0.0.1:9093")
        return text.replace("8080", str(self.port))

    def _environ(self) -> dict[str, str]:
        places = {"sim": self.department.url, "alertmanager": self.alertmanager}
        sections = tomllib.loads(self.toml.read_text())
        told = {name: where.format(**places) for key, (name, where) in ELSEWHERE.items() if key in sections}
        told["PATH"] = f"{self.folder / 'programs'}:{os.environ['PATH']}"
        return {"HOME": str(self.folder), "LANG": "C.UTF-8"} | told


@asynccontextmanager
async def walk(department: Department, folder: Path) -> AsyncIterator[Walk]:
    """Ends what was started; the log of pult is shown when the test fails."""
    with ExitStack() as programs:
        found = Walk(department, folder, programs)
        try:
            yield found
        finally:
            if found.running is not None and found.running.returncode is None:
                os.killpg(found.running.pid, SIGKILL)
                await found.running.wait()
            said = found.log.read_text() if found.log.exists() else ""
            print("\n".join(line[:300] for line in said.splitlines()[-40:]))


def asked(said: str) -> str:
    """The operation that an answer names."""
    found = re.search(r"\bop-\w+", said)
    assert found, said
    return found[0]
