"""A real primary and its real streaming standby, both started by deploy/postgres/start.sh; and a load on them."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

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
        shutil.copy(ROOT / "deploy" / "postgres" / name, node.folder / name)
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


@dataclass
class Attempt:
    """One write that was accepted: asked and acknowledged, in seconds of the monotonic clock."""

    writer: str
    n: int
    asked: float
    acknowledged: float


@dataclass
class Writer:
    """Writes numbered rows to one server for as long as it is let, and comes again when it is thrown out."""

    node: Node
    name: str
    user: str = "app"
    accepted: list[Attempt] = field(default_factory=list)
    pause: float = 0.002

    def run(self, stop: threading.Event) -> None:
        n = 0
        while not stop.is_set():
            try:
                with psycopg.connect(self.node.url(self.user), autocommit=True) as connection:
                    connection.execute("SET default_transaction_read_only = off")
                    while not stop.is_set():
                        n += 1
                        asked = time.monotonic()
                        connection.execute("INSERT INTO rows (writer, n) VALUES (%s, %s)", (self.name, n))
                        self.accepted.append(Attempt(self.name, n, asked, time.monotonic()))
                        time.sleep(self.pause)
            except psycopg.Error:
                time.sleep(0.01)


@dataclass
class Load:
    """Writers on both servers all the time."""

    pair: Pair
    writers: list[Writer]

    def accepted(self, node: Node) -> list[Attempt]:
        return sorted((a for w in self.writers if w.node is node for a in w.accepted), key=lambda a: a.acknowledged)

    def kept(self, node: Node, by: Node) -> set[tuple[str, int]]:
        """Rows that the writers on *by* were told are written, as *node* has them."""
        names = {w.name for w in self.writers if w.node is by}
        return {(w, n) for w, n in node.sql("SELECT writer, n FROM rows", database="app") if w in names}

    def lost(self, node: Node, by: Node) -> list[Attempt]:
        """Accepted by *by*, and not there on *node*."""
        kept = self.kept(node, by)
        return [each for each in self.accepted(by) if (each.writer, each.n) not in kept]


@contextmanager
def loaded(pair: Pair, users: tuple[str, ...] = ("app", "app", "app")) -> Iterator[Load]:
    """A writer for each of *users* on each server."""
    made = [
        Writer(node, f"{node.name}-{number}", user)
        for node in (pair.nyc2, pair.sfo3) for number, user in enumerate(users)
    ]  # fmt: skip
    stop = threading.Event()
    threads = [threading.Thread(target=each.run, args=(stop,), daemon=True) for each in made]
    for thread in threads:
        thread.start()
    try:
        yield Load(pair, made)
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
