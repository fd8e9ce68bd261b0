"""The journal that operations resume from: DBOS's own tables, beside the store.

On SQLite it is a file of its own (``pult.db`` → ``pult.flows.db``), so that the two writers never wait for each other;
on PostgreSQL a schema of the same database.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from dbos import DBOS, DBOSConfig
from dbos._serialization import Serializer

VERSION = "1"
"""DBOS resumes work of its own version only; it stays constant, new behaviour gets a new workflow name."""
THREADS = 16
BUSY_MS = 30_000


class _Json(Serializer):
    """Step results as plain JSON: readable in the database, no pickle."""

    def serialize(self, data: Any) -> str:  # noqa: ANN401 - DBOS's signature
        return json.dumps(data, ensure_ascii=False, default=_error)

    def deserialize(self, serialized_data: str) -> Any:  # noqa: ANN401 - DBOS's signature
        return json.loads(serialized_data)

    def name(self) -> str:
        return "pult_json"


@dataclass(frozen=True)
class Place:
    """Where the journal lies: beside the SQLite store at *url*, or in the PostgreSQL that *engine* makes connections to
    (to whichever of its hosts takes writes)."""

    url: str
    engine: Callable[[], sqlalchemy.Engine] | None = None


_opened: list[sqlalchemy.Engine] = []
"""Ours to dispose of: DBOS does so with its own only."""


def open_dbos(place: Place, boot: str) -> None:
    """Configure DBOS; it is launched separately, once its workflows are registered. *boot* names this process: what is
    pending under another name is not resumed by the launch."""
    config: DBOSConfig = {
        "name": "pult",
        "application_version": VERSION,
        "executor_id": boot,
        "serializer": _Json(),
        "max_executor_threads": THREADS,
        "log_level": "ERROR",
        "enable_otlp": False,
    }
    if place.engine is None:
        address = flows_url(place.url)
        config["system_database_url"] = address
        _opened.append(_sqlite(address))
    else:
        config["system_database_url"] = "postgresql://journal/pult"  # read by nobody: the engine knows its hosts
        config["dbos_system_schema"] = "pult_flows"
        _opened.append(place.engine())
    config["system_database_engine"] = _opened[-1]
    DBOS(config=config)


async def pending(name: str) -> Mapping[str, str]:
    """Workflows called *name* that are under way, each with the process that runs it."""
    found = await DBOS.list_workflows_async(status="PENDING", name=name, load_input=False, load_output=False)
    return {each.workflow_id: each.executor_id or "" for each in found}


def recover(boots: Iterable[str]) -> None:
    """Have what these dead processes ran resumed: each workflow is queued, if it is still theirs, and one process alive
    takes it from there. One that only seemed dead is stopped by DBOS at its next step. Blocks."""
    DBOS._recover_pending_workflows(list(boots))  # noqa: SLF001 - the public way resumes whoever runs it


def close_dbos() -> None:
    """Let go of the journal. DBOS made its own pool the loop's default; the loop goes on and gets another."""
    DBOS.destroy(destroy_registry=True)
    while _opened:
        _opened.pop().dispose()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(thread_name_prefix="default"))


def flows_url(url: str) -> str:
    """``sqlite:///pult.db`` → ``sqlite:///pult.flows.db``."""
    stem = url.removesuffix(".db")
    return f"{stem}.flows.db"


def _sqlite(url: str) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(url)

    @sqlalchemy.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_MS}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        # DBOS reads the time through strftime, which has whole seconds only before SQLite 3.42.
        connection.create_function("strftime", 2, _milliseconds)

    return engine


def _milliseconds(_format: str, _when: str) -> float:
    return time.time()  # noqa: TID251 - stands for the database's own clock


def _error(value: object) -> object:
    if isinstance(value, BaseException):
        return {"error": type(value).__name__, "text": str(value)}
    raise TypeError(f"a step returned a {type(value).__name__}")
