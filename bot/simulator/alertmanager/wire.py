"""JSON and times as Go writes them."""

import json
from datetime import datetime, timedelta
from typing import Final

NEVER: Final = "0001-01-01T00:00:00Z"
"""Go's zero time: ``endsAt`` of a firing alert in the webhook."""
_ESCAPES: Final = {ord(char): f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"}


def dump(value: object, *, html: bool = True) -> bytes:
    """As Go's ``json.Encoder``: no blanks, raw UTF-8, a newline at the end; with *html* ``<>&`` are escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return (text.translate(_ESCAPES) if html else text).encode() + b"\n"


def nanos(moment: datetime) -> str:
    """RFC 3339 with as many decimals as needed, keeping the offset it came with (contracts.md, section 1)."""
    fraction = f".{moment.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}{_offset(moment)}"


def millis(moment: datetime) -> str:
    """RFC 3339 with three decimals, as API v2 writes every time."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}{_offset(moment)}"


def whole_millis(moment: datetime) -> datetime:
    """Alertmanager's own stamps have no finer parts here."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def instant(text: str) -> datetime:
    """An aware time from RFC 3339. ValueError when it is not one."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return moment


def _offset(moment: datetime) -> str:
    offset = moment.utcoffset() or timedelta()
    return "Z" if offset == timedelta() else f"{moment:%z}"[:3] + ":" + f"{moment:%z}"[3:5]
