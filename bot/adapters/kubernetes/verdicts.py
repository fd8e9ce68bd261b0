"""What an API server's refusal means to a person. Pure. Kind Status: apimachinery pkg/api/errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bot.domain.errors import DriftError, PermanentError, RateLimitedError, TemporaryError, UserError
from bot.domain.phrases import Code, Phrase, phrase

FORBIDDEN = re.compile(
    r'User "([^"]*)" cannot (\S+) resource "([^"]*)" in API group "([^"]*)"'
    r'(?: in the namespace "([^"]*)"| at the cluster scope)'
)
"""kubernetes/apiserver pkg/endpoints/handlers/responsewriters/errors.go, forbiddenMessage."""


class GoneError(UserError):
    """There is no such object (404)."""

    def __init__(self, said: Phrase) -> None:
        super().__init__(said.text, **said.values)


class UnknownTypeError(UserError):
    """The server has no such resource type: a CRD is not installed, or not in this version."""


class ConflictError(DriftError):
    """A resourceVersion or uid that was named is no longer current (409)."""


class ExpiredError(TemporaryError):
    """The list's continue token is too old (410): begin anew."""


class DisruptionError(RateLimitedError):
    """A disruption budget does not let the pod go now (429 of an eviction); the text is the budget's own."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; ``retry_after`` is its header, or empty. A body that is no JSON is a ``message``."""

    status: int
    retry_after: str
    body: dict[str, Any]


def verdict(answer: Answer, cluster: str) -> UserError | TemporaryError | PermanentError:
    """The error that *answer*, with a status of 400 and more, stands for."""
    message = str(answer.body.get("message") or answer.status)[:300]
    match answer.status:
        case 401:
            return UserError("{cluster} does not accept pult's credentials: {why}", cluster=cluster, why=message)
        case 403:
            return _forbidden(message, cluster)
        case 404:
            return _gone(answer.body.get("details"), cluster, message)
        case 409:
            return ConflictError("Somebody changed it at the same moment in {cluster}.", cluster=cluster)
        case 410:
            return ExpiredError(f"{cluster}: {message}")
        case 429:
            return _too_many(answer, cluster, message)
        case code if code >= 500:
            broken = phrase("{cluster} can't answer: its API server says {code}", cluster=Code(cluster), code=str(code))
            return TemporaryError(f"the API server of {cluster} answers {code}: {message}", said=broken)
        case _:
            return UserError("{cluster} refuses this: {why}", cluster=cluster, why=message)


def _forbidden(message: str, cluster: str) -> UserError:
    """Which verb on what is missing where, and which binding lacks it. A policy's refusal (403, too) stays as it is."""
    told = FORBIDDEN.search(message)
    if told is None:
        return UserError("{cluster} does not allow pult to do this: {why}", cluster=cluster, why=message)
    user, verb, resource, group, namespace = told.groups()
    values = {"cluster": cluster, "verb": verb, "what": Code(f"{resource}.{group}" if group else resource)}
    who = user.rpartition(":")[2]
    if namespace:
        return UserError(
            "{cluster} does not allow pult to do this: it may not {verb} {what} in {namespace}. No RoleBinding there "
            "gives that to {who}; deploy/base/rbac.yaml has the role to bind.",
            namespace=Code(namespace), who=Code(who), **values,
        )  # fmt: skip
    return UserError(
        "{cluster} does not allow pult to do this: it may not {verb} {what} in the whole cluster. No "
        "ClusterRoleBinding gives that to {who}; deploy/base/rbac.yaml has the role to bind.",
        who=Code(who), **values,
    )  # fmt: skip


def _too_many(answer: Answer, cluster: str, message: str) -> RateLimitedError:
    """A disruption budget that does not let a pod go, or a server that is overloaded (contracts.md, section 8)."""
    if (budget := _budget(answer.body.get("details"))) is not None:
        return DisruptionError(budget)
    delay = float(answer.retry_after) if answer.retry_after.isdecimal() else None
    busy = phrase("{cluster} is overloaded: its API server takes no more questions now", cluster=Code(cluster))
    return RateLimitedError(f"the API server of {cluster} answers 429: {message}", delay, busy)


def _budget(details: object) -> str | None:
    """What a disruption budget says, or None."""
    causes = details.get("causes") if isinstance(details, dict) else None
    for cause in causes or ():
        if isinstance(cause, dict) and cause.get("reason") == "DisruptionBudget":
            return str(cause.get("message") or "a disruption budget does not allow it now")[:300]
    return None


def _gone(details: object, cluster: str, message: str) -> UserError:
    """Without a name in its details a 404 means that the resource type, or a proxy's path, is unknown."""
    if not isinstance(details, dict) or not details.get("name"):
        return UnknownTypeError("{cluster} refuses this: {why}", cluster=cluster, why=message)
    kind = str(details.get("kind") or "object").removesuffix("s")
    name = Code(str(details["name"]))
    return GoneError(phrase("There is no {kind} {name} in {cluster}.", kind=kind, name=name, cluster=cluster))
