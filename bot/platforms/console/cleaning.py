"""Outside text made fit to be shown: no secret, no control character, nothing that turns the reading direction."""

from __future__ import annotations

import re

from bot.domain.redact import redact

# C0 and C1 controls but tab and newline (a terminal obeys them), and bidirectional overrides (they make text read as
# something it is not).
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """*text* fit for a page and a terminal. It is masked after the controls are gone: one may hide inside a secret."""
    visible = _INVISIBLE.sub("", text.replace("\r\n", "\n"))
    return redact(visible.encode("utf-8", "replace").decode())


def one_line(text: str) -> str:
    """*text* with every run of blanks and line breaks as one blank."""
    return " ".join(text.split())
