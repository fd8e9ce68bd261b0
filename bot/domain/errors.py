"""Everything pult raises on purpose. The type is the verdict.

* PultError
  - UserError            its phrase is safe: shown in the chat as it is
    · DeniedError        policy said no
    · DriftError         the world no longer matches the plan
    · BadVersionError    the new version does not do what the old one did
    · UntouchedError     a step saw that it must not begin, and changed nothing
  - MalformedError       a request from outside that can't be read; says where
  - ForgedError          no credentials, wrong ones, or a replay
  - TemporaryError       try again, after ``delay`` seconds (None: the caller's own back-off)
    · RateLimitedError   the other side named the delay
      · DeferredError      only this card has to wait; others of its destination may go
    · ClosedError        the destination takes nothing from us until somebody mends it
    · AmbiguousError     it may have happened: look before doing it again
    · UnavailableError   the store cannot commit now
      · OverloadedError    it could, but too much waits already
  - PermanentError       a retry cannot help: revoked token, unknown channel
    · LostReferenceError the message to edit is gone: post anew
  - FencedError          the lease for this work went to another replica
  - NotReadyError        raised at start-up only; the process exits 1
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from bot.domain.phrases import Phrase, phrase, verbatim

if TYPE_CHECKING:
    from bot.domain.phrases import Value

T = TypeVar("T")


class PultError(Exception):
    """The root of everything pult raises on purpose."""


class UserError(PultError):
    """Shown to the person who asked: what happened and what to do, in one sentence."""

    def __init__(self, text: str, /, **values: Value) -> None:
        super().__init__(text)
        self.phrase = Phrase(text, values)

    def __str__(self) -> str:
        return self.phrase.plain()


class DeniedError(UserError):
    """Policy said no. Audited."""


class DriftError(UserError):
    """The world no longer matches the plan; its approvals are void."""


class BadVersionError(UserError):
    """The new version does not do what the old one did. ``at_once``: undo it without asking."""

    def __init__(self, text: str, /, *, at_once: bool = False, **values: Value) -> None:
        super().__init__(text, **values)
        self.at_once = at_once


class UntouchedError(UserError):
    """A step looked, and refused before it changed anything: it counts as not begun."""


class MalformedError(PultError):
    """The body can't be read. The text says where and never repeats a secret."""


class ForgedError(PultError):
    """The sender could not prove who it is. The text is for the log only."""


class TemporaryError(PultError):
    """May work later. ``delay``: seconds the other side asked for, or None. ``said``: what a person may read of it.

    A phrase in place of the text is both.
    """

    def __init__(self, text: str | Phrase, delay: float | None = None, said: Phrase | None = None) -> None:
        super().__init__(text.plain() if isinstance(text, Phrase) else text)
        self.delay, self.said = delay, text if isinstance(text, Phrase) else said


class RateLimitedError(TemporaryError):
    """Refused for now; nothing happened on the other side."""


class DeferredError(RateLimitedError):
    """This one may not go yet, others to the same destination may; nothing happened on the other side."""


class ClosedError(TemporaryError):
    """Archived, kicked, blocked, revoked: nothing goes there until somebody mends it; the text says how."""


class AmbiguousError(TemporaryError):
    """Timeout, disconnect or 5xx after sending: it may have happened."""


class UnavailableError(TemporaryError):
    """The store cannot commit: disk full, server away, backlog over its cap."""


class OverloadedError(UnavailableError):
    """The backlog is over its cap."""


class PermanentError(PultError):
    """A retry cannot help. ``said``: what a person may read of it; a phrase in place of the text is both."""

    def __init__(self, text: str | Phrase, said: Phrase | None = None) -> None:
        super().__init__(text.plain() if isinstance(text, Phrase) else text)
        self.said = text if isinstance(text, Phrase) else said


class LostReferenceError(PermanentError):
    """The message to edit no longer exists or can no longer be edited."""


class FencedError(PultError):
    """Another replica owns this now: nothing of the transaction was committed, and nothing is to be tried again."""


class NotReadyError(PultError):
    """Something needed at start is missing. The text names the remedy."""


def github(part: T | None) -> T:
    """*part*, which is GitHub's. UserError: none is configured."""
    if part is None:
        raise UserError("No GitHub is configured.")
    return part


def innermost(error: BaseException) -> BaseException:
    """What a task group was ended by, however deep in it: the first error that is no group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@contextmanager
def ungrouped() -> Iterator[None]:
    """A task group inside is left by the very error that ended it: the type is the verdict, and a group is none."""
    try:
        yield
    except ExceptionGroup as failed:
        raise innermost(failed) from None


def told(error: Exception) -> Phrase:
    """What a person may read of *error*: its phrase where it has one, else its text as it is."""
    said = error.phrase if isinstance(error, UserError) else getattr(error, "said", None)
    if isinstance(said, Phrase):
        return said
    return verbatim(str(error)) if str(error) else phrase("no answer in time")
