"""What builds of this revision ask of a store: ``make recording`` writes it to tests/adapters/recorded.

Every statement in each dialect, run once through with values and with what it found; and the shapes of the documents.
The record of a revision stays as it is when the next one comes. A migration that says it serves those builds is held to
it: what they ask is asked again of its schema, and what is written now must be what they can read.
"""

from __future__ import annotations

import base64
import dataclasses
import importlib
import json
import pkgutil
import sys
import tempfile
import typing
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import bot.domain
from bot.adapters.sql.opening import database_at
from bot.adapters.sql.schema import REVISION
from bot.adapters.sql.statements import Connection, Prepared, Row
from bot.adapters.sql.transaction import SqlTx
from bot.domain import codec
from tests.contracts.scenes import FEW, played
from tests.migrated import sqlite_store
from tests.postgres import running

FOLDER = Path(__file__).parent / "adapters" / "recorded"
READ_ONLY: frozenset[str] = frozenset()
"""What this build can read and does not write yet, so that the next may: ``Message.blocks Plot``, ``State waiting``."""
MADE = "made"
Json = dict[str, Any]


class Tape:
    """A connection that keeps what is asked, and what was found."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self.steps = connection, list[Json]()
        self.rowcount, self._rows = 0, list[Row]()

    def execute(self, sql: str, values: Row) -> Tape:
        found, count = ask(self._connection, sql, values)
        self.steps.append({"sql": sql, "values": [_plain(each) for each in values], "found": found or count})
        self.rowcount, self._rows = count, [tuple(row) for row in found]
        return self

    def fetchall(self) -> list[Row]:
        return self._rows

    def close(self) -> None:
        raise AssertionError("a transaction does not close its connection")


def ask(connection: Connection, sql: str, values: Row) -> tuple[list[list[Any]], int]:
    """The rows that *sql* finds, and how many it changes."""
    cursor: Any = connection.execute(sql, values)
    rows = cursor.fetchall() if cursor.description else []
    return [[int(each) if isinstance(each, Decimal) else each for each in row] for row in rows], cursor.rowcount


def again(connection: Connection, step: Json) -> list[list[Any]] | int:
    """What the recorded *step* finds now."""
    values = tuple(base64.b64decode(each["bytes"]) if isinstance(each, dict) else each for each in step["values"])
    found, count = ask(connection, step["sql"], values)
    return found or count


def _plain(value: object) -> object:
    return {"bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def statements(url: str) -> Iterator[tuple[str, Prepared]]:
    """Every one by its name; of those that run one after the other, each."""
    for owner, made in vars(database_at(url).statements).items():
        for name, each in vars(made).items():
            if isinstance(each, Prepared):
                yield f"{owner}.{name}", each
            else:
                yield from ((f"{owner}.{name}[{at}]", one) for at, one in enumerate(each(FEW)))


def record(url: str) -> list[Json]:
    """What comes of it in the empty store at *url*."""
    database = database_at(url)
    with closing(database.connect()) as connection:
        tape = Tape(connection)
        played(SqlTx(tape, database.statements))
    return tape.steps


# --- what documents are made of ---


def vocabulary() -> Json:
    """Of each stored type its fields: what they may hold, and what they do where left out. Of enums the values."""
    for module in pkgutil.walk_packages(bot.domain.__path__, "bot.domain."):
        importlib.import_module(module.name)
    found = {name: cls for name, cls in codec._types.items() if cls.__module__.startswith("bot.")}
    return {name: _shape(found[name]) for name in sorted(found)}


def _shape(cls: type[Any]) -> Json:
    if issubclass(cls, Enum):
        return {"values": sorted(str(each.value) for each in cls)}
    holds = typing.get_type_hints(cls)
    return {
        "fields": {each.name: [sorted(_names(holds[each.name])), _default(each)] for each in dataclasses.fields(cls)}
    }


def _names(hint: Any) -> set[str]:
    inner = [each for each in typing.get_args(hint) if each is not ...]
    return {str(getattr(typing.get_origin(hint) or hint, "__name__", hint))}.union(*map(_names, inner))


def _default(field: dataclasses.Field[Any]) -> str | None:
    """What it holds where it is left out. None: it can't be. What has a factory never is, and may be missing."""
    if field.default_factory is not dataclasses.MISSING:
        return MADE
    return None if field.default is dataclasses.MISSING else json.dumps(codec.encode(field.default))


def unreadable(old: Json, new: Json, read_only: frozenset[str] = READ_ONLY) -> list[str]:
    """What builds that know *old* can't read of what one that knows *new* may write. What they skip is no trouble."""
    return sorted({each for name in {*old} & {*new} for each in _strange(name, old[name], new[name])} - read_only)


def _strange(name: str, old: Json, new: Json) -> Iterator[str]:
    if "values" in old:
        yield from (f"{name} {value}" for value in {*new["values"]} - {*old["values"]})
        return
    for field, (holds, default) in old["fields"].items():
        if field not in new["fields"]:
            yield from [f"{name}.{field} is gone"] if default is None else []
            continue
        now, left_out = new["fields"][field]
        yield from (f"{name}.{field} {each}" for each in {*now} - {*holds})
        if left_out not in (None, MADE, default):
            yield f"{name}.{field} is left out where it is {left_out}"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running() as server:
        kept = {
            "sqlite": record(sqlite_store(Path(folder))),
            "postgresql": record(server.url()),
            "documents": vocabulary(),
        }
    lines = [f'"{name}": [\n{_lines(kept[name])}\n]' for name in ("sqlite", "postgresql")]
    lines.append('"documents": ' + json.dumps(kept["documents"], ensure_ascii=False, indent=0))
    (FOLDER / f"{REVISION}.json").write_text("{" + ",\n".join(lines) + "}\n")
    sys.stdout.write(f"{REVISION} is recorded\n")


def _lines(steps: list[Json]) -> str:
    return ",\n".join(json.dumps(step, ensure_ascii=False) for step in steps)


if __name__ == "__main__":
    main()
