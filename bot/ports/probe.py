"""A probe from outside: does an address answer, and as it should?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from bot.domain.phrases import Phrase
from bot.domain.services import Probed

Probe: TypeAlias = Callable[[str], Awaitable[bool]]
"""True for a 2xx within the deadline, False for any other answer and for none."""

Examine: TypeAlias = Callable[[Probed], Awaitable[Phrase | None]]
"""Why the address does not answer as it should, or None when it does."""
