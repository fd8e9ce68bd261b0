"""What is wrong with a configuration, one line each: where, what was found, what is allowed, the nearest right name."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from bot.domain.redact import redact
from config.schema import Loc, field_at, guards_secret, keys, spelled

_LONGEST = 60  # characters of a found value: enough to recognise it
_KINDS: Mapping[str, str] = {
    "string": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "tuple": "a list",
    "list": "a list",
    "frozen_set": "a list",
    "dict": "a table",
    "model": "a table",
    "path": "a path in quotes",
}
_KIND = re.compile(r"(\w+?)(?:_type|_attributes_type|_parsing)")


@dataclass(frozen=True)
class Problem:
    """``path`` is the key's path as the file spells it."""

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}"


def wrong(path: str, found: str, allowed: str, near: str = "") -> Problem:
    """The usual sentence. ``near``: the right name that was probably meant."""
    return Problem(path, f"found {found}, allowed is {allowed}" + (f"; did you mean {near}?" if near else ""))


def unreadable(error: OSError | UnicodeDecodeError) -> str:
    """Why a file can't be read."""
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not UTF-8 text"


def quoted(value: str) -> str:
    """*value* as it stands in the file: shortened, on one line, with what looks like a secret masked."""
    text = redact(value).encode("unicode_escape").decode() if not value.isprintable() else redact(value)
    return f'"{text if len(text) <= _LONGEST else text[:_LONGEST] + "…"}"'


def nearest(word: str, names: Iterable[str]) -> str:
    """The one of *names* that *word* was probably meant to be, or an empty string."""
    folded = {name.lower(): name for name in names}
    near = difflib.get_close_matches(word.lower(), folded, n=1)
    return folded[near[0]] if near else ""


def problems(error: ValidationError, data: Mapping[str, Any]) -> list[Problem]:
    """Everything *error* says about *data*, in its order. No secret's value is repeated."""
    return [_problem(details, data) for details in error.errors(include_url=False)]


def _problem(details: ErrorDetails, data: Mapping[str, Any]) -> Problem:
    loc = tuple(step for step in details["loc"] if step != "[key]")
    path = spelled(loc, data) or "the file"
    field = field_at(loc)
    match details["type"]:
        case "missing":
            about = (field.description or "").split(". ")[0].removesuffix(".") if field else ""
            return Problem(path, "found nothing, but it is required" + (f": {about}" if about else ""))
        case "extra_forbidden":
            names = keys(loc[:-1])
            near = nearest(str(loc[-1]), names)
            return Problem(
                path,
                f"found an unknown key, allowed are {', '.join(names)}" + (f"; did you mean {near}?" if near else ""),
            )
        case _:
            value = details["input"]
            secret = guards_secret(loc)
            near = nearest(value, _names(details, loc)) if isinstance(value, str) and not secret else ""
            return wrong(path, _found(value, secret=secret), _allowed(details), near)


def _names(details: ErrorDetails, loc: Loc) -> Iterable[str]:
    if details["type"] == "literal_error":
        return re.findall(r"'([^']*)'", str(details.get("ctx", {}).get("expected", "")))
    return zoneinfo.available_timezones() if loc[-1] == "timezone" else ()


def _found(value: object, *, secret: bool) -> str:
    match value:
        case dict():
            return f"the keys {', '.join(map(str, value))}" if value else "an empty table"
        case list() | tuple():
            return f"a list of {len(value)}"
        case SecretStr() | str() if secret:
            return "text that does not fit (not shown: it may be a secret)"
        case str():
            return quoted(value)
        case bool():
            return str(value).lower()
        case _ if secret:
            return "neither text nor a table"
        case _:
            return quoted(str(value))[1:-1]


def _allowed(details: ErrorDetails) -> str:
    kind = _KIND.fullmatch(details["type"])
    if kind and kind[1] in _KINDS:
        return _KINDS[kind[1]]
    context = details.get("ctx", {})
    match details["type"]:
        case "string_pattern_mismatch":
            return f"what matches {context['pattern']}"
        case "too_short":
            return f"a list of at least {context['min_length']}"
        case "value_error":
            return str(context["error"])
        case _:
            return details["msg"].removeprefix("Input should be ").replace("'", '"')
