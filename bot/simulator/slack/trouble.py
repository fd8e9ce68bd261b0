"""One-shot failures: the next call of a method fails, before it did anything or after it did all of it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one call.

    *after*: the work is done and only the answer is lost, the window in which duplicates are born.
    Exactly one of *error* (Slack's word, HTTP 200), *status* (an HTTP error without JSON) and *drop* (the connection
    closes); *delay* seconds pass before any answer and may stand alone.
    """

    method: str
    after: bool = False
    error: str | None = None
    status: int | None = None
    drop: bool = False
    delay: float = 0.0

    @classmethod
    def read(cls, body: Mapping[str, object]) -> "Trouble":
        """From `{"method", "mode": "before"|"after", "error"|"status"|"drop"|"delay"}`. ValueError: what is wrong."""
        mode, error, status = body.get("mode"), body.get("error"), body.get("status")
        if not body.get("method") or mode not in ("before", "after"):
            raise ValueError("give method, and mode before or after")
        found = cls(
            method=str(body["method"]),
            after=mode == "after",
            error=None if error is None else str(error),
            status=None if status is None else int(str(status)),
            drop=bool(body.get("drop")),
            delay=float(str(body.get("delay", 0.0))),
        )
        if not (found.breaks or found.delay):
            raise ValueError("give error, status, drop or delay")
        return found

    @property
    def breaks(self) -> bool:
        """Whether the answer is replaced, not only late."""
        return self.drop or self.error is not None or self.status is not None


class Troubles:
    """Waiting one-shots, taken in the order they were given."""

    def __init__(self) -> None:
        self._waiting: list[Trouble] = []

    def add(self, trouble: Trouble) -> None:
        self._waiting.append(trouble)

    def take(self, method: str) -> Trouble | None:
        for trouble in self._waiting:
            if trouble.method == method:
                self._waiting.remove(trouble)
                return trouble
        return None
