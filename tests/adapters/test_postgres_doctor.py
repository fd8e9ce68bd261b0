"""What ``pult check`` says of a self-run server: each right that is missing, with the SQL that grants it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.clock import SystemClock
from bot.adapters.postgres_ha.database import SelfRunPostgres
from bot.adapters.postgres_ha.link import Server
from bot.adapters.sql import open_store
from bot.domain.errors import NotReadyError, UserError
from tests.postgres_pair import Node, Pair, started_pair

pytestmark = pytest.mark.postgres
REVOKED = {
    "REVOKE EXECUTE ON FUNCTION pg_promote(boolean, integer) FROM pult": "GRANT EXECUTE ON FUNCTION pg_promote",
    "REVOKE pg_monitor FROM pult": "GRANT pg_monitor TO pult",
    "REVOKE pg_signal_backend FROM pult": "GRANT pg_signal_backend TO pult",
    "ALTER DATABASE pult OWNER TO postgres": "GRANT CREATE ON DATABASE pult TO pult",
    "REVOKE app FROM pult": "it can't close app (GRANT app TO pult)",
    "ALTER DATABASE postgres OWNER TO postgres": "it can't close postgres (ALTER DATABASE postgres OWNER TO pult)",
}


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with started_pair(wal_log_hints="off") as pair:
        yield pair


async def said(node: Node, tmp_path: Path, dsn: str = "") -> str:
    async with open_store(f"sqlite:///{tmp_path}/pult.db") as store:
        database = SelfRunPostgres([Server(node.name, dsn or node.dsn)], {}, store, SystemClock())
        return await database.check(node.name)


async def test_what_the_guide_grants_is_enough_and_nothing_is_changed(pair: Pair, tmp_path: Path) -> None:
    """Checksums stand in for wal_log_hints here."""
    assert (await said(pair.nyc2, tmp_path)).startswith("a primary; it can be promoted, fenced (2 databases)")
    assert (await said(pair.sfo3, tmp_path)).startswith("a standby;")
    assert (await said(pair.sfo3, tmp_path)).endswith(
        "nothing is configured that could stop it where it does not answer"
    )
    assert pair.nyc2.sql("SELECT to_regnamespace('pult')") == [(None,)]


@pytest.mark.parametrize("revoked", REVOKED)
async def test_each_right_that_is_missing_is_said_with_its_sql(pair: Pair, tmp_path: Path, revoked: str) -> None:
    back = pair.nyc2.sql("SELECT pg_catalog.pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'pult'")
    assert back == [("pult",)]
    pair.nyc2.sql(revoked)
    try:
        with pytest.raises(UserError) as raised:
            await said(pair.nyc2, tmp_path)
    finally:
        for statement in (
            "GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO pult",
            "GRANT pg_monitor, pg_signal_backend, app TO pult",
            "ALTER DATABASE pult OWNER TO pult", "ALTER DATABASE postgres OWNER TO pult",
        ):  # fmt: skip
            pair.nyc2.sql(statement)
    assert REVOKED[revoked] in str(raised.value)
    assert "; " not in str(raised.value), "and nothing else"


async def test_a_connection_string_to_several_hosts_is_refused(pair: Pair, tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="must name one host"):
        await said(pair.nyc2, tmp_path, "postgresql://pult@127.0.0.1,127.0.0.2/pult")


async def test_a_server_that_can_not_be_rewound_is_said(tmp_path: Path) -> None:
    with started_pair(full_page_writes="off") as pair, pytest.raises(UserError, match="set full_page_writes = on"):
        await said(pair.nyc2, tmp_path)
