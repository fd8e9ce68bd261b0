"""The GitOps port over Flux: recorded objects, and whole reconciliations against the simulated controllers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.kubernetes import flux
from bot.adapters.kubernetes.cluster import KubernetesCluster, open_clusters
from bot.adapters.kubernetes.flux import REQUESTED, RESET, Chain
from bot.adapters.kubernetes.notes import BEFORE, OPERATION
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.domain.errors import UserError
from bot.domain.revisions import commit, short
from bot.domain.services import Environment, GitOps
from bot.ports.gitops import Applied
from bot.simulator.github.seeding import kustomization
from bot.simulator.github.state import Forge
from bot.simulator.kubernetes import images, kubeconfig
from bot.simulator.kubernetes.cluster import annotate
from bot.simulator.kubernetes.kinds import GITREPOSITORY, HELMRELEASE, HELMREPOSITORY, KUSTOMIZATION, Kind
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings

CASES = Path(__file__).parents[1] / "fixtures" / "flux-cr"
SHA, LATER = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1", "9d2f0c1e5b7a4c3d8e6f1a2b3c4d5e6f70819293"
OP = "op-41c9"


def recorded(case: str) -> Any:
    return json.loads((CASES / case / "body.json").read_bytes())


def text(found: Any) -> str:
    return found.plain() if found else ""


def source(revision: str = f"main@sha1:{SHA}", kind: str = "GitRepository", **spec: Any) -> Any:
    """As source-controller writes it; asked by OP, and handled."""
    meta = {"name": "shop", "namespace": "flux-system", "generation": 1, "annotations": {REQUESTED: OP}}
    ready = {"type": "Ready", "status": "True", "observedGeneration": 1, "reason": "Succeeded", "message": "stored"}
    status = {"artifact": {"revision": revision}, "conditions": [ready], "observedGeneration": 1}
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": kind, "metadata": meta, "spec": spec,
        "status": status | {"lastHandledReconcileAt": OP},
    }  # fmt: skip


def asked(obj: Any, token: str = OP, *, handled: bool = True) -> Any:
    """*obj* after *token* was passed on to it."""
    obj["metadata"]["annotations"] = {OPERATION: token, REQUESTED: token}
    if handled:
        obj["status"]["lastHandledReconcileAt"] = token
    return obj


# --- reading recorded objects ---


def test_a_ready_kustomization_is_done_at_its_bare_commit() -> None:
    found = flux.applied(Chain(recorded("kustomization-ready"), source()))
    assert (found.revision, found.wanted, found.done, found.synced) == (SHA, SHA, True, True)
    assert (found.automated, found.suspended, found.doing, found.stuck) == (True, False, None, None)


def test_what_the_source_fetched_later_is_to_be_applied() -> None:
    found = flux.applied(Chain(recorded("kustomization-ready"), source(f"main@sha1:{LATER}")))
    assert (found.revision, found.wanted, found.done, found.stuck) == (SHA, LATER, False, None)
    assert text(found.doing) == f"Flux is to apply {LATER[:7]}"


def test_a_failed_kustomization_is_stuck_with_its_message() -> None:
    obj = recorded("kustomization-failed")
    found = flux.applied(Chain(obj, source()))
    assert not found.done
    assert text(found.stuck) == f"Kustomization shop: {obj['status']['conditions'][0]['message']}"


def test_ready_does_not_count_while_suspended_nor_for_an_older_generation() -> None:
    assert flux.applied(Chain(recorded("kustomization-suspended"), source())).suspended
    old = recorded("kustomization-ready")
    old["metadata"]["generation"] += 1
    assert not flux.applied(Chain(old, source())).done
    assert flux.applied(Chain(recorded("kustomization-ready"), source(suspend=True))).suspended


def test_what_waits_for_something_else_is_not_stuck() -> None:
    obj = recorded("kustomization-failed")
    obj["status"]["conditions"][0]["reason"] = "DependencyNotReady"
    assert flux.applied(Chain(obj, source())).stuck is None


def test_what_stalls_needs_a_person() -> None:
    obj = recorded("kustomization-ready")
    obj["status"]["conditions"].append({"type": "Stalled", "status": "True", "message": "path not found"})
    assert text(flux.applied(Chain(obj, source())).stuck) == "Kustomization shop: path not found"


def test_reconciling_is_not_done() -> None:
    obj = recorded("kustomization-ready")
    obj["status"]["conditions"].append({"type": "Reconciling", "status": "True", "reason": "Progressing"})
    assert not flux.applied(Chain(obj, source())).done


def test_an_artifact_is_known_by_the_commit_it_was_built_from() -> None:
    obj, found = recorded("kustomization-ready"), source("latest@sha256:" + "a" * 64, "OCIRepository")
    found["status"]["artifact"]["metadata"] = {flux.ORIGIN: f"main@sha1:{LATER}"}
    obj["status"] |= {
        "lastAppliedRevision": "latest@sha256:" + "a" * 64,
        "lastAppliedOriginRevision": f"main@sha1:{LATER}",
    }
    assert flux.applied(Chain(obj, found)).revision == LATER
    assert flux.applied(Chain(obj, found)).done


def test_helm_releases_are_read_as_they_are() -> None:
    ready, failed = (flux.applied(Chain(recorded(f"helmrelease-{case}"), None)) for case in ("ready", "failed"))
    assert (ready.done, ready.stuck) == (True, None)
    assert (failed.done, failed.revision, failed.wanted) == (False, "1.7.2", "1.8.0")
    assert text(failed.stuck).startswith("HelmRelease cart: Helm upgrade failed")


def test_an_automatic_rollback_is_no_success() -> None:
    """``Ready`` is False then, with a reason that sounds good."""
    obj = recorded("helmrelease-ready")
    ready = {"type": "Ready", "status": "False", "reason": "RollbackSucceeded", "message": "Helm rollback to v12"}
    obj["status"]["conditions"] = [ready, {"type": "Remediated", "status": "True", "reason": "RollbackSucceeded"}]
    found = flux.applied(Chain(obj, None))
    assert (found.done, text(found.stuck)) == (False, "HelmRelease cart: Helm rollback to v12")


def test_a_release_is_as_far_as_the_kustomization_that_brings_it() -> None:
    release, parent = recorded("helmrelease-ready"), recorded("kustomization-ready")
    found = flux.applied(Chain(release, source(), parent))
    assert (found.done, found.revision) == (True, SHA)
    assert not flux.applied(Chain(release, source(f"main@sha1:{LATER}"), parent)).done
    release["metadata"]["generation"] += 1  # the parent has just changed it
    assert not flux.applied(Chain(release, source(), parent)).done


def test_the_parent_is_told_by_labels_and_the_source_by_any_of_three_fields() -> None:
    release = recorded("helmrelease-ready")
    assert flux.parent_of(release) is None
    release["metadata"]["labels"] = {f"{flux.PARENT}/name": "apps", f"{flux.PARENT}/namespace": "flux-system"}
    assert flux.parent_of(release) == ("flux-system", "apps")
    assert flux.source_of(release) == {"kind": "HelmRepository", "name": "shop", "namespace": "shop"}
    release["spec"] = {"chartRef": {"kind": "OCIRepository", "name": "cart", "namespace": "oci"}}
    assert flux.source_of(release) == {"kind": "OCIRepository", "name": "cart", "namespace": "oci"}
    assert flux.static({"kind": "HelmRepository", "spec": {"type": "oci"}})
    assert not flux.static({"kind": "HelmRepository", "spec": {}})


@pytest.mark.parametrize(
    ("written", "bare", "shown"),
    [
        (f"main@sha1:{SHA}", SHA, "731f7ea"), (SHA, SHA, "731f7ea"), ("1.2.3", "1.2.3", "1.2.3"),
        ("1.2.3+4ad4ad1e0f0f", "1.2.3+4ad4ad1e0f0f", "1.2.3+4ad4ad1e0f0f"),
        ("latest@sha256:" + "a" * 64, "a" * 64, "aaaaaaa"), ("", "", ""),
    ],
)  # fmt: skip
def test_revisions_have_many_forms(written: str, bare: str, shown: str) -> None:
    assert (commit(written), short(written)) == (bare, shown)


# --- how far a request is ---


def test_it_is_passed_on_only_when_the_link_before_is_done() -> None:
    waiting, own = source(), recorded("kustomization-ready")
    own["metadata"]["annotations"] = {OPERATION: OP}
    waiting["status"]["lastHandledReconcileAt"] = "before"
    chain = Chain(own, waiting)
    assert flux.following(chain) is None
    assert text(flux.progress(chain, "", OP).doing) == "Flux is to look at GitRepository shop"
    chain = Chain(own, source())
    assert flux.following(chain) is own
    found = flux.progress(chain, "", OP)
    assert (found.done, text(found.doing)) == (False, "Flux passes the news on")


def test_a_failure_of_before_is_not_this_requests() -> None:
    own = recorded("kustomization-failed")
    own["metadata"]["annotations"] = {OPERATION: OP}
    assert flux.progress(Chain(own, source()), "", OP).stuck is None
    assert flux.progress(Chain(asked(own, handled=False), source()), "", OP).stuck is None
    assert flux.progress(Chain(asked(own), source()), "", OP).stuck is not None


def test_a_source_that_fails_ends_it_there() -> None:
    failing, own = source(), recorded("kustomization-ready")
    failing["status"]["conditions"][0] |= {"status": "False", "reason": "GitOperationFailed", "message": "no such ref"}
    own["metadata"]["annotations"] = {OPERATION: OP}
    chain = Chain(own, failing)
    assert flux.following(chain) is None
    assert text(flux.progress(chain, "", OP).stuck) == "GitRepository shop: no such ref"
    assert flux.request(chain, OP) == f"{OP}#2"


def test_a_shared_source_may_be_asked_by_others_later() -> None:
    shared = source()
    shared["metadata"]["annotations"][REQUESTED] = "op-52d0"
    assert flux.progress(Chain(asked(recorded("kustomization-ready")), shared), SHA, OP).done


def test_it_is_done_by_no_other_operation() -> None:
    chain = Chain(asked(recorded("kustomization-ready"), "op-52d0"), source())
    assert text(flux.progress(chain, SHA, OP).doing) == "Flux was not asked yet"
    assert flux.request(chain, OP) == OP


def test_git_that_answers_with_what_it_had_before_has_not_got_the_news() -> None:
    own = asked(recorded("kustomization-ready"))
    own["metadata"]["annotations"][BEFORE] = SHA
    found = flux.progress(Chain(own, source()), LATER, OP)
    assert (found.done, text(found.doing)) == (False, f"Flux does not see {LATER[:7]} yet")
    own["metadata"]["annotations"][BEFORE] = "a" * 40  # another commit came on top of ours
    assert flux.progress(Chain(own, source()), LATER, OP).done


def test_another_artifact_may_not_hold_the_commit() -> None:
    own, found = asked(recorded("kustomization-ready")), source(f"main@sha1:{SHA}", "OCIRepository")
    own["metadata"]["annotations"][BEFORE] = "a" * 40
    assert not flux.progress(Chain(own, found), LATER, OP).done


@pytest.mark.parametrize(
    ("case", "handled", "token"),
    [
        ("kustomization-ready", True, None), ("kustomization-ready", False, None),
        ("kustomization-failed", False, None), ("kustomization-failed", True, f"{OP}#2"),
    ],
)  # fmt: skip
def test_only_what_failed_is_asked_anew(case: str, handled: bool, token: str | None) -> None:
    chain = Chain(asked(recorded(case), handled=handled), source())
    assert flux.request(chain, OP) == token
    third = Chain(asked(recorded("kustomization-failed"), f"{OP}#2"), source())
    assert flux.request(third, OP) == f"{OP}#3"


# --- whole reconciliations ---


@dataclass
class Bench:
    cluster: KubernetesCluster
    clusters: Clusters
    forge: Forge
    environment: Environment

    @property
    def store(self) -> Any:
        return self.clusters.cluster("nyc2").store

    def get(self, kind: Kind, name: str) -> Any:
        return self.store.get(kind, "flux-system", name)

    def change(self, kind: Kind, name: str, **spec: Any) -> None:
        found = self.get(kind, name)
        self.store.put(kind, found | {"spec": found["spec"] | spec})

    def commit(self, version: str) -> str:
        repo = self.forge.repository("dept/web")
        path = "deploy/production/kustomization.yaml"
        files = {**repo.branch("main").files, path: kustomization("web", "production", version).encode()}
        return repo.commit("main", f"chore: {version}", files, datetime.now(UTC)).sha

    async def ask(self, revision: str = "", operation: str = OP) -> None:
        await self.cluster.gitops.ask(self.environment, revision, operation)

    async def until(
        self, seen: Callable[[Applied], object], revision: str = "", operation: str = OP
    ) -> Applied:  # fmt: skip
        async with asyncio.timeout(8):
            while not seen(found := await self.cluster.gitops.progress(self.environment, revision, operation)):
                await asyncio.sleep(0.02)
            return found

    def runs(self) -> str | None:
        return images.version_of(self.clusters.image("nyc2", "production", "web"))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with simulator(SimulatorSettings(port=0, speed=100)) as running:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        settings = ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")
        clusters, forge = running.world.clusters, running.world.github
        assert isinstance(clusters, Clusters)
        assert isinstance(forge, Forge)
        gitops = GitOps("flux", "web", "dept/web", "deploy/production/kustomization.yaml")
        environment = Environment("production", "nyc2", "production", "deployment", "web", gitops)
        async with open_clusters([settings]) as cluster:
            async with asyncio.timeout(8):
                while not (await cluster.gitops.state(environment)).done:
                    await asyncio.sleep(0.02)
            yield Bench(cluster, clusters, forge, environment)


async def test_a_commit_is_fetched_applied_and_healthy(bench: Bench) -> None:
    head = bench.commit("5.1.0")
    await bench.ask(head)
    await bench.ask(head)
    found = await bench.until(lambda found: found.done, head)
    assert (found.revision, bench.runs()) == (head, "5.1.0")
    for kind, name in ((GITREPOSITORY, "web"), (KUSTOMIZATION, "web")):
        assert bench.get(kind, name)["status"]["lastHandledReconcileAt"] == OP


async def test_a_version_that_does_not_run_is_stuck_and_can_be_asked_again(bench: Bench) -> None:
    bad = bench.commit("9.9.9")
    await bench.ask(bad)
    found = await bench.until(lambda found: found.stuck, bad)
    assert "health check failed" in text(found.stuck)
    good = bench.commit("5.1.0")
    await bench.ask(good)
    assert bench.get(GITREPOSITORY, "web")["metadata"]["annotations"][REQUESTED] == f"{OP}#2"
    await bench.until(lambda found: found.done and bench.runs() == "5.1.0", good)


@pytest.mark.parametrize(("kind", "name"), [(KUSTOMIZATION, "web"), (GITREPOSITORY, "web")])
async def test_what_is_suspended_is_not_asked(bench: Bench, kind: Kind, name: str) -> None:
    bench.change(kind, name, suspend=True)
    assert (await bench.cluster.gitops.state(bench.environment)).suspended
    with pytest.raises(UserError, match=f"Flux leaves {kind.name} {name} alone: it is suspended"):
        await bench.ask()


async def test_nothing_new_is_looked_at_and_done(bench: Bench) -> None:
    await bench.ask()
    found = await bench.until(lambda found: found.done)
    assert found.revision == found.wanted == bench.forge.head("dept/web", "main")


async def test_a_helm_release_follows_the_kustomization_that_brings_it(bench: Bench) -> None:
    labels = {f"{flux.PARENT}/name": "web", f"{flux.PARENT}/namespace": "flux-system"}
    release = bench.get(HELMRELEASE, "worker")
    bench.store.put(HELMRELEASE, release | {"metadata": release["metadata"] | {"labels": labels}})
    bench.environment = replace(bench.environment, gitops=replace(bench.environment.gitops, application="worker"))
    head = bench.commit("5.1.0")
    await bench.ask(head)
    found = await bench.until(lambda found: found.done, head)
    assert found.revision == head
    for kind, name in ((GITREPOSITORY, "web"), (KUSTOMIZATION, "web"), (HELMRELEASE, "worker")):
        assert bench.get(kind, name)["status"]["lastHandledReconcileAt"] == OP


async def test_a_release_that_failed_too_often_has_its_count_reset(bench: Bench) -> None:
    bench.environment = replace(bench.environment, gitops=replace(bench.environment.gitops, application="worker"))
    repository = annotate(bench.get(HELMREPOSITORY, "dept"), **{REQUESTED: OP})
    bench.store.put(HELMREPOSITORY, repository | {"status": repository["status"] | {"lastHandledReconcileAt": OP}})
    release = asked(json.loads(json.dumps(bench.get(HELMRELEASE, "worker"))))
    ready = {"type": "Ready", "status": "False", "reason": "UpgradeFailed", "message": "timed out"}
    status = release["status"] | {"conditions": [ready], "observedGeneration": release["metadata"]["generation"]}
    bench.store.put(HELMRELEASE, release | {"status": status})
    await bench.ask()
    assert bench.get(HELMREPOSITORY, "dept")["metadata"]["annotations"][REQUESTED] == f"{OP}#2"
    await bench.until(lambda found: found.done)
    notes = bench.get(HELMRELEASE, "worker")["metadata"]["annotations"]
    assert (notes[REQUESTED], notes[RESET]) == (f"{OP}#2", f"{OP}#2")


async def test_what_is_not_there_is_named(bench: Bench) -> None:
    missing = replace(bench.environment, gitops=replace(bench.environment.gitops, application="nowhere"))
    with pytest.raises(UserError, match="There is no kustomization nowhere in nyc2"):
        await bench.cluster.gitops.state(missing)


async def test_a_source_of_an_older_flux_is_found_in_its_version(bench: Bench) -> None:
    """OCIRepository was v1beta2 before Flux 2.6; the simulated server has neither, and says so."""
    bench.change(KUSTOMIZATION, "web", sourceRef={"kind": "OCIRepository", "name": "web"})
    with pytest.raises(UserError, match="nyc2 refuses this"):
        await bench.cluster.gitops.state(bench.environment)
    asked_for = [call for call in bench.clusters.cluster("nyc2").calls if call.resource == "ocirepositories"]
    assert len(asked_for) == 2
