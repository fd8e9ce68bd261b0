"""Domain values to column values and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson

from bot.domain.alerts import Group
from bot.domain.codec import decode, encode
from bot.domain.redact import secret_name

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
KEY_LENGTH: Final = 400
"""Characters. PostgreSQL refuses an index row over 2704 bytes; a key's characters take up to four bytes each."""

SEARCHED: Final = 4_000
"""Characters of a group's words that are searched: three hundred pods' names would double the row."""


def micros(at: datetime) -> int:
    """Microseconds since 1970 in UTC. TypeError for a naive time."""
    return (at - EPOCH) // MICROSECOND


def moment(count: int) -> datetime:
    """The inverse of :func:`micros`, in UTC."""
    return EPOCH + timedelta(microseconds=count)


def maybe_moment(count: int | None) -> datetime | None:
    """As :func:`moment`, for a column that may be empty."""
    return None if count is None else moment(count)


def maybe_micros(at: datetime | None) -> int | None:
    """As :func:`micros`, for a column that may be empty."""
    return None if at is None else micros(at)


def search_words(group: Group) -> str:
    """What a group is found by, in lower case: what names it, then every value of its alerts' labels, each once.

    Not what a secret's label holds: a search must not confirm a guess.
    """
    labels = (pair for alert in group.alerts.values() for pair in alert.labels.items())
    values = {value for name, value in labels if not secret_name(name)}
    named = group.id, group.severity, group.name, group.service
    return clean(" ".join([*named, *sorted(values - set(named))])[:SEARCHED].lower())


def document(value: object) -> str:
    """*value* as JSON text. orjson refuses lone surrogates; the standard library escapes them."""
    data = encode(value)
    try:
        return orjson.dumps(data).decode()
    except orjson.JSONEncodeError:
        return json.dumps(data, separators=(",", ":"))


def reading(text: str) -> Any:  # noqa: ANN401 - the caller knows what it stored
    """The value that :func:`document` was given."""
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError:
        data = json.loads(text)
    return decode(data)


def clean(text: str) -> str:
    """*text* as every database takes it: PostgreSQL keeps no NUL, UTF-8 has no lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def index_key(text: str) -> str:
    """*text* cleaned and, where it is too long for an index, shortened to a beginning and a hash of the whole."""
    text = clean(text)
    if len(text) <= KEY_LENGTH:
        return text
    return f"{text[: KEY_LENGTH - 65]}~{sha256(text.encode()).hexdigest()}"
