"""Writing LogQL and reading Loki's answers. Pure. Source: grafana.com/docs/loki, LogQL and HTTP API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from string import Template
from typing import Any

from bot.adapters.loki.settings import LokiSettings
from bot.domain.errors import PermanentError, RateLimitedError, TemporaryError, UserError
from bot.domain.loglines import tidy
from bot.domain.services import Environment
from bot.ports.logs import Line

_META = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""What RE2 reads as more than itself: google/re2 wiki, syntax."""


def selector(settings: LokiSettings, environment: Environment, region: str) -> str:
    """The streams of *environment*'s workload."""
    values = {
        "namespace": environment.namespace, "name": environment.workload, "kind": environment.kind,
        "cluster": environment.cluster, "region": region,
    }  # fmt: skip
    return Template(settings.selector).safe_substitute(values)


def quoted(text: str) -> str:
    """*text* as a string of LogQL, which has Go's."""
    return json.dumps(text, ensure_ascii=False)


def containing(text: str) -> str:
    """A line filter for plain *text* in any case; none for nothing."""
    return f" |~ {quoted('(?i)' + _META.sub(lambda sign: chr(92) + sign[0], text))}" if text else ""


def of_pod(label: str, part: str) -> str:
    """A label filter for pods with *part* in their name; none for nothing."""
    return f" | {label}=~{quoted('.*' + _META.sub(lambda sign: chr(92) + sign[0], part) + '.*')}" if part else ""


def nanoseconds(at: datetime) -> str:
    """A time as Loki takes and gives it."""
    return str(round(at.timestamp() * 1_000_000) * 1_000)


def lines(answer: object, pod: str, container: str) -> Iterator[Line]:
    """Every line of a ``streams`` answer, stream after stream. TemporaryError: it is none."""
    data = _data(answer, "streams")
    several = _several(data, pod, container)
    for stream in data:
        labels = stream.get("stream") or {}
        name = str(labels.get(pod) or "?")
        source = f"{name}/{labels[container]}" if name in several and labels.get(container) else name
        for entry in stream.get("values") or ():
            yield Line(_at(int(entry[0])), source, tidy(str(entry[1])))


def _at(nanoseconds: int) -> datetime:
    """To the microsecond; by whole numbers, since a float holds no nanoseconds of our century."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=rest // 1_000)


def _several(data: list[dict[str, Any]], pod: str, container: str) -> set[str]:
    """Pods of which more than one container speaks."""
    spoke: dict[str, set[str]] = {}
    for stream in data:
        labels = stream.get("stream") or {}
        spoke.setdefault(str(labels.get(pod) or "?"), set()).add(str(labels.get(container) or ""))
    return {name for name, found in spoke.items() if len(found) > 1}


def number(answer: object) -> int | None:
    """The number of a ``vector`` answer; None when it is empty."""
    data = _data(answer, "vector")
    return round(float(data[0]["value"][1])) if data else None


def complete(answer: object) -> bool:
    """Whether Loki warned of nothing: a warning stands beside success, and the data may be partial."""
    return not (isinstance(answer, dict) and answer.get("warnings"))


def verdict(status: int, headers: Mapping[str, str], text: str) -> UserError | TemporaryError | PermanentError:
    """What a refusal means. Loki's errors are plain text; behind a gateway they may be JSON."""
    why = _why(text)
    if status == 429:
        delay = headers.get("Retry-After", "")
        return RateLimitedError(f"Loki answers 429: {why}", float(delay) if delay.isdecimal() else None)
    if status in {401, 403, 404}:  # 404 is a wrong address: an unknown stream is an empty answer
        return PermanentError(f"Loki does not let pult in ({status}): {why}")
    if 400 <= status < 500 and status not in {408, 499}:
        return UserError("Loki refuses the query: {why}", why=why)
    return TemporaryError(f"Loki can't answer ({status}): {why}")


def _why(text: str) -> str:
    try:
        said = json.loads(text)
    except ValueError:
        return text.strip()[:300]
    return str(said.get("error") or said.get("message") or said)[:300] if isinstance(said, dict) else text[:300]


def _data(answer: object, kind: str) -> list[dict[str, Any]]:
    try:
        data = answer["data"]  # type: ignore[index]
        result = data["result"]
        told = data["resultType"]
    except (KeyError, TypeError) as error:
        raise TemporaryError("Loki answers in words of its own") from error
    if told != kind or not isinstance(result, list):
        raise PermanentError(f"Loki's query gives {told}: {kind} are needed")
    return result
