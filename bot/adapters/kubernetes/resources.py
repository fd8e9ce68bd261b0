"""Custom resources that pult reads and changes, and the one way to do either."""

from __future__ import annotations

from typing import Any, NamedTuple

from bot.adapters.kubernetes.client import MERGE, Api


class Resource(NamedTuple):
    """Where the API server keeps one kind of custom resource."""

    group: str
    version: str
    plural: str


APPLICATION = Resource("argoproj.io", "v1alpha1", "applications")
ROLLOUT = Resource("argoproj.io", "v1alpha1", "rollouts")
KUSTOMIZATION = Resource("kustomize.toolkit.fluxcd.io", "v1", "kustomizations")
HELMRELEASE = Resource("helm.toolkit.fluxcd.io", "v2", "helmreleases")
CERTIFICATE = Resource("cert-manager.io", "v1", "certificates")
POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "pods")
_SOURCE = "source.toolkit.fluxcd.io"
SOURCES = {
    "GitRepository": Resource(_SOURCE, "v1", "gitrepositories"),
    "OCIRepository": Resource(_SOURCE, "v1", "ocirepositories"),
    "Bucket": Resource(_SOURCE, "v1", "buckets"),
    "HelmRepository": Resource(_SOURCE, "v1", "helmrepositories"),
    "HelmChart": Resource(_SOURCE, "v1", "helmcharts"),
}
"""Where Flux fetches from, by kind. OCIRepository and Bucket were v1beta2 before Flux 2.6 and 2.3: see ``earlier``."""


def earlier(resource: Resource) -> Resource:
    """The same in the API version before v1."""
    return resource._replace(version="v1beta2")


async def read(api: Api, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
    """The object as JSON. GoneError: there is none; UnknownTypeError: its CRD is not installed."""
    group, version, plural = resource
    return await api.call("CustomObjectsApi", "get_namespaced_custom_object", group, version, namespace, plural, name)


async def patch(  # noqa: PLR0913 - an address, and what to do there
    api: Api, resource: Resource, namespace: str, name: str, body: object, *, kind: str = MERGE, status: bool = False
) -> dict[str, Any]:
    """The object after it. ``kind`` is the patch's content type; ``status``: through the status subresource.

    ConflictError: *body* names a resourceVersion that is no longer current.
    """
    method = "patch_namespaced_custom_object_status" if status else "patch_namespaced_custom_object"
    group, version, plural = resource
    place = (group, version, namespace, plural, name)
    return await api.call("CustomObjectsApi", method, *place, body=body, _content_type=kind)
