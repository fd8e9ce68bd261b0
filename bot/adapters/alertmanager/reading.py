"""What Alertmanager's API v2 says, read: of every version since 0.25, and of what comes after as far as it is alike.

contracts.md, section 2; prometheus/alertmanager api/v2/openapi.yaml (August 2026) and api/v2/compat.go.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from bot.domain.alerts import Alert
from bot.domain.silences import Matching, Silence
from bot.domain.testimony import Believed, BelievedGroup, Testimony

log = logging.getLogger(__name__)

_NOT_AS_EXPECTED = (LookupError, TypeError, ValueError, AttributeError, OverflowError)


class NonsenseError(Exception):
    """This is not what an Alertmanager says."""


def testimony(member: str, status: bytes, groups: bytes, told: bytes) -> Testimony:
    """Three answers of one member. NonsenseError: one of them is something else, so that none of them is believed."""
    try:
        up = orjson.loads(status)["uptime"]
        return Testimony(
            member,
            moment(up) if up else None,
            tuple(_group(item) for item in _list(orjson.loads(groups))),
            tuple(each for each, _ in silences(_list(orjson.loads(told)))),
        )
    except _NOT_AS_EXPECTED as error:
        raise NonsenseError(f"{type(error).__name__}: {error}"[:200]) from error


def silences(items: list[Any]) -> Iterator[tuple[Silence, str]]:
    """Each with its state, those that have expired too. One that can't be read is passed over: a newer version may have
    silences that this API can't tell whole, and the others still count."""
    for item in items:
        try:
            yield _silence(item), item["status"]["state"]
        except _NOT_AS_EXPECTED as error:
            log.warning("a silence can't be read", extra={"silence": str(item)[:200], "error": str(error)})


def moment(written: str) -> datetime:
    """In UTC; finer than microseconds is cut off."""
    return datetime.fromisoformat(written).astimezone(UTC)


def _list(said: Any) -> list[Any]:  # noqa: ANN401 - JSON
    if not isinstance(said, list):
        raise TypeError(f"expected a list, got {type(said).__name__}")
    return said


def _group(item: dict[str, Any]) -> BelievedGroup:
    alerts = tuple(_believed(alert) for alert in _list(item["alerts"]))
    return BelievedGroup(_text(item["receiver"]["name"]), _texts(item.get("labels")), alerts)


def _believed(item: dict[str, Any]) -> Believed:
    """``endsAt`` lies in the future while it fires: that is no end."""
    status = item.get("status") or {}
    alert = Alert(
        _text(item["fingerprint"]), _texts(item["labels"]), _texts(item.get("annotations")), moment(item["startsAt"]),
        url=_text(item.get("generatorURL") or ""),
    )  # fmt: skip
    by = (tuple(map(_text, status.get(name) or ())) for name in ("silencedBy", "inhibitedBy", "mutedBy"))
    return Believed(alert, *by)


def _silence(item: dict[str, Any]) -> Silence:
    """``matchers`` may be null: 0.32 said so of a silence that has none."""
    return Silence(
        _text(item["id"]), tuple(_matching(each) for each in item.get("matchers") or ()),
        _text(item.get("createdBy") or ""), _text(item.get("comment") or ""),
        moment(item["startsAt"]), moment(item["endsAt"]),
    )  # fmt: skip


def _matching(item: dict[str, Any]) -> Matching:
    return Matching(_text(item["name"]), _text(item["value"]), bool(item["isRegex"]), bool(item.get("isEqual", True)))


def _texts(said: Any) -> dict[str, str]:  # noqa: ANN401 - JSON
    return {_text(name): _text(value) for name, value in (said or {}).items()}


def _text(said: Any) -> str:  # noqa: ANN401 - JSON
    if not isinstance(said, str):
        raise TypeError(f"expected text, got {type(said).__name__}")
    return said
