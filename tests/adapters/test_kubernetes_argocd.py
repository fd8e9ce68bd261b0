"""The GitOps port over Argo CD: recorded Applications, and whole syncs against the simulated controller."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.adapters.kubernetes import argocd, argocd_hand, resources
from bot.adapters.kubernetes.client import Api
from bot.adapters.kubernetes.cluster import KubernetesCluster, open_clusters
from bot.adapters.kubernetes.notes import BEFORE, OPERATION
from bot.adapters.kubernetes.settings import ClusterSettings
from bot.adapters.kubernetes.verdicts import ConflictError
from bot.domain.errors import DriftError, UserError
from bot.domain.services import Environment, GitOps
from bot.ports.gitops import Applied
from bot.simulator.github.seeding import kustomization
from bot.simulator.github.state import Forge
from bot.simulator.kubernetes import argocd as controller
from bot.simulator.kubernetes import images, kubeconfig
from bot.simulator.kubernetes.cluster import annotate
from bot.simulator.kubernetes.kinds import APPLICATION, DEPLOYMENT
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.server import simulator
from bot.simulator.settings import SimulatorSettings

CASES = Path(__file__).parents[1] / "fixtures" / "argocd-cr"
OLD, NEW = "1b2c3d4e5f60718293a4b5c6d7e8f9010a2b3c4d", "9d2f0c1e5b7a4c3d8e6f1a2b3c4d5e6f70819293"
REPO = "shop/deploy"
OP = "op-41c9"


def recorded(case: str) -> Any:
    return json.loads((CASES / case / "body.json").read_bytes())


def text(found: Any) -> str:
    return found.plain() if found else ""


# --- reading recorded Applications ---


@pytest.mark.parametrize(
    ("case", "revision", "wanted", "done", "synced"),
    [
        ("synced-healthy", NEW, NEW, True, True),
        ("degraded", NEW, NEW, False, True),
        ("operation-running", OLD, NEW, False, False),
        ("operation-failed", OLD, NEW, False, False),
        ("rolled-back", OLD, NEW, False, False),
    ],
)
def test_where_a_recorded_application_stands(
    case: str, revision: str, wanted: str, done: bool, synced: bool
) -> None:  # fmt: skip
    found = argocd.applied(recorded(case), REPO)
    assert (found.revision, found.wanted, found.done, found.synced) == (revision, wanted, done, synced)
    assert not found.automated
    assert not found.suspended


def test_a_good_one_has_nothing_to_say() -> None:
    found = argocd.applied(recorded("synced-healthy"), REPO)
    assert (found.doing, found.stuck, found.drift) == (None, None, None)


def test_what_it_is_at_and_why_it_is_stuck_is_in_its_own_words() -> None:
    running, failed = (argocd.applied(recorded(f"operation-{case}"), REPO) for case in ("running", "failed"))
    assert text(running.doing) == "Argo CD syncs: waiting for healthy state of apps/Deployment/checkout"
    assert running.stuck is None
    assert text(failed.stuck).startswith("the sync failed: ")
    assert recorded("operation-failed")["status"]["operationState"]["message"] in text(failed.stuck)
    assert text(argocd.applied(recorded("degraded"), REPO).stuck).startswith("Argo CD calls it Degraded: ")


def test_drift_is_told_only_where_git_has_nothing_new() -> None:
    behind = recorded("rolled-back")
    assert argocd.applied(behind, REPO).drift is None
    behind["status"]["sync"]["revision"] = OLD
    behind["status"]["resources"][0]["status"] = "OutOfSync"
    assert text(argocd.applied(behind, REPO).drift) == "Deployment checkout"


def test_a_comparison_that_can_t_be_made_is_no_good_news() -> None:
    app = recorded("synced-healthy")
    app["status"]["sync"] = {"status": "Unknown"}
    app["status"]["conditions"] = [{"type": "ComparisonError", "message": "repository not found"}]
    found = argocd.applied(app, REPO)
    assert (found.done, text(found.stuck)) == (False, "repository not found")


def test_an_application_nobody_has_reconciled_is_unknown() -> None:
    found = argocd.applied({"metadata": {"name": "x"}, "spec": {"source": {}}}, REPO)
    assert (found.done, found.synced, found.revision, found.wanted) == (False, False, "", "")


# --- whose end it is ---


def ours(phase: str = "Succeeded", **status: Any) -> Any:
    """A recorded Application whose last operation is ours, asked for NEW; compared twenty seconds after its end."""
    app = recorded("synced-healthy")
    app["metadata"]["annotations"] = {OPERATION: OP, BEFORE: OLD}
    app["status"]["operationState"] = {
        "operation": argocd_hand._operation(app, REPO, NEW, OP), "phase": phase, "message": "as it went",
        "startedAt": "2026-11-24T08:30:00Z", "finishedAt": "2026-11-24T08:30:40Z",
        "syncResult": {"revision": NEW, "resources": []},
    }  # fmt: skip
    app["status"] |= {"reconciledAt": "2026-11-24T08:31:00Z"} | status
    return app


def far(app: Any, revision: str = NEW, operation: str = OP) -> Applied:
    return argocd.progress(app, REPO, revision, operation)


def test_ours_is_done_when_all_agree() -> None:
    found = far(ours())
    assert (found.done, found.synced, found.revision, found.stuck, found.doing) == (True, True, NEW, None, None)


def test_the_end_of_somebody_elses_is_not_ours() -> None:
    assert text(far(ours(), operation="op-52d0").doing) == "Argo CD was not asked yet"
    assert not far(recorded("synced-healthy")).done


@pytest.mark.parametrize("phase", ["Failed", "Error"])
def test_a_failed_one_is_stuck_with_its_message(phase: str) -> None:
    app = ours(phase)
    app["status"]["operationState"].pop("syncResult")  # an Error may have none
    assert text(far(app).stuck) == "the sync failed: as it went"
    assert not far(app).done


def test_one_that_terminates_is_on_its_way() -> None:
    found = far(ours("Terminating"))
    assert (found.done, found.stuck, text(found.doing)) == (False, None, "Argo CD syncs: as it went")


@pytest.mark.parametrize(
    ("reconciled", "seen", "done"),
    [
        ("2026-11-24T08:30:39Z", NEW, False),
        ("2026-11-24T08:30:40Z", OLD, False),
        ("2026-11-24T08:30:40Z", NEW, True),
        ("2026-11-24T08:30:41Z", NEW, True),
    ],
    ids=["before", "the same second, of before", "the same second", "after"],
)
def test_health_counts_only_from_a_comparison_after_it(reconciled: str, seen: str, done: bool) -> None:
    app = ours(reconciledAt=reconciled)
    app["status"]["sync"]["revision"] = seen
    found = far(app)
    assert found.done is done
    assert found.stuck is None


def test_a_difference_in_the_same_second_may_be_of_before() -> None:
    """The refresh found the new commit, and the sync was over, all within a second."""
    app = ours(reconciledAt="2026-11-24T08:30:40Z")
    app["status"]["sync"] |= {"status": "OutOfSync"}
    app["status"]["resources"][0]["status"] = "OutOfSync"
    assert (far(app).done, far(app).stuck) == (False, None)
    app["status"]["reconciledAt"] = "2026-11-24T08:30:41Z"
    assert far(app).stuck is not None


def test_another_revision_than_asked_for_is_no_success() -> None:
    app = ours()
    app["status"]["operationState"]["syncResult"]["revision"] = OLD
    assert text(far(app).stuck) == f"it applied {OLD[:7]}, not {NEW[:7]}"


@pytest.mark.parametrize(
    ("resource", "seen", "why"),
    [
        ({"requiresPruning": True}, NEW, "git no longer has Deployment checkout, and nobody removed it: prune it"),
        ({}, NEW, "Deployment checkout differs from git right after the sync"),
        ({}, OLD, f"git has moved on to {OLD[:7]} meanwhile"),
    ],
    ids=["to be pruned", "drift", "moved on"],
)
def test_one_that_leaves_it_out_of_sync_says_why(resource: Any, seen: str, why: str) -> None:
    app = ours()
    app["status"]["sync"] |= {"status": "OutOfSync", "revision": seen}
    app["status"]["resources"][0] |= {"status": "OutOfSync"} | resource
    assert (text(far(app).stuck), far(app).done) == (why, False)


def test_applied_is_not_healthy() -> None:
    progressing, paused, degraded = (
        far(ours(health={"status": word})) for word in ("Progressing", "Suspended", "Degraded")
    )
    assert (progressing.synced, progressing.done, progressing.stuck) == (True, False, None)
    assert text(paused.doing) == "applied; Argo CD calls it Suspended"
    assert text(degraded.stuck).startswith("Argo CD calls it Degraded")


def test_a_refresh_that_is_still_asked_for_keeps_it_open() -> None:
    app = ours()
    app["metadata"]["annotations"][argocd.REFRESH] = "normal"
    assert (far(app).done, text(far(app).doing)) == (False, "Argo CD looks at git")


def test_of_several_sources_the_environments_own_counts() -> None:
    app = ours()
    source = app["spec"].pop("source")
    app["spec"]["sources"] = [{"repoURL": "https://charts.example", "chart": "x", "targetRevision": "1.2.3"}, source]
    app["status"]["sync"] = {"status": "Synced", "revisions": ["1.2.3", NEW]}
    app["status"]["operationState"]["syncResult"] = {"revisions": ["1.2.3", NEW]}
    assert (far(app).done, far(app).revision) == (True, NEW)
    assert argocd_hand._operation(app, REPO, OLD, OP)["sync"]["revisions"] == ["1.2.3", OLD]


# --- what is asked ---


def test_a_request_carries_the_applications_own_options() -> None:
    app = recorded("out-of-sync")
    retry = {"limit": 2}
    app["spec"]["syncPolicy"] = {"syncOptions": ["ServerSideApply=true"], "retry": retry}
    before = copy.deepcopy(app)
    patch = argocd_hand.request(app, REPO, NEW, OP)
    assert app == before
    assert patch
    assert patch["metadata"]["resourceVersion"] == app["metadata"]["resourceVersion"]
    assert patch["metadata"]["annotations"] == {
        argocd.REFRESH: "normal", OPERATION: OP, BEFORE: app["status"]["sync"]["revision"]
    }  # fmt: skip
    assert patch["status"] == {"operationState": None}
    assert patch["operation"] == {
        "sync": {
            "revision": NEW, "prune": False, "syncStrategy": {"hook": {}}, "syncOptions": ["ServerSideApply=true"]
        },
        "initiatedBy": {"username": "pult"}, "info": [{"name": OPERATION, "value": OP}], "retry": retry,
    }  # fmt: skip


def test_one_that_is_busy_says_with_whose() -> None:
    with pytest.raises(UserError, match="busy with another sync of checkout, which admin asked for"):
        argocd_hand.request(recorded("operation-running"), REPO, NEW, OP)


def test_one_that_is_going_away_is_left_alone() -> None:
    app = recorded("synced-healthy")
    app["metadata"]["deletionTimestamp"] = "2026-11-24T08:30:00Z"
    with pytest.raises(UserError, match="checkout is being deleted"):
        argocd_hand.request(app, REPO, NEW, OP)


def test_what_is_in_sync_is_only_looked_at() -> None:
    patch = argocd_hand.request(recorded("synced-healthy"), REPO, "", OP)
    assert patch
    assert "operation" not in patch
    assert "status" not in patch


def test_asked_again_it_asks_nothing_while_that_stands_and_anew_when_it_failed() -> None:
    assert argocd_hand.request(ours(), REPO, NEW, OP) is None
    assert argocd_hand.request(ours("Running"), REPO, NEW, OP) is None
    failed = ours("Failed")
    failed["status"]["sync"]["status"] = "OutOfSync"
    again = argocd_hand.request(failed, REPO, NEW, OP)
    assert again
    assert again["operation"]["sync"]["revision"] == NEW
    assert BEFORE not in again["metadata"]["annotations"]


@pytest.mark.parametrize(("state", "asks"), [({}, False), ({"syncResult": {"revision": NEW}}, True)])
def test_auto_sync_is_left_to_itself_until_it_has_tried(state: Any, asks: bool) -> None:
    app = recorded("out-of-sync")
    app["spec"]["syncPolicy"] = {"automated": {"prune": True}}
    app["status"]["sync"]["revision"] = NEW
    app["status"]["operationState"] = {"phase": "Succeeded", **state}
    patch = argocd_hand.request(app, REPO, NEW, OP)
    assert patch
    assert ("operation" in patch) is asks
    if asks:
        assert patch["operation"]["sync"] == {"prune": True, "syncStrategy": {"hook": {}}, "syncOptions": []}


# --- whole syncs ---


@dataclass
class Bench:
    cluster: KubernetesCluster
    clusters: Clusters
    forge: Forge
    environment: Environment

    @property
    def app(self) -> Any:
        return self.store.get(APPLICATION, "argocd", "api")

    @property
    def store(self) -> Any:
        return self.clusters.cluster("nyc2").store

    def change(self, **spec: Any) -> None:
        self.store.put(APPLICATION, self.app | {"spec": self.app["spec"] | spec})

    def commit(self, version: str, path: str = "deploy/production/kustomization.yaml") -> str:
        repo = self.forge.repository("dept/api")
        files = {**repo.branch("main").files, path: kustomization("api", "production", version).encode()}
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
        return images.version_of(self.clusters.image("nyc2", "production", "api"))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with simulator(SimulatorSettings(port=0, speed=100)) as running:
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(kubeconfig(running.url)))
        settings = ClusterSettings(name="nyc2", region="nyc2", kubeconfig=path, context="nyc2")
        clusters, forge = running.world.clusters, running.world.github
        assert isinstance(clusters, Clusters)
        assert isinstance(forge, Forge)
        gitops = GitOps("argocd", "api", "dept/api", "deploy/production/kustomization.yaml")
        environment = Environment("production", "nyc2", "production", "deployment", "api", gitops)
        async with open_clusters([settings]) as cluster:
            async with asyncio.timeout(8):
                while not (await cluster.gitops.state(environment)).done:
                    await asyncio.sleep(0.02)
            yield Bench(cluster, clusters, forge, environment)


async def test_a_commit_is_brought_and_known_to_be_healthy(bench: Bench) -> None:
    head = bench.commit("1.8.0")
    await bench.ask(head)
    await bench.ask(head)
    seen: list[str] = []

    def look(found: Applied) -> bool:
        seen.append(text(found.doing))
        return found.done

    found = await bench.until(look, head)
    assert (found.revision, bench.runs()) == (head, "1.8.0")
    assert [entry["initiatedBy"] for entry in bench.app["status"]["history"]][1:] == [{"username": "pult"}]
    assert any(seen), "a live card says what it is at"
    assert (await bench.cluster.gitops.state(bench.environment)).done


async def test_a_second_sync_waits_for_its_own_end(bench: Bench) -> None:
    first = bench.commit("1.8.0")
    await bench.ask(first)
    await bench.until(lambda found: found.done, first)
    second = bench.commit("1.8.1")
    found = await bench.cluster.gitops.progress(bench.environment, second, "op-52d0")
    assert not found.done
    await bench.ask(second, "op-52d0")
    assert not (await bench.cluster.gitops.progress(bench.environment, second, "op-52d0")).done
    await bench.until(lambda found: found.done, second, "op-52d0")
    assert bench.runs() == "1.8.1"


async def test_a_version_that_does_not_run_is_synced_and_stuck(bench: Bench) -> None:
    head = bench.commit("9.9.9")
    await bench.ask(head)
    found = await bench.until(lambda found: found.stuck, head)
    assert (found.synced, found.done) == (True, False)
    assert "Degraded" in text(found.stuck)


async def test_a_sync_that_fails_says_why_and_can_be_asked_again(bench: Bench) -> None:
    bench.commit("1.8.0", "elsewhere/kustomization.yaml")
    bench.change(source=bench.app["spec"]["source"] | {"path": "gone"})
    missing = bench.commit("1.8.0")
    await bench.ask(missing)
    found = await bench.until(lambda found: found.stuck, missing)
    assert "does not exist" in text(found.stuck)
    bench.change(source=bench.app["spec"]["source"] | {"path": "deploy/production"})
    await bench.ask(missing)
    await bench.until(lambda found: found.done, missing)


async def test_looking_at_git_is_enough_when_there_is_nothing_new(bench: Bench) -> None:
    before = bench.app["status"]["history"]
    await bench.ask()
    found = await bench.until(lambda found: found.done)
    assert found.revision == bench.forge.head("dept/api", "main")
    assert bench.app["status"]["history"] == before


async def test_news_that_the_look_at_git_brings_are_synced_too(bench: Bench) -> None:
    head = bench.commit("1.8.0")  # the Application does not know yet
    assert (await bench.cluster.gitops.state(bench.environment)).done
    await bench.ask()
    found = await bench.until(lambda found: found.done and found.revision == head)
    assert (found.revision, bench.runs()) == (head, "1.8.0")


async def test_auto_sync_does_it_by_itself(bench: Bench) -> None:
    bench.change(syncPolicy={"automated": {"selfHeal": True}})
    head = bench.commit("1.8.0")
    await bench.ask(head)
    found = await bench.until(lambda found: found.done, head)
    assert (found.revision, found.automated, bench.runs()) == (head, True, "1.8.0")
    assert [entry["initiatedBy"] for entry in bench.app["status"]["history"]][1:] == [{"automated": True}]


async def test_drift_that_auto_sync_leaves_is_synced_on_request(bench: Bench) -> None:
    bench.change(syncPolicy={"automated": {}})
    await bench.ask(bench.commit("1.8.0"))
    await bench.until(lambda found: found.done and bench.runs() == "1.8.0")
    found = bench.store.get(DEPLOYMENT, "production", "api")
    container = found["spec"]["template"]["spec"]["containers"][0] | {"image": images.image("api", "1.8.1")}
    template = found["spec"]["template"] | {"spec": {"containers": [container]}}
    bench.store.put(DEPLOYMENT, found | {"spec": found["spec"] | {"template": template}})
    bench.store.put(APPLICATION, annotate(bench.app, **{argocd.REFRESH: "normal"}))
    async with asyncio.timeout(8):
        while not (drift := (await bench.cluster.gitops.state(bench.environment)).drift):
            await asyncio.sleep(0.02)
    assert text(drift) == "Deployment api"
    await bench.ask(operation="op-52d0")
    await bench.until(lambda found: found.done, operation="op-52d0")
    assert bench.runs() == "1.8.0"


async def test_one_that_is_to_be_left_alone_is_not_asked(bench: Bench) -> None:
    bench.store.put(APPLICATION, annotate(bench.app, **{argocd.SKIP: "true"}))
    with pytest.raises(UserError, match=r"leaves api alone: its annotation argocd\S+ is set"):
        await bench.ask()
    assert (await bench.cluster.gitops.state(bench.environment)).suspended


async def test_a_sync_that_somebody_began_meanwhile_is_not_overwritten(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our read and our patch: the resourceVersion is old, and the second look finds it busy."""
    patch = resources.patch
    other = {"sync": {"revision": "main"}, "initiatedBy": {"username": "boris"}}

    async def racing(api: Api, *place: Any, **how: Any) -> Any:
        monkeypatch.setattr(resources, "patch", patch)
        monkeypatch.setattr(controller, "advance", lambda *_: False)  # it is not done before we look again
        bench.store.put(APPLICATION, bench.app | {"operation": other})
        return await patch(api, *place, **how)

    monkeypatch.setattr(resources, "patch", racing)
    with pytest.raises(UserError, match="another sync of api, which boris asked for"):
        await bench.ask(bench.commit("1.8.0"))


async def test_races_do_not_go_on_for_ever(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(*_: Any, **__: Any) -> Any:
        raise ConflictError("409")

    monkeypatch.setattr(resources, "patch", lost)
    with pytest.raises(DriftError, match="api changes too fast"):
        await bench.ask(bench.commit("1.8.0"))


async def test_a_look_that_loses_its_race_looks_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refresh brought news, and the sync that follows can't be asked for just now."""
    head = bench.commit("1.8.0")
    await bench.ask()
    async with asyncio.timeout(8):
        while bench.app["status"]["sync"]["status"] == "Synced":
            await asyncio.sleep(0.02)

    async def lost(*_: Any, **__: Any) -> Any:
        raise ConflictError("409")

    with monkeypatch.context() as patched:
        patched.setattr(resources, "patch", lost)
        found = await bench.cluster.gitops.progress(bench.environment, "", OP)
    assert (found.done, found.stuck) == (False, None)
    await bench.until(lambda found: found.done and found.revision == head)


async def test_what_is_not_there_or_not_allowed_is_said(bench: Bench) -> None:
    missing = replace(bench.environment, gitops=replace(bench.environment.gitops, application="nowhere"))
    with pytest.raises(UserError, match="There is no application nowhere in nyc2"):
        await bench.cluster.gitops.state(missing)
    bench.clusters.cluster("nyc2").deny("patch", "applications")
    with pytest.raises(UserError, match="nyc2 does not allow pult to do this"):
        await bench.ask(bench.commit("1.8.0"))


async def test_without_a_tool_or_a_cluster_there_is_nothing_to_ask(bench: Bench) -> None:
    with pytest.raises(UserError, match="No GitOps tool brings git to production"):
        await bench.cluster.gitops.state(replace(bench.environment, gitops=GitOps()))
    with pytest.raises(UserError, match="No cluster fra1 is configured"):
        await bench.cluster.gitops.state(replace(bench.environment, cluster="fra1"))
