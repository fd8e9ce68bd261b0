"""What a route gets and gives: plain values, no web framework."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.simulator.github import errors
from bot.simulator.github.errors import Json
from bot.simulator.github.state import Forge, Repository


@dataclass(frozen=True)
class Ask:
    """One authenticated request. *names*: the parts of the path; *query*: the last value of each parameter."""

    forge: Forge
    names: dict[str, str]
    query: dict[str, str]
    body: Json
    now: datetime

    @property
    def repo(self) -> Repository:
        """404 when it is unknown."""
        return self.forge.repository(f"{self.names['owner']}/{self.names['repo']}")

    def text(self, key: str) -> str:
        """A required string of the body; 422 when it is absent or not a string."""
        found = self.body.get(key)
        if not isinstance(found, str):
            raise errors.missing(key)
        return found

    def number(self, key: str) -> int:
        """A number in the path; 404 when it is none."""
        if not self.names[key].isdecimal():
            raise errors.not_found()
        return int(self.names[key])


@dataclass(frozen=True)
class Reply:
    """*body* None: no content. When *paged*, the web layer pages the list: *body*, or that under its *key*."""

    body: Any
    status: int = 200
    paged: bool = field(default=False, kw_only=True)
    key: str = field(default="", kw_only=True)


Route = Callable[[Ask], Reply]
