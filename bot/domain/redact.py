"""Masking of secrets before anything leaves the process (promise 12)."""

from __future__ import annotations

import re

MASK = "•••"
ROUNDS = 5
"""More than secrets of different kinds are ever glued together; the last round changes nothing."""
_NAMES = r"password|passwd|passphrase|pwd|secret|token|api[_-]?key|private[_-]?key|credential"
# The first of them: in JSON that is a string of other JSON quotes are escaped, up to three times over.
_VALUE = r"""\\{1,8}[\"'][^\\\"']*(?:\\{1,8}[\"'])?|\"(?:[^\"\\]|\\.)*\"|'[^']*'|[\"']?[^\s,;&\"']+"""
# Every repetition that a later part of its pattern can still refuse is bounded: outside text must not cost O(n²).
_PATTERNS = (
    re.compile(r"\bxox[a-z]-[\w-]{6,}"),  # Slack tokens
    re.compile(r"\bxapp-[\w-]{6,}"),
    re.compile(r"(?<=hooks\.slack\.com/services/)[\w/-]+"),
    re.compile(r"(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}"),  # Telegram bot tokens, in an address glued to "bot"
    re.compile(r"\bgh[opsur]_\w{16,}|\bgithub_pat_\w{16,}"),
    re.compile(r"\bdo[opr]_v1_[0-9a-f]{16,}"),  # DigitalOcean
    re.compile(r"\bA[KS]IA[0-9A-Z]{16}\b"),
    re.compile(r"\beyJ[\w-]{8,2000}\.[\w-]{8,}\.[\w-]*"),  # JSON web tokens
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<=://)[^\s:/@\"'<>]*:[^\s/\"'<>]+(?=@)"),  # user:password in an address
    re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?i)(?<=\bauthorization: basic )[\w+/=-]+"),
    re.compile(rf"(?i)--[\w-]{{0,40}}?(?:{_NAMES})[\w-]{{0,40}} (?P<value>{_VALUE})"),
    re.compile(rf"(?i)(?:{_NAMES})[\w-]{{0,40}}\\{{0,8}}[\"']?\s{{0,8}}[=:]\s{{0,8}}(?P<value>{_VALUE})"),
)
_SECRET_NAME = re.compile(rf"(?i){_NAMES}")


def redact(text: str) -> str:
    """*text* with everything that looks like a secret masked. Idempotent.

    A secret that was glued to another shows its beginning only once that one is masked, hence the rounds.
    """
    for _ in range(ROUNDS):
        before = text
        for pattern in _PATTERNS:
            text = pattern.sub(_masked, text)
        if text == before:
            break
    return text


def secret_name(label: str) -> bool:
    """Whether a label or key of this name carries a secret by the look of it."""
    return _SECRET_NAME.search(label) is not None


def _masked(match: re.Match[str]) -> str:
    groups = match.groupdict()
    if "value" in groups:
        start = match.start("value") - match.start()
        return match[0][:start] + MASK
    return MASK
