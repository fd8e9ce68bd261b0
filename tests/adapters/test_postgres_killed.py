"""kill -9 of pult in the middle of each verb of a move: the same verb again ends where it would have ended."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from bot.domain.errors import PultError
from bot.domain.failover import Way
from tests.adapters import test_postgres_pair as pairs
from tests.adapters.test_postgres_pair import WAY, SelfRunPostgres, known
from tests.department import until
from tests.postgres_load import loaded
from tests.postgres_pair import Pair, pair
from tests.pult_process import ROOT

__all__ = ["pair"]
pytestmark = [pytest.mark.postgres, pytest.mark.timeout(400)]
database = pairs.database
MOMENTS = (0.0, 0.02, 0.1)
"""Seconds after the verb has begun."""


async def killed(folder: Path, verb: str, way: Way, after: float) -> bool:
    """Whether the verb was cut off."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.postgres_verb", str(folder), verb, way.source, way.target,
        stdout=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert child.stdout is not None
    assert await child.stdout.readline() == b"go\n"
    await asyncio.sleep(after)
    if child.returncode is None:
        child.kill()
    said, _ = await child.communicate()
    return b"done" not in said


async def test_killed_in_each_verb_and_repeated(pair: Pair, database: SelfRunPostgres, tmp_path: Path) -> None:
    described = {node.name: {"dsn": node.dsn, "command": node.command} for node in pair.nodes}
    (tmp_path / "servers.json").write_text(json.dumps(described))
    cut: dict[str, int] = {}

    async def torn(verb: str, way: Way) -> None:
        """Killed at each moment, then done."""
        for moment in MOMENTS:
            cut[verb] = cut.get(verb, 0) + await killed(tmp_path, verb, way, moment)
        await until(f"{verb} is never done", lambda: _done(database, verb, way))

    with loaded(pair) as load:
        await until("no writes", lambda: load.exceeds(pair.nyc2, 100))
        await torn("fence", WAY)
        assert (await database.replication(WAY)).fenced
        await torn("unfence", WAY)
        assert not (await database.replication(WAY)).fenced
        count = len(load.accepted(pair.nyc2))
        await until("the primary takes no writes again", lambda: load.exceeds(pair.nyc2, count + 20))
        await torn("fence", WAY)
        await torn("promote", WAY)
        assert (await database.replication(WAY)).promoted
        await until("the new one takes no writes", lambda: load.exceeds(pair.sfo3, 20))
        await torn("rejoin", WAY.back)
        await until("it does not rejoin", lambda: known(database, WAY.back))
    assert pair.nyc2.is_standby()
    assert max(each.acknowledged for each in load.accepted(pair.nyc2)) < load.accepted(pair.sfo3)[0].asked
    assert load.lost(pair.sfo3, by=pair.nyc2) == []
    assert all(cut.values()), f"no kill came in time: {cut}"


async def _done(database: SelfRunPostgres, verb: str, way: Way) -> bool:
    """As an operation that is resumed would do it, again where the servers are just on their way."""
    try:
        await getattr(database, verb)(way)
    except PultError:
        return False
    return True
