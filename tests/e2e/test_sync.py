"""``sync`` over the real wire: flow, adapter, and the simulated Argo CD and Flux with the forge as their git."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes.cluster import KubernetesCluster, open_clusters
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.domain.cards import Place
from bot.domain.people import Person
from bot.domain.plans import Plan
from bot.domain.requests import Request
from bot.domain.services import Catalogue, Environment, GitOps, Service
from bot.ports.commands import Call, Proposal
from bot.simulator.github.seeding import kustomization
from bot.simulator.github.state import Forge
from bot.simulator.kubernetes import images, kubeconfig
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings
from handlers.commands import sync
from handlers.flows import sync as sync_flow
from tests.handlers.fakes import FakeRun, StoppedError

PATH = "deploy/production/kustomization.yaml"


@dataclass
class Bench:
    cluster: KubernetesCluster
    clusters: Clusters
    forge: Forge
    services: Catalogue

    def commit(self, service: str, version: str) -> str:
        repo = self.forge.repository(f"dept/{service}")
        files = {**repo.branch("main").files, PATH: kustomization(service, "production", version).encode()}
        return repo.commit("main", f"chore: {version}", files, datetime.now(UTC)).sha

    def runs(self, service: str) -> str | None:
        return images.version_of(self.clusters.image("nyc2", "production", service))

    async def planned(self, service: str) -> Plan:
        now, place = datetime.now(UTC), Place("console:ops")
        request = Request("test:1", "console", "anna", f"sync {service}", place, place, now)
        call = Call(request, "sync", (service,), Person("anna"), now)
        proposal = await sync.duty(self.cluster.gitops, self.services).run(call)
        assert isinstance(proposal, Proposal)
        return proposal.plan

    async def run(self, plan: Plan) -> FakeRun:
        flow, running = sync_flow.flow(self.cluster.gitops, SystemClock()), FakeRun(plan)
        await flow.check(plan)
        async with asyncio.timeout(30):
            running.said["result"] = (await flow.run(running)).plain()
        return running


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(sync_flow, "LOOK_EVERY", 0.05)
    async with simulator(SimulatorSettings(port=0, speed=60)) as running:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        settings = ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")
        clusters, forge = running.world.clusters, running.world.github
        assert isinstance(clusters, Clusters)
        assert isinstance(forge, Forge)
        services = Catalogue(_service(name, tool) for name, tool in (("api", "argocd"), ("web", "flux")))
        async with open_clusters([settings]) as cluster:
            for service in services:
                async with asyncio.timeout(8):
                    while not (await cluster.gitops.state(service.last)).done:
                        await asyncio.sleep(0.02)
            yield Bench(cluster, clusters, forge, services)


def _service(name: str, tool: str) -> Service:
    gitops = GitOps(tool, name, f"dept/{name}", PATH)
    production = Environment("production", "nyc2", "production", "deployment", name, gitops)
    return Service(name, "production", "deployment", name, ("nyc2",), (production,), f"dept/{name}")


@pytest.mark.parametrize(("service", "version"), [("api", "1.8.0"), ("web", "5.1.0")])
async def test_a_commit_gets_to_production(bench: Bench, service: str, version: str) -> None:
    head = bench.commit(service, version)
    running = await bench.run(await bench.planned(service))
    assert running.said["sync"] == f"in step with git at {head[:7]}"
    assert running.progress
    assert bench.runs(service) == version


@pytest.mark.parametrize("service", ["api", "web"])
async def test_nothing_new_is_said(bench: Bench, service: str) -> None:
    before = bench.runs(service)
    running = await bench.run(await bench.planned(service))
    assert running.said["sync"].startswith("git has nothing new: it was in step already, at ")
    assert bench.runs(service) == before


@pytest.mark.parametrize(("service", "why"), [("api", "Argo CD calls it Degraded"), ("web", "health check failed")])
async def test_a_version_that_does_not_run_stops_it(bench: Bench, service: str, why: str) -> None:
    bench.commit(service, "9.9.9")
    with pytest.raises(StoppedError, match=f"sync: It will not get there by itself: .*{why}"):
        await bench.run(await bench.planned(service))
