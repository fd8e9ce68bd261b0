"""From what Slack answers, or fails to answer, to one of pult's typed verdicts.

Words are Slack's own (docs.slack.dev/reference/methods/chat.postMessage and its neighbours).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientConnectorError, ClientError, ConnectionTimeoutError, InvalidURL
from slack_sdk.errors import SlackApiError

from bot.domain.errors import (
    AmbiguousError,
    LostReferenceError,
    PermanentError,
    PultError,
    RateLimitedError,
    TemporaryError,
)

LIMITED = frozenset({"ratelimited", "rate_limited"})
UNSURE = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout"})
"""Docs: "some aspect of the operation may have succeeded"."""
LOST = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive", "block_mismatch"})
BUSY = frozenset({"update_failed", "streaming_state_conflict"})
REFUSED = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_blocks_too_many",
        "only_one_table_allowed",
        "invalid_attachments",
        "msg_too_long",
        "markdown_text_conflict",
    }
)
"""Nothing was shown, and words alone will be taken."""
UNREACHABLE = frozenset(
    {"user_not_in_channel", "channel_not_found", "not_in_channel", "is_archived", "restricted_action"}
)
"""Nobody can be told there; a person may be told elsewhere."""
NO_THREAD = frozenset({"thread_not_found", "cannot_reply_to_message"})
REMEDIES = {
    "not_in_channel": "invite pult with /invite",
    "channel_not_found": "the channel does not exist, or it is private and pult has to be invited",
    "is_archived": "unarchive the channel or route elsewhere",
    "missing_scope": "add the scope it names to the Slack app and install it again",
    "invalid_auth": "put a valid token into slack.bot_token",
    "not_authed": "put a valid token into slack.bot_token",
    "token_revoked": "install the Slack app again and put its new token into slack.bot_token",
    "token_expired": "install the Slack app again and put its new token into slack.bot_token",
    "account_inactive": "install the Slack app again and put its new token into slack.bot_token",
}
DEFAULT_DELAY = 1.0
"""Seconds to wait when a 429 names none."""


class RefusedError(PermanentError):
    """Slack took offence at the blocks or their length: nothing was shown, words alone may go."""


class UnreachableError(PermanentError):
    """This conversation can't be written to."""


class NoThreadError(PermanentError):
    """The message to answer under is gone."""


@contextmanager
def judged(what: str) -> Iterator[None]:
    """Turn whatever the Slack SDK or the connection raises inside the block into a verdict that names *what*."""
    try:
        yield
    except SlackApiError as error:
        raise verdict(what, error) from error
    except (ClientConnectorError, ConnectionTimeoutError) as error:
        raise TemporaryError(f"{what}: Slack can't be reached") from error
    except InvalidURL as error:
        raise PermanentError(f"{what}: the address is not valid") from error
    except (ClientError, TimeoutError) as error:
        raise AmbiguousError(f"{what}: no answer from Slack ({type(error).__name__})") from error


def verdict(what: str, error: SlackApiError) -> PultError:
    """The verdict on one refused or failed call."""
    word, status = word_of(error), status_of(error)
    text = f"{what}: {word or f'HTTP {status}'}"
    if status == 429 or word in LIMITED:
        return RateLimitedError(text, _delay(error))
    if status >= 500 or word in UNSURE or not word:
        return AmbiguousError(text)
    if word in BUSY:
        return TemporaryError(text)
    return _permanent(word, text, error)


def _permanent(word: str, text: str, error: SlackApiError) -> PultError:
    if word in LOST:
        return LostReferenceError(text)
    if word in REFUSED:
        return RefusedError(f"{text} {_problems(error)}".strip())
    if word in NO_THREAD:
        return NoThreadError(text)
    remedy = f"{text}; {REMEDIES[word]}" if word in REMEDIES else text
    return UnreachableError(remedy) if word in UNREACHABLE else PermanentError(remedy)


def word_of(error: SlackApiError) -> str:
    """Slack's own word for the refusal; empty when something else than Slack answered."""
    data = getattr(error.response, "data", None)
    return str(data.get("error") or "") if isinstance(data, dict) else ""


def status_of(error: SlackApiError) -> int:
    """The HTTP status; the SDK hands over two different kinds of answers."""
    return int(getattr(error.response, "status_code", 0) or getattr(error.response, "status", 0))


def _delay(error: SlackApiError) -> float:
    """Retry-After in seconds."""
    headers = getattr(error.response, "headers", {})
    try:
        return max(0.0, float(headers.get("Retry-After", DEFAULT_DELAY)))
    except ValueError:
        return DEFAULT_DELAY


def _problems(error: SlackApiError) -> str:
    """The validator's sentences with their json-pointers; they quote nothing of the message."""
    found = error.response.data.get("errors") or error.response.data.get("response_metadata", {}).get("messages") or []
    return "; ".join(str(problem) for problem in found[:3])
