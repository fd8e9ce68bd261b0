"""``drill --live staging`` with real parts: two real PostgreSQL pairs under writes, of which one moves there and back.

Staging is its pair, its DNS record, and its api in both regions, whose address of the database stands in a Secret.
Production is a real pair, too, beside it: not touched.
"""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.simulator.digitalocean.catalogue import ADDRESSES, DOMAIN, RECORD, STAGING_RECORD
from bot.simulator.kubernetes import objects
from bot.simulator.kubernetes.kinds import AUTOSCALER, CONFIGMAP, DEPLOYMENT, SECRET
from tests.department import Department, always, until
from tests.e2e.test_failover import fresh
from tests.postgres_load import Load, loaded
from tests.postgres_pair import Node, Pair, started_pair
from tests.probed import Probe, probe
from tests.pult_fixtures import Make
from tests.pult_process import Pult

__all__ = ["fresh", "probe"]
pytestmark = [pytest.mark.postgres, pytest.mark.timeout(400)]
LIVE = "drill --live staging"
POLICY = {"roles": ["sre", "lead"], "approvals": 1, "four_eyes": True}
WRITES = {"create", "update", "patch", "delete", "deletecollection"}
REVIEWS = {"selfsubjectaccessreviews", "selfsubjectrulesreviews"}
SILENT = "SELECT name FROM marks WHERE name LIKE 'silent database%'"
NAME, KEY = objects.DATABASE_SECRET, objects.DATABASE_KEY


@dataclass
class Places:
    """Both environments' servers."""

    staging: Pair
    production: Pair


@pytest.fixture
def places() -> Iterator[Places]:
    with started_pair() as staging, started_pair() as production:
        yield Places(staging, production)


def database(pair: Pair) -> dict[str, Any]:
    servers = [{"region": node.name, "dsn": node.dsn, "command": list(node.command)} for node in pair.nodes]
    return {"provider": "postgres", "servers": servers}


def move(pair: Pair, record: int, namespace: str, probe: Probe) -> dict[str, Any]:
    connections = [{"region": name, "namespace": namespace, "secret": NAME, "key": KEY} for name in ("sfo3", "nyc2")]
    return {
        "from": "nyc2", "to": "sfo3", "database": database(pair), "connections": connections, "probes": [probe.url],
        "traffic": {"domain": DOMAIN, "record": record, "addresses": ADDRESSES},
    }  # fmt: skip


def staged(department: Department, pair: Pair) -> None:
    """Staging's api in both regions, fewer of it in sfo3; each reads where nyc2's server is."""
    for region, count in (("nyc2", 2), ("sfo3", 1)):
        cluster, made = department.cluster(region), objects.deployment("staging", "api", count)
        source = {"secretKeyRef": {"name": NAME, "key": KEY}}
        made["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": KEY, "valueFrom": source}]
        url = f"postgresql://api:simulated-db-password@127.0.0.1:{pair.nyc2.port}/app"
        data = {KEY: base64.b64encode(url.encode()).decode()}
        secret = {"metadata": {"name": NAME, "namespace": "staging"}, "type": "Opaque", "data": data}
        cluster.store.create(SECRET, secret, cluster.now())
        if cluster.store.find(DEPLOYMENT, "staging", "api") is None:
            cluster.store.create(DEPLOYMENT, made, cluster.now())
        else:
            cluster.store.put(DEPLOYMENT, department.deployment("api", "staging", region) | {"spec": made["spec"]})


async def started(make: Make, department: Department, probe: Probe, places: Places) -> Pult:
    staged(department, places.staging)
    pult = make()
    api = next(each for each in pult.settings["services"] if each["name"] == "api")
    api["environments"].insert(1, {"name": "staging-sfo3", "cluster": "sfo3", "namespace": "staging"})
    kept = {key: pult.settings["failover"][key] for key in ("witnesses",)}
    staging = move(places.staging, STAGING_RECORD, "staging", probe)
    production = move(places.production, RECORD, "production", probe)
    pult.configure(policy={"drill": POLICY}, failover=kept | production | {"drill": {"staging": staging}})
    await pult.start()
    await until("production's lag is not known", lambda: _lag_known(pult))
    return pult


def production(department: Department) -> list[Any]:
    """What was asked for of production's objects, in both clusters: specs, data, generations."""
    return [
        (each["metadata"]["name"], each["metadata"].get("generation"), each.get("spec"), each.get("data"))
        for region in ("nyc2", "sfo3") for kind in (DEPLOYMENT, SECRET, CONFIGMAP, AUTOSCALER)
        for each in department.cluster(region).store.all(kind, "production")
    ]  # fmt: skip


def changes(department: Department, region: str) -> list[tuple[str, str, str, str]]:
    """What pult has changed in that cluster, in this order."""
    return [
        (call.namespace, call.verb, call.resource, call.name) for call in department.cluster(region).calls
        if call.verb in WRITES and call.resource not in REVIEWS
    ]  # fmt: skip


@asynccontextmanager
async def production_stays(department: Department, pair: Pair) -> AsyncIterator[None]:
    """Its traffic at every look; its objects, timeline and roles at the end."""
    before, timeline = production(department), _timeline(pair.nyc2)
    started_at = [node.sql("SELECT pg_postmaster_start_time()") for node in pair.nodes]

    def look() -> None:
        assert department.cloud.traffic() == "nyc2"
        assert department.cloud.writable() == {"db-nyc2"}

    async with always(look, 0.002):
        yield
    assert production(department) == before
    assert {space for region in ("nyc2", "sfo3") for space, *_ in changes(department, region)} == {"staging"}
    assert (pair.nyc2.is_standby(), pair.sfo3.is_standby(), _timeline(pair.nyc2)) == (False, True, timeline)
    assert [node.sql("SELECT pg_postmaster_start_time()") for node in pair.nodes] == started_at
    assert pair.streams()


@pytest.mark.parametrize(
    ("users", "heard_out"),
    [(("app", "app", "app"), True), (("app", "app", "postgres"), False)],
    ids=["fenced by itself", "fenced by its program"],
)
async def test_staging_moves_there_and_back_and_production_stays(
    make: Make, department: Department, probe: Probe, places: Places, users: tuple[str, ...], *, heard_out: bool
) -> None:
    """A superuser's session takes no end from pult, so that its program fences the server by stopping it."""
    pult, pair = await started(make, department, probe, places), places.staging
    with loaded(pair, users) as load, loaded(places.production, ("app",)) as beside:
        async with production_stays(department, places.production):
            await until("no writes", lambda: _more(load, pair.nyc2, 300))
            ident = await pult.proposed("anna", LIVE)
            for person in ("anna", "vera"):
                await pult.ask(person, f"approve {ident}")
            assert await pult.state(ident) == "waiting for approval", "its policy asks for somebody else, of a role"
            await department.slack("slash", user="U0CHEN", channel="C0OPS", text=f"approve {ident}")
            await until("nothing is promoted", lambda: _promoted(pair.sfo3))
            await pult.restart()
            card = await pult.becomes(ident, "succeeded", 200)
            count = len(load.accepted(pair.nyc2))
            await until("it is not written to at home", lambda: _more(load, pair.nyc2, count + 200))
        assert pair.sfo3.is_standby(), "the other follows again"
        assert pair.streams()
        gap = _longest_gap(beside, places.production.nyc2)
    figures = never_both(load, pair)
    lost = [load.lost(pair.nyc2, by=node) for node in pair.nodes]
    await until("the standby lacks something", lambda: _alike(pair))
    assert {name for (name,) in pult.rows(SILENT)} <= {f"silent database staging {node.name}" for node in pair.nodes}
    assert beside.lost(places.production.nyc2, by=places.production.nyc2) == []
    assert beside.accepted(places.production.sfo3) == []
    moved(department)
    held = {name: department.cluster(name).store.get(SECRET, "staging", NAME)["data"][KEY] for name in ("nyc2", "sfo3")}
    assert all(f":{node.port}/" in base64.b64decode(held[node.name]).decode() for node in pair.nodes), "each its own"
    page = await reported(pult, ident, card)
    print(f"{card}\n{page}\n{figures}\nlost: {[len(each) for each in lost]}")
    print(f"production's longest time between two writes: {gap:.2f} s")
    assert lost == [[], []]
    if heard_out:
        assert "Nothing was lost." in page
        assert "the way back: RPO 0.0 s" in card
        assert card.count("the standby has everything") == 1
    else:
        assert "Nothing was lost." not in page, "a server that was stopped can't be asked"
        assert "the old primary does not answer: what it took last, up to" in card


async def reported(pult: Pult, ident: str, card: str) -> str:
    """The page, which names the times of both ways; and neither it nor anything else tells a secret."""
    report = (await pult.ask("vera", f"drill report {ident}", locale="en"))["text"]
    assert "Live drill nyc2 → sfo3 and back: succeeded" in report
    _, page, _ = await pult.run("report", ident, "--locale", "en")
    for text in (report, page):
        assert re.search(r"RTO.*\d", text)
        assert re.search(r"The way back.*\d", text)
    for way in ("There", "Back"):
        assert re.search(rf"{way}: Promote the database in \w+ \| .*\d", page), f"{way} has no time"
    assert "Staging moved to sfo3 and back to nyc2." in card
    assert "simulated-db-password" not in pult.log.read_text() + card + page
    assert "postgresql://pult@" not in pult.log.read_text() + card + page
    return page


def moved(department: Department) -> None:
    """Each thing was done once, in its order, though pult was killed in the middle."""
    asked = [path for method, path in department.cloud.calls if method != "GET"]
    assert [path.rpartition("/domains/")[2] for path in asked] == [f"{DOMAIN}/records/{STAGING_RECORD}"] * 2
    assert department.cloud.traffic(STAGING_RECORD) == "nyc2"
    assert [(verb, what) for _, verb, what, _ in changes(department, "sfo3")] == [
        ("patch", "deployments"), ("patch", "secrets"), ("patch", "deployments"), ("patch", "deployments"),
    ], "scaled, told the address, restarted, and as few pods as before"  # fmt: skip
    assert department.deployment("api", "staging", "sfo3")["spec"]["replicas"] == 1


def never_both(load: Load, pair: Pair) -> str:
    """No span from a write's asking to its acknowledgement touches one of the other server; and so say the rows.

    The rows' own times tell of those, too, that were written and never acknowledged.
    """
    spans = [sorted((each.asked, each.acknowledged) for each in load.accepted(node)) for node in (pair.nyc2, pair.sfo3)]
    home, there = spans
    first, last = there[0][0], max(end for _, end in there)
    before = max(end for _, end in home if end <= first)
    after = min(begin for begin, _ in home if begin >= last)
    assert not [(begin, end) for begin, end in home if begin < last and end > first], "both were written to"
    rows = pair.nyc2.sql("SELECT split_part(writer, '-', 1), at FROM rows ORDER BY at", database="app")
    turns = [where for where, _ in itertools.groupby(where for where, _ in rows)]
    assert turns == ["nyc2", "sfo3", "nyc2"], "rows of both lie between each other"
    return (
        f"writes accepted: {len(home)} by nyc2, {len(there)} by sfo3; none of any for "
        f"{first - before:.2f} s on the way there, {after - last:.2f} s on the way back; rows kept: {len(rows)}"
    )


def _longest_gap(load: Load, node: Node) -> float:
    times = [each.acknowledged for each in load.accepted(node)]
    return max(after - before for before, after in itertools.pairwise(times))


def _timeline(node: Node) -> int:
    [(timeline,)] = node.sql("SELECT timeline_id FROM pg_control_checkpoint()")
    return int(timeline)


async def _alike(pair: Pair) -> bool:
    first, second = (node.sql("SELECT writer, n FROM rows ORDER BY writer, n", database="app") for node in pair.nodes)
    return first == second


async def _lag_known(pult: Pult) -> bool:
    return "allowed" in (await pult.ask("anna", "failover status", locale="en"))["text"]


async def _more(load: Load, node: Node, count: int) -> bool:
    return len(load.accepted(node)) > count


async def _promoted(node: Node) -> bool:
    return node.is_standby() is False
