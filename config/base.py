"""What every section of the configuration is made of."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from ipaddress import ip_network
from typing import Annotated, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, Strict

from bot.domain.durations import parse_duration
from bot.domain.hours import DAYS

T = TypeVar("T")


class Section(BaseModel):
    """A table of the file: closed, frozen and strict, so that nothing in it is ignored or guessed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True)


@cache
def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("a zone of the tz database, such as Europe/Moscow") from None
    return name


def matching(pattern: str, allowed: str) -> AfterValidator:
    """Takes only text that matches *pattern* as a whole; else says what is *allowed*."""
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError(allowed)
        return text

    return AfterValidator(check)


def _network(text: str) -> str:
    allowed = "an address or a network, such as 10.0.0.0/8 or 2001:db8::/32"
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(f"{allowed} ({error})" if "host bits" in str(error) else allowed) from None
    if network.prefixlen == 0:
        raise ValueError(f"{allowed}, and not everybody")
    return text


def _located(place: SecretStr) -> SecretStr:
    text = place.get_secret_value()
    scheme, found, _ = text.partition("://")
    if not text or (found and scheme not in {"http", "https", "webcal"}):
        raise ValueError("the path of a file, or an https:// address")
    try:
        parts = urlsplit(text)
        whole = not found or (bool(parts.hostname) and parts.port != 0)
    except ValueError:  # of brackets, or of the port
        whole = False
    if not whole:
        raise ValueError("a whole https:// address")
    return place


class OnDisk:
    """Marks text that is a path, relative to the configuration's folder, unless it is an address."""


Located: TypeAlias = Annotated[SecretStr, AfterValidator(_located), OnDisk]
"""A file or an address. A secret, since an address may carry one."""


def _filled(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("a secret that is not empty, since nobody could prove anything with that")
    return secret


Secret: TypeAlias = Annotated[SecretStr, AfterValidator(_filled)]
"""What the other side must know. An empty one is a slip (a variable that was not set), and refused."""
Header: TypeAlias = Annotated[str, matching(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", "the name of an HTTP header")]
User: TypeAlias = Annotated[str, matching(r"[^:\x00-\x1f]*", "a name without colon, which Basic can't carry")]
Network: TypeAlias = Annotated[str, AfterValidator(_network)]
Duration: TypeAlias = Annotated[timedelta, BeforeValidator(parse_duration)]
"""Written ``30s``, ``5m``, ``2h``, ``7d``, ``4w``."""
Many: TypeAlias = Annotated[tuple[T, ...], Strict(strict=False)]
"""A list in the file."""
Names: TypeAlias = Annotated[frozenset[str], Strict(strict=False)]
"""A list of names whose order means nothing."""
Name: TypeAlias = Annotated[str, matching(r"[^\s:/\[\]\"']{1,64}", "one word, without : / [ ] or quotes")]
"""It is typed in commands and written in destinations."""
Label: TypeAlias = Annotated[
    str, matching(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?", "a name as Kubernetes takes it: a-z 0-9 -")
]
Address: TypeAlias = Annotated[str, matching(r"https?://\S+", "an http:// or https:// address")]
MaybeAddress: TypeAlias = Annotated[str, matching(r"(https?://\S+)?", "an http:// or https:// address")]
"""Empty: none."""
CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
"""A time of the day."""
WEEKLY = rf"({'|'.join(DAYS)}) {CLOCK}"
"""A day of the week and a time of the day."""
Zone: TypeAlias = Annotated[str, AfterValidator(_known_zone)]
Locale: TypeAlias = Literal["en", "ru"]
Workload: TypeAlias = Annotated[
    str,
    matching(
        r"(deployment|statefulset|daemonset|rollout)/[a-z0-9.-]+",
        "deployment/NAME, statefulset/NAME, daemonset/NAME or rollout/NAME",
    ),
]
Batch: TypeAlias = Annotated[str, matching(r"(job|cronjob)/[a-z0-9.-]+", "job/NAME or cronjob/NAME")]
Repo: TypeAlias = Annotated[str, matching(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", "org/name, as GitHub writes it")]
Positive: TypeAlias = Annotated[Duration, Field(gt=timedelta())]
