"""An alert as Alertmanager holds it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

RECEIVER: Final = "pult"
_OFFSET, _PRIME, _MASK, _SEPARATOR = 14695981039346656037, 1099511628211, 2**64 - 1, 255


@dataclass(frozen=True)
class Alert:
    """*ends* is in the future while it fires: it resolves by itself when nobody tells of it again."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts: datetime
    ends: datetime
    updated: datetime
    generator: str = ""

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.labels)

    def resolved(self, now: datetime) -> bool:
        return self.ends <= now

    def after(self, old: "Alert") -> "Alert":
        """This newer word on an alert known as *old*: an incident that goes on keeps its beginning."""
        goes_on = old.starts <= self.starts <= old.ends
        return replace(self, starts=old.starts) if goes_on else self

    def order(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """Alertmanager's order in a notification: job, instance, then all labels."""
        return (self.labels.get("job", ""), self.labels.get("instance", ""), tuple(sorted(self.labels.items())))


def fingerprint(labels: Mapping[str, str]) -> str:
    """FNV-1a over sorted labels, as prometheus/common model.Fingerprint; equal to the recorded fixtures."""
    total = _OFFSET
    for name in sorted(labels):
        for byte in (*name.encode(), _SEPARATOR, *labels[name].encode(), _SEPARATOR):
            total = ((total ^ byte) * _PRIME) & _MASK
    return f"{total:016x}"
