"""The Probe port over aiohttp."""

from __future__ import annotations

import aiohttp

DEADLINE = 4.0


async def answers(url: str) -> bool:
    """Whether *url* gives a 2xx in time; no answer at all counts as no."""
    timeout = aiohttp.ClientTimeout(total=DEADLINE)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as answer:
            return 200 <= answer.status < 300
    except (aiohttp.ClientError, TimeoutError):
        return False
