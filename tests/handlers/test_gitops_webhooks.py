"""Argo CD's notifications and Flux's events, as recorded: whose they are, what was seen, how the object fares."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.errors import ForgedError, MalformedError
from bot.domain.events import Heard
from bot.domain.releases import Fate
from bot.domain.services import Catalogue, Environment, GitOps, Service
from bot.domain.sightings import Sighting, Trouble
from bot.ports.webhooks import Delivery
from handlers.webhooks import argocd, flux
from handlers.webhooks.names import Names

FIXTURES = Path(__file__).parents[1] / "fixtures"
ARGO, FLUX = FIXTURES / "argocd-webhook", FIXTURES / "flux-event"
NOW = datetime(2026, 11, 24, 8, 31, 10, tzinfo=UTC)
REVISION = "9d2f0c1e5b7a4c3d8e6f1a2b3c4d5e6f70819293"
IMAGE = "registry.example.com/shop/checkout:1.4.2"
FINISHED = datetime(2026, 11, 24, 8, 30, 40, tzinfo=UTC)
FLUX_SECRET = "test-flux-secret"


def stop(tool: str, application: str, name: str = "production", cluster: str = "nyc2") -> Environment:
    gitops = GitOps(tool, application, "shop/deploy", "apps/x.yaml")
    return Environment(name, cluster, "shop" if name != "staging" else "staging", "deployment", "x", gitops)


def service(name: str, *environments: Environment) -> Service:
    return Service(name, "shop", "deployment", name, ("nyc2", "sfo3"), environments, f"shop/{name}")


NAMES = Names(Catalogue([
    service("checkout", stop("argocd", "checkout-staging", "staging"), stop("argocd", "checkout")),
    service("shop", stop("flux", "shop")),
    service("cart", stop("flux", "shop/cart")),
    service("two", stop("argocd", "two", "production-nyc2"), stop("argocd", "two", "production-sfo3", "sfo3")),
]))  # fmt: skip


def body(folder: Path, **changes: object) -> dict[str, Any]:
    return {**json.loads((folder / "body.json").read_text()), **changes}


def delivery(folder: Path, now: datetime = NOW, **changes: object) -> Delivery:
    headers = json.loads((folder / "headers.json").read_text())["headers"]
    raw = json.dumps(body(folder, **changes)).encode() if changes else (folder / "body.json").read_bytes()
    return Delivery({name.lower(): value for name, value in headers.items()}, raw, now)


def argo(case: str, **changes: object) -> Heard:
    return argocd.parse(delivery(ARGO / case, **changes), NAMES)


def fluxed(case: str, **changes: object) -> Heard:
    return flux.parse(delivery(FLUX / case, **changes), NAMES)


def troubles(heard: Heard) -> dict[str, bool]:
    return {trouble.alert: trouble.fires for trouble in heard.troubles}


def fates(heard: Heard) -> list[tuple[str, str, Fate]]:
    return [(seen.service, seen.environment, seen.fate) for seen in heard.sightings]


def test_argo_cd_shows_its_token() -> None:
    source = argocd.source("argocd-test-token", Catalogue(()))
    for case in ("deployed", "sync-failed", "health-degraded"):
        source.authenticate(delivery(ARGO / case))
    for headers in ({}, {"authorization": "Bearer x"}, {"authorization": "argocd-test-token"}):
        with pytest.raises(ForgedError):
            source.authenticate(Delivery(headers, b"{}", NOW))


def test_the_same_bytes_are_the_same_delivery_for_five_minutes() -> None:
    """Ruling 30. The very same state may well come again an hour later."""
    key = argocd.source("t", Catalogue(())).key
    first = delivery(ARGO / "deployed", datetime(2026, 11, 24, 8, 30, tzinfo=UTC))
    assert key(first) == key(Delivery({}, first.body, first.received_at + timedelta(seconds=299)))
    assert key(first) != key(Delivery({}, first.body, first.received_at + timedelta(seconds=300)))
    assert key(first) != key(Delivery({}, first.body + b" ", first.received_at))


def test_a_good_sync() -> None:
    heard = argo("deployed")
    assert heard.sightings == (
        Sighting("checkout", "production", Fate.GOOD, FINISHED, commits=(REVISION,), images=(IMAGE,)),
    )
    assert troubles(heard) == {"GitopsSyncFailed": False, "GitopsDegraded": False}


def test_a_failed_sync() -> None:
    heard = argo("sync-failed")
    assert heard.sightings == ()
    (trouble,) = heard.troubles
    assert (trouble.alert, trouble.fires, trouble.at) == ("GitopsSyncFailed", True, FINISHED)
    assert dict(trouble.labels) == {
        "alertname": "GitopsSyncFailed", "severity": "warning", "service": "checkout", "application": "checkout",
        "tool": "argocd", "namespace": "argocd", "environment": "production",
    }  # fmt: skip
    assert trouble.said.startswith("one or more objects failed to apply")
    assert trouble.url == "https://argocd.shop.example/applications/argocd/checkout"


def test_degraded_production_is_critical_and_degraded_staging_is_not() -> None:
    heard = argo("health-degraded")
    assert fates(heard) == [("checkout", "production", Fate.BAD)]
    assert troubles(heard) == {"GitopsSyncFailed": False, "GitopsDegraded": True}
    assert dict(heard.troubles[1].labels)["severity"] == "critical"
    staging = argo("health-degraded", app="checkout-staging").troubles[1]
    assert (dict(staging.labels)["severity"], dict(staging.labels)["environment"]) == ("warning", "staging")


@pytest.mark.parametrize(
    ("phase", "health", "fate", "told"),
    [
        ("Succeeded", "Progressing", Fate.RUNNING, {"GitopsSyncFailed": False}),
        ("Succeeded", None, Fate.RUNNING, {"GitopsSyncFailed": False}),
        ("Succeeded", "Suspended", Fate.RUNNING, {"GitopsSyncFailed": False}),
        ("Running", "Progressing", Fate.RUNNING, {}),
        ("Terminating", "Healthy", None, {"GitopsDegraded": False}),
        (None, "Healthy", Fate.GOOD, {"GitopsDegraded": False}),
        (None, "Degraded", None, {"GitopsDegraded": True}),
        ("Error", "Healthy", None, {"GitopsSyncFailed": True, "GitopsDegraded": False}),
        ("Failed", "Degraded", None, {"GitopsSyncFailed": True, "GitopsDegraded": True}),
        (None, "Unknown", None, {}),
    ],
)
def test_what_argo_cd_does_not_judge_stays_as_it_was(
    phase: str | None, health: str | None, fate: Fate | None, told: dict[str, bool]
) -> None:
    operation = {**body(ARGO / "deployed")["operation"], "phase": phase} if phase else None
    heard = argo("deployed", operation=operation, health=health)
    assert [seen.fate for seen in heard.sightings] == ([fate] if fate else [])
    assert troubles(heard) == told


def test_a_dry_run_applied_nothing() -> None:
    operation = body(ARGO / "deployed")["operation"]
    operation["operation"]["sync"]["dryRun"] = True
    assert troubles(argo("deployed", operation=operation)) == {"GitopsDegraded": False}


def test_several_sources_have_several_revisions() -> None:
    operation = body(ARGO / "deployed")["operation"]
    operation["syncResult"] = {"revisions": ["a" * 40, "b" * 40]}
    (seen,) = argo("deployed", operation=operation, revision=None).sightings
    assert seen.commits == ("a" * 40, "b" * 40)


def test_an_application_nobody_listed_still_raises_its_alert() -> None:
    heard = argo("sync-failed", app="cert-manager")
    assert heard.sightings == ()
    labels = dict(heard.troubles[0].labels)
    assert (labels["service"], labels["severity"], "environment" in labels) == ("cert-manager", "warning", False)


def test_the_namespace_tells_applications_apart() -> None:
    assert argo("deployed", namespace="team-a").sightings == ()
    assert argo("deployed", namespace=None).sightings != ()


def test_one_application_in_two_clusters_is_seen_where_it_says_it_is() -> None:
    assert argo("deployed", app="two").sightings == ()
    assert fates(argo("deployed", app="two", cluster="sfo3")) == [("two", "production-sfo3", Fate.GOOD)]
    assert fates(argo("deployed", app="two", environment="production-nyc2")) == [("two", "production-nyc2", Fate.GOOD)]
    keys = {argo("sync-failed", app="two", cluster=name).troubles[0].key for name in ("nyc2", "sfo3")}
    assert len(keys) == 2, "trouble here says nothing of there"


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("app", {"app": None}),
        ("app", {"app": ""}),
        ("health, operation.phase", {"health": None, "operation": None}),
        ("operation", {"operation": "x"}),
        ("operation.phase", {"operation": {"phase": 1}}),
        ("operation.finishedAt", {"operation": {"phase": "Failed", "finishedAt": "now"}}),
        ("images", {"images": "x"}),
        ("health", {"health": {}}),
    ],
)
def test_another_template_is_refused_with_its_place(place: str, changes: dict[str, object]) -> None:
    with pytest.raises(MalformedError) as raised:
        argo("deployed", **changes)
    assert str(raised.value).partition(":")[0] == place


def test_what_the_template_leaves_out_is_no_fault() -> None:
    told = Delivery({}, b'{"app": "checkout", "health": "Healthy", "more": [1]}', NOW)
    assert fates(argocd.parse(told, NAMES)) == [("checkout", "production", Fate.GOOD)]


@pytest.mark.parametrize("case", ["kustomization-applied", "kustomization-health-failed", "helmrelease-upgrade-failed"])
def test_flux_signs_its_events(case: str) -> None:
    source = flux.source(FLUX_SECRET, Catalogue(()))
    source.authenticate(delivery(FLUX / case))
    with pytest.raises(ForgedError):
        flux.source("another", Catalogue(())).authenticate(delivery(FLUX / case))
    with pytest.raises(ForgedError):
        source.authenticate(delivery(FLUX / case, message="other"))


def test_without_a_signature_nothing_is_taken() -> None:
    with pytest.raises(ForgedError):
        flux.source(FLUX_SECRET, Catalogue(())).authenticate(delivery(FLUX / "generic-no-hmac"))


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512", "SHA512"])
def test_flux_names_its_hash(name: str) -> None:
    told = delivery(FLUX / "kustomization-applied")
    mark = hmac.new(FLUX_SECRET.encode(), told.body, name.lower()).hexdigest()
    flux.source(FLUX_SECRET, Catalogue(())).authenticate(Delivery({"x-signature": f"{name}={mark}"}, told.body, NOW))


@pytest.mark.parametrize("name", ["sha1", "md5", "", "sha256sum", "new"])
def test_a_weak_hash_or_none_is_refused(name: str) -> None:
    told = delivery(FLUX / "kustomization-applied")
    mark = hmac.new(FLUX_SECRET.encode(), told.body, name if name in {"sha1", "md5"} else "sha256").hexdigest()
    with pytest.raises(ForgedError):
        flux.source(FLUX_SECRET, Catalogue(())).authenticate(
            Delivery({"x-signature": f"{name}={mark}"}, told.body, NOW)
        )


@pytest.mark.parametrize(("late", "fresh"), [(300, True), (301, False), (-300, True), (-301, False), (86_400, False)])
def test_an_old_event_is_a_replay(late: int, fresh: bool) -> None:
    source = flux.source(FLUX_SECRET, Catalogue(()))
    told = delivery(
        FLUX / "kustomization-applied", datetime(2026, 11, 24, 8, 31, 5, tzinfo=UTC) + timedelta(seconds=late)
    )
    if fresh:
        source.authenticate(told)
    else:
        with pytest.raises(ForgedError):
            source.authenticate(told)


def test_a_signed_body_that_is_none_is_malformed_and_not_forged() -> None:
    source = flux.source(FLUX_SECRET, Catalogue(()))
    for raw in (b"{", b"[]", b'{"timestamp": "soon"}', b"{}"):
        mark = hmac.new(FLUX_SECRET.encode(), raw, "sha256").hexdigest()
        told = Delivery({"x-signature": f"sha256={mark}"}, raw, NOW)
        source.authenticate(told)
        with pytest.raises(MalformedError):
            source.parse(told)


def test_a_kustomization_is_applied() -> None:
    heard = fluxed("kustomization-applied")
    (seen,) = heard.sightings
    assert (seen.service, seen.fate, seen.commits) == ("shop", Fate.GOOD, ("731f7eaddfb6af01cb2173e18f0f75b0ba780ef1",))
    assert troubles(heard) == {"GitopsSyncFailed": False, "GitopsDegraded": False}


def test_a_kustomization_is_not_healthy() -> None:
    heard = fluxed("kustomization-health-failed")
    assert fates(heard) == [("shop", "production", Fate.BAD)]
    assert troubles(heard) == {"GitopsDegraded": True, "GitopsSyncFailed": False}
    assert dict(heard.troubles[0].labels)["severity"] == "critical"
    assert "Deployment/shop/checkout" in heard.troubles[0].said


def test_a_helm_upgrade_fails_and_is_rolled_back() -> None:
    """The rollback is told as information; the object stays not ready, so its alert stays."""
    failed = fluxed("helmrelease-upgrade-failed")
    assert failed.sightings == ()
    assert troubles(failed) == {"GitopsSyncFailed": True}
    back = fluxed("helmrelease-upgrade-failed", severity="info", reason="RollbackSucceeded")
    assert [(seen.fate, seen.version) for seen in back.sightings] == [(Fate.BACK, "2.4.1")]
    assert back.troubles == ()


def test_what_names_a_version_to_flux() -> None:
    metadata = {
        "revision": "latest@sha256:" + "0" * 64, "originRevision": "main@sha1:" + "a" * 40, "image": "r/shop",
        "digest": "sha256:" + "b" * 64, "version": "v1.8.0",
    }  # fmt: skip
    (seen,) = fluxed("kustomization-applied", metadata=metadata).sightings
    assert seen.commits == ("a" * 40,)
    assert seen.images == ("r/shop", "r/shop@sha256:" + "b" * 64)
    assert seen.version == "1.8.0"
    upgraded = {"severity": "info", "reason": "UpgradeSucceeded", "metadata": {"revision": "1.8.0+0123456789ab"}}
    (chart,) = fluxed("helmrelease-upgrade-failed", **upgraded).sightings
    assert (chart.version, chart.commits) == ("1.8.0", ())


def test_a_source_that_can_be_read_again() -> None:
    heard = fluxed("generic-no-hmac")
    assert heard.sightings == ()
    assert troubles(heard) == {"GitopsSyncFailed": False, "GitopsDegraded": False}
    assert heard.troubles[0].key == "gitops flux GitRepository flux-system shop GitopsSyncFailed"


@pytest.mark.parametrize("reason", ["Progressing", "DependencyNotReady", "GarbageCollectionSucceeded", "Whatever"])
def test_other_news_of_flux_say_nothing(reason: str) -> None:
    assert fluxed("kustomization-applied", reason=reason) == Heard()


def test_the_longest_message_is_kept_in_part() -> None:
    (trouble, *_) = fluxed("kustomization-health-failed", message="x" * 39_000).troubles
    assert isinstance(trouble, Trouble)
    assert len(trouble.said) == 600


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("involvedObject", {"involvedObject": None}),
        ("involvedObject.name", {"involvedObject": {"kind": "Kustomization"}}),
        ("involvedObject.kind", {"involvedObject": {"name": "shop"}}),
        ("severity", {"severity": None}),
        ("reason", {"reason": None}),
        ("metadata", {"metadata": []}),
        ("metadata.revision", {"metadata": {"revision": 1}}),
        ("message", {"message": {}}),
    ],
)
def test_a_malformed_event_says_where(place: str, changes: dict[str, object]) -> None:
    with pytest.raises(MalformedError) as raised:
        fluxed("kustomization-applied", **changes)
    assert str(raised.value).partition(":")[0] == place


def test_the_template_to_paste_is_the_one_that_is_tested() -> None:
    """docs/integrations.md against the template of the recorded bodies: every key, each through toJson."""
    page = (FIXTURES.parents[1] / "docs" / "integrations.md").read_text()
    template = (ARGO / "deployed" / "template.yaml").read_text()
    lines = [line.strip() for line in template.splitlines() if "toJson" in line or '"kind"' in line]
    assert len(lines) >= 7
    assert [line for line in lines if line not in page] == []
