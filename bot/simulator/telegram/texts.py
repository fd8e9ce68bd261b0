"""From arguments to text and entities: parsing, trimming, length after parsing."""

from typing import Literal

from bot.simulator.telegram import department, html, limits
from bot.simulator.telegram.args import Args
from bot.simulator.telegram.department import Json
from bot.simulator.telegram.entities import detect, trim
from bot.simulator.telegram.errors import bad_request

Field = Literal["text", "caption"]


def read(args: Args, name: Field) -> tuple[str, tuple[Json, ...]]:
    """A `text` (must say something) or `caption` (may be empty) with its entities, at most 100 of them.

    TelegramError 400: message text is empty, message is too long, can't parse entities….
    """
    text, entities = _parsed(args, name)
    text, entities = trim(text, entities)
    if name == "text" and not text:
        raise bad_request("message text is empty")
    if html.units(text) > (limits.TEXT if name == "text" else limits.CAPTION):
        raise bad_request("message is too long" if name == "text" else "message caption is too long")
    known = [e for e in entities if e["type"] != "text_mention" or e["user_id"] in department.PEOPLE]
    return text, tuple(detect(text, known)[: limits.ENTITIES])


def _parsed(args: Args, name: Field) -> tuple[str, list[Json]]:
    raw = args.text(name).replace("\r", "")
    mode = args.text("parse_mode").lower()
    if mode == "html":
        return html.parse(raw)
    if mode:
        raise bad_request("unsupported parse_mode" if "markdown" not in mode else f"{mode} is not simulated: send HTML")
    given = args.structure("entities" if name == "text" else "caption_entities") or []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise bad_request("can't parse entities: expected an Array of MessageEntity")
    return raw, [_own(one) for one in given]


def _own(entity: Json) -> Json:
    """An entity as the caller wrote it, in the form we keep: people by id."""
    if not {"type", "offset", "length"} <= entity.keys():
        raise bad_request("can't parse entities: MessageEntity needs type, offset and length")
    if entity["type"] == "text_mention":
        return {key: value for key, value in entity.items() if key != "user"} | {"user_id": entity["user"]["id"]}
    return dict(entity)
