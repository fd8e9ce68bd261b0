"""A real PostgreSQL server for the tests: its own cluster in a temporary folder, on loopback, thrown away after."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from bot.adapters.sql import upgrade
from bot.adapters.sql.schema import metadata
from tests.real import free_port, missing

SETTINGS = "listen_addresses=127.0.0.1 fsync=off full_page_writes=off max_connections=50 shared_buffers=32MB"
"""Without fsync: what is tested is pult, not whether PostgreSQL survives a power cut."""

MIGRATED = "migrated_once"
"""The database that new ones are copied from: migrating each would take longer than most tests do."""


@dataclass
class Server:
    """A cluster that is running, or stopped by a test that must start it again."""

    binaries: Path
    data: Path
    port: int

    def url(self, database: str = "pult") -> str:
        return f"postgresql://pult@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, template: str = "template1") -> str:
        """The URL of a new database of this name: empty, or a copy of *template*, to which nobody is connected."""
        self.sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        self.sql(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def migrated(self, database: str) -> str:
        """The URL of a new, migrated database of this name."""
        return self.create(database, MIGRATED)

    def sql(self, statement: str, database: str = "postgres") -> list[tuple]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def clear(self, database: str) -> None:
        """Empty the store in it."""
        names = ", ".join(table.name for table in metadata.sorted_tables)
        self.sql(f"TRUNCATE {names}", database)

    def create_cluster(self) -> None:
        self.run("initdb", "-D", self.data, "-U", "pult", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    def start(self, settings: str = SETTINGS) -> None:
        options = " ".join(f"-c {setting}" for setting in settings.split())
        options += f" -c port={self.port} -c unix_socket_directories={self.data}"
        self.run("pg_ctl", "-D", self.data, "-w", "-t", "30", "-l", self.data / "log", "-o", options, "start")

    def stop(self) -> None:
        """Break every connection, as a crash would."""
        self.run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")

    def shut(self) -> None:
        """End every connection, and stop in order."""
        self.run("pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")

    def kill(self) -> None:
        """Stop it, if it runs."""
        if (self.data / "postmaster.pid").exists():
            self.stop()

    def run(self, program: str, *arguments: object) -> None:
        command = [str(self.binaries / program), *map(str, arguments)]
        other = owner()
        identity = {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []} if other else {}
        done = subprocess.run(
            command, capture_output=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", timeout=50,
            check=False, **identity,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode()}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    with running() as server:
        yield server


@contextmanager
def running() -> Iterator[Server]:
    """A server with an empty, migrated database ``pult``."""
    found = binaries()
    folder = Path(tempfile.mkdtemp(prefix="pult-postgres-"))
    server = Server(found, folder / "data", free_port())
    if other := owner():
        os.chown(folder, other.pw_uid, other.pw_gid)
    try:
        server.create_cluster()
        server.start()
        try:
            upgrade(server.create(MIGRATED))
            server.migrated("pult")
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres_server: Server) -> str:
    """The migrated database, empty again."""
    postgres_server.clear("pult")
    return postgres_server.url()


def binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    elsewhere = shutil.which("initdb")
    if elsewhere is None:
        missing("no PostgreSQL server here: install Debian's package postgresql")
    return Path(elsewhere).parent


def owner() -> pwd.struct_passwd | None:
    """Whom to run it as: it refuses to run as root."""
    if os.getuid() != 0:
        return None
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]
