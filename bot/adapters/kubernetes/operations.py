"""Where an operation of the Kubernetes API lies, told from the name that the generated client has for it. Pure.

``read_namespaced_pod_log`` of CoreV1Api is ``GET /api/v1/namespaces/{namespace}/pods/{name}/log``. Documentation and
examples use these names; the client itself would be 30 MB of models that pult, which reads JSON, never makes. A test
holds every operation that is spelled here against the generated client's own.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

BARE: Final = frozenset({"apps", "autoscaling", "batch", "policy"})
"""API groups from before groups had domains; all others of Kubernetes end with it."""
DOMAIN: Final = "k8s.io"
VERBS: Final = {
    "create": "POST", "delete": "DELETE", "get": "GET", "list": "GET", "patch": "PATCH", "read": "GET",
    "replace": "PUT",
}  # fmt: skip
_GROUP = re.compile(r"(?P<words>[A-Z][A-Za-z]*?)(?P<version>V\d+(?:(?:alpha|beta)\d+)?)Api")
_CUSTOM = re.compile(
    r"(?P<verb>create|delete|get|list|patch|replace)_(?P<scope>namespaced|cluster)_custom_object"
    r"(?:_(?P<part>status|scale))?"
)
_METHOD = re.compile(
    r"(?P<verb>create|delete|list|patch|read|replace)_(?P<namespaced>namespaced_)?"
    r"(?P<kind>(?!collection_|component_status|pod_binding)\w+?)"
    r"(?:_(?P<part>status|scale|log|eviction|ephemeralcontainers|finalize|resize|token))?(?:_for_all_namespaces)?"
)
"""Refused: deletion wholesale, the deprecated ComponentStatus, and what a scheduler does; nobody here may."""


class Operation(NamedTuple):
    """``verb`` of HTTP; ``places``: what fills the braces of ``path``, in the order in which a call names them."""

    verb: str
    path: str
    places: tuple[str, ...]


@cache
def operation(group: str, method: str) -> Operation:
    """``group`` is AppsV1Api, CoreV1Api, CustomObjectsApi… LookupError: no such operation is known here."""
    if (group, method) == ("VersionApi", "get_code"):
        return Operation("GET", "/version/", ())
    if group == "CustomObjectsApi" and (found := _CUSTOM.fullmatch(method)):
        return _custom(found)
    where, what = _GROUP.fullmatch(group), _METHOD.fullmatch(method)
    if where is None or what is None:
        raise LookupError(f"no operation {method} of {group}")
    return _built_in(_root(where), what)


def _root(found: re.Match[str]) -> str:
    """``/api/v1`` for what was there first, ``/apis/{group}/{version}`` for the rest."""
    name, version = ".".join(re.findall("[A-Z][a-z]*", found["words"])).lower(), found["version"].lower()
    if name == "core":
        return f"/api/{version}"
    return f"/apis/{name}/{version}" if name in BARE else f"/apis/{name}.{DOMAIN}/{version}"


def _built_in(root: str, found: re.Match[str]) -> Operation:
    space = "/namespaces/{namespace}" if found["namespaced"] else ""
    named = found["verb"] not in ("create", "list") or bool(found["part"])
    places = [*(["name"] if named else []), *(["namespace"] if space else [])]
    path = f"{root}{space}/{_plural(found['kind'])}{'/{name}' if named else ''}{_part(found)}"
    return Operation(VERBS[found["verb"]], path, tuple(places))


def _custom(found: re.Match[str]) -> Operation:
    space = "/namespaces/{namespace}" if found["scope"] == "namespaced" else ""
    named = found["verb"] not in ("create", "list")
    places = ["group", "version", *(["namespace"] if space else []), "plural", *(["name"] if named else [])]
    path = f"/apis/{{group}}/{{version}}{space}/{{plural}}{'/{name}' if named else ''}{_part(found)}"
    return Operation(VERBS[found["verb"]], path, tuple(places))


def _part(found: re.Match[str]) -> str:
    return f"/{found['part']}" if found["part"] else ""


def _plural(kind: str) -> str:
    """As API servers spell it in a path: ``network_policy`` is networkpolicies, ``ingress`` ingresses."""
    name = kind.replace("_", "")
    if name.endswith("ss"):
        return f"{name}es"
    if name.endswith("s"):
        return name
    return f"{name.removesuffix('y')}ies" if name.endswith(("cy", "ty")) else f"{name}s"


def parameter(option: str) -> str:
    """The query's name for a keyword of the generated client: ``label_selector`` is labelSelector."""
    first, *rest = option.lstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)
