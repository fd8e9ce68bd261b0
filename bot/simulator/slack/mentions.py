"""Whom a message would notify, and where its links lead: what an injection would have to change."""

import re
from collections.abc import Iterator
from typing import Final

from bot.simulator.slack.rules import walk
from bot.simulator.slack.schema import Json

_MENTION: Final = re.compile(r"<(@[UW][A-Z0-9]+|![a-z]+(?:\^[A-Z0-9]+)?|#C[A-Z0-9]+)(?:\|[^>]*)?>")
_LINK: Final = re.compile(r"<((?:https?|mailto|slack|tel):[^|>]+)(?:\|([^>]*))?>")
_BARE: Final = re.compile(r"(?<![\w<])@(here|channel|everyone)\b")
_PARSED: Final = ("mrkdwn", "markdown")


def _parsed_texts(text: str, blocks: list[Json]) -> Iterator[str]:
    yield text
    for found in walk(blocks):
        if found.get("type") in _PARSED and isinstance(found.get("text"), str):
            yield found["text"]


def _element(found: Json) -> str | None:
    match found:
        case {"type": "user", "user_id": str(user)}:
            return f"@{user}"
        case {"type": "usergroup", "usergroup_id": str(group)}:
            return f"!subteam^{group}"
        case {"type": "broadcast", "range": str(range_)}:
            return f"!{range_}"
        case _:
            return None


def mentions(text: str, blocks: list[Json], *, link_names: bool = False) -> list[str]:
    """`@U…`, `!here`, `!subteam^S…`, `#C…`, in order. Dates are formatting, not mentions.

    *link_names*: the caller asked Slack to resolve bare `@here` too.
    """
    found = []
    for one in _parsed_texts(text, blocks):
        found += [m.group(1) for m in _MENTION.finditer(one) if not m.group(1).startswith("!date")]
        if link_names:
            found += [f"!{m.group(1)}" for m in _BARE.finditer(one)]
    found += [mention for mention in map(_element, walk(blocks)) if mention]
    return found


def links(text: str, blocks: list[Json]) -> list[tuple[str, str]]:
    """(url, label) of every explicit link: `<url|label>` and rich_text links."""
    found = [(m.group(1), m.group(2) or "") for one in _parsed_texts(text, blocks) for m in _LINK.finditer(one)]
    found += [(str(e.get("url")), str(e.get("text") or "")) for e in walk(blocks) if e.get("type") == "link"]
    return found
