"""What Telegram finds in text by itself: mentions, commands, links. An outsider's text must not carry any."""

import re
from typing import Final

from bot.simulator.telegram.department import Json
from bot.simulator.telegram.html import units

_FOUND: Final = {
    "mention": re.compile(r"(?<![\w@])@[A-Za-z0-9_]{3,32}(?![\w@])"),
    "bot_command": re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/@])"),
    "email": re.compile(r"(?<![\w.@])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "url": re.compile(
        r"(?<![\w@.])(?:https?://[^\s<>\"]+[^\s<>\".,;:!?)]|(?:[\w-]+\.)+(?:com|org|net|io|dev|app|info|ru)(?:/\S*)?)\b"
    ),
    "hashtag": re.compile(r"(?<![\w#])#[^\W\d_]\w*"),
}
_CLOSED: Final = ("code", "pre", "text_link", "text_mention")
"""Inside these nothing is found."""


def detect(text: str, entities: list[Json]) -> list[Json]:
    """*entities* and those found in *text* outside code and links, by offset."""
    closed = [(e["offset"], e["offset"] + e["length"]) for e in entities if e["type"] in _CLOSED]
    found = list(entities)
    for kind, pattern in _FOUND.items():
        for match in pattern.finditer(text):
            offset, length = units(text[: match.start()]), units(match.group())
            if not any(low < offset + length and offset < high for low, high in closed):
                found.append({"offset": offset, "length": length, "type": kind})
                closed.append((offset, offset + length))
    return sorted(found, key=lambda entity: (entity["offset"], -entity["length"]))


def part(text: str, entity: Json) -> str:
    """The text an entity covers."""
    raw = text.encode("utf-16-le", "surrogatepass")
    low = entity["offset"] * 2
    return raw[low : low + entity["length"] * 2].decode("utf-16-le", "surrogatepass")


def trim(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """Without the white space around, entities moved along; those that covered nothing else are gone."""
    left = units(text) - units(text.lstrip())
    kept = text.strip()
    size = units(kept)
    moved = []
    for entity in entities:
        low = max(0, entity["offset"] - left)
        high = min(size, entity["offset"] + entity["length"] - left)
        if high > low:
            moved.append({**entity, "offset": low, "length": high - low})
    return kept, moved


def mentions(text: str, entities: list[Json]) -> list[str]:
    """Who would be notified: `@name`, or `id:1001` for a link to a person."""
    return [
        f"id:{entity['user_id']}" if entity["type"] == "text_mention" else part(text, entity)
        for entity in entities
        if entity["type"] in ("mention", "text_mention")
    ]


def links(text: str, entities: list[Json]) -> list[tuple[str, str]]:
    """(target, shown text) of everything a reader can click away to, commands included."""
    kinds = ("text_link", "url", "email", "bot_command")
    return [
        (entity.get("url") or part(text, entity), part(text, entity)) for entity in entities if entity["type"] in kinds
    ]
