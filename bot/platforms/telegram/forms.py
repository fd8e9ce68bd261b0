"""The forms a card can take: rich where a chat asked for it, a picture with its words, plain text. Drawn before a call.

A message's kind decides how it is edited. A rich one may become text, for life; a text gets its picture as soon as
there is one (Bot API, editMessageMedia: "or to add media to text messages").
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.cards import Card, Ref
from bot.domain.errors import PermanentError
from bot.domain.messages import Graph, Message
from bot.domain.phrases import Words
from bot.platforms.telegram import limits
from bot.platforms.telegram.client import Client, Rich, Sent, Target
from bot.platforms.telegram.pictures import Pictures, newest
from bot.platforms.telegram.places import Places
from bot.platforms.telegram.plain import Plain, with_key
from bot.platforms.telegram.render import Rendered, caption, render
from bot.platforms.telegram.rich import rich
from bot.platforms.telegram.verdicts import MarkupError, NoMediaError, NoMethodError, RefusedError

log = logging.getLogger(__name__)
TEXT, PHOTO, RICH = "text", "photo", "rich"
"""Kinds of references to messages that stand in a chat."""
PICTURE, TONE = "picture", "tone"
"""In a photo's reference: until when its picture shows the graph (Unix seconds), and the tone it had then."""


@dataclass(frozen=True)
class Form:
    """``drawn``: the classic words, or a picture's. ``sheet``: a rich message's HTML. ``bare``: without any markup.

    ``late``: its picture did not come in time.
    """

    kind: str
    drawn: Rendered
    sheet: str = ""
    picture: bytes = b""
    shortened: bool = False
    bare: bool = False
    late: bool = False

    @property
    def text(self) -> str:
        return self.drawn.plain if self.bare else self.drawn.html


class Forms:
    """Chooses and draws. ``opted``: the chats, or topics of them, that take rich messages."""

    def __init__(self, opted: Sequence[str], pictures: Pictures, places: Places, plain: Plain) -> None:
        self._opted, self._pictures, self._places, self._plain = frozenset(opted), pictures, places, plain
        self._unknown = False

    async def to_post(self, card: Card, chat: int, message: Message, words: Words) -> list[Form]:
        """The best first, plain text last."""
        opted = self._takes_rich(card)
        png, worded = await self._picture(chat, message, words, rich=opted)
        forms = [self._rich(message, words, png or b"")] if opted else []
        return [form for form in forms if form] + _classic(message, words, worded, png)

    async def _picture(
        self, chat: int, message: Message, words: Words, *, rich: bool = False
    ) -> tuple[bytes | None, Rendered | None]:
        """The picture as ``Pictures.of`` has it, and the words to stand over it where all of them fit."""
        graph = _graph(message)
        if graph is None or not self._places.photos(chat):
            return b"", None
        worded = caption(message, words)
        if worded.cut and not rich:
            return b"", None
        return await self._pictures.of(graph, words), None if worded.cut else worded

    async def to_edit(self, card: Card, ref: Ref, message: Message, words: Words) -> list[Form]:
        """In the kind that stands there; a picture is only sent anew when it has something new to show."""
        if ref.kind == PHOTO:
            return await self._to_caption(ref, message, words)
        if ref.kind == TEXT:
            png, worded = await self._picture(int(ref.chat), message, words)
            return _classic(message, words, worded, png)
        if ref.kind != RICH or not self._takes_rich(card) or self._plain.asked(int(ref.chat), int(ref.message)):
            return [_text(message, words)]
        png = await self._pictures.of(_graph(message), words)
        sheet = self._rich(message, words, png or b"")
        return [*([sheet] if sheet else []), _text(message, words)]

    def other(self, form: Form, message: Message, words: Words) -> list[Form]:
        """What stands there is of the other classic kind than *form*."""
        return [_text(message, words)] if form.kind == PHOTO else [_caption(message, words)]

    def after(self, error: PermanentError, forms: Sequence[Form], chat: int) -> list[Form]:
        """What to try once the first of *forms* was definitely refused; *error* itself when nothing is left."""
        refused, *left = forms
        if isinstance(error, NoMethodError) and refused.kind == RICH:
            self._unknown = True
        elif not isinstance(error, RefusedError):
            raise error
        if isinstance(error, NoMediaError):
            self._places.forbid_photos(chat)
            left = [form for form in left if not form.picture]
        if not left and not (isinstance(error, MarkupError) and not refused.bare):
            raise error
        extra = {"kind": refused.kind, "error": str(error)}
        log.error(
            "Telegram refuses our markup" if isinstance(error, MarkupError) else "Telegram refuses a form", extra=extra
        )
        return left or [replace(refused, bare=True, picture=b"")]

    def shown(self, form: Form, ref: Ref, message: Message) -> Ref:
        """*ref*, now that *form* stands there."""
        if form.kind == RICH:
            self._plain.keep(int(ref.chat), int(ref.message), form.drawn)
        graph = _graph(message)
        if form.kind != PHOTO or not form.picture or graph is None:
            return replace(ref, kind=form.kind, again=limits.PAINT_AGAIN if form.late else 0.0)
        told = {PICTURE: str(newest(graph)), TONE: message.tone.value}
        return replace(ref, kind=PHOTO, again=0.0, extra={**ref.extra, **told})

    async def _to_caption(self, ref: Ref, message: Message, words: Words) -> list[Form]:
        form, graph = _caption(message, words), _graph(message)
        png = await self._pictures.of(graph, words) if graph and _worth(ref, message, graph) else b""
        return [replace(form, picture=png), form] if png else [form]

    def _takes_rich(self, card: Card) -> bool:
        """A chat's own line covers its topics; a private answer asks the person's."""
        where = card.place.private_to or card.place.chat
        return not self._unknown and bool(self._opted & {where, where.partition("/")[0]})

    def _rich(self, message: Message, words: Words, png: bytes) -> Form | None:
        sheet = rich(message, words, picture=bool(png))
        if sheet is None:
            return None
        return Form(RICH, render(message, words), sheet.html, png, sheet.shortened)


async def send(client: Client, target: Target, form: Form, words: Words) -> Sent:
    """One call. PultError: the verdict on it."""
    rows, html = form.drawn.keyboard, not form.bare
    if form.kind == RICH:
        return await client.send_rich(target, Rich(form.sheet, form.picture), with_key(rows, words))
    if form.kind == PHOTO:
        return await client.send_photo(target, form.picture, form.text, rows, html=html)
    return await client.send(target, form.text, rows, html=html)


async def change(client: Client, standing: Sent, form: Form, words: Words) -> None:
    """One call. PultError: the verdict on it."""
    rows, html = form.drawn.keyboard, not form.bare
    if form.kind == RICH:
        await client.edit_rich(*standing, Rich(form.sheet, form.picture), with_key(rows, words))
    elif form.kind == PHOTO and form.picture:
        await client.edit_photo(*standing, form.picture, form.text, rows)
    elif form.kind == PHOTO:
        await client.edit_caption(*standing, form.text, rows, html=html)
    else:
        await client.edit(*standing, form.text, rows, html=html)


def _classic(message: Message, words: Words, worded: Rendered | None, png: bytes | None) -> list[Form]:
    """The words under their picture, where there is one and they fit; then the words alone."""
    photo = [Form(PHOTO, worded, picture=png, shortened=worded.shortened)] if worded is not None and png else []
    return [*photo, replace(_text(message, words), late=worded is not None and png is None)]


def _graph(message: Message) -> Graph | None:
    return next((block for block in message.blocks if isinstance(block, Graph)), None)


def _text(message: Message, words: Words) -> Form:
    drawn = render(message, words)
    return Form(TEXT, drawn, shortened=drawn.shortened)


def _caption(message: Message, words: Words) -> Form:
    drawn = caption(message, words)
    return Form(PHOTO, drawn, shortened=drawn.shortened)


def _worth(ref: Ref, message: Message, graph: Graph) -> bool:
    """Whether a new picture would tell more: the tone has changed since, or it is old."""
    age = newest(graph) - int(ref.extra.get(PICTURE, "0"))
    return age > 0 and (ref.extra.get(TONE) != message.tone.value or age >= limits.NEW_PICTURE)
