"""Kubernetes quantities: ``100m``, ``128Mi``, ``1.5``, ``2e3``. Source: apimachinery pkg/api/resource/quantity.go."""

from __future__ import annotations

import math
import re
from typing import Final

MIB: Final = 2**20
_TEXT: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?")
_POWERS: Final = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    **{f"{letter}i": float(1024**power) for power, letter in enumerate("KMGTPE", 1)},
}  # fmt: skip


def amount(text: str) -> float:
    """*text* in cores or bytes. ValueError: it is no quantity."""
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"no quantity: {text[:40]!r}")
    number, suffix = float(match[1]), match[2] or ""
    if suffix[:1] in {"e", "E"} and len(suffix) > 1 and suffix != "Ei":
        return float(f"{match[1]}{suffix}")
    return number * _POWERS.get(suffix, 1.0)


def known(text: object) -> float | None:
    """As :func:`amount`, None for what is not there or is no quantity."""
    try:
        return None if text is None else amount(str(text))
    except ValueError:
        return None


def cores(number: float) -> str:
    """*number* of cores in whole millicores, rounded up: ``150m``, ``2``."""
    thousandths = up(number * 1000)
    return str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths}m"


def mebibytes(number: float) -> str:
    """*number* of bytes in whole MiB, rounded up: ``512Mi``."""
    return f"{up(number / MIB)}Mi"


def up(number: float) -> int:
    """The next whole number; what a float's last digits add is none."""
    return math.ceil(round(number, 6))
