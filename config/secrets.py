"""Secrets that stand elsewhere: ``{ file = "…" }`` or ``{ env = "…" }`` in place of a secret's text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from config.problems import Problem, unreadable
from config.schema import Loc, is_path, is_secret, spelled

SEALED = SecretStr("sealed")


@dataclass
class References:
    """Follows the references of one file. Relative paths start at ``base``, the folder the file is in.

    ``sealed``: it looks nowhere, and every secret that stands elsewhere is ``SEALED``.
    """

    base: Path
    environ: Mapping[str, str]
    sealed: bool = False
    problems: list[Problem] = field(default_factory=list)

    def follow(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """*data* with secrets in place of references to them; what can't be followed is noted in ``problems``."""
        return {key: self._value(value, (key,), data) for key, value in data.items()}

    def _value(self, value: object, loc: Loc, data: object) -> object:
        match value:
            case {"file": str(_), **rest} | {"env": str(_), **rest} if self.sealed and not rest and is_secret(loc):
                return SEALED
            case {"file": str(name), **rest} if not rest and is_secret(loc):
                return self._file(name, spelled(loc, data))
            case {"env": str(name), **rest} if not rest and is_secret(loc):
                return self._variable(name, spelled(loc, data))
            case dict():
                return {key: self._value(item, (*loc, key), data) for key, item in value.items()}
            case list():
                return [self._value(item, (*loc, at), data) for at, item in enumerate(value)]
            case str() if is_path(loc) and value and "://" not in value:
                return str(self._path(value))
            case _:
                return value

    def _file(self, name: str, path: str) -> SecretStr:
        try:
            text = self._path(name).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            return self._missing(
                path, f"the file {name}, which can't be read: {unreadable(error)}", "a file with the secret in it"
            )
        return (
            SecretStr(text) if text else self._missing(path, f"the empty file {name}", "a file with the secret in it")
        )

    def _variable(self, name: str, path: str) -> SecretStr:
        text = self.environ.get(name, "")
        found = f"the environment variable {name}, which is not set"
        return SecretStr(text) if text else self._missing(path, found, "one that holds the secret")

    def _missing(self, path: str, found: str, allowed: str) -> SecretStr:
        self.problems.append(Problem(path, f"found {found}; allowed is {allowed}"))
        return SecretStr("")

    def _path(self, name: str) -> Path:
        return self.base / Path(name).expanduser()
