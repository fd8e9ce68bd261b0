"""The Cluster port, one suite for the simulator and, where PULT_TEST_KUBECONFIG names one, for a real cluster.

The real one needs a user who may make and delete namespaces; its current context is used.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.aio import client, config

from bot.adapters.kubernetes.cluster import KubernetesCluster, open_clusters
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.domain.errors import DriftError, UserError
from bot.ports.cluster import Rollout, Workload
from bot.simulator.kubernetes import images, kubeconfig
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
REAL = "PULT_TEST_KUBECONFIG"
PAUSE = "registry.k8s.io/pause"


@dataclass
class Bench:
    """``other`` is another image of the workload's repository that can be pulled."""

    cluster: KubernetesCluster
    workload: Workload
    other: str
    foreign: str
    patience: float

    async def until(self, seen: Callable[[Rollout], bool]) -> Rollout:
        async with asyncio.timeout(self.patience):
            while not seen(found := await self.cluster.rollout(self.workload)):
                await asyncio.sleep(0.02)
            return found


@asynccontextmanager
async def simulated(folder: Path) -> AsyncIterator[Bench]:
    async with simulator(SimulatorSettings(port=0, speed=200)) as running:
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        settings = ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")
        async with open_clusters([settings]) as cluster:
            workload = Workload("nyc2", "production", "deployment", "api")
            yield Bench(cluster, workload, images.image("api", "1.8.0"), images.image("web", "5.1.0"), 5)


def paused(name: str) -> dict[str, Any]:
    """A deployment of two pods that do nothing."""
    labels = {"app": name}
    container = {"name": name, "image": f"{PAUSE}:3.9"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 1}}
    spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


@asynccontextmanager
async def real(_: Path) -> AsyncIterator[Bench]:
    if not (path := os.environ.get(REAL)):
        pytest.skip(f"{REAL} names no cluster")
    namespace = f"pult-test-{secrets.token_hex(4)}"
    loader: Any = config
    async with await loader.new_client_from_config(path, persist_config=False) as api:
        body: Any = {"metadata": {"name": namespace}}
        await client.CoreV1Api(api).create_namespace(body)
        try:
            made: Any = paused("api")
            await client.AppsV1Api(api).create_namespaced_deployment(namespace, made)
            settings = ClusterSettings(name="real", region="real", kubeconfig=Path(path))
            async with open_clusters([settings]) as cluster:
                workload = Workload("real", namespace, "deployment", "api")
                yield Bench(cluster, workload, f"{PAUSE}:3.10", "registry.example/other:1", 50)
        finally:
            await client.CoreV1Api(api).delete_namespace(namespace)


@pytest.fixture(params=[simulated, real], ids=["simulator", "real"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with request.param(tmp_path) as opened:
        await opened.until(lambda rollout: rollout.done)
        yield opened


async def test_a_workload_at_rest_is_done(bench: Bench) -> None:
    found = await bench.cluster.rollout(bench.workload)
    assert found.done
    assert (
        found.desired
        == found.updated
        == found.ready
        == found.available
        == len(await bench.cluster.pods(bench.workload))
    )
    assert (found.stuck, found.paused, found.restarted_by) == (None, False, "")


async def test_its_pods_are_ready_and_untroubled(bench: Bench) -> None:
    pods = await bench.cluster.pods(bench.workload)
    assert all(pod.ready and pod.trouble is None and pod.phase == "Running" and pod.node for pod in pods)
    assert all(pod.name.startswith("api-") and pod.started_at and pod.started_at.tzinfo for pod in pods)


async def test_a_restart_rolls_every_pod_once(bench: Bench) -> None:
    before = {pod.name for pod in await bench.cluster.pods(bench.workload)}
    await bench.cluster.restart(bench.workload, "op-41c9", AT)
    ordered = await bench.cluster.rollout(bench.workload)
    assert ordered.restarted_by == "op-41c9"
    await bench.until(lambda rollout: rollout.done)
    live = {pod.name for pod in await bench.cluster.pods(bench.workload) if pod.phase != "Terminating"}
    assert not live & before
    await bench.cluster.restart(bench.workload, "op-41c9", AT.replace(hour=9))  # a repeat after a crash
    again = await bench.cluster.rollout(bench.workload)
    assert (again.template, again.done) == (ordered.template, True)
    await bench.cluster.restart(bench.workload, "op-52d0", AT)
    assert (await bench.cluster.rollout(bench.workload)).restarted_by == "op-52d0"


async def test_another_image_is_rolled_out(bench: Bench) -> None:
    before = await bench.cluster.rollout(bench.workload)
    await bench.cluster.set_image(bench.workload, bench.other, before.template)
    after = await bench.until(lambda rollout: rollout.done)
    assert after.images == (bench.other,)
    assert after.template != before.template


async def test_an_image_is_not_set_over_somebody_elses_change(bench: Bench) -> None:
    before = await bench.cluster.rollout(bench.workload)
    await bench.cluster.restart(bench.workload, "op-41c9", AT)
    with pytest.raises(DriftError):
        await bench.cluster.set_image(bench.workload, bench.other, before.template)
    assert (await bench.cluster.rollout(bench.workload)).images == before.images


async def test_an_image_of_another_repository_is_refused(bench: Bench) -> None:
    before = await bench.cluster.rollout(bench.workload)
    with pytest.raises(UserError, match="No container of api runs"):
        await bench.cluster.set_image(bench.workload, bench.foreign, before.template)
    assert (await bench.cluster.rollout(bench.workload)).images == before.images


async def test_an_image_is_set_while_the_status_moves(bench: Bench) -> None:
    """The status changes the resourceVersion all the time during a rollout; only the template may refuse."""
    await bench.cluster.restart(bench.workload, "op-41c9", AT)
    rolling = await bench.cluster.rollout(bench.workload)
    await bench.cluster.set_image(bench.workload, bench.other, rolling.template)
    assert (await bench.cluster.rollout(bench.workload)).images == (bench.other,)


async def test_a_deleted_pod_is_replaced(bench: Bench) -> None:
    pods = await bench.cluster.pods(bench.workload)
    await bench.cluster.delete_pod(bench.workload, pods[0].name, "the-one-before")
    assert pods[0].name in {pod.name for pod in await bench.cluster.pods(bench.workload) if pod.phase == "Running"}
    await bench.cluster.delete_pod(bench.workload, pods[0].name, pods[0].uid)
    async with asyncio.timeout(bench.patience):
        while pods[0].name in {pod.name for pod in await bench.cluster.pods(bench.workload)}:
            await asyncio.sleep(0.02)
    await bench.until(lambda rollout: rollout.ready == rollout.desired)
    await bench.cluster.delete_pod(bench.workload, pods[0].name, pods[0].uid)  # gone already: done
    await bench.cluster.delete_pod(bench.workload, "never-was", "u")


async def test_it_is_scaled_once_by_an_operation(bench: Bench) -> None:
    """A second call of the same one takes nothing back that was asked for since."""
    await bench.cluster.scaling.scale(bench.workload, 1, "op-1")
    await bench.until(lambda rollout: (rollout.desired, rollout.ready, rollout.done) == (1, 1, True))
    await bench.cluster.scaling.scale(bench.workload, 2, "op-2")
    await bench.cluster.scaling.scale(bench.workload, 1, "op-2")
    await bench.until(lambda rollout: (rollout.desired, rollout.ready, rollout.done) == (2, 2, True))


async def test_it_is_scaled_to_nothing(bench: Bench) -> None:
    await bench.cluster.scaling.scale(bench.workload, 0, "op-1")
    await bench.until(lambda rollout: (rollout.desired, rollout.done) == (0, True))


async def test_no_autoscaler_is_none(bench: Bench) -> None:
    assert await bench.cluster.scaling.autoscaler(bench.workload) is None


async def test_what_is_not_there_is_named(bench: Bench) -> None:
    missing = replace(bench.workload, name="chekout")
    with pytest.raises(UserError, match=f"^There is no deployment chekout in {bench.workload.cluster}.$"):
        await bench.cluster.rollout(missing)
    with pytest.raises(UserError, match="There is no daemonset api"):
        await bench.cluster.rollout(replace(bench.workload, kind="daemonset"))


async def test_a_cluster_that_is_not_configured_is_named(bench: Bench) -> None:
    with pytest.raises(UserError, match="No cluster fra1 is configured"):
        await bench.cluster.pods(replace(bench.workload, cluster="fra1"))
    with pytest.raises(UserError, match="No cluster fra1 is configured"):
        await bench.cluster.version("fra1")


async def test_a_daemonset_is_not_scaled(bench: Bench) -> None:
    with pytest.raises(UserError, match="one pod on each node"):
        await bench.cluster.scaling.scale(replace(bench.workload, kind="daemonset"), 2, "op-1")


async def test_the_server_tells_its_version(bench: Bench) -> None:
    assert (await bench.cluster.version(bench.workload.cluster)).startswith("v1.")


async def test_it_knows_what_it_may_do(bench: Bench) -> None:
    name, namespace = bench.workload.cluster, bench.workload.namespace
    assert await bench.cluster.may(name, namespace, "patch", "apps/deployments")
