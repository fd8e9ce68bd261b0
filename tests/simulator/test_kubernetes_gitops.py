"""The Argo CD and Flux controllers, with the simulated forge as their Git."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.simulator.github.seeding import kustomization, seed
from bot.simulator.github.state import Forge
from bot.simulator.kubernetes import argocd, flux, images
from bot.simulator.kubernetes.cluster import annotate
from bot.simulator.kubernetes.kinds import (
    APPLICATION,
    DEPLOYMENT,
    GITREPOSITORY,
    HELMRELEASE,
    KUSTOMIZATION,
    Kind,
)
from bot.simulator.kubernetes.state import Clusters
from bot.simulator.kubernetes.wire import Json, annotations_of, spec_of, status_of
from bot.simulator.world import World

PATH = "deploy/production/kustomization.yaml"


class HandClock:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


class Bench:
    def __init__(self) -> None:
        self.clock = HandClock()
        self.world = World(clock=self.clock)
        self.clusters = Clusters(self.world)
        self.forge = Forge()
        seed(self.forge, self.clock.now())
        self.world.github = self.forge
        self.store = self.clusters.cluster("nyc2").store
        self.settle(5)

    def settle(self, seconds: float) -> None:
        for _ in range(int(seconds / 0.25)):
            self.clock.at += timedelta(seconds=0.25)
            self.clusters.tick("nyc2", self.clock.at)

    def commit(self, service: str, version: str, text: str | None = None) -> str:
        """Change the production file of a service on main; answers the commit."""
        repo = self.forge.repository(f"dept/{service}")
        new = kustomization(service, "production", version) if text is None else text
        files = {**repo.branch("main").files, PATH: new.encode()}
        return repo.commit("main", f"chore: {service} {version}", files, self.clock.at).sha

    @property
    def app(self) -> Json:
        return self.store.get(APPLICATION, "argocd", "api")

    def refresh(self) -> None:
        self.store.put(APPLICATION, annotate(self.app, **{argocd.REFRESH: "normal"}))
        self.settle(0.5)

    def sync(self, revision: str, **more: Any) -> None:
        operation = {"sync": {"revision": revision} | more, "initiatedBy": {"username": "pult"}}
        self.store.put(APPLICATION, self.app | {"operation": operation})

    def request(self, kind: Kind, name: str) -> None:
        self.store.put(kind, annotate(self.store.get(kind, "flux-system", name), **{flux.REQUESTED: "token-1"}))

    def automate(self, **policy: Any) -> None:
        self.store.put(APPLICATION, self.app | {"spec": spec_of(self.app) | {"syncPolicy": {"automated": policy}}})

    def by_hand(self, service: str, version: str) -> None:
        """Somebody uses kubectl."""
        found = self.store.get(DEPLOYMENT, "production", service)
        container = spec_of(found)["template"]["spec"]["containers"][0] | {"image": images.image(service, version)}
        template = spec_of(found)["template"] | {"spec": {"containers": [container]}}
        self.store.put(DEPLOYMENT, found | {"spec": spec_of(found) | {"template": template}})

    def image(self, service: str) -> str | None:
        return images.version_of(self.clusters.image("nyc2", "production", service))


def test_the_application_begins_synced_and_healthy() -> None:
    status = status_of(Bench().app)
    assert status["sync"]["status"] == "Synced"
    assert status["health"]["status"] == "Healthy"
    assert [entry["id"] for entry in status["history"]] == [0]
    assert "health" not in status["resources"][0]


def test_a_refresh_sees_the_new_commit_and_takes_its_annotation_away() -> None:
    bench = Bench()
    head = bench.commit("api", "1.8.0")
    bench.settle(5)
    assert status_of(bench.app)["sync"]["status"] == "Synced"
    bench.refresh()
    assert status_of(bench.app)["sync"] | {"comparedTo": None} == {
        "status": "OutOfSync",
        "revision": head,
        "comparedTo": None,
    }
    assert argocd.REFRESH not in annotations_of(bench.app)
    bench.settle(30)
    assert bench.image("api") == "1.7.2", "auto-sync is off"


def test_a_sync_is_running_then_applied_then_healthy() -> None:
    bench = Bench()
    head = bench.commit("api", "1.8.0")
    bench.sync(head)
    bench.settle(0.25)
    assert "operation" not in bench.app
    state = status_of(bench.app)["operationState"]
    assert (state["phase"], state["operation"]["initiatedBy"]) == ("Running", {"username": "pult"})
    assert "finishedAt" not in state
    bench.settle(1)
    state = status_of(bench.app)["operationState"]
    assert (state["phase"], state["syncResult"]["revision"]) == ("Succeeded", head)
    assert status_of(bench.app)["health"]["status"] == "Healthy", "nobody has looked since: that is the version before"
    bench.settle(0.25)
    assert status_of(bench.app)["health"]["status"] == "Progressing"
    assert status_of(bench.app)["sync"]["revision"] == head
    assert status_of(bench.app)["history"][-1] | {"deployStartedAt": "", "deployedAt": ""} == {
        "id": 1,
        "revision": head,
        "deployStartedAt": "",
        "deployedAt": "",
        "source": spec_of(bench.app)["source"],
        "initiatedBy": {"username": "pult"},
    }
    bench.settle(30)
    assert status_of(bench.app)["health"]["status"] == "Healthy"
    assert bench.image("api") == "1.8.0"


def test_a_rollback_to_an_old_revision_is_out_of_sync() -> None:
    bench = Bench()
    old = status_of(bench.app)["sync"]["revision"]
    bench.sync(bench.commit("api", "1.8.0"))
    bench.settle(40)
    bench.sync(old)
    bench.settle(40)
    assert bench.image("api") == "1.7.2"
    assert status_of(bench.app)["sync"]["status"] == "OutOfSync"
    assert [entry["revision"] for entry in status_of(bench.app)["history"]][-1] == old


@pytest.mark.parametrize("more", [{"dryRun": True}, {"resources": [{"kind": "Deployment", "name": "api"}]}])
def test_a_partial_or_dry_sync_makes_no_history(more: Json) -> None:
    bench = Bench()
    bench.sync(bench.commit("api", "1.8.0"), **more)
    bench.settle(40)
    assert len(status_of(bench.app)["history"]) == 1
    assert bench.image("api") == ("1.7.2" if "dryRun" in more else "1.8.0")


def test_a_sync_of_an_unknown_revision_fails_in_words() -> None:
    bench = Bench()
    bench.sync("f" * 40)
    bench.settle(3)
    state = status_of(bench.app)["operationState"]
    assert state["phase"] == "Failed"
    assert "unable to resolve" in state["message"]


@pytest.mark.parametrize("text", ["images: []", ": : :", "images:\n  - digest: x\n"])
def test_manifests_that_cannot_be_read_make_the_sync_status_unknown(text: str) -> None:
    bench = Bench()
    bench.commit("api", "1.8.0", text)
    bench.refresh()
    assert status_of(bench.app)["sync"]["status"] == "Unknown"
    assert status_of(bench.app)["conditions"][0]["type"] == "ComparisonError"


def test_a_bad_digest_is_synced_and_degraded() -> None:
    bench = Bench()
    bench.sync(bench.commit("api", "9.9.9"))
    bench.settle(90)
    assert status_of(bench.app)["sync"]["status"] == "Synced"
    assert status_of(bench.app)["health"]["status"] == "Degraded"


@pytest.mark.parametrize(("automated", "version"), [({"enabled": False}, "1.7.2"), ({}, "1.8.0")])
def test_auto_sync_applies_what_a_refresh_finds(automated: Json, version: str) -> None:
    bench = Bench()
    spec = spec_of(bench.app) | {"syncPolicy": {"automated": automated}}
    bench.store.put(APPLICATION, bench.app | {"spec": spec})
    bench.commit("api", "1.8.0")
    bench.refresh()
    bench.settle(40)
    assert bench.image("api") == version


@pytest.mark.parametrize(("heals", "version"), [(True, "1.7.2"), (False, "1.8.0")])
def test_auto_sync_mends_a_change_by_hand_only_with_self_heal(heals: bool, version: str) -> None:
    bench = Bench()
    bench.automate(selfHeal=heals)
    bench.sync(status_of(bench.app)["sync"]["revision"])  # what it tries again, it must have tried
    bench.settle(5)
    bench.by_hand("api", "1.8.0")
    bench.refresh()
    bench.settle(40)
    assert bench.image("api") == version
    assert status_of(bench.app)["sync"]["status"] == ("Synced" if heals else "OutOfSync")


def test_auto_sync_does_not_try_a_revision_that_failed_again() -> None:
    bench = Bench()
    bench.automate()
    bench.store.remove(DEPLOYMENT, "production", "api")
    bench.refresh()
    bench.settle(5)
    state = status_of(bench.app)["operationState"]
    assert (state["phase"], state["operation"]["initiatedBy"]) == ("Failed", {"automated": True})
    bench.refresh()
    bench.settle(5)
    assert status_of(bench.app)["operationState"] == state


def test_an_application_that_is_to_be_left_alone_is() -> None:
    bench = Bench()
    bench.store.put(APPLICATION, annotate(bench.app, **{argocd.SKIP: "true"}))
    bench.sync(bench.commit("api", "1.8.0"))
    bench.settle(40)
    assert "operation" in bench.app
    assert bench.image("api") == "1.7.2"


def test_several_sources_have_a_revision_each() -> None:
    bench = Bench()
    single = spec_of(bench.app)["source"]
    values = {"repoURL": "https://github.com/dept/web.git", "targetRevision": "main", "ref": "values"}
    spec = {key: value for key, value in spec_of(bench.app).items() if key != "source"} | {"sources": [values, single]}
    bench.store.put(APPLICATION, bench.app | {"spec": spec})
    head, other = bench.commit("api", "1.8.0"), bench.forge.head("dept/web", "main")
    bench.refresh()
    assert status_of(bench.app)["sync"]["revisions"] == [other, head]
    operation = {"sync": {"revisions": [other, head]}, "initiatedBy": {"username": "pult"}}
    bench.store.put(APPLICATION, bench.app | {"operation": operation})
    bench.settle(40)
    entry = status_of(bench.app)["history"][-1]
    assert (entry["revisions"], "revision" in entry, entry["sources"]) == ([other, head], False, [values, single])
    assert status_of(bench.app)["operationState"]["syncResult"]["revisions"] == [other, head]
    assert bench.image("api") == "1.8.0"


def test_flux_reconciles_on_request_and_says_that_it_did() -> None:
    bench = Bench()
    head = bench.commit("web", "5.1.0")
    bench.request(KUSTOMIZATION, "web")
    bench.settle(1)
    status = status_of(bench.store.get(KUSTOMIZATION, "flux-system", "web"))
    assert status["lastHandledReconcileAt"] == "token-1"
    assert head not in status["lastAttemptedRevision"], "the source has not fetched it yet"
    bench.request(GITREPOSITORY, "web")
    bench.settle(1)
    assert status_of(bench.store.get(GITREPOSITORY, "flux-system", "web"))["lastHandledReconcileAt"] == "token-1"
    status = status_of(bench.store.get(KUSTOMIZATION, "flux-system", "web"))
    assert status["lastHandledReconcileAt"] == "token-1"
    assert status["conditions"][0]["type"] == "Reconciling"
    assert status["lastAttemptedRevision"] == f"main@sha1:{head}" != status["lastAppliedRevision"]
    bench.settle(30)
    status = status_of(bench.store.get(KUSTOMIZATION, "flux-system", "web"))
    assert status["lastAppliedRevision"] == f"main@sha1:{head}"
    assert [(c["type"], c["status"]) for c in status["conditions"]] == [("Ready", "True")]
    assert bench.image("web") == "5.1.0"


def test_flux_finds_a_new_commit_by_itself_and_leaves_drift_alone() -> None:
    bench = Bench()
    bench.by_hand("web", "5.1.0")
    bench.settle(70)
    assert bench.image("web") == "5.1.0"
    bench.commit("web", "5.0.3")
    bench.settle(90)
    assert bench.image("web") == "5.0.3"


def test_a_suspended_kustomization_ignores_commits() -> None:
    bench = Bench()
    found = bench.store.get(KUSTOMIZATION, "flux-system", "web")
    bench.store.put(KUSTOMIZATION, found | {"spec": spec_of(found) | {"suspend": True}})
    bench.commit("web", "5.1.0")
    bench.settle(90)
    assert bench.image("web") == "5.0.3"
    found = bench.store.get(KUSTOMIZATION, "flux-system", "web")
    assert status_of(found)["conditions"][0]["status"] == "True"


def test_a_failing_rollout_makes_the_kustomization_not_ready() -> None:
    bench = Bench()
    bench.commit("web", "9.9.9")
    bench.settle(150)
    found = bench.store.get(KUSTOMIZATION, "flux-system", "web")
    ready = status_of(found)["conditions"][0]
    assert (ready["status"], ready["reason"]) == ("False", "HealthCheckFailed")
    assert status_of(found)["lastAppliedRevision"] != status_of(found)["lastAttemptedRevision"]


def test_sources_and_helm_releases_are_ready() -> None:
    bench = Bench()
    source = status_of(bench.store.get(GITREPOSITORY, "flux-system", "web"))
    assert source["artifact"]["revision"].startswith("main@sha1:")
    release = status_of(bench.store.get(HELMRELEASE, "flux-system", "worker"))
    assert release["conditions"][0]["status"] == "True"
    assert release["history"][0]["status"] == "deployed"
