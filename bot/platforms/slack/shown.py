"""Which form of a message is sent, and what comes after a refusal: never two messages, never a flapping one.

A *definite* refusal means that nothing was shown, so the next form goes at once: rich, classic, words alone. An
ambiguous answer (timeout, 5xx) is nobody's reason to change the form: the caller looks first, then repeats.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

from bot.platforms.slack import limits
from bot.platforms.slack.blocks import Json
from bot.platforms.slack.render import Forms, Rendered
from bot.platforms.slack.richer import RICH
from bot.platforms.slack.verdicts import MismatchError, RefusedError

log = logging.getLogger(__name__)
T = TypeVar("T")


class Form(StrEnum):
    """How a message stands there; kept with its reference for its whole life."""

    PLAIN = ""
    """It had nothing that newer blocks show better."""
    RICH = "rich"
    CLASSIC = "classic"
    """Newer blocks were refused or not allowed: none for this message any more."""
    LITERAL = "literal"
    """Classic, but begun with rich text: Slack lets no other block follow it at the head of a message."""


@dataclass(frozen=True)
class Sent(Generic[T]):
    """What Slack answered to the form it took."""

    answer: T
    form: Form
    drawn: Rendered


class Refusals:
    """Block types the workspace refused, for 24 h; private and public messages apart, they may take different ones."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._until: dict[tuple[bool, str], datetime] = {}

    def allowed(self, *, private: bool) -> frozenset[str]:
        """Newer block types worth trying."""
        now = self._now()
        return frozenset(kind for kind in RICH if self._until.get((private, kind), now) <= now)

    def note(self, drawn: Rendered, error: RefusedError, *, private: bool) -> None:
        """Remember the newer blocks that *error* points at, or all of *drawn* where it points at none."""
        if not error.types:
            return
        named = {drawn.blocks[at]["type"] for at in error.blocks if at < len(drawn.blocks)}
        until = self._now() + timedelta(hours=limits.REFUSAL_HOURS)
        for kind in drawn.rich & named if named else drawn.rich:
            self._until[private, kind] = until


async def shown(
    forms: Forms,
    form: Form,
    send: Callable[[Json], Awaitable[T]],
    note: Callable[[Rendered, RefusedError], None],
) -> Sent[T]:
    """Send the best form that is taken. *form*: how the message stands there already.

    RefusedError, MismatchError: Slack takes none of them.
    """
    waiting = list(_candidates(forms, form))
    while True:
        kind, drawn, content = waiting.pop(0)
        try:
            return Sent(await send(content), kind, drawn)
        except RefusedError as error:
            _complain(drawn, content, error)
            note(drawn, error)
            if not waiting:
                raise
        except MismatchError:
            if kind is Form.LITERAL and not waiting:
                raise
            if kind is Form.LITERAL:
                continue
            waiting = [(Form.LITERAL, forms.classic, _literal(forms.classic)), (Form.LITERAL, *_words(forms))]


def _candidates(forms: Forms, form: Form) -> Iterator[tuple[Form, Rendered, Json]]:
    """Forms to try, the best one first. In words alone it stays what it is: the next edit may have blocks again."""
    rich, classic = forms.rich, forms.classic
    if rich is not None and form in {Form.PLAIN, Form.RICH}:
        yield Form.RICH, rich, _blocks(rich)
    if form is Form.LITERAL:
        yield form, classic, _literal(classic)
        yield form, *_words(forms)
        return
    lasting = Form.CLASSIC if rich is not None or forms.barred else form
    yield lasting, classic, _blocks(classic)
    yield lasting, *_words(forms)


def _blocks(drawn: Rendered) -> Json:
    return {"text": drawn.text, "blocks": drawn.blocks}


def _literal(drawn: Rendered) -> Json:
    """The same with its heading as rich text."""
    title = {"type": "text", "text": drawn.blocks[0]["text"]["text"], "style": {"bold": True}}
    heading = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [title]}]}
    return {"text": drawn.text, "blocks": [heading, *drawn.blocks[1:]]}


def _words(forms: Forms) -> tuple[Rendered, Json]:
    return Rendered(forms.text, [], forms.classic.shortened), {"text": forms.text}


def _complain(drawn: Rendered, content: Json, error: RefusedError) -> None:
    """An older workspace is no alarm; classic blocks that are refused are a defect of ours."""
    extra = {"error": str(error), "types": sorted(drawn.rich)}
    if drawn.rich:
        log.warning("Slack does not take the newer blocks of a card, it goes without them", extra=extra)
    elif "blocks" in content:
        log.error("Slack refused the blocks of a card, it goes as text", extra=extra)
    else:
        log.error("Slack refused a card altogether", extra=extra)
