"""One-shot failures of the Bot API."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.simulator.calls import Loss, said
from bot.simulator.telegram.errors import TelegramError, flood


@dataclass(frozen=True)
class Trouble(Loss):
    """What goes wrong with one call. *refusal* answers like the Bot API, in place of the rest."""

    refusal: TelegramError | None = None

    @classmethod
    def read(cls, body: Mapping[str, object]) -> "Trouble":
        """From `{"method", "mode": "before"|"after"}` and one of `{"error": text, "status"?: code}` (400 by default),
        `{"retry_after": seconds}`, `{"status": code}`, `{"drop": true}`, `{"delay": seconds}`. ValueError: says why.
        """
        found = cls(
            **said(body),
            refusal=_refusal(body),
            status=int(str(body["status"])) if "status" in body and "error" not in body else None,
        )
        if not (found.breaks or found.delay):
            raise ValueError("give error, retry_after, status, drop or delay")
        return found

    @property
    def breaks(self) -> bool:
        return super().breaks or self.refusal is not None


def _refusal(body: Mapping[str, object]) -> TelegramError | None:
    if "retry_after" in body:
        return flood(int(str(body["retry_after"])))
    if "error" in body:
        return TelegramError(int(str(body.get("status", 400))), str(body["error"]))
    return None
