"""From what a provider answers, or fails to answer, to one of pult's typed verdicts. Nothing repeats its address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from aiohttp import ClientConnectorError, ClientError, ConnectionTimeoutError, InvalidURL

from bot.domain.errors import AmbiguousError, PermanentError, PultError, RateLimitedError, TemporaryError
from bot.domain.phrases import Code, phrase
from bot.platforms.webhook import limits

SECRET, ADDRESS = frozenset({401, 403}), frozenset({404, 410})
"""What such an answer is about."""
UNSURE = frozenset({408, 425})
"""It gave up waiting, or is not ready: the same event again may be taken."""


@contextmanager
def judged(name: str) -> Iterator[None]:
    """Turn whatever the connection raises inside the block into a verdict that names the pager *name*."""
    try:
        yield
    except (ClientConnectorError, ConnectionTimeoutError) as error:
        said = phrase("pager {name} can't be reached", name=Code(name))
        raise TemporaryError(f"pager {name} can't be reached ({type(error).__name__})", said=said) from None
    except InvalidURL:
        raise PermanentError(phrase("pager {name}: its url is not valid", name=Code(name))) from None
    except (ClientError, TimeoutError) as error:
        said = phrase("pager {name} gives no answer", name=Code(name))
        raise AmbiguousError(f"pager {name} gives no answer ({type(error).__name__})", said=said) from None


def verdict(name: str, status: int, headers: Mapping[str, str], now: datetime) -> PultError | None:
    """None when it took the event."""
    if 200 <= status < 300:
        return None
    text = phrase("pager {name} answers {status}", name=Code(name), status=Code(str(status)))
    delay = retry_after(headers.get("Retry-After", ""), now)
    if status == 429:
        return RateLimitedError(text, delay)
    if status >= 500 or status in UNSURE:
        return AmbiguousError(text, delay)
    if 300 <= status < 400:
        return PermanentError(phrase("{what}: it has moved, see its url", what=text))
    if status in SECRET:
        return PermanentError(phrase("{what}: see its secret", what=text))
    return PermanentError(phrase("{what}: see its url", what=text) if status in ADDRESS else text)


def retry_after(written: str, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for, by number or date (RFC 9110, 10.2.3); None when it asks for nothing."""
    written = written.strip()
    if written.isascii() and written.isdecimal():
        return min(float(written), limits.LONGEST_DELAY)
    try:
        until = parsedate_to_datetime(written)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), limits.LONGEST_DELAY)
