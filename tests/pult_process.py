"""pult as a process of its own, beside a simulated department: started, killed, stopped, asked, looked at."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import re
import signal
import sqlite3
import sys
import time
import tomllib
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from bot.cli import audit
from bot.cli.sample import sample
from bot.cli.simulate import write_kubeconfig
from tests import pult_fork
from tests.department import LOOK_EVERY, PATIENCE, Department, Json, until
from tests.real import free_port

ROOT = Path(__file__).parents[1]
ALERT_TOKEN, RELEASE_SECRET, GITHUB_SECRET = "sim-alertmanager-token", "sim-release-secret", "sim-github-secret"


@dataclass(frozen=True)
class Answer:
    """What an HTTP request got."""

    status: int
    body: Json
    headers: Mapping[str, str]


@dataclass
class Pult:
    """One pult on one port with one store; what a test changes of its configuration it gives to ``configure``."""

    department: Department
    folder: Path
    store: str
    port: int = field(default_factory=free_port)
    environ: dict[str, str] = field(default_factory=dict)
    wrap: tuple[str, ...] = ()
    """A program and its arguments that starts pult, for limits."""
    arguments: tuple[str, ...] = ()
    """More of them for ``pult run``."""
    fresh: bool = False
    """Start in a new interpreter, not as a fork of one that has everything imported."""
    source: Path = ROOT
    """Where its code is: that of another version starts in a new interpreter."""
    process: asyncio.subprocess.Process | pult_fork.Forked | None = None

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        self.log, self.config = self.folder / "pult.log", self.folder / "pult.toml"
        kubeconfig = write_kubeconfig(self.department.url, self.folder)
        text = sample(self.department.url, port=self.port, store=self.store, kubeconfig=str(kubeconfig))
        self.settings: Json = tomllib.loads(text)
        for platform in ("slack", "telegram"):
            self.settings[platform]["posts_per_second"] = 20.0
        self.settings["telegram"]["posts_per_minute"] = 1800
        self.configure()

    def configure(self, **changes: Any) -> None:
        """Write the configuration; ``section__key=value`` sets one, ``section={…}`` a whole section, None removes."""
        for name, value in changes.items():
            *above, last = name.split("__")
            place = self.settings
            for part in above:
                place = place.setdefault(part, {})
            if value is None:
                place.pop(last)
            else:
                place[last] = value
        self.config.write_text("\n".join(f"{key} = {toml(value)}" for key, value in self.settings.items()))

    async def start(self, *, ready: bool = True) -> None:
        """Return once it is ready (or, without, accepting). AssertionError, with its log, when it does not come up."""
        self.log.touch()
        begun = self.log.stat().st_size
        arguments = ("run", "--config", str(self.config), *self.arguments)
        if self.fresh or self.wrap or self.source != ROOT:
            self.process = await self._executed(arguments)
        else:
            self.process = pult_fork.start(arguments, self.log, self.environ)
        mark = b'"event": "ready"' if ready else b'"event": "accepting"'
        ends = time.monotonic() + PATIENCE
        while mark not in (said := self.log.read_bytes()[begun:]):
            alive = self.process.returncode is None and time.monotonic() < ends
            assert alive, f"pult did not start ({self.process.returncode}): {said.decode()[-3000:]}"
            await asyncio.sleep(0.02)

    async def _executed(self, arguments: Sequence[str]) -> asyncio.subprocess.Process:
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *self.wrap, sys.executable, "-m", "bot", *arguments,
                stderr=log, stdout=log, cwd=self.source, env=os.environ | self.environ,
            )  # fmt: skip

    async def kill(self) -> None:
        """SIGKILL, and wait."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM, and the exit status."""
        return await self._end(signal.SIGTERM)

    async def restart(self) -> None:
        """kill -9, and start again."""
        await self.kill()
        await self.start()

    async def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(how)
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()

    # --- what comes in ---

    async def post(self, path: str, body: bytes | AsyncIterable[bytes], headers: Mapping[str, str]) -> Answer:
        """POST to this pult; ClientError when it is not there."""
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        data = BytesIO(body) if isinstance(body, bytes) else body
        async with self.department.session.post(self.url + path, data=data, headers=headers, timeout=timeout) as found:
            text = await found.text()
            kind = found.headers.get("Content-Type", "")
            return Answer(found.status, json.loads(text) if "json" in kind else {"text": text}, dict(found.headers))

    async def alert(self, body: Json | bytes, token: str = ALERT_TOKEN) -> Answer:
        """As Alertmanager posts."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.post("/webhooks/alertmanager", raw, {"Authorization": f"Bearer {token}"})

    async def release(self, body: Json, *, at: float | None = None, secret: str = RELEASE_SECRET) -> Answer:
        """As a pipeline posts."""
        raw = json.dumps(body).encode()
        return await self.post("/webhooks/release", raw, stamped(raw, at, secret))

    async def github(self, event: str, body: Json, delivery: str = "d-1", secret: str = GITHUB_SECRET) -> Answer:
        """As GitHub posts."""
        raw = json.dumps(body).encode()
        signature = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": signature}
        return await self.post("/webhooks/github", raw, headers | {"Content-Type": "application/json"})

    async def insist(self, send: Callable[[], Awaitable[Answer]]) -> Answer:
        """As every sender does: again until it is answered 200."""

        async def once() -> Answer | None:
            try:
                answer = await send()
            except (aiohttp.ClientError, TimeoutError):
                return None
            assert answer.status in {200, 503}, answer
            return answer if answer.status == 200 else None

        return await until("the webhook was never accepted", once)

    # --- what people ask and read ---

    async def ask(self, person: str, text: str, **body: object) -> Json:
        """*person* types *text* into the console: ``{"ok", "text", "op"}``."""
        raw = json.dumps({"text": text, **body}).encode()
        answer = await self.post("/api/ask", raw, bearer(f"token-{person}") | {"Content-Type": "application/json"})
        assert answer.status == 200, answer
        return answer.body

    async def proposed(self, person: str, text: str) -> str:
        """The id of the operation that *person* proposes with *text*."""
        asked = await self.ask(person, text)
        assert asked["ok"], asked["text"]
        assert asked["op"], asked
        return str(asked["op"])

    async def state(self, ident: str) -> str:
        """The state of an operation, in the card's words."""
        answer = await self.ask("anna", f"op {ident}", locale="en")
        assert answer["ok"], answer["text"]
        return answer["text"].splitlines()[0].rpartition(": ")[2].strip()

    async def becomes(self, ident: str, state: str, patience: float = PATIENCE) -> str:
        """Wait until the operation is in *state*; its card. AssertionError, with the card: it ended in another one."""
        final = {"succeeded", "failed", "expired", "rejected", "undone", "cancelled"}
        ends = time.monotonic() + patience
        while (now := await self.state(ident)) != state:
            assert now not in final, await self._card(ident)
            assert time.monotonic() < ends, await self._card(ident)
            await asyncio.sleep(LOOK_EVERY)
        return await self._card(ident)

    async def _card(self, ident: str) -> str:
        return str((await self.ask("anna", f"op {ident}", locale="en"))["text"])

    async def metric(self, name: str, **labels: str) -> float:
        """One sample's value, 0 where there is none."""
        async with self.department.session.get(f"{self.url}/metrics") as answer:
            text = await answer.text()
        for line in text.splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
                return float(found[3])
        return 0.0

    # --- what is left behind ---

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """``pult <arguments>`` with this configuration: status, stdout, stderr."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *arguments, "--config", str(self.config),
            cwd=self.source, env=os.environ | self.environ,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def audited(self) -> list[Json]:
        """Every entry of the chain, which holds."""
        await asyncio.to_thread(audit.head, self.store, "")
        return [json.loads(line) for line in await asyncio.to_thread(lambda: [*audit.lines(self.store)])]

    def log_text(self) -> str:
        """Everything it has logged."""
        return self.log.read_text(errors="replace")

    def logged(self) -> list[Json]:
        """Every line of the log that is JSON."""
        return [json.loads(line) for line in self.log_text().splitlines() if line.startswith("{")]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What *query* finds in the store, from outside of pult."""
        if self.store.startswith("postgresql"):
            with psycopg.connect(self.store) as remote:
                return remote.execute(query.encode()).fetchall()
        with closing(sqlite3.connect(self.store.removeprefix("sqlite:///"), timeout=10)) as local:
            return local.execute(query).fetchall()

    async def settles(self) -> None:
        """Wait until all that was posted is recorded: a kill before that may cost Telegram a duplicate (promise 2)."""

        query = (
            "SELECT subject, destination, wanted, shown, attempts, error FROM cards WHERE wanted > shown AND dead = 0"
        )
        try:
            await until("something stays due", lambda: self._nothing(query))
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.rows(query)[:20]}") from None

    async def _nothing(self, query: str) -> bool:
        return not self.rows(query)

    def count(self, table: str) -> int:
        """How many rows *table* has."""
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def stamped(raw: bytes, at: float | None = None, secret: str = RELEASE_SECRET) -> dict[str, str]:
    """The headers of ruling 6."""
    stamp = str(int(time.time() if at is None else at))
    signature = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    return {"X-Pult-Timestamp": stamp, "X-Pult-Signature": f"sha256={signature}"}


def toml(value: Any) -> str:
    """*value* as TOML on one line."""
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(toml, value)) + "]"
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)
