"""Refusals in GitHub's shape: ``{message, documentation_url, status, errors?}``."""

from typing import Any

from aiohttp import web

Json = dict[str, Any]

DOCS = "https://docs.github.com/rest"


class RefusedError(Exception):
    """One refusal: HTTP *status*, the sentence, and for 422 the list of errors."""

    def __init__(self, status: int, message: str, problems: list[Json] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.problems = problems

    def response(self, headers: dict[str, str]) -> web.Response:
        body: Json = {"message": self.message, "documentation_url": DOCS, "status": str(self.status)}
        if self.problems is not None:
            body["errors"] = self.problems
        return web.json_response(body, status=self.status, headers=headers)


def not_found() -> RefusedError:
    """Also what a token that may not see a thing is told."""
    return RefusedError(404, "Not Found")


def invalid(resource: str, field: str, code: str, message: str = "") -> RefusedError:
    problem: Json = {"resource": resource, "field": field, "code": code}
    if message:
        problem["message"] = message
    return RefusedError(422, "Validation Failed", [problem])


def missing(field: str) -> RefusedError:
    return RefusedError(422, f'Invalid request.\n\n"{field}" wasn\'t supplied.')
