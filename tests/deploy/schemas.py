"""The fields of custom resources that deploy/ uses, as strictly as Kubernetes' own kinds: none that is not known.

Small on purpose: what deploy/ holds was compared with the projects' own CRDs once (prometheus-operator, External
Secrets, Argo CD 3.6, Flux 2, Traefik 3.7; Cilium's by its documentation). A field that is new here is to be looked up
there.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
LABELS: Schema = {"type": "object", "additionalProperties": TEXT}
DURATION: Schema = {"type": "string", "pattern": r"^([0-9]+(ms|s|m|h))+$"}


def thing(required: str = "", /, **fields: Schema) -> Schema:
    """An object of *fields*, of which those named in *required* must be there."""
    return {"type": "object", "additionalProperties": False, "properties": fields, "required": required.split()}


def several(of: Schema) -> Schema:
    return {"type": "array", "items": of, "minItems": 1}


SELECTOR = thing(
    matchLabels=LABELS,
    matchExpressions=several(thing("key operator", key=TEXT, operator=TEXT, values=several(TEXT))),
)
RELABELING = thing(targetLabel=TEXT, replacement=TEXT, sourceLabels=several(TEXT), action=TEXT, regex=TEXT)
RULE = thing(
    "expr", alert=TEXT, record=TEXT, expr=TEXT, labels=LABELS, annotations=LABELS, keep_firing_for=DURATION,
    **{"for": DURATION},
)  # fmt: skip
ENDPOINT = {"port": TEXT, "path": TEXT, "interval": DURATION, "relabelings": several(RELABELING)}
PORTS = thing("ports", ports=several(thing("port protocol", port=TEXT, protocol={"enum": ["TCP", "UDP"]})),
              rules=thing(dns=several(thing(matchName=TEXT, matchPattern=TEXT))))  # fmt: skip
REMOTE = thing("key property", key=TEXT, property=TEXT)
NAMED = thing("name", name=TEXT, namespace=TEXT)
GROUP_KIND = thing("group kind", group=TEXT, kind=TEXT)
SYNC = thing(
    automated=thing(prune=FLAG, selfHeal=FLAG, allowEmpty=FLAG), syncOptions=several(TEXT),
    retry=thing(limit=NUMBER, backoff=thing(duration=DURATION, factor=NUMBER, maxDuration=DURATION)),
)  # fmt: skip
APPLICATION = thing(
    "project source destination",
    project=TEXT, source=thing("repoURL targetRevision path", repoURL=TEXT, targetRevision=TEXT, path=TEXT),
    destination=thing("name namespace", name=TEXT, namespace=TEXT), revisionHistoryLimit=NUMBER, syncPolicy=SYNC,
)  # fmt: skip

SOURCE = thing("ipStrategy", ipStrategy=thing(depth=NUMBER, ipv6Subnet=NUMBER))

SPECS: dict[tuple[str, str], Schema] = {
    ("traefik.io/v1alpha1", "Middleware"): thing(
        rateLimit=thing("average sourceCriterion", average=NUMBER, burst=NUMBER, sourceCriterion=SOURCE),
        inFlightReq=thing("amount sourceCriterion", amount=NUMBER, sourceCriterion=SOURCE),
        buffering=thing("maxRequestBodyBytes", maxRequestBodyBytes=NUMBER),
        retry=thing("attempts", attempts=NUMBER, initialInterval=DURATION, retryNonIdempotentMethod=FLAG),
        ipAllowList=thing("sourceRange", sourceRange=several(TEXT)),
    ),
    ("monitoring.coreos.com/v1", "ServiceMonitor"): thing(
        "selector endpoints", selector=SELECTOR, endpoints=several(thing("port", **ENDPOINT))
    ),
    ("monitoring.coreos.com/v1", "PodMonitor"): thing(
        "selector podMetricsEndpoints", jobLabel=TEXT, selector=SELECTOR,
        podMetricsEndpoints=several(thing("port", **ENDPOINT, filterRunning=FLAG)),
    ),
    ("monitoring.coreos.com/v1", "Probe"): thing(
        "prober targets", jobName=TEXT, interval=DURATION, module=TEXT, prober=thing("url", url=TEXT),
        targets=thing("staticConfig", staticConfig=thing("static", static=several(TEXT), labels=LABELS,
                      relabelingConfigs=several(RELABELING))),
    ),
    ("monitoring.coreos.com/v1", "PrometheusRule"): thing(
        "groups", groups=several(thing("name rules", name=TEXT, interval=DURATION, limit=NUMBER, rules=several(RULE)))
    ),
    ("cilium.io/v2", "CiliumNetworkPolicy"): thing(
        "endpointSelector", endpointSelector=SELECTOR,
        egress=several(thing("toPorts", toEndpoints=several(SELECTOR), toEntities=several({"enum": ["kube-apiserver"]}),
                             toFQDNs=several(thing(matchName=TEXT, matchPattern=TEXT)), toPorts=several(PORTS))),
    ),
    ("external-secrets.io/v1", "ExternalSecret"): thing(
        "secretStoreRef target data", refreshInterval=DURATION, secretStoreRef=thing("kind name", kind=TEXT, name=TEXT),
        target=thing("name", name=TEXT, creationPolicy={"enum": ["Owner", "Merge"]},
                     deletionPolicy={"enum": ["Retain"]}),
        data=several(thing("secretKey remoteRef", secretKey=TEXT, remoteRef=REMOTE)),
    ),
    ("argoproj.io/v1alpha1", "AppProject"): thing(
        "sourceRepos destinations", description=TEXT, sourceRepos=several(TEXT),
        destinations=several(thing("name namespace", name=TEXT, namespace=TEXT)),
        clusterResourceWhitelist=several(GROUP_KIND), namespaceResourceWhitelist=several(GROUP_KIND),
    ),
    ("argoproj.io/v1alpha1", "ApplicationSet"): thing(
        "generators template", goTemplate=FLAG, goTemplateOptions=several(TEXT),
        generators=several(thing("clusters", clusters=thing("selector", selector=SELECTOR, values=LABELS))),
        syncPolicy=thing(preserveResourcesOnDeletion=FLAG),
        template=thing("metadata spec", metadata=thing("name", name=TEXT, labels=LABELS), spec=APPLICATION),
    ),
    ("source.toolkit.fluxcd.io/v1", "GitRepository"): thing(
        "url interval", url=TEXT, ref=thing(branch=TEXT), interval=DURATION, timeout=DURATION, ignore=TEXT
    ),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"): thing(
        "sourceRef interval prune", sourceRef=thing("kind name", kind=TEXT, name=TEXT), path=TEXT,
        dependsOn=several(NAMED), interval=DURATION, retryInterval=DURATION, timeout=DURATION, prune=FLAG, wait=FLAG,
        patches=several(thing("patch", target=thing(labelSelector=TEXT), patch=TEXT)),
    ),
    ("notification.toolkit.fluxcd.io/v1beta3", "Provider"): thing(
        "type", type={"enum": ["generic-hmac"]}, address=TEXT, secretRef=NAMED
    ),
    ("notification.toolkit.fluxcd.io/v1beta3", "Alert"): thing(
        "providerRef eventSources", providerRef=NAMED, eventSeverity={"enum": ["info", "error"]},
        eventSources=several(thing("kind name", kind=TEXT, name=TEXT)), eventMetadata=LABELS,
    ),
}  # fmt: skip
