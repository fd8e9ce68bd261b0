"""From arguments to a checked revision: what a message may say, whoever carries it."""

import string
from typing import Final

from bot.simulator.slack import attachments, limits
from bot.simulator.slack.args import Args
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.messages import Revision
from bot.simulator.slack.rules import check_message, walk
from bot.simulator.slack.schema import Json
from bot.simulator.slack.state import Workspace

_WITH_ACTION_ID: Final = ("button", "icon_button", "overflow", "checkboxes", "radio_buttons", "feedback_buttons")
_ALPHABET: Final = string.ascii_letters + string.digits


def read(ws: Workspace, args: Args) -> Revision:
    """SlackError: no_text, invalid_blocks…, invalid_metadata_format, markdown_text_conflict, msg_too_long…"""
    blocks = args.structure("blocks", "invalid_blocks_format")
    checked = check_message(blocks, ws.shelf.usable, ws.unknown_blocks) if blocks else []
    secondary = attachments.check(args.structure("attachments", "invalid_attachments"))
    text = _text(args, checked)
    if not text.strip() and not checked and not secondary:
        raise SlackError("no_text")
    return Revision(
        at=ws.now(),
        text=text or _spoken(checked),
        blocks=tuple(_named(ws, block) for block in checked),
        metadata=_metadata(args),
        attachments=secondary,
        link_names=args.flag("link_names") or args.text("parse") == "full",
    )


def _text(args: Args, blocks: list[Json]) -> str:
    text, markdown = args.text("text"), args.text("markdown_text")
    if not markdown:
        return text
    if text or blocks:
        raise SlackError("markdown_text_conflict")
    if len(markdown) > limits.MARKDOWN_SUM:
        raise SlackError("msg_too_long")
    return markdown


def _spoken(blocks: list[Json]) -> str:
    """What Slack makes of blocks for notifications and screen readers."""
    return " ".join(str(found["text"]) for found in walk(blocks) if isinstance(found.get("text"), str))


def _named(ws: Workspace, block: Json) -> Json:
    """The block with the ids Slack gives where the app gave none."""
    named = {**block, "block_id": block.get("block_id") or ws.token(_ALPHABET, 5)}
    if isinstance(named.get("elements"), list):
        named["elements"] = [_acting(ws, element) for element in named["elements"]]
    if isinstance(named.get("accessory"), dict):
        named["accessory"] = _acting(ws, named["accessory"])
    return named


def _acting(ws: Workspace, element: Json) -> Json:
    kind = str(element.get("type"))
    if "action_id" not in element and (kind in _WITH_ACTION_ID or kind.endswith(("_select", "picker"))):
        return {**element, "action_id": ws.token(_ALPHABET, 5)}
    return element


def _metadata(args: Args) -> Json | None:
    found = args.structure("metadata", "invalid_metadata_format")
    if found is None or found == "":
        return None
    fine = isinstance(found, dict) and isinstance(found.get("event_type"), str)
    if not fine or not isinstance(found.get("event_payload"), dict):
        raise SlackError("invalid_metadata_format")
    return dict(found)
