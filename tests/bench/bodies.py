"""Alertmanager's notification of one firing alert: /work/shared's recorded ``firing-single``, with holes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

TEMPLATE = Path(__file__).with_name("firing.json")
NAME = "bench-%06d"
"""Stands in the service label, hence in every message: who looks at a message knows whose it is."""


class Bodies:
    """Numbered notifications, each a group of its own. *lanes*: over how many values of the label ``lane``."""

    def __init__(self, severity: str, *, first: int = 0, lanes: int = 1, critical_every: int = 0) -> None:
        self._text = TEMPLATE.read_bytes().strip().replace(b"@STARTS@", datetime.now(UTC).isoformat().encode())
        self._severity, self._lanes, self._critical_every = severity.encode(), lanes, critical_every
        self.next = first

    def critical(self, number: int) -> bool:
        return self._critical_every > 0 and number % self._critical_every == 0

    def take(self) -> tuple[int, bytes]:
        """The next number and its body."""
        number, self.next = self.next, self.next + 1
        severity = b"critical" if self.critical(number) else self._severity
        name, lane = (NAME % number).encode(), b"%03d" % (number % self._lanes)
        body = self._text.replace(b"@SEVERITY@", severity).replace(b"@FINGERPRINT@", b"%016x" % number)
        return number, body.replace(b"@NAME@", name).replace(b"@LANE@", lane)
