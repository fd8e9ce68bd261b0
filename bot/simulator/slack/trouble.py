"""One-shot failures of the Web API."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.simulator.calls import Loss, said


@dataclass(frozen=True)
class Trouble(Loss):
    """What goes wrong with one call. *error*: Slack's word, with HTTP 200, and in place of the rest."""

    error: str | None = None

    @classmethod
    def read(cls, body: Mapping[str, object]) -> "Trouble":
        """From `{"method", "mode": "before"|"after", "error"|"status"|"drop"|"delay"}`. ValueError: what is wrong."""
        error, status = body.get("error"), body.get("status")
        found = cls(
            **said(body),
            error=None if error is None else str(error),
            status=None if status is None else int(str(status)),
        )
        if not (found.breaks or found.delay):
            raise ValueError("give error, status, drop or delay")
        return found

    @property
    def breaks(self) -> bool:
        return super().breaks or self.error is not None
