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
from signal import SIGTERM

from bot.cli.simulate import write_kubeconfig
from tests.department import PATIENCE, Department, until
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
SHIM = """#!/bin/sh
# pult as it would be installed; the terminal's command finds it on the port that is free here.
[ "$1" = ask ] && set -- "$@" --url http://127.0.0.1:{port}
PYTHONPATH={root} exec {python} -m bot "$@"
"""


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

    def __post_init__(self) -> None:
        self.toml, self.state = self.folder / "pult.toml", self.folder / "state.sh"
        self.state.touch()
        self.toml.touch()
        shim = self.folder / "bin" / "pult"
        shim.parent.mkdir()
        shim.write_text(SHIM.format(port=self.port, root=ROOT, python=sys.executable))
        shim.chmod(0o755)
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
            case "sh" if "make " not in text:
                for line in re.split(r"^(pult run)\n", text, flags=re.MULTILINE):
                    await (self._runs() if line == "pult run" else self._shell(line, block))

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

    async def _runs(self) -> None:
        """``pult run``, after Ctrl-C where it runs already; back once it is ready."""
        await self.stop()
        path = self.folder / "pult.log"
        with path.open("ab") as log:
            begun = log.tell()
            self.running = await asyncio.create_subprocess_exec(
                "bash", "-euc", f"source {self.state}\nexec pult run",
                cwd=self.folder, env=self._environ(), stdout=log, stderr=log,
            )  # fmt: skip

        async def ready() -> bool:
            said = path.read_bytes()[begun:]
            assert self.running is not None
            assert self.running.returncode is None, said.decode()[-3000:]
            return b'"event": "ready"' in said

        await until("pult is not ready", ready)

    async def stop(self) -> None:
        if self.running is None:
            return
        if self.running.returncode is None:
            self.running.send_signal(SIGTERM)
        async with asyncio.timeout(PATIENCE):
            assert await self.running.wait() == 0

    def _here(self, text: str) -> str:
        for left_open, value in GIVEN.items():
            text = text.replace(left_open, value)
        text = text.replace("http://127.0.0.1:9093", self.alertmanager or "http://127.0.0.1:9093")
        return text.replace("8080", str(self.port))

    def _environ(self) -> dict[str, str]:
        places = {"sim": self.department.url, "alertmanager": self.alertmanager}
        sections = tomllib.loads(self.toml.read_text())
        told = {name: where.format(**places) for key, (name, where) in ELSEWHERE.items() if key in sections}
        told["PATH"] = f"{self.folder / 'bin'}:{os.environ['PATH']}"
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
                found.running.kill()
                await found.running.wait()
            log = folder / "pult.log"
            print("\n".join(line[:300] for line in (log.read_text() if log.exists() else "").splitlines()[-40:]))


def asked(said: str) -> str:
    """The operation that an answer names."""
    found = re.search(r"\bop-\w+", said)
    assert found, said
    return found[0]
