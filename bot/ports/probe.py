"""A probe from outside: does an address answer?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Probe = Callable[[str], Awaitable[bool]]
"""True for a 2xx within the deadline, False for any other answer and for none."""
