"""What every place that holds the database's address does for a move."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.kubernetes.cluster import open_clusters
from bot.adapters.kubernetes.secrets import KubernetesSecrets
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.domain.errors import TemporaryError, UserError
from bot.domain.failover import Place
from bot.engine.connections import Places
from bot.ports.connections import Connections
from bot.simulator.faults import Faults
from bot.simulator.kubernetes import kubeconfig
from bot.simulator.kubernetes.kinds import SECRET
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings
from tests.adapters import github_bench

NEW, OLD = "private-db-sfo3.db.dept.example:25060", "db-nyc2.db.dept.example:25060"
URL = "postgresql://api:simulated-db-password@{}/api?sslmode=require"
FILE = """# where api finds its database
apiVersion: v1
kind: ConfigMap
metadata: {{name: api-database}}   # kept as it is
data:
  host: "{}"  # host and port
  pool: '10'
"""


@dataclass(frozen=True)
class Held:
    """One place that holds OLD. ``text``: all that stands around it; ``writes``: how often it was written."""

    connections: Connections
    place: Place
    text: Callable[[], str]
    writes: Callable[[], int]
    whole: str
    faults: Faults
    surface: str


@asynccontextmanager
async def secret(folder: Path) -> AsyncIterator[Held]:
    async with simulator(SimulatorSettings(port=0)) as running:
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        settings = ClusterSettings(name="sfo3", region="sfo3", kubeconfig=path, context="sfo3")
        assert isinstance(running.world.clusters, Clusters)
        server = running.world.clusters.cluster("sfo3")

        def text() -> str:
            data = server.store.get(SECRET, "production", "api-database")["data"]
            return b64decode(data["DATABASE_URL"]).decode()

        async with open_clusters([settings]) as cluster:
            yield Held(
                Places(KubernetesSecrets(cluster.apis), None),
                Place("sfo3", "production", "api-database", "DATABASE_URL"),
                text,
                lambda: sum(call.verb == "patch" and call.resource == "secrets" for call in server.calls),
                URL, running.world.faults, "kubernetes",
            )  # fmt: skip


@asynccontextmanager
async def git(_: Path) -> AsyncIterator[Held]:
    async with github_bench.simulated() as bench:
        now = bench.clock.now()
        bench.repo.commit("main", "database", {"deploy/database.yaml": FILE.format(OLD).encode()}, now)
        place = Place("sfo3", key="data.host", repo=github_bench.REPO, file="deploy/database.yaml")

        def text() -> str:
            return bench.github.text(github_bench.REPO, "deploy/database.yaml", "main") or ""

        yield Held(
            Places(KubernetesSecrets({}), bench.forge), place, text, lambda: len(bench.wire.writes), FILE,
            bench.simulation.world.faults, "github",
        )  # fmt: skip


OPEN: dict[str, Callable[[Path], AbstractAsyncContextManager[Held]]] = {"secret": secret, "git": git}


@pytest.fixture(params=OPEN)
async def held(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Held]:
    async with OPEN[request.param](tmp_path) as opened:
        yield opened


async def test_the_address_alone_is_told(held: Held) -> None:
    assert await held.connections.reads(held.place) == OLD
    assert await held.connections.allowed(held.place) == ""
    assert held.writes() == 0


async def test_the_address_is_put_there_once_and_the_rest_kept(held: Held) -> None:
    for _ in range(2):  # the second as after a crash: it still knows what was there
        assert await held.connections.switch(held.place, NEW, "op-1") == OLD
    assert held.text() == held.whole.format(NEW)
    assert await held.connections.reads(held.place) == NEW
    assert held.writes() == 1


async def test_it_is_put_back_by_the_same_operation(held: Held) -> None:
    was = await held.connections.switch(held.place, NEW, "op-1")
    assert await held.connections.switch(held.place, was, "op-1") == NEW
    assert held.text() == held.whole.format(OLD)
    assert await held.connections.switch(held.place, NEW, "op-2") == OLD


async def test_what_is_right_already_is_left_alone(held: Held) -> None:
    assert await held.connections.switch(held.place, OLD, "op-1") in {OLD, ""}
    assert held.writes() == 0


async def test_a_place_that_is_not_there_is_said(held: Held) -> None:
    wrong = [replace(held.place, key="data.nobody")]
    wrong += [
        replace(held.place, file="deploy/nobody.yaml") if held.place.file else replace(held.place, secret="nobody")
    ]
    for place in wrong:
        for call in (held.connections.reads(place), held.connections.switch(place, NEW, "op-1")):
            with pytest.raises(UserError):
                await call
        assert await held.connections.allowed(place) != ""
    assert held.writes() == 0


async def test_what_is_no_address_is_refused(held: Held) -> None:
    with pytest.raises(UserError):
        await held.connections.switch(held.place, "db-sfo3", "op-1")
    assert held.text() == held.whole.format(OLD)


@pytest.mark.parametrize("fault", ["error", "drop"])
async def test_what_does_not_answer_is_not_known(held: Held, fault: str) -> None:
    held.faults.start(fault, held.surface)
    calls: tuple[Any, ...] = (
        held.connections.reads(held.place), held.connections.switch(held.place, NEW, "op-1"),
        held.connections.allowed(held.place),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(TemporaryError):
            await call
    assert held.text() == held.whole.format(OLD)


async def test_a_secret_whose_keys_are_switched_one_by_one_knows_what_each_was(tmp_path: Path) -> None:
    async with secret(tmp_path) as held:
        clusters = held.connections  # both keys of one Secret, by one operation
        other = replace(held.place, key="DB_HOST")
        await _put(held, tmp_path, "DB_HOST", "db-nyc2.db.dept.example")
        assert await clusters.switch(held.place, NEW, "op-1") == OLD
        assert await clusters.switch(other, NEW, "op-1") == "db-nyc2.db.dept.example"
        assert await clusters.reads(other) == "private-db-sfo3.db.dept.example"
        for place, was in ((held.place, OLD), (other, "db-nyc2.db.dept.example")):
            assert await clusters.switch(place, NEW, "op-1") == was
        assert held.writes() == 2 + 1  # and the one that made the key


async def _put(held: Held, folder: Path, key: str, value: str) -> None:
    settings = ClusterSettings(name="sfo3", region="sfo3", kubeconfig=folder / "kubeconfig", context="sfo3")
    async with open_clusters([settings]) as cluster:
        await cluster.apis["sfo3"].call(
            "CoreV1Api", "patch_namespaced_secret", held.place.secret, held.place.namespace,
            body={"data": {key: b64encode(value.encode()).decode()}}, _content_type="application/merge-patch+json",
        )  # fmt: skip
