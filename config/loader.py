"""Reads the configuration: file, secrets, environment, checks. All its problems are told at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.domain.errors import NotReadyError
from config.checks import cross_check
from config.environment import environment, overrides, strangers
from config.openslo import Documents
from config.problems import Problem, problems, unreadable
from config.secrets import References
from config.settings import Settings

EXAMPLE = Path(__file__).with_name("pult.example.toml")
"""Documents every key."""


def load(path: Path, environ: Mapping[str, str] | None = None, *, sealed: bool = False) -> Settings:
    """The settings in the file at *path*, overridden by *environ* (the process's own when None).

    *sealed*: secrets that stand elsewhere are not looked up, for what works without them.
    NotReadyError names every problem on a line of its own and repeats no secret.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotReadyError(f"there is no configuration at {path}: copy {EXAMPLE} there") from None
    except (OSError, UnicodeDecodeError) as error:
        raise NotReadyError(f"the configuration at {path} can't be read: {unreadable(error)}") from None
    return parse(text, path, environ, sealed=sealed)


def parse(text: str, path: Path, environ: Mapping[str, str] | None = None, *, sealed: bool = False) -> Settings:
    """The settings in *text*; *path* names it in errors, and relative paths in it start at its folder."""
    variables = environment() if environ is None else environ
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotReadyError(f"{path} is not valid TOML: {error}") from None
    references = References(path.parent, variables, sealed)
    data = references.follow(_merged(data, overrides(variables)))
    documents = Documents()
    data = documents.expand(data)
    found = [*references.problems, *documents.problems, *strangers(variables)]
    settings = _validated(data, found)
    if settings is not None:
        found.extend(cross_check(settings))
    if settings is None or found:
        raise NotReadyError(_report(path, found))
    return settings


def _validated(data: Mapping[str, Any], found: list[Problem]) -> Settings | None:
    try:
        return Settings(**data)
    except ValidationError as error:
        told = {problem.path for problem in found}
        found.extend(problem for problem in problems(error, data) if problem.path not in told)
        return None


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _report(path: Path, found: Iterable[Problem]) -> str:
    lines = list(dict.fromkeys(f"  {problem}" for problem in found))
    return "\n".join((f"{path} has {len(lines)} problem{'s' if len(lines) > 1 else ''}:", *lines))
