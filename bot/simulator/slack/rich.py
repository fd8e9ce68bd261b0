"""rich_text: its text is literal, only its own elements mention, link or format."""

from typing import Final

from bot.simulator.slack import limits
from bot.simulator.slack.objects import ident
from bot.simulator.slack.schema import (
    Check,
    Field,
    anything,
    boolean,
    choice,
    integer,
    listing,
    may,
    need,
    shape,
    string,
    variant,
)

_LONG: Final = limits.TEXT_POST
_ITEMS: Final = 10_000
"""No figure is documented for the elements of one rich_text; the sum of the text binds long before."""

_STYLE: Final[dict[str, Field]] = {
    "style": may(
        shape(
            {
                name: may(boolean)
                for name in (
                    "bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink",
                )
            }
        )
    )
}  # fmt: skip

INLINE: Final[dict[str, Check]] = {
    "text": shape({"text": need(string(_LONG)), **_STYLE}),
    "link": shape({"url": need(string(limits.URL)), "text": may(string(_LONG, 0)), "unsafe": may(boolean), **_STYLE}),
    "user": shape({"user_id": need(ident), **_STYLE}),
    "usergroup": shape({"usergroup_id": need(ident), **_STYLE}),
    "channel": shape({"channel_id": need(ident), **_STYLE}),
    "broadcast": shape({"range": need(choice("here", "channel", "everyone")), **_STYLE}),
    "emoji": shape({"name": need(ident), "unicode": may(ident), "skin_tone": may(anything), **_STYLE}),
    "color": shape({"value": need(ident), **_STYLE}),
    "date": shape(
        {
            "timestamp": need(integer(0, 2**40)),
            "format": need(string(limits.URL)),
            "url": may(string(limits.URL)),
            "fallback": may(string(limits.URL)),
            **_STYLE,
        }
    ),
}

_inline: Final = listing(variant(INLINE), _ITEMS, 0)
_section: Final = shape({"elements": need(_inline)})
_border: Final[dict[str, Field]] = {"border": may(integer(0, 1))}

PARTS: Final[dict[str, Check]] = {
    "rich_text_section": _section,
    "rich_text_quote": shape({"elements": need(_inline), **_border}),
    "rich_text_preformatted": shape({"elements": need(_inline), "language": may(ident), **_border}),
    "rich_text_list": shape(
        {
            "style": need(choice("bullet", "ordered")),
            "elements": need(listing(variant({"rich_text_section": _section}), _ITEMS, 0)),
            "indent": may(integer(0, 8)),
            "offset": may(integer(0, 10_000)),
            **_border,
        }
    ),
}

rich_text: Final = shape({"block_id": may(ident), "elements": need(listing(variant(PARTS), _ITEMS, 0))})
