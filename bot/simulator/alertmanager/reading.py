"""Request bodies of API v2, checked as go-openapi checks them."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from bot.simulator.alertmanager.alerts import Alert
from bot.simulator.alertmanager.matchers import Matcher
from bot.simulator.alertmanager.silences import Silence
from bot.simulator.alertmanager.wire import instant

RESOLVE_TIMEOUT: Final = timedelta(minutes=5)
"""After it an alert whose sender gave no end resolves by itself."""
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


class InvalidError(Exception):
    """*code* None: the text goes out as a bare JSON string; else as ``{"code", "message"}``."""

    def __init__(self, status: int, text: str, code: int | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


def parsed(raw: bytes, content_type: str, what: str) -> Any:  # noqa: ANN401 - JSON
    if content_type != "application/json":
        text = f'unsupported media type "{content_type}", only [application/json] are allowed'
        raise InvalidError(415, text, 415)
    try:
        return json.loads(raw)
    except ValueError as error:
        raise _broken(what, _reason(raw, error)) from error


def silence(given: object, now: datetime) -> Silence:
    """A silence as told; its id is empty unless one is to be changed."""
    body = given if isinstance(given, dict) else {}
    for name in ("comment", "createdBy", "endsAt", "matchers", "startsAt"):
        if body.get(name) in (None, ""):
            raise InvalidError(422, f"{name} in body is required", 602)
    matchers = body["matchers"]
    if not isinstance(matchers, list):
        raise _broken("silence", "json: cannot unmarshal into matchers")
    if not matchers:
        raise InvalidError(422, "matchers in body should have at least 1 items", 612)
    chosen = tuple(_matcher(index, one) for index, one in enumerate(matchers))
    starts, ends = (_time("silence", body[name]) for name in ("startsAt", "endsAt"))
    return Silence(str(body.get("id") or ""), chosen, starts, ends, now, str(body["createdBy"]), str(body["comment"]))


def alerts(given: object, now: datetime) -> list[Alert]:
    if not isinstance(given, list):
        raise _broken("alerts", "json: cannot unmarshal object into Go value of type models.PostableAlerts")
    return [_alert(index, one if isinstance(one, dict) else {}, now) for index, one in enumerate(given)]


def _alert(index: int, given: Mapping[str, Any], now: datetime) -> Alert:
    if not isinstance(given.get("labels"), dict):
        raise InvalidError(422, f"{index}.labels in body is required", 602)
    labels = {str(name): str(value) for name, value in given["labels"].items() if value != ""}
    wrong = next((name for name in labels if not _LABEL.fullmatch(name)), None)
    if wrong or not labels:
        raise InvalidError(400, f'invalid label set: invalid name "{wrong}"' if wrong else "missing labels")
    starts = _time("alerts", given["startsAt"]) if given.get("startsAt") else now
    ends = _time("alerts", given["endsAt"]) if given.get("endsAt") else None
    if ends is not None and ends < starts:
        raise InvalidError(400, "start time must be before end time")
    annotations = {str(name): str(value) for name, value in (given.get("annotations") or {}).items()}
    until = ends if ends is not None else now + RESOLVE_TIMEOUT
    return Alert(labels, annotations, starts, until, now, str(given.get("generatorURL") or ""))


def _matcher(index: int, given: object) -> Matcher:
    body = given if isinstance(given, dict) else {}
    for name in ("isRegex", "name", "value"):
        if body.get(name) is None:
            raise InvalidError(422, f"matchers.{index}.{name} in body is required", 602)
    try:
        return Matcher(str(body["name"]), str(body["value"]), bool(body["isRegex"]), bool(body.get("isEqual", True)))
    except ValueError as error:
        raise InvalidError(400, f"silence invalid: invalid label matcher {index}: {error}") from error


def _time(what: str, given: object) -> datetime:
    try:
        return instant(str(given))
    except ValueError as error:
        raise _broken(what, f'parsing time "{given}" as RFC 3339 failed') from error


def _broken(what: str, reason: str) -> InvalidError:
    return InvalidError(400, f'parsing {what} body from "" failed, because {reason}', 400)


def _reason(raw: bytes, error: ValueError) -> str:
    text = raw.decode(errors="replace").rstrip()
    if not isinstance(error, json.JSONDecodeError) or error.pos >= len(text):
        return "unexpected EOF"
    return f"invalid character {text[error.pos]!r} looking for beginning of value"
