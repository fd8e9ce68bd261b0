"""``pult ask``: one command from a terminal, over the console's API."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from bot.domain.errors import PultError

DEADLINE = 30.0


def ask(text: str, url: str, token: str, locale: str) -> dict[str, Any]:
    """The answer ``{"ok", "text", "op"}``. PultError says in one sentence why there is none."""
    return asyncio.run(_ask(text, url, token, locale))


async def _ask(text: str, url: str, token: str, locale: str) -> dict[str, Any]:
    body = {"text": text, "locale": locale} if locale else {"text": text}
    timeout = aiohttp.ClientTimeout(total=DEADLINE)
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.post(f"{url.rstrip('/')}/api/ask", json=body) as answer,
        ):
            if answer.status == 401:
                raise PultError("pult does not know this token: give yours with --token or PULT_TOKEN.")
            if answer.status != 200:
                raise PultError(f"pult answers {answer.status}: {(await answer.text())[:200]}")
            found: dict[str, Any] = await answer.json()
            return found
    except (aiohttp.ClientError, TimeoutError) as error:
        raise PultError(f"pult does not answer at {url}: is it running? ({type(error).__name__})") from error
