"""From what Slack answers, or fails to answer, to one of pult's typed verdicts.

Words are Slack's own (docs.slack.dev/reference/methods/chat.postMessage and its neighbours).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
from bot.domain.phrases import Code, Phrase, phrase

LIMITED = frozenset({"ratelimited", "rate_limited"})
UNSURE = frozenset({"fatal_error", "internal_error", "service_unavailable", "request_timeout"})
"""Docs: "some aspect of the operation may have succeeded"."""
LOST = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})
MISMATCH = "block_mismatch"
BUSY = frozenset({"update_failed", "streaming_state_conflict"})
TYPES = frozenset({"invalid_blocks", "invalid_blocks_format", "only_one_table_allowed", "invalid_attachments"})
"""A block is not what this workspace takes."""
REFUSED = TYPES | {"msg_blocks_too_long", "msg_blocks_too_many", "msg_too_long", "markdown_text_conflict"}
"""Nothing was shown, and another form or words alone will be taken."""
UNREACHABLE = frozenset(
    {"user_not_in_channel", "channel_not_found", "not_in_channel", "is_archived", "restricted_action"}
)
"""Nobody can be told there; a person may be told elsewhere."""
NO_THREAD = frozenset(
    {
        "thread_not_found",
        "cannot_reply_to_message",
        "restricted_action_thread_locked",
        "restricted_action_non_threadable_channel",
    }
)
REMEDIES = {
    "not_in_channel": phrase("pult is not in the channel: invite it there with /invite @pult"),
    "channel_not_found": phrase(
        "there is no such channel, or it is private and pult is not in it: invite pult there with /invite @pult, or "
        "correct the channel's id"
    ),
    "is_archived": phrase("the channel is archived: unarchive it, or route elsewhere"),
    "restricted_action": phrase(
        "the workspace does not let pult post there: allow it in the channel's posting permissions, or route elsewhere"
    ),
    "restricted_action_read_only_channel": phrase("the channel is read-only: let pult post there, or route elsewhere"),
    "restricted_action_thread_only_channel": phrase(
        "the channel takes replies only: let pult post there, or route elsewhere"
    ),
    "user_not_in_channel": phrase("that person is not in the channel"),
    "user_not_found": phrase("there is no such person in the workspace: correct the id in [[people]]"),
    "user_disabled": phrase("that person's account is switched off: take it out of [[people]]"),
    "messages_tab_disabled": phrase("direct messages to pult are switched off: enable the messages tab under App Home"),
    "cannot_dm_bot": phrase("that account is a bot: correct the id in [[people]]"),
    "invalid_auth": phrase("the token is not valid: put a valid one into slack.bot_token"),
    "not_authed": phrase("the token is missing: put a valid one into slack.bot_token"),
    "token_revoked": phrase(
        "the token was revoked: install the Slack app again and put its new token into slack.bot_token"
    ),
    "token_expired": phrase(
        "the token has expired: install the Slack app again and put its new token into slack.bot_token"
    ),
    "account_inactive": phrase(
        "the app was removed from the workspace: install the Slack app again and put its new token into slack.bot_token"
    ),
    "org_login_required": phrase("the workspace is moving to an organisation: try again when that is done"),
    "team_access_not_granted": phrase("the app may not enter this workspace: have an administrator approve it"),
    "ekm_access_denied": phrase("an administrator has suspended posting: ask them"),
}
"""What happened and what to do about it, by Slack's word."""
_POINTER = re.compile(r"/blocks/(\d+)")
DEFAULT_DELAY = 1.0
"""Seconds to wait when a 429 names none."""


class RefusedError(PermanentError):
    """Slack took offence at the blocks or their length: nothing was shown, another form may go.

    ``blocks``: the positions it pointed at. ``types``: it was not about the length.
    """

    def __init__(self, text: str, blocks: frozenset[int] = frozenset(), *, types: bool = False) -> None:
        super().__init__(text)
        self.blocks, self.types = blocks, types


class MismatchError(PermanentError):
    """Nothing was changed: a message that begins with rich text must go on doing so."""


class ShutError(PermanentError):
    """Nothing goes there, or anywhere in the workspace, until somebody does what the text says."""


class UnreachableError(ShutError):
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
        raise TemporaryError(f"{what}: Slack can't be reached", said=phrase("Slack can't be reached")) from error
    except InvalidURL as error:
        raise PermanentError(f"{what}: the address is not valid") from error
    except (ClientError, TimeoutError) as error:
        why = f"{what}: no answer from Slack ({type(error).__name__})"
        raise AmbiguousError(why, said=phrase("Slack gives no answer")) from error


def verdict(what: str, error: SlackApiError) -> PultError:
    """The verdict on one refused or failed call."""
    word, status = word_of(error), status_of(error)
    text = f"{what}: {word or f'HTTP {status}'}"
    if status == 429 or word in LIMITED:
        return RateLimitedError(text, _delay(error))
    if status >= 500 or word in UNSURE or not word:
        return AmbiguousError(text, said=_answers(word or f"HTTP {status}"))
    if word in BUSY:
        return TemporaryError(text, said=_answers(word))
    return _permanent(word, text, error)


def _permanent(word: str, text: str, error: SlackApiError) -> PultError:
    if word in LOST:
        return LostReferenceError(text)
    if word == MISMATCH:
        return MismatchError(text)
    if word in REFUSED:
        return refused(text, word, _problems(error))
    if word in NO_THREAD:
        return NoThreadError(text)
    if remedy := _remedy(word, error):
        kind = UnreachableError if word in UNREACHABLE or word.startswith("restricted_") else ShutError
        return kind(f"{remedy.plain()} ({text})", remedy)
    return (UnreachableError if word.startswith("restricted_") else PermanentError)(text, _answers(word))


def refused(text: str, word: str, problems: Sequence[str]) -> RefusedError:
    """The refusal of one form, with what of it the validator named."""
    at = frozenset(int(found) for problem in problems for found in _POINTER.findall(problem))
    return RefusedError(f"{text} {'; '.join(problems[:3])}".strip(), at, types=word in TYPES)


def _remedy(word: str, error: SlackApiError) -> Phrase | None:
    if word != "missing_scope":
        return REMEDIES.get(word)
    scope = str(error.response.get("needed") or "")
    if not scope:
        return phrase(
            "the Slack app lacks a scope: compare those under OAuth & Permissions with what pult check names, and "
            "install the app again"
        )
    return phrase(
        "the Slack app lacks the scope {scope}: add it under OAuth & Permissions and install the app again",
        scope=Code(scope),
    )


def _answers(word: str) -> Phrase:
    return phrase("Slack answers {word}", word=Code(word))


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


def _problems(error: SlackApiError) -> list[str]:
    """The validator's sentences with their json-pointers; they quote nothing of the message."""
    data = error.response.data
    found = data.get("errors") or (data.get("response_metadata") or {}).get("messages") or []
    return [str(problem) for problem in found]
