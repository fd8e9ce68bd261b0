"""What a request path names: group, version, namespace, resource, object, subresource."""

from dataclasses import dataclass
from typing import Final

from bot.simulator.kubernetes import errors
from bot.simulator.kubernetes.kinds import Kind, find

_VERBS: Final = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete", "GET": "get", "HEAD": "get"}
_NAMESPACE_PARTS: Final = ("status", "finalize")


@dataclass(frozen=True)
class Target:
    group: str
    version: str
    namespace: str
    plural: str
    name: str
    subresource: str

    @property
    def resource(self) -> str:
        """As RBAC rules write it: ``pods/log``."""
        return f"{self.plural}/{self.subresource}" if self.subresource else self.plural

    def kind(self) -> Kind:
        """404 without details when there is no such type."""
        found = find(self.group, self.version, self.plural)
        if found is None or (self.namespace and not found.namespaced):
            raise errors.no_such_type()
        return found


def parse(path: str) -> Target | None:
    """The target of ``/api/v1/…`` or ``/apis/<group>/<version>/…``; None when no resource is named."""
    parts = [part for part in path.split("/") if part]
    match parts:
        case ["api", version, *rest] if rest:
            return _resource("", version, rest)
        case ["apis", group, version, *rest] if rest:
            return _resource(group, version, rest)
        case _:
            return None


def verb(method: str, target: Target, *, watch: bool) -> str:
    """The RBAC verb of a request. 405 for a method no resource has."""
    found = _VERBS.get(method)
    if found is None:
        raise errors.not_allowed()
    if found == "get" and not target.name:
        return "watch" if watch else "list"
    return "deletecollection" if found == "delete" and not target.name else found


def _resource(group: str, version: str, rest: list[str]) -> Target:
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in _NAMESPACE_PARTS:
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3:
        raise errors.no_such_type()
    plural, name, subresource = [*rest, "", ""][:3]
    return Target(group, version, namespace, plural, name, subresource)
