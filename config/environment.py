"""The one place where pult reads the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_settings import EnvSettingsSource, SettingsError

from bot.domain.errors import NotReadyError
from config.problems import Problem, nearest
from config.settings import Settings

PREFIX = "PULT_"
DELIMITER = "__"


def environment() -> Mapping[str, str]:
    """The process's variables, as they are now."""
    return dict(os.environ)  # noqa: TID251 - this is the place


class _Variables(EnvSettingsSource):
    """pydantic-settings' own reading of variables, from a mapping instead of the process."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._environ.items() if value}


def overrides(environ: Mapping[str, str]) -> dict[str, Any]:
    """What ``PULT_SECTION__KEY`` variables say, as the file would. An empty variable counts as unset.

    NotReadyError: a whole table or list is given, and it is not JSON.
    """
    try:
        return _Variables(environ)()
    except SettingsError as error:
        raise NotReadyError(f"the environment: {str(error).partition(' from source')[0]}: allowed is JSON") from None


def strangers(environ: Mapping[str, str]) -> Iterator[Problem]:
    """Variables that look like overrides, of sections that don't exist."""
    for name in environ:
        section, delimiter, _ = name.removeprefix(PREFIX).partition(DELIMITER)
        if not (name.startswith(PREFIX) and delimiter) or section.lower() in Settings.model_fields:
            continue
        near = nearest(section, Settings.model_fields)
        meant = f"; did you mean {PREFIX}{near.upper()}{DELIMITER}…?" if near else ""
        yield Problem(name, f"found a variable for a section that does not exist{meant}")
