"""What the API server refuses, as ``kind: Status`` (contracts.md, section 8; fixtures/kubernetes/status-*)."""

from collections.abc import Mapping
from typing import Any

from bot.simulator.kubernetes.wire import Json


class StatusError(Exception):
    """One refusal: HTTP *code*, machine *reason*, sentence and, where the real server sends them, details."""

    def __init__(
        self, code: int, reason: str, message: str, details: Json | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.retry_after = retry_after

    def body(self) -> Json:
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details is not None:
            body["details"] = self.details
        return body | {"code": self.code}


def _details(group: str, plural: str, name: str, **more: object) -> Json:
    base: Json = {"name": name}
    if group:
        base["group"] = group
    return base | {"kind": plural} | more


def _resource(group: str, plural: str) -> str:
    return f"{plural}.{group}" if group else plural


def unauthorized() -> StatusError:
    return StatusError(401, "Unauthorized", "Unauthorized")


def not_found(group: str, plural: str, name: str) -> StatusError:
    message = f'{_resource(group, plural)} "{name}" not found'
    return StatusError(404, "NotFound", message, _details(group, plural, name))


def no_such_type() -> StatusError:
    """404 with empty details: the resource type, not the object, is unknown."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def forbidden(verb: str, group: str, resource: str, name: str, namespace: str) -> StatusError:
    """*resource* with its part: ``pods/log``."""
    plural = resource.partition("/")[0]
    who = 'User "system:serviceaccount:pult:pult"'
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    subject = f'{_resource(group, plural)} "{name}"' if name else _resource(group, plural)
    message = f'{subject} is forbidden: {who} cannot {verb} resource "{resource}" in API group "{group}" {where}'
    return StatusError(403, "Forbidden", message, _details(group, plural, name))


def conflict(group: str, plural: str, name: str) -> StatusError:
    """Optimistic lock lost: read again and retry."""
    message = (
        f'Operation cannot be fulfilled on {_resource(group, plural)} "{name}": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    return StatusError(409, "Conflict", message, _details(group, plural, name))


def exists(group: str, plural: str, name: str) -> StatusError:
    message = f'{_resource(group, plural)} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, _details(group, plural, name))


def manager_conflict(manager: str, fields: list[str]) -> StatusError:
    """409 of server-side apply: a retry cannot help, only ``force=true`` or giving the field up."""
    causes = [
        {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}"', "field": field} for field in fields
    ]
    message = f'Apply failed with {len(fields)} conflict{"s" if len(fields) > 1 else ""}: conflicts with "{manager}"'
    return StatusError(409, "Conflict", message, {"causes": causes})


def invalid(kind: str, group: str, name: str, field: str, why: str) -> StatusError:
    message = f'{kind}.{group} "{name}" is invalid: {field}: {why}' if group else f'{kind} "{name}" is invalid: {why}'
    cause = {"reason": "FieldValueInvalid", "message": why, "field": field}
    return StatusError(422, "Invalid", message, _details(group, kind, name, causes=[cause]))


def unprocessable(why: str) -> StatusError:
    """422 of a JSON patch that does not fit the object."""
    return StatusError(422, "Invalid", f"the server rejected our request due to an error in our request: {why}", {})


def bad_request(why: str) -> StatusError:
    return StatusError(400, "BadRequest", why)


def unsupported_media(given: str, allowed: list[str]) -> StatusError:
    message = f"the body of the request was in an unknown format ({given}) - accepted media types include: "
    return StatusError(415, "UnsupportedMediaType", message + ", ".join(allowed))


def not_allowed() -> StatusError:
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def expired_continue() -> StatusError:
    message = (
        "The provided continue parameter is too old to display a consistent list result. "
        "You can start a new list without the continue parameter."
    )
    return StatusError(410, "Expired", message)


def expired_version(asked: int, oldest: int) -> StatusError:
    return StatusError(410, "Expired", f"too old resource version: {asked} ({oldest})")


def disrupted(budget: str, needs: int, has: int) -> StatusError:
    """429 of an eviction: the budget says not now. No Retry-After, unlike overload."""
    cause = {
        "reason": "DisruptionBudget",
        "message": f"The disruption budget {budget} needs {needs} healthy pods and has {has} currently",
    }
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    return StatusError(429, "TooManyRequests", message, {"causes": [cause]})


def several_budgets() -> StatusError:
    message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    return StatusError(500, "InternalError", message)


def overloaded(retry_after: int) -> StatusError:
    """429 of an overloaded API server: same code as an eviction refusal, but with Retry-After and no cause."""
    message = "The server has received too many requests and has asked us to try again later"
    return StatusError(429, "TooManyRequests", message, {"retryAfterSeconds": retry_after}, retry_after)


def unavailable(why: str) -> StatusError:
    return StatusError(503, "ServiceUnavailable", why)


def success(details: Mapping[str, Any]) -> Json:
    """The answer to a delete."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": dict(details)}
