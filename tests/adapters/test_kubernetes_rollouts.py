"""The Rollouts port, and Rollouts behind the Cluster port: the simulator, or a real cluster by PULT_TEST_KUBECONFIG.

The real one needs a user who may make and delete namespaces; what is about Argo Rollouts needs its controller there.
"""

from __future__ import annotations

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
from bot.domain.changes import Rolled, Scaled
from bot.domain.errors import DriftError, UserError
from bot.domain.services import Environment
from bot.ports.cluster import Rollout, Workload
from bot.simulator.kubernetes import images, kubeconfig
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings

REAL = "PULT_TEST_KUBECONFIG"
PAUSE = "registry.k8s.io/pause"
ARGO = ("argoproj.io", "v1alpha1")
STEPS = [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}, {"setWeight": 75}]


@dataclass
class Bench:
    """``first`` and ``second`` are images of one repository; ``rest``: seconds to wait for anything."""

    cluster: KubernetesCluster
    api: Any
    name: str
    namespace: str
    first: str
    second: str
    rest: float

    @property
    def canary(self) -> Workload:
        return Workload(self.name, self.namespace, "rollout", "canary")

    @property
    def plain(self) -> Workload:
        return Workload(self.name, self.namespace, "deployment", "plain")

    def template(self, name: str) -> dict[str, Any]:
        container = {"name": "main", "image": self.first, "env": [{"name": "KEEP", "value": "1"}]}
        spec = {"containers": [container], "terminationGracePeriodSeconds": 1}
        return {"metadata": {"labels": {"app": name}}, "spec": spec}

    async def deployment(self, name: str = "plain", replicas: int = 2) -> None:
        spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": self.template(name)}
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
        await client.AppsV1Api(self.api).create_namespaced_deployment(self.namespace, body)

    async def rollout(self, **spec: Any) -> None:
        """Four pods, in five steps. Skips where nobody runs Argo Rollouts."""
        whole = {"replicas": 4, "strategy": {"canary": {"steps": STEPS}}, **spec}
        if "workloadRef" not in spec:
            whole |= {"selector": {"matchLabels": {"app": "canary"}}, "template": self.template("canary")}
        body = {"apiVersion": "/".join(ARGO), "kind": "Rollout", "metadata": {"name": "canary"}, "spec": whole}
        custom = client.CustomObjectsApi(self.api)
        try:
            await custom.create_namespaced_custom_object(*ARGO, self.namespace, "rollouts", body)
        except client.ApiException as error:
            if error.status != 404:
                raise
            pytest.skip("no Argo Rollouts in this cluster")
        await self.until(self.canary, lambda found: found.done)

    async def until(self, workload: Workload, seen: Callable[[Rollout], object]) -> Rollout:
        async with asyncio.timeout(self.rest):
            while not seen(found := await self.cluster.rollout(workload)):
                await asyncio.sleep(0.02)
            return found

    async def released(self) -> Rollout:
        """The new image is asked for, and the Rollout stands at its first pause."""
        before = await self.cluster.rollout(self.canary)
        await self.cluster.set_image(self.canary, self.second, before.template)
        return await self.until(self.canary, lambda found: _waits(found) and found.progressive.step == 1)


def _waits(found: Rollout) -> str:
    assert found.progressive
    return found.progressive.waits.plain() if found.progressive.waits else ""


@asynccontextmanager
async def simulated(folder: Path) -> AsyncIterator[Bench]:
    async with simulator(SimulatorSettings(port=0, speed=200)) as running:
        path = folder / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        settings = ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")
        loader: Any = config
        async with (
            open_clusters([settings]) as cluster,
            await loader.new_client_from_config(str(path), "nyc2", persist_config=False) as api,
        ):
            old, new = images.image("api", "1.7.2"), images.image("api", "1.8.0")
            yield Bench(cluster, api, "nyc2", "staging", old, new, 5)


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
            settings = ClusterSettings(name="real", region="real", kubeconfig=Path(path))
            async with open_clusters([settings]) as cluster:
                yield Bench(cluster, api, "real", namespace, f"{PAUSE}:3.9", f"{PAUSE}:3.10", 60)
        finally:
            await client.CoreV1Api(api).delete_namespace(namespace)


@pytest.fixture(params=[simulated, real], ids=["simulator", "real"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    async with request.param(tmp_path) as opened:
        yield opened


# --- a Deployment's own history ---


async def changed(bench: Bench) -> Rollout:
    """A Deployment that has an earlier template."""
    await bench.deployment()
    before = await bench.until(bench.plain, lambda found: found.done)
    await bench.cluster.set_image(bench.plain, bench.second, before.template)
    return await bench.until(bench.plain, lambda found: found.done)


async def test_revisions_are_told_the_newest_first(bench: Bench) -> None:
    await changed(bench)
    newest, oldest = await bench.cluster.rollouts.revisions(bench.plain)
    assert (newest.revision, newest.current, newest.images[0]) == ("2", True, bench.second)
    assert (oldest.revision, oldest.current, oldest.images[0]) == ("1", False, bench.first)
    assert oldest.created.tzinfo


async def test_an_undo_puts_the_template_back_as_a_new_revision(bench: Bench) -> None:
    now = await changed(bench)
    await bench.cluster.rollouts.undo(bench.plain, "1", now.template)
    after = await bench.until(bench.plain, lambda found: found.done)
    assert after.images[0] == bench.first
    found = await bench.cluster.rollouts.revisions(bench.plain)
    assert [(each.revision, each.images[0]) for each in found] == [("3", bench.first), ("2", bench.second)]


async def test_an_undo_that_is_run_again_changes_nothing(bench: Bench) -> None:
    now = await changed(bench)
    await bench.cluster.rollouts.undo(bench.plain, "1", now.template)
    after = await bench.until(bench.plain, lambda found: found.done)
    newest = (await bench.cluster.rollouts.revisions(bench.plain))[0]
    await bench.cluster.rollouts.undo(bench.plain, newest.revision, now.template)  # the pin is old, the goal is reached
    assert (await bench.cluster.rollout(bench.plain)).template == after.template


async def test_an_undo_over_somebody_elses_change_is_refused(bench: Bench) -> None:
    now = await changed(bench)
    await bench.cluster.restart(bench.plain, "op-1", datetime(2026, 11, 24, tzinfo=UTC))
    with pytest.raises(DriftError, match="plain was changed meanwhile"):
        await bench.cluster.rollouts.undo(bench.plain, "1", now.template)
    assert (await bench.cluster.rollout(bench.plain)).images == now.images


async def test_a_paused_deployment_is_not_undone(bench: Bench) -> None:
    now = await changed(bench)
    await bench.cluster.rollouts.pause(bench.plain)
    await bench.cluster.rollouts.pause(bench.plain)
    with pytest.raises(UserError, match="plain is paused"):
        await bench.cluster.rollouts.undo(bench.plain, "1", now.template)
    await bench.cluster.rollouts.unpause(bench.plain)
    assert not (await bench.cluster.rollout(bench.plain)).paused


async def test_a_revision_that_is_gone_is_named(bench: Bench) -> None:
    now = await changed(bench)
    with pytest.raises(UserError, match="plain keeps no revision 77"):
        await bench.cluster.rollouts.undo(bench.plain, "77", now.template)


async def test_only_a_rollout_goes_step_by_step(bench: Bench) -> None:
    await bench.deployment()
    for call in (bench.cluster.rollouts.abort(bench.plain), bench.cluster.rollouts.advance(bench.plain, "op-1")):
        with pytest.raises(UserError, match="A deployment does not go step by step"):
            await call
    with pytest.raises(UserError, match="A daemonset can't be paused"):
        await bench.cluster.rollouts.pause(replace(bench.plain, kind="daemonset"))


# --- Argo Rollouts ---


async def test_a_rollout_at_rest_is_done(bench: Bench) -> None:
    await bench.rollout()
    found = await bench.cluster.rollout(bench.canary)
    assert (found.desired, found.updated, found.ready, found.available, found.stuck) == (4, 4, 4, 4, None)
    assert found.progressive
    assert (found.progressive.under_way, found.progressive.step, found.progressive.weight) == (False, 5, 100)
    pods = await bench.cluster.pods(bench.canary)
    assert len(pods) == 4
    assert all(pod.ready for pod in pods)


async def test_a_new_version_goes_to_its_first_pause_and_waits(bench: Bench) -> None:
    await bench.rollout()
    found = await bench.released()
    assert found.progressive
    assert (found.done, found.stuck, found.progressive.weight, found.updated) == (False, None, 25, 1)
    assert _waits(found) == "it waits at step 2 of 5 to be promoted"
    assert found.progressive.doing.plain() == "step 1 of 5, new version at 25\N{NO-BREAK SPACE}%"
    custom = client.CustomObjectsApi(bench.api)
    obj: Any = await custom.get_namespaced_custom_object(*ARGO, bench.namespace, "rollouts", "canary")
    assert obj["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "KEEP", "value": "1"}]
    revisions = await bench.cluster.rollouts.revisions(bench.canary)
    assert [(each.images[0], each.current, each.stable) for each in revisions] == [
        (bench.second, True, False),
        (bench.first, False, True),
    ]


async def test_each_press_moves_it_one_pause_on(bench: Bench) -> None:
    await bench.rollout()
    await bench.released()
    await bench.cluster.rollouts.advance(bench.canary, "op-1 first")
    found = await bench.until(bench.canary, lambda found: _waits(found) and found.progressive.step == 3)
    assert found.progressive
    assert (found.progressive.weight, found.updated) == (50, 2)
    await bench.cluster.rollouts.advance(bench.canary, "op-1 first")  # run again after a crash
    await asyncio.sleep(0.2)
    assert (await bench.cluster.rollout(bench.canary)).progressive == found.progressive
    await bench.cluster.rollouts.advance(bench.canary, "op-1 second")
    after = await bench.until(bench.canary, lambda found: found.done)
    assert (after.images[0], after.updated) == (bench.second, 4)
    with pytest.raises(UserError, match="canary has no new version under way"):
        await bench.cluster.rollouts.advance(bench.canary, "op-2")


async def test_all_pauses_are_skipped_at_once(bench: Bench) -> None:
    await bench.rollout()
    await bench.released()
    await bench.cluster.rollouts.advance(bench.canary, "op-1", full=True)
    after = await bench.until(bench.canary, lambda found: found.done)
    assert after.images[0] == bench.second
    await bench.cluster.rollouts.advance(bench.canary, "op-1", full=True)
    assert (await bench.cluster.rollout(bench.canary)).done


async def test_an_abort_serves_the_stable_version_and_an_undo_settles_it(bench: Bench) -> None:
    await bench.rollout()
    await bench.released()
    await bench.cluster.rollouts.abort(bench.canary)
    await bench.cluster.rollouts.abort(bench.canary)
    found = await bench.until(bench.canary, lambda found: found.stuck and found.updated == 0 and found.available == 4)
    assert found.progressive
    assert found.progressive.aborted
    assert (found.progressive.weight, found.done) == (0, False)
    assert found.stuck
    assert "abort" in found.stuck.plain().lower()
    stable = next(each for each in await bench.cluster.rollouts.revisions(bench.canary) if each.stable)
    await bench.cluster.rollouts.undo(bench.canary, stable.revision, found.template)
    after = await bench.until(bench.canary, lambda found: found.done)
    assert after.images[0] == bench.first
    with pytest.raises(UserError, match="canary has no new version under way"):
        await bench.cluster.rollouts.abort(bench.canary)


async def test_a_rollout_that_was_paused_by_hand_says_so(bench: Bench) -> None:
    await bench.rollout()
    await bench.cluster.rollouts.pause(bench.canary)
    found = await bench.until(bench.canary, lambda found: found.paused)
    assert _waits(found) == "it was paused by hand"
    await bench.cluster.rollouts.unpause(bench.canary)
    await bench.until(bench.canary, lambda found: found.done and not found.paused)


async def test_a_restart_of_a_rollout_is_no_new_version(bench: Bench) -> None:
    await bench.rollout()
    before = await bench.cluster.rollout(bench.canary)
    old = {pod.name for pod in await bench.cluster.pods(bench.canary)}
    await asyncio.sleep(1.1)  # pods carry whole seconds: those of this very second are not older
    at = datetime.now(UTC)  # the real clock: a controller compares with it
    await bench.cluster.restart(bench.canary, "op-1", at)
    await bench.cluster.restart(bench.canary, "op-1", at.replace(year=2030))
    async with asyncio.timeout(bench.rest):
        while old & {pod.name for pod in await bench.cluster.pods(bench.canary) if pod.phase != "Terminating"}:
            await asyncio.sleep(0.02)
    after = await bench.until(bench.canary, lambda found: found.done)
    assert (after.template, after.restarted_by) == (before.template, "op-1")


async def test_a_rollout_is_scaled(bench: Bench) -> None:
    await bench.rollout()
    await bench.cluster.scaling.scale(bench.canary, 2, "op-1")
    await bench.until(bench.canary, lambda found: (found.desired, found.available, found.done) == (2, 2, True))


async def test_a_template_in_a_deployment_is_changed_there(bench: Bench) -> None:
    """``workloadRef``: the Rollout follows the Deployment, which runs nothing itself."""
    await bench.deployment(replicas=0)
    await bench.rollout(workloadRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "plain"})
    before = await bench.cluster.rollout(bench.canary)
    assert before.images[0] == bench.first
    await bench.released()
    assert (await bench.cluster.rollout(bench.plain)).images[0] == bench.second
    now = await bench.cluster.rollout(bench.canary)
    await bench.cluster.rollouts.undo(bench.canary, "1", now.template)
    await bench.until(bench.canary, lambda found: found.done and found.images[0] == bench.first)
    assert (await bench.cluster.rollout(bench.plain)).template == before.template


async def test_a_template_elsewhere_is_refused(bench: Bench) -> None:
    await bench.rollout()
    custom, reference = client.CustomObjectsApi(bench.api), {"kind": "PodTemplate", "name": "x"}
    await custom.patch_namespaced_custom_object(
        *ARGO, bench.namespace, "rollouts", "canary", {"spec": {"workloadRef": reference}},
        _content_type="application/merge-patch+json",
    )  # fmt: skip
    with pytest.raises(UserError, match="canary takes its template from a PodTemplate"):
        await bench.cluster.rollout(bench.canary)


async def test_a_card_hears_of_a_rollouts_new_version(bench: Bench) -> None:
    await bench.rollout()
    since = datetime.now(UTC).replace(microsecond=0)
    await bench.released()
    environment = Environment("production", bench.name, bench.namespace, "rollout", "canary")
    told = await bench.cluster.changes(environment, since)
    assert [(change.revision, change.image) for change in told if isinstance(change, Rolled)][-1] == ("2", bench.second)
    assert not [change for change in told if isinstance(change, Scaled)], "a step of a rollout is nobody's scaling"
