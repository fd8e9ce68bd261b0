"""What the chat services keep of the calls they get, and the one-shot failures that meet these."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Generic, TypeVar

from aiohttp import web


@dataclass(frozen=True)
class Call:
    """One call and what it got. *error* is the service's own word, `http` or `drop` for an injected loss."""

    at: datetime
    method: str
    args: dict[str, Any]
    status: int
    error: str | None

    def report(self) -> dict[str, Any]:
        return {
            "at": self.at.isoformat(),
            "method": self.method,
            "args": self.args,
            "status": self.status,
            "error": self.error,
        }


@dataclass(frozen=True)
class Loss:
    """The next call of *method* gets no answer of the service's own: before it did anything, or after it did all of it.

    *after*: the work is done and only the answer is lost, the window in which duplicates are born. *status* is an HTTP
    error without JSON, *drop* closes the connection; *delay* seconds pass before any answer and may stand alone.
    """

    method: str
    after: bool = False
    status: int | None = None
    drop: bool = False
    delay: float = 0.0

    @property
    def breaks(self) -> bool:
        """Whether the answer is replaced, not only late."""
        return self.drop or self.status is not None

    def answer(self, request: web.Request) -> tuple[web.Response, int, str]:
        """What comes in place of the answer; its status and word in the log of calls."""
        if self.drop:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(), 0, "drop"
        status = self.status or 500
        return web.Response(status=status, text=HTTPStatus(status).phrase), status, "http"


def said(body: Mapping[str, object]) -> dict[str, Any]:
    """The parts of a loss from `{"method", "mode": "before"|"after", "drop"?, "delay"?}`. ValueError: says why."""
    if not body.get("method") or body.get("mode") not in ("before", "after"):
        raise ValueError("give method, and mode before or after")
    return {
        "method": str(body["method"]),
        "after": body["mode"] == "after",
        "drop": bool(body.get("drop")),
        "delay": float(str(body.get("delay", 0.0))),
    }


T = TypeVar("T", bound=Loss)


class Troubles(Generic[T]):
    """Waiting one-shots, taken in the order they were given."""

    def __init__(self) -> None:
        self._waiting: list[T] = []

    def add(self, trouble: T) -> None:
        self._waiting.append(trouble)

    def take(self, method: str) -> T | None:
        """The first that waits for *method*, however its letters are written."""
        found = next((each for each in self._waiting if each.method.lower() == method.lower()), None)
        if found is not None:
            self._waiting.remove(found)
        return found
