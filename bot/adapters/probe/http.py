"""The Probe port over aiohttp."""

from __future__ import annotations

import aiohttp

from bot.domain.phrases import Code, Phrase, phrase
from bot.domain.services import Probed

DEADLINE = 4.0
"""Seconds for the whole of it, redirects and body included."""
REDIRECTS = 5
"""More of them are a loop, or a login page."""
READ = 256 * 1024
"""Bytes of a body that are searched; a page that says it far below says it to nobody."""


async def answers(url: str) -> bool:
    """Whether *url* gives a 2xx in time; no answer at all counts as no."""
    return await examine(Probed(url)) is None


async def examine(probed: Probed) -> Phrase | None:
    """Why the address does not answer as it should, or None when it does."""
    timeout = aiohttp.ClientTimeout(total=DEADLINE)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(probed.url, max_redirects=REDIRECTS) as answer,
        ):
            if not 200 <= answer.status < 300:
                return phrase("answers {status}", status=Code(str(answer.status)))
            return await _lacks(answer, probed.contains)
    except TimeoutError:
        return phrase("no answer in time")
    except aiohttp.TooManyRedirects:
        return phrase("redirects in a circle")
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError):
        return phrase("its certificate can't be trusted")
    except (aiohttp.ClientError, ValueError):
        return phrase("no answer")


async def _lacks(answer: aiohttp.ClientResponse, wanted: str) -> Phrase | None:
    """Searched as it arrives: what comes in parts may be cut anywhere."""
    if not wanted:
        return None
    sought, kept, read = wanted.encode(), b"", 0
    async for part in answer.content.iter_any():
        kept += part
        if sought in kept:
            return None
        read += len(part)
        if read > READ:
            break
        kept = kept[-len(sought) :]
    return phrase("does not say {text}", text=Code(wanted[:40]))
