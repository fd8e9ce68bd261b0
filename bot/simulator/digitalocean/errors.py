"""Refusals in DigitalOcean's shape: ``{id, message, request_id}`` (fixtures/digitalocean/error-404)."""

from typing import Any

Json = dict[str, Any]


class RefusedError(Exception):
    """One refusal: HTTP *status*, machine word *id*, a sentence for people."""

    def __init__(self, status: int, word: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.word = word
        self.message = message


def not_found() -> RefusedError:
    return RefusedError(404, "not_found", "The resource you requested could not be found.")


def unauthorized() -> RefusedError:
    return RefusedError(401, "Unauthorized", "Unable to authenticate you")


def unprocessable(message: str) -> RefusedError:
    return RefusedError(422, "unprocessable_entity", message)


def bad_request(message: str) -> RefusedError:
    return RefusedError(400, "bad_request", message)


def too_many() -> RefusedError:
    return RefusedError(429, "too_many_requests", "API Rate limit exceeded.")
