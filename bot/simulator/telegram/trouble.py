"""One-shot failures: the next call of a method fails, before it did anything or after it did all of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.simulator.telegram.errors import TelegramError, flood


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with one call.

    *after*: the work is done and only the answer is lost, the window in which duplicates are born. *refusal* answers
    like the Bot API, *status* is an HTTP error without JSON, *drop* closes the connection; *delay* seconds pass first.
    """

    method: str
    after: bool = False
    refusal: TelegramError | None = None
    status: int | None = None
    drop: bool = False
    delay: float = 0.0

    @classmethod
    def read(cls, body: Mapping[str, object]) -> "Trouble":
        """From `{"method", "mode": "before"|"after"}` and one of `{"error": text, "status"?: code}` (400 by default),
        `{"retry_after": seconds}`, `{"status": code}`, `{"drop": true}`, `{"delay": seconds}`. ValueError: says why.
        """
        if not body.get("method") or body.get("mode") not in ("before", "after"):
            raise ValueError("give method, and mode before or after")
        found = cls(
            method=str(body["method"]),
            after=body["mode"] == "after",
            refusal=_refusal(body),
            status=int(str(body["status"])) if "status" in body and "error" not in body else None,
            drop=bool(body.get("drop")),
            delay=float(str(body.get("delay", 0.0))),
        )
        if not (found.breaks or found.delay):
            raise ValueError("give error, retry_after, status, drop or delay")
        return found

    @property
    def breaks(self) -> bool:
        """Whether the answer is replaced, not only late."""
        return self.drop or self.refusal is not None or self.status is not None


def _refusal(body: Mapping[str, object]) -> TelegramError | None:
    if "retry_after" in body:
        return flood(int(str(body["retry_after"])))
    if "error" in body:
        return TelegramError(int(str(body.get("status", 400))), str(body["error"]))
    return None


class Troubles:
    """Waiting one-shots, taken in the order they were given."""

    def __init__(self) -> None:
        self._waiting: list[Trouble] = []

    def add(self, trouble: Trouble) -> None:
        self._waiting.append(trouble)

    def take(self, method: str) -> Trouble | None:
        for trouble in self._waiting:
            if trouble.method.lower() == method.lower():
                self._waiting.remove(trouble)
                return trouble
        return None
