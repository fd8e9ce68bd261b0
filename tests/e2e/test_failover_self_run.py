"""A failover of a real PostgreSQL pair by a real pult: under load, after the death of its primary, and home again."""

from __future__ import annotations

import time

import pytest

from tests.department import OPS, Department, until
from tests.postgres_load import EVERYBODY, loaded
from tests.postgres_pair import Node, Pair, pair
from tests.probed import Probe, probe
from tests.pult_fixtures import Make
from tests.pult_process import Pult

__all__ = ["pair", "probe"]
pytestmark = [pytest.mark.postgres, pytest.mark.timeout(400)]
THERE, HOME = "failover nyc2 to sfo3", "failover sfo3 to nyc2"


@pytest.fixture
def fresh() -> bool:
    """A fork is an interpreter of its own, too, and here only the way matters."""
    return False


async def started(make: Make, probe: Probe, pair: Pair, **changes: object) -> Pult:
    """Its database is the pair; each server is stopped by a program."""
    servers = [{"region": node.name, "dsn": node.dsn, "command": list(node.command)} for node in pair.nodes]
    database = {"provider": "postgres", "servers": servers}
    pult = make(failover__database=database, failover__connections=[], failover__probes=[probe.url], **changes)
    await pult.start()
    await until("no lag is known", lambda: _lag_known(pult))
    return pult


async def test_two_people_on_two_platforms_move_it_after_its_primary_died_and_home_again(
    make: Make, department: Department, probe: Probe, pair: Pair
) -> None:
    pult = await started(make, probe, pair)
    with loaded(pair, EVERYBODY) as load:
        await until("no writes", lambda: load.exceeds(pair.nyc2, 300))
        died = time.monotonic()
        pair.nyc2.kill()
        ident = await pult.proposed("anna", THERE)
        await department.slack("slash", user="U0CHEN", channel=OPS, text=f"approve {ident}")
        await until("it is not fenced", lambda: _fenced(pair.nyc2))
        await pult.restart()
        card = await pult.becomes(ident, "succeeded")
        await until("the new one is not written to", lambda: load.exceeds(pair.sfo3, 200))
        served = load.accepted(pair.sfo3)[0]
        assert load.accepted(pair.nyc2)[-1].acknowledged < served.asked, "both were written to"
        last = load.accepted(pair.nyc2)[-1].acknowledged
        lost = load.lost(pair.sfo3, by=pair.nyc2)
        assert all(each.acknowledged >= last - 10 for each in lost)
        print(f"from the kill to the first write: {served.acknowledged - died:.1f} s; lost: {len(lost)}\n{card}")
        home = await pult.proposed("anna", HOME)
        assert (await pult.ask("chen", f"approve {home}"))["ok"]
        count = len(load.accepted(pair.nyc2))
        await pult.becomes(home, "succeeded")
        await until("the first one is not written to", lambda: load.exceeds(pair.nyc2, count + 100))
        assert pair.sfo3.is_standby(), "the other follows again"
    assert load.lost(pair.nyc2, by=pair.sfo3) == []
    assert "rewinding" in pair.nyc2.log
    assert "hunter2" not in pult.log.read_text()
    assert pair.nyc2.dsn not in pult.log.read_text() + card


async def test_the_doctor_looks_at_both_servers(make: Make, department: Department, probe: Probe, pair: Pair) -> None:
    pult = await started(make, probe, pair)
    pair.nyc2.sql("REVOKE EXECUTE ON FUNCTION pg_promote(boolean, integer) FROM pult")
    await until("the standby has not heard of it", lambda: _revoked(pair.sfo3))
    _, said, _ = await pult.run("check")
    lines = [line for line in said.splitlines() if "failover.database" in line]
    assert [line.split(":")[0] for line in lines] == ["fail  failover.database nyc2", "fail  failover.database sfo3"]
    assert all("GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO pult" in line for line in lines)
    pair.nyc2.sql("GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO pult")
    await until("the standby has not heard of it", lambda: _revoked(pair.sfo3, back=True))
    _, said, _ = await pult.run("check")
    lines = [line for line in said.splitlines() if "failover.database" in line]
    assert [line[:4] for line in lines] == ["ok  ", "ok  "]
    assert all("what would stop it sees it run" in line for line in lines)


async def _lag_known(pult: Pult) -> bool:
    return "allowed" in (await pult.ask("anna", "failover status", locale="en"))["text"]


async def _fenced(node: Node) -> bool:
    return (node.folder / "fenced").exists()


async def _revoked(node: Node, *, back: bool = False) -> bool:
    [(may,)] = node.sql("SELECT has_function_privilege('pult', 'pg_promote(boolean, integer)', 'execute')")
    return bool(may) is back
