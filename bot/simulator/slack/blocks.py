"""Blocks by type, and which surface takes which."""

from typing import Final, Literal

from bot.simulator.slack import data_blocks, limits
from bot.simulator.slack.objects import ACCESSORIES, ACTIONS, FEEDBACK, INPUTS, ident, image, plain, slack_file, text
from bot.simulator.slack.rich import rich_text
from bot.simulator.slack.schema import (
    Check,
    Field,
    at_least_one_of,
    boolean,
    choice,
    integer,
    listing,
    may,
    need,
    only_one_of,
    shape,
    string,
    variant,
)

Surface = Literal["message", "home", "modal"]

_BLOCK_ID: Final[dict[str, Field]] = {"block_id": may(ident)}

_CLASSIC: Final[dict[str, Check]] = {
    "section": shape(
        {
            **_BLOCK_ID,
            "text": may(text(limits.SECTION_TEXT)),
            "fields": may(listing(text(limits.SECTION_FIELD), limits.SECTION_FIELDS)),
            "accessory": may(variant(ACCESSORIES)),
            "expand": may(boolean),
        },
        at_least_one_of("text", "fields"),
    ),
    "header": shape({**_BLOCK_ID, "text": need(plain(limits.HEADER)), "level": may(integer(1, 4))}),
    "divider": shape(_BLOCK_ID),
    "actions": shape({**_BLOCK_ID, "elements": need(listing(variant(ACTIONS), limits.ACTIONS_ELEMENTS))}),
    "context": shape(
        {
            **_BLOCK_ID,
            "elements": need(
                listing(
                    variant({"image": image} | {kind: text(limits.SECTION_TEXT) for kind in ("plain_text", "mrkdwn")}),
                    limits.CONTEXT_ELEMENTS,
                )
            ),
        }
    ),
    "image": shape(
        {
            **_BLOCK_ID,
            "alt_text": need(string(limits.ALT_TEXT)),
            "image_url": may(string(limits.URL)),
            "slack_file": may(slack_file),
            "title": may(plain(limits.IMAGE_TITLE)),
        },
        only_one_of("image_url", "slack_file"),
    ),
    "input": shape(
        {
            **_BLOCK_ID,
            "label": need(plain(limits.INPUT_LABEL)),
            "element": need(variant(INPUTS)),
            "dispatch_action": may(boolean),
            "hint": may(plain(limits.INPUT_LABEL)),
            "optional": may(boolean),
        }
    ),
    "video": shape(
        {
            **_BLOCK_ID,
            "alt_text": need(string(limits.ALT_TEXT)),
            "title": need(plain(limits.VIDEO_TITLE)),
            "thumbnail_url": need(string(limits.URL)),
            "video_url": need(string(limits.URL)),
            "title_url": may(string(limits.URL)),
            "author_name": may(string(50)),
            "description": may(plain(limits.VIDEO_TITLE)),
            "provider_icon_url": may(string(limits.URL)),
            "provider_name": may(ident),
        }
    ),
    "rich_text": rich_text,
}

_MARKDOWN: Final = shape({**_BLOCK_ID, "text": need(string(limits.MARKDOWN_SUM))})
_FILE: Final = shape({**_BLOCK_ID, "external_id": need(ident), "source": need(choice("remote"))})
_CONTEXT_ACTIONS: Final = shape({**_BLOCK_ID, "elements": need(listing(variant(FEEDBACK), limits.CONTEXT_ACTIONS))})

_CHILDREN: Final[dict[str, Check]] = {
    kind: _CLASSIC[kind] for kind in ("section", "header", "divider", "actions", "context", "image", "video")
} | {"table": data_blocks.table}
"""In a container: what the page and the live validator (slack-morphism-rust v2.30) both take."""

_HOME: Final[dict[str, Check]] = _CLASSIC | {
    "data_table": data_blocks.data_table,
    "data_visualization": data_blocks.data_visualization,
    "card": data_blocks.card,
    "carousel": data_blocks.carousel,
    "container": data_blocks.container(variant(_CHILDREN)),
    "layout": data_blocks.layout(variant(_CLASSIC)),
}

SURFACES: Final[dict[Surface, dict[str, Check]]] = {
    "home": _HOME,
    "modal": _CLASSIC | {"card": data_blocks.card, "alert": data_blocks.alert},
    "message": _HOME
    | {
        "markdown": _MARKDOWN,
        "file": _FILE,
        "context_actions": _CONTEXT_ACTIONS,
        "table": data_blocks.table,
        "plan": data_blocks.plan,
        "task_card": data_blocks.task_card,
    },
}
"""Rendered catalogue of docs.slack.dev, 2026-09-14."""
