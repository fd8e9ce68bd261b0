"""Arguments of one Bot API call: query, JSON, form, or multipart with files."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.simulator.telegram.department import Json
from bot.simulator.telegram.errors import bad_request


@dataclass(frozen=True)
class File:
    """An uploaded file."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Args:
    """Values as they came: strings in forms, JSON values in JSON; files by field name."""

    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else str(value)

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in ("true", "1", "yes")

    def number(self, name: str, default: int = 0) -> int:
        """TelegramError 400."""
        try:
            return int(self.text(name) or default)
        except ValueError:
            raise bad_request(f"{name} must be an integer") from None

    def structure(self, name: str) -> Any:  # noqa: ANN401 - whatever JSON the caller sent
        """A JSON argument, None when absent. TelegramError 400: not JSON."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise bad_request(f"can't parse {name} JSON object") from None


async def read(request: web.Request) -> Args:
    """TelegramError 400: a body that is no JSON object."""
    values: Json = dict(request.query)
    files = {}
    if request.content_type == "application/json":
        values |= _object(await request.read())
    else:
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files[name] = File(value.filename, value.file.read())
            else:
                values[name] = value if isinstance(value, str) else value.decode()
    return Args(values, files)


def _object(body: bytes) -> Json:
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise bad_request("can't parse request body: expected a JSON object")
    return found
