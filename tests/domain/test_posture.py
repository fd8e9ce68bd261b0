"""Posture by hand: each flaw alone, each remedy, and nothing said of what is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from bot.domain.anatomy import Anatomy, Budget, Container
from bot.domain.manifests_tree import Folder, Named
from bot.domain.posture import WEIGHTS, Finding, Flaw, audit, loose, stuck
from bot.domain.posture_changes import applied, remedy, shown
from bot.domain.sizing import Sized

SIZE = Sized(0.1, 1e8, None, 1e8)
SOUND = Container("api", "registry.example/api@sha256:" + "0" * 64, SIZE, port=8080)
WELL = Anatomy(3, (("app", "api"),), (SOUND,), budgets=(Budget("api", most_missing="1"),), policies=("api",))
API = Named("deployment", "api")
PATCHED = {"path": "posture-api.yaml", "target": {"kind": "Deployment", "name": "api"}}


def flaws(anatomy: Anatomy, *, production: bool = True) -> list[Flaw]:
    return [each.flaw for each in audit(anatomy, production=production)]


def test_nothing_is_missing() -> None:
    assert audit(WELL, production=True) == ()


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"ready": False}, Flaw.NOT_READY_PROBED),
        ({"live": False}, Flaw.NOT_LIVE_PROBED),
        ({"root": None}, Flaw.ROOT),
        ({"root": True}, Flaw.ROOT),
        ({"privileged": True}, Flaw.PRIVILEGED),
        ({"writable": True}, Flaw.WRITABLE),
        ({"image": "api:latest"}, Flaw.LOOSE_IMAGE),
        ({"size": Sized(0.1, 1e8)}, Flaw.NO_MEMORY_LIMIT),
        ({"size": Sized(None, 1e8, None, 1e8)}, Flaw.NO_REQUESTS),
        ({"size": Sized(0.1, None, None, 1e8)}, Flaw.NO_REQUESTS),
    ],
)
def test_each_flaw_of_a_container(change: dict[str, object], flaw: Flaw) -> None:
    container = replace(SOUND, **change)  # type: ignore[arg-type]
    assert audit(replace(WELL, containers=(SOUND, container)), production=True) == (Finding(flaw, "api"),)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"budgets": ()}, [Flaw.NO_BUDGET]),
        ({"budgets": (), "replicas": 1}, [Flaw.SINGLE]),
        ({"budgets": (), "replicas": 0}, []),
        ({"budgets": (Budget("a", least="3"),)}, [Flaw.STUCK_BUDGET]),
        ({"budgets": (Budget("a", least="1"), Budget("b", least="1"))}, [Flaw.OVERLAPPING]),
        ({"idle_budgets": ("old",)}, [Flaw.IDLE_BUDGET]),
        ({"spread": False}, [Flaw.NOT_SPREAD]),
        ({"policies": ()}, [Flaw.NO_POLICY]),
        ({"budgets": (), "policies": (), "unknown": ("poddisruptionbudgets", "networkpolicies")}, []),
        ({"budgets": (), "spread": False, "per_node": True}, []),
    ],
)
def test_each_flaw_of_a_workload(change: dict[str, object], expected: list[Flaw]) -> None:
    assert flaws(replace(WELL, **change)) == expected  # type: ignore[arg-type]


def test_one_replica_is_enough_outside_of_production() -> None:
    assert flaws(replace(WELL, replicas=1), production=False) == []


def test_the_worst_first() -> None:
    container = Container("api", "api", ready=False, live=False, root=None, privileged=True, writable=True)
    found = audit(Anatomy(2, (), (container,), spread=False), production=True)
    weights = [each.weight for each in found]
    assert weights == sorted(weights, reverse=True)
    assert len(found) == 11
    assert set(WEIGHTS) == set(Flaw)


@pytest.mark.parametrize(
    ("least", "most_missing", "replicas", "is_stuck"),
    [
        ("2", "", 3, False), ("3", "", 3, True), ("4", "", 3, True), ("100%", "", 3, True), ("50%", "", 3, False),
        ("51%", "", 2, True), ("", "0", 3, True), ("", "0%", 3, True), ("", "1%", 3, False), ("", "1", 1, False),
        ("1", "", 1, True), ("0", "", 1, False),
    ],
)  # fmt: skip
def test_a_budget_that_lets_nothing_go(least: str, most_missing: str, replicas: int, is_stuck: bool) -> None:
    assert stuck(Budget("a", least, most_missing), replicas) is is_stuck


@pytest.mark.parametrize(
    ("image", "is_loose"),
    [
        ("api", True), ("api:latest", True), ("registry:5000/api", True), ("registry:5000/api:1.8", False),
        ("api:latest@sha256:" + "0" * 64, False), ("api:1", False),
    ],
)  # fmt: skip
def test_images(image: str, is_loose: bool) -> None:
    assert loose(image) is is_loose


@pytest.mark.parametrize(
    ("flaw", "about", "path", "value"),
    [
        (Flaw.NO_BUDGET, "", "spec", {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "api"}}}),
        (Flaw.NO_POLICY, "", "spec.ingress", [{"ports": [{"port": 8080}]}]),
        (Flaw.STUCK_BUDGET, "old", "spec", {"minAvailable": None, "maxUnavailable": 1}),
        (Flaw.ROOT, "api", "container.securityContext", {"runAsNonRoot": True, "allowPrivilegeEscalation": False}),
        (Flaw.PRIVILEGED, "api", "container.securityContext", {"privileged": False, "allowPrivilegeEscalation": False}),
        (Flaw.WRITABLE, "api", "container.securityContext", {"readOnlyRootFilesystem": True}),
        (Flaw.NOT_READY_PROBED, "api", "container.readinessProbe", {"tcpSocket": {"port": 8080}, "periodSeconds": 5}),
    ],
)
def test_the_exact_change(flaw: Flaw, about: str, path: str, value: object) -> None:
    found = remedy(Finding(flaw, about), WELL, API, "production")
    assert found is not None
    tree = yaml.safe_load(shown(found, API))
    for name in path.split("."):
        tree = tree["spec"]["template"]["spec"]["containers"][0] if name == "container" else tree[name]
    assert tree == value


@pytest.mark.parametrize(
    "flaw", [Flaw.SINGLE, Flaw.LOOSE_IMAGE, Flaw.NO_REQUESTS, Flaw.NO_MEMORY_LIMIT, Flaw.NOT_LIVE_PROBED,
             Flaw.OVERLAPPING, Flaw.IDLE_BUDGET]
)  # fmt: skip
def test_what_only_a_person_can_say(flaw: Flaw) -> None:
    assert remedy(Finding(flaw, "api"), WELL, API, "production") is None


def test_no_policy_that_would_close_every_port() -> None:
    silent = replace(WELL, containers=(replace(SOUND, port=None),))
    assert remedy(Finding(Flaw.NO_POLICY), silent, API, "production") is None
    assert remedy(Finding(Flaw.NOT_READY_PROBED, "api"), silent, API, "production") is None


def test_several_in_one_folder() -> None:
    folder = Folder("d/kustomization.yaml", {"d/kustomization.yaml": "resources: [../base]\n"})
    for flaw, about in ((Flaw.NO_BUDGET, ""), (Flaw.ROOT, "api"), (Flaw.WRITABLE, "api"), (Flaw.NOT_SPREAD, "")):
        found = remedy(Finding(flaw, about), WELL, API, "production")
        assert found is not None
        folder = applied(folder, found, API)
    assert sorted(folder.texts) == ["d/kustomization.yaml", "d/pdb-api.yaml", "d/posture-api.yaml"]
    spec = yaml.safe_load(folder.texts["d/posture-api.yaml"])["spec"]["template"]["spec"]
    assert spec["containers"][0]["securityContext"] == {
        "runAsNonRoot": True, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
    }  # fmt: skip
    assert spec["topologySpreadConstraints"][0]["topologyKey"] == "kubernetes.io/hostname"
    main = yaml.safe_load(folder.texts["d/kustomization.yaml"])
    assert main == {"resources": ["../base", "pdb-api.yaml"], "patches": [PATCHED]}
