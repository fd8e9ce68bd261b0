"""``pult check`` of what a failover moves: all of it is looked at, what would fail is named, and nothing is changed."""

from __future__ import annotations

from tests.department import Department
from tests.pult_process import Pult


async def test_a_department_that_is_ready_for_a_failover(pult: Pult, department: Department) -> None:
    """The record's minute is a second: the simulated world is that much faster."""
    _, said, _ = await pult.run("check")
    lines = [line for line in said.splitlines() if "  failover." in line and "witnesses" not in line]
    assert lines == [
        "ok    failover.database: db-nyc2 and its replica db-sfo3 trust the same sources; a move needs the scope "
        "database:update, the way back database:create",
        "ok    failover.traffic: the record points at nyc2, for 1 s at a time; a move needs the scope domain:update",
        "ok    failover.connections sfo3: api-database DATABASE_URL holds db-nyc2.db.dept.example:25060 and can be "
        "switched",
        "ok    failover.connections nyc2: api-database DATABASE_URL holds private-db-nyc2.db.dept.example:25060 and "
        "can be switched",
    ]
    assert "simulated-db-password" not in said
    assert {method for method, _ in department.cloud.calls} == {"GET"}
    for region in ("nyc2", "sfo3"):
        assert {call.verb for call in department.cluster(region).calls if call.resource == "secrets"} == {"get"}


async def test_what_would_fail_at_night_is_named(pult: Pult, department: Department) -> None:
    [standby] = department.cloud.databases["db-nyc2"].replicas
    standby.rules = standby.rules[1:]
    department.cluster("sfo3").deny("patch", "secrets")
    _, said, _ = await pult.run("check")
    fails = [line for line in said.splitlines() if line.startswith("fail")]
    assert fails == [
        "fail  failover.database: db-sfo3 does not trust k8s k8s-nyc2, as the other server of the pair does. → see "
        "[failover.database], and its servers' trusted sources in DigitalOcean",
        "fail  failover.connections sfo3: api-database DATABASE_URL can't be switched: may not patch the Secret "
        "api-database in production → see [[failover.connections]], deploy/failover",
    ]


async def test_rooms_and_what_a_live_drill_moves_are_looked_at_too(pult: Pult) -> None:
    """Another balancer than a global one, a pool that may not grow so far, and one that is not there."""
    failover = pult.settings["failover"]
    staging = {
        "from": "nyc2", "to": "sfo3", "environment": "staging", "database": failover["database"],
        "traffic": {"balancer": "lb-nyc2", "addresses": {"nyc2": "lb-nyc2", "sfo3": "lb-sfo3"}},
    }  # fmt: skip
    rooms = [
        {"service": "api", "pool": "pool-a", "nodes": 4}, {"service": "web", "pool": "pool-a", "nodes": 40},
        {"service": "bots", "pool": "gold"},
    ]  # fmt: skip
    pult.configure(failover=failover | {"capacity": rooms, "drill": {"staging": staging}})
    _, said, _ = await pult.run("check")
    lines = [
        line.partition(" → ")[0] for line in said.splitlines() if "failover.capacity" in line or "staging." in line
    ]
    assert lines == [
        "ok    failover.capacity api: pool-a in sfo3 has 3 machines ready, and may have 20; scope kubernetes:update",
        "ok    failover.capacity api: pool-a in nyc2 has 3 machines ready, and may have 20; scope kubernetes:update",
        "fail  failover.capacity web: pool-a in sfo3 may have 20 machines at most, and a move needs 40.",
        "fail  failover.capacity web: pool-a in nyc2 may have 20 machines at most, and a move needs 40.",
        "fail  failover.capacity bots: sfo3 has no node pool gold.",
        "fail  failover.capacity bots: nyc2 has no node pool gold.",
        "ok    failover.drill.staging.database: db-nyc2 and its replica db-sfo3 trust the same sources; a move needs "
        "the scope database:update, the way back database:create",
        "fail  failover.drill.staging.traffic: lb-nyc2 is no global load balancer.",
    ]
