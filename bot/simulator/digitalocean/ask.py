"""What a route gets and gives: plain values, no web framework."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.simulator.digitalocean import errors
from bot.simulator.digitalocean.errors import Json
from bot.simulator.digitalocean.state import Cloud


@dataclass(frozen=True)
class Ask:
    """One authenticated request. *names*: the parts of the path."""

    cloud: Cloud
    names: dict[str, str]
    query: dict[str, str]
    body: Json

    def text(self, key: str) -> str:
        """A required string of the body; 422 when it is absent."""
        found = self.body.get(key)
        if not isinstance(found, str) or not found:
            raise errors.unprocessable(f"{key} is required")
        return found


@dataclass(frozen=True)
class Reply:
    """*body* None: no content. *listed*: the key of *body* that is paged, with links and meta added."""

    body: Any
    status: int = 200
    listed: str = ""


Route = Callable[[Ask], Reply]
