"""Arguments of one Web API call, from a query, a form, or JSON."""

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.simulator.slack.errors import SlackError


@dataclass(frozen=True)
class Args:
    """One call: its arguments, its token, and the address the caller reached us at (`http://host/slack`)."""

    values: dict[str, Any]
    token: str | None
    base: str

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else str(value)

    def maybe(self, name: str) -> str | None:
        return self.text(name) or None

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.values.get(name)
        return default if value is None else str(value).lower() in ("1", "true")

    def number(self, name: str, default: int) -> int:
        """SlackError: invalid_arguments."""
        try:
            return int(self.text(name, str(default)))
        except ValueError:
            raise SlackError("invalid_arguments", [f"{name} must be a number"]) from None

    def structure(self, name: str, error: str) -> Any:  # noqa: ANN401 - whatever JSON the caller sent
        """A JSON argument: as it is in a JSON body, a string of JSON otherwise. SlackError *error*: not JSON."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise SlackError(error) from None


async def read(request: web.Request) -> Args:
    """SlackError: invalid_json, json_not_object."""
    values: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        values |= _object(await request.read())
        token = None  # Slack ignores a token inside a JSON body.
    else:
        values |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
        token = values.pop("token", None)
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        token = bearer.strip()
    path = request.path.rpartition("/api/")[0]
    return Args(values, token, f"{request.scheme}://{request.host}{path}")


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(found, dict):
        raise SlackError("json_not_object")
    return found
