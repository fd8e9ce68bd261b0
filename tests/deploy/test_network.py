"""Who reaches pult and whom pult reaches: the table in docs/network.md is what the policies come to."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from bot.edge.server import BODY_MAX
from config.settings import Settings
from tests.deploy.built import DEPLOY, OVERLAYS, PRODUCTION, ROOT, Object, built, kinds, namespace, title, workload
from tests.deploy.reach import Entity, Host, Party, Pod, reaches
from tests.deploy.test_manifests import configured

PAGE = ROOT / "docs/network.md"
HEAD = "| from | to | port | |\n|---|---|---|---|\n"
ANSWERS = {True: "allowed", False: "**denied**"}
NAME = "app.kubernetes.io/name"
API = Entity("kube-apiserver")


def parties(objects: tuple[Object, ...]) -> dict[str, Party]:
    space = namespace(objects)
    monitoring = {
        "Prometheus": {NAME: "prometheus"},
        "Alertmanager": {NAME: "alertmanager"},
        "Loki's gateway": {NAME: "loki", "app.kubernetes.io/component": "gateway"},
        "Grafana": {NAME: "grafana"},
    }
    return {
        "pult": Pod(space, workload(objects)["spec"]["template"]["metadata"]["labels"], {"http": 8080}),
        "pult's schema Job": Pod(space, {NAME: "pult-schema"}),
        "any other pod beside pult": Pod(space, {NAME: "other"}),
        "Traefik": Pod("traefik", {NAME: "traefik"}),
        "Argo CD's notifications": Pod("argocd", {NAME: "argocd-notifications-controller"}),
        "Argo CD's server": Pod("argocd", {NAME: "argocd-server"}),
        "Flux's notifications": Pod("flux-system", {"app": "notification-controller"}),
        "a service in production": Pod("production", {NAME: "api"}, {"http": 8080}),
        "DNS": Pod("kube-system", {"k8s-app": "kube-dns"}),
        "this cluster's API server": API,
        **{name: Pod("monitoring", labels) for name, labels in monitoring.items()},
        **{name: Host(name) for name in HOSTS},
    }


HOSTS = (
    "slack.com", "wss-primary.slack.com", "files.slack.com", "api.telegram.org", "api.github.com",
    "api.digitalocean.com", "registry.digitalocean.com", "0a1b2c.k8s.ondigitalocean.com",
    "pult-do-user-1-0.b.db.ondigitalocean.com", "watch.dept.example", "github.com", "slack.com.evil.example",
    "evil-slack.com", "169.254.169.254",
)  # fmt: skip
ASKED = (
    *(("pult", each, 443) for each in HOSTS if "db." not in each),
    ("pult", "api.github.com", 22),
    ("pult", "pult-do-user-1-0.b.db.ondigitalocean.com", 25060),
    ("pult", "this cluster's API server", 443),
    ("pult", "DNS", 53),
    ("pult", "Prometheus", 9090),
    ("pult", "Alertmanager", 9093),
    ("pult", "Loki's gateway", 8080),
    ("pult", "Grafana", 3000),
    ("pult", "a service in production", 8080),
    *((each, "pult", 8080) for each in (
        "Traefik", "Prometheus", "Alertmanager", "Argo CD's notifications", "Flux's notifications",
        "Argo CD's server", "Grafana", "a service in production", "any other pod beside pult", "pult's schema Job",
    )),
    ("Traefik", "pult", 22),
    ("pult's schema Job", "pult-do-user-1-0.b.db.ondigitalocean.com", 25060),
    ("pult's schema Job", "DNS", 53),
    ("pult's schema Job", "slack.com", 443),
    ("pult's schema Job", "this cluster's API server", 443),
    ("any other pod beside pult", "pult-do-user-1-0.b.db.ondigitalocean.com", 25060),
    ("any other pod beside pult", "slack.com", 443),
)  # fmt: skip


def table(folder: Path) -> str:
    objects = built(folder)
    known = parties(objects)
    return HEAD + "".join(
        f"| {source} | {target} | {port} | {ANSWERS[_asked(objects, known, source, target, port)]} |\n"
        for source, target, port in ASKED
    )


def _asked(objects: tuple[Object, ...], known: dict[str, Party], source: str, target: str, port: int) -> bool:
    return reaches(objects, known[source], known[target], port, "UDP" if port == 53 else "TCP")


@pytest.mark.parametrize("folder", PRODUCTION, ids=title)
def test_the_page_says_what_the_policies_come_to(folder: Path) -> None:
    assert table(folder) in PAGE.read_text(), f"write this into {PAGE.name}:\n{table(folder)}"


def test_staging_reaches_the_same_but_for_a_store() -> None:
    (staging,) = set(OVERLAYS) - set(PRODUCTION)
    changed = set(table(PRODUCTION[0]).splitlines()) - set(table(staging).splitlines())
    assert {line.split(" | ")[1] for line in changed} == {"pult-do-user-1-0.b.db.ondigitalocean.com"}


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_every_address_in_the_configuration_is_reached(folder: Path, tmp_path: Path) -> None:
    """An address that somebody adds to pult.toml and not to the policies would fail at night only."""
    objects, settings = built(folder), configured(folder, tmp_path)
    known = parties(objects)
    addresses = outside(settings)
    assert len(addresses) >= 2
    assert [each for each in addresses if not reaches(objects, known["pult"], Host(each), 443)] == []


def outside(settings: Settings) -> set[str]:
    """Hosts that pult calls outside of the cluster, by https."""
    found = {settings.slack.api_url} if settings.slack else set()
    found |= {"https://wss-primary.slack.com", "https://files.slack.com"} if settings.slack else set()
    found |= {settings.telegram.api_url} if settings.telegram else set()
    found |= {settings.github.api_url} if settings.github else set()
    found |= {settings.digitalocean.api_url} if settings.digitalocean else set()
    found |= {f"https://{each.host}" for each in settings.registries}
    found |= {settings.server.heartbeat_url.get_secret_value()} if settings.server.heartbeat_url else set()
    judged = [each.verification for each in settings.services if each.verification]
    found |= {probe.url for each in judged for probe in each.probes or ()}
    return {host for each in found if (host := urlsplit(str(each)).hostname)}


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_every_name_inside_has_a_policy(folder: Path, tmp_path: Path) -> None:
    settings = configured(folder, tmp_path)
    found = [*(settings.alertmanager.urls if settings.alertmanager else ())]
    found += [settings.prometheus.url] if settings.prometheus else []
    found += [settings.loki.url] if settings.loki else []
    spaces = {urlsplit(str(each)).hostname.rpartition(".")[2] for each in found}  # type: ignore[union-attr]
    assert spaces == {"monitoring"}, "networkpolicy.yaml lets pult go to this namespace alone"


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_public_paths_are_what_others_call_and_nothing_else(folder: Path) -> None:
    """Of what pult serves, the public Ingress knows exact paths alone, and the console's is for a network of people."""
    ingresses = {each["metadata"]["name"].removesuffix("-staging"): each for each in kinds(built(folder), "Ingress")}
    public = {
        (path["path"], path["pathType"])
        for rule in ingresses["pult"]["spec"]["rules"]
        for path in rule["http"]["paths"]
    }
    staging = {("/metrics", "Exact"), ("/readyz", "Exact")} if folder.name == "staging" else set()
    assert public == {(path, "Exact") for path in ("/webhooks/github", "/webhooks/release", "/healthz")} | staging
    console = ingresses["pult-console"]
    assert {"ipAllowList", "rateLimit", "inFlightReq"} == {kind for kind, _ in before(built(folder), console)}
    assert {"rateLimit", "inFlightReq", "buffering", "retry"} == {
        kind for kind, _ in before(built(folder), ingresses["pult"])
    }
    for each in ingresses.values():
        assert each["spec"]["ingressClassName"] == "traefik"
        assert each["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.entrypoints"] == "websecure"
        limits = [spec for kind, spec in before(built(folder), each) if kind in {"rateLimit", "inFlightReq"}]
        assert all("ipStrategy" in spec["sourceCriterion"] for spec in limits), "each client by itself"
        hosts = [rule["host"] for rule in each["spec"]["rules"]]
        assert each["spec"]["tls"] == [{"hosts": hosts, "secretName": each["spec"]["tls"][0]["secretName"]}]
        assert not any("REGION" in host for host in hosts)
        served = {
            path["backend"]["service"]["name"] for rule in each["spec"]["rules"] for path in rule["http"]["paths"]
        }
        assert served <= {service["metadata"]["name"] for service in kinds(built(folder), "Service")}


def before(objects: tuple[Object, ...], ingress: Object) -> list[tuple[str, Object]]:
    """The Middlewares that an Ingress names: what each does, and how. KeyError: one is not there: a 404 for all."""
    known = {
        f"{each['metadata']['namespace']}-{each['metadata']['name']}@kubernetescrd": each["spec"]
        for each in kinds(objects, "Middleware")
    }
    named = ingress["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.middlewares"].split(",")
    found = [known[name] for name in named]
    assert all(len(spec) == 1 for spec in found), "Traefik takes one kind in each"
    return [next(iter(spec.items())) for spec in found]


def test_pult_and_the_way_in_take_bodies_of_one_size() -> None:
    (body,) = (each for each in kinds(built(PRODUCTION[0]), "Middleware") if "buffering" in each["spec"])
    assert body["spec"]["buffering"]["maxRequestBodyBytes"] == BODY_MAX


def test_a_policy_that_is_lost_is_seen() -> None:
    """Without Cilium's DNS rule no name is reached; without default-deny everybody reaches the other pods."""
    objects = built(PRODUCTION[0])
    known = parties(objects)
    without_dns = tuple(each for each in objects if each["metadata"]["name"] != "dns")
    assert not reaches(without_dns, known["pult"], Host("slack.com"), 443)
    open_all = tuple(each for each in objects if each["metadata"]["name"] != "default-deny")
    assert reaches(open_all, known["Grafana"], known["any other pod beside pult"], 8080)
    assert not reaches(objects, known["Grafana"], known["any other pod beside pult"], 8080)
    assert not reaches(objects, known["pult"], Host("a.b.slack.com"), 443), "one part of a name"


def test_the_load_balancer_and_traefik_agree_on_who_is_asking() -> None:
    values = yaml.safe_load((DEPLOY / "platform/traefik.yaml").read_text())
    spoken = values["service"]["annotations"]["service.beta.kubernetes.io/do-loadbalancer-enable-proxy-protocol"]
    assert spoken == "true"
    assert all(values["ports"][name]["proxyProtocol"]["trustedIPs"] for name in ("web", "websecure"))


@pytest.mark.parametrize("folder", OVERLAYS, ids=title)
def test_traefik_is_told_whose_ingresses_may_name_limits(folder: Path) -> None:
    """Others may not name any, since Traefik 3.7.1."""
    values = yaml.safe_load((DEPLOY / "platform/traefik.yaml").read_text())
    assert namespace(built(folder)) in values["providers"]["kubernetesIngress"]["crossProviderNamespaces"]
    assert values["ingressClass"]["name"] == "traefik"
