"""A real primary and its real streaming standby, both started by deploy/postgres/base/start.sh."""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.postgres_ha.database import SelfRunPostgres
from bot.adapters.postgres_ha.link import Server
from bot.adapters.postgres_ha.program import Program
from bot.adapters.sql import SqlStore
from tests import postgres_hand
from tests.postgres import binaries, owner
from tests.real import free_port

ROOT = Path(__file__).parents[1]
PATIENCE = 60.0
NEEDED = 2 * 1024**3
"""Bytes: several times what a pair takes."""
OPTIONS = (
    "listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=on", "max_connections=60", "shared_buffers=16MB",
    "wal_log_hints=on", "wal_level=replica", "max_wal_senders=6", "max_replication_slots=6", "wal_keep_size=64MB",
    "wal_retrieve_retry_interval=200ms", "max_slot_wal_keep_size=256MB", "superuser_reserved_connections=5",
)  # fmt: skip


@dataclass
class Node:
    """One server. ``folder`` is what postgres_hand is given."""

    name: str
    folder: Path
    port: int

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def dsn(self) -> str:
        """pult's."""
        return f"postgresql://pult@127.0.0.1:{self.port}/pult"

    @property
    def command(self) -> tuple[str, ...]:
        return (sys.executable, str(Path(postgres_hand.__file__)), str(self.folder))

    def url(self, user: str = "app", database: str = "app") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}?connect_timeout=3"

    def start(self) -> None:
        """By a process that ends at once, so that nobody's child it is."""
        subprocess.run([*self.command, "start"], check=True, cwd=ROOT)

    def kill(self) -> None:
        postgres_hand.kill(self.folder)

    def stop(self) -> None:
        """Cleanly: the postmaster ends its children."""
        pid = int((self.folder / postgres_hand.PID).read_text())
        os.kill(pid, signal.SIGINT)
        until(f"{self.name} does not stop", lambda: not postgres_hand.running(self.folder))

    def sql(self, statement: str, user: str = "postgres", database: str = "pult") -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url(user, database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def is_standby(self) -> bool | None:
        """None: it does not answer."""
        try:
            return bool(self.sql("SELECT pg_is_in_recovery()")[0][0])
        except psycopg.OperationalError:
            return None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@dataclass
class Pair:
    """``nyc2`` begins as the primary."""

    nyc2: Node
    sfo3: Node

    @property
    def nodes(self) -> tuple[Node, Node]:
        return self.nyc2, self.sfo3

    def streams(self, primary: Node | None = None) -> bool:
        """Whether *primary* has a standby that listens to it."""
        try:
            rows = (primary or self.nyc2).sql(
                "SELECT state FROM pg_stat_replication WHERE application_name IN ('nyc2', 'sfo3')"
            )
        except psycopg.OperationalError:
            return False
        return any(state == "streaming" for (state,) in rows)

    def cut_off(self) -> None:
        """The standby hears no more, until somebody lets it in again."""
        self.nyc2.sql("ALTER ROLE replicator NOLOGIN")
        self.nyc2.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication")


def until(what: str, look: Any, patience: float = PATIENCE) -> Any:
    ends = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < ends, what
        time.sleep(0.05)
    return found


@contextmanager
def started_pair(**options: str) -> Iterator[Pair]:
    """A pair that streams. *options*: settings of both servers in place of OPTIONS'."""
    with _folder() as base:
        pair = _described(base, options)
        for node in pair.nodes:
            shutil.copytree(_made() / node.name / "data", node.data)
            _owned(node.folder)
        pair.nyc2.start()
        pair.sfo3.start()
        until("the standby does not stream", pair.streams)
        yield pair


@pytest.fixture
def pair() -> Iterator[Pair]:
    with started_pair() as found:
        yield found


@asynccontextmanager
async def beating(pair: Pair, store: SqlStore, *, programs: bool = True) -> AsyncIterator[SelfRunPostgres]:
    """The Database over *pair*, as pult runs it; without *programs* nothing can stop a server's machine."""
    servers = [Server(node.name, node.dsn) for node in pair.nodes]
    machines = {node.name: [Program(node.name, node.command)] for node in pair.nodes} if programs else {}
    database = SelfRunPostgres(servers, machines, store, SystemClock())
    beats = asyncio.create_task(database.run())
    try:
        yield database
    finally:
        beats.cancel()
        await asyncio.wait({beats})


@contextmanager
def unborn_pair(**options: str) -> Iterator[Pair]:
    """One without any data, of which nothing runs."""
    with _folder() as base:
        yield _described(base, options)


def born(pair: Pair) -> None:
    """The first data, and a copy of it: by start.sh, as when a department begins."""
    bootstrapping(pair.nyc2, "nyc2")
    pair.nyc2.start()
    until("the primary does not start", lambda: pair.nyc2.is_standby() is False)
    bootstrapping(pair.nyc2, "")
    pair.nyc2.sql("CREATE TABLE rows (writer text, n bigint, at timestamptz DEFAULT clock_timestamp(), "
                  "PRIMARY KEY (writer, n))", "app", "app")  # fmt: skip
    pair.sfo3.start()
    until("the standby does not stream", pair.streams)


def bootstrapping(node: Node, name: str) -> None:
    """What start.sh is told of who may create the first data."""
    path = node.folder / "node.json"
    described = json.loads(path.read_text())
    described["environ"]["PG_BOOTSTRAP"] = name
    path.write_text(json.dumps(described))


@cache
def _made() -> Path:
    """Data of a pair that was stopped cleanly, to be copied: made once."""
    base = _room("pult-pair-made-")
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    with unborn_pair() as pair:
        born(pair)
        pair.nyc2.stop()
        pair.sfo3.stop()
        for node in pair.nodes:
            shutil.copytree(node.data, base / node.name / "data")
    return base


def _room(prefix: str) -> Path:
    """A new folder, in memory where there is enough of it: copies are synced, which a busy disk takes long for."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > NEEDED
    return Path(tempfile.mkdtemp(prefix=prefix, dir=memory if roomy else None))


@contextmanager
def _folder() -> Iterator[Path]:
    base = _room("pult-pair-")
    base.chmod(0o755)
    try:
        yield base
    finally:
        postgres_hand.kill(base)
        shutil.rmtree(base)


def _described(base: Path, options: dict[str, str]) -> Pair:
    nodes = [Node(name, base / name, free_port()) for name in ("nyc2", "sfo3")]
    settings = dict(option.split("=", 1) for option in OPTIONS) | options
    for node, peer in zip(nodes, reversed(nodes), strict=True):
        _write(node, peer, binaries(), settings)
        _owned(node.folder)
    return Pair(*nodes)


def _owned(folder: Path) -> None:
    if account := owner():
        for path in (folder, *folder.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)


def _write(node: Node, peer: Node, binaries: Path, settings: dict[str, str]) -> None:
    node.folder.mkdir()
    for name in ("start.sh", "seed.sql"):
        shutil.copy(ROOT / "deploy" / "postgres" / "base" / name, node.folder / name)
    own = {"port": str(node.port), "unix_socket_directories": ""}
    environ = {
        "PATH": f"{binaries}:/usr/bin:/bin", "PGDATA": str(node.data), "PG_NAME": node.name, "PG_PAUSE": "0.2",
        "PG_PEER": f"host=127.0.0.1 port={peer.port} user=replicator",
        "PG_BOOTSTRAP_SQL": str(node.folder / "seed.sql"), "PG_PASSFILE": "",
    }  # fmt: skip
    arguments = [word for name, value in (settings | own).items() for word in ("-c", f"{name}={value}")]
    account = owner()
    user, group = (account.pw_uid, account.pw_gid) if account else (0, 0)
    described = {"environ": environ, "arguments": arguments, "user": user, "group": group}
    (node.folder / "node.json").write_text(json.dumps(described))
