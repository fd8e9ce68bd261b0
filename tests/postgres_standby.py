"""A real pair of PostgreSQL servers: a primary and its synchronous streaming standby, which may be promoted."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.adapters.sql import upgrade
from tests.postgres import SETTINGS, Server, binaries, owner
from tests.real import free_port

REPLICATES = f"{SETTINGS} wal_level=replica hot_standby=on max_wal_senders=4"
SYNCHRONOUS = f"{REPLICATES} synchronous_standby_names=* synchronous_commit=on"
"""What the primary answers is on the standby's disk, too: nothing that was answered is lost with it."""


@dataclass
class Pair:
    """*primary* until it burns; then *standby* is promoted."""

    primary: Server
    standby: Server

    @property
    def url(self) -> str:
        ports = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        return f"postgresql://pult@{ports}/pult?target_session_attrs=read-write"

    def burn(self) -> None:
        """The primary is gone, in the middle of whatever it did."""
        self.primary.stop()

    def promote(self) -> None:
        self.standby.run("pg_ctl", "-D", self.standby.data, "-w", "-t", "30", "promote")


@pytest.fixture
def standby_pair() -> Iterator[Pair]:
    """Both running, the standby in step, with an empty, migrated database ``pult``."""
    folder = Path(tempfile.mkdtemp(prefix="pult-pair-"))
    if found := owner():
        os.chown(folder, found.pw_uid, found.pw_gid)
    primary = Server(binaries(), folder / "primary", free_port())
    standby = Server(binaries(), folder / "standby", free_port())
    try:
        primary.create_cluster()
        primary.start(REPLICATES)
        primary.run(
            "pg_basebackup", "-h", "127.0.0.1", "-p", primary.port, "-U", "pult", "-D", standby.data, "-R",
            "-X", "stream", "-c", "fast",
        )  # fmt: skip
        standby.start(REPLICATES)
        primary.shut()
        primary.start(SYNCHRONOUS)
        upgrade(primary.create("pult"))
        yield Pair(primary, standby)
    finally:
        for each in (primary, standby):
            each.kill()
        shutil.rmtree(folder)
