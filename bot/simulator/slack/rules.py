"""What binds a whole message or view: counts, sums, unique ids, surfaces."""

import json
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from bot.simulator.slack import limits
from bot.simulator.slack.blocks import SURFACES, Surface
from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.objects import ident, plain
from bot.simulator.slack.schema import (
    Json,
    Problems,
    anything,
    boolean,
    listing,
    may,
    need,
    shape,
    string,
    variant,
)

_TABLES: Final = ("table", "data_table")
_TEXTS: Final = ("plain_text", "mrkdwn", "text", "link", "markdown")
"""Types whose `text` counts towards the sum; cells of tables have sums of their own."""
_NAMES: Final = ("title", "caption", "label", "name", "x_label", "y_label")
"""Bare strings of the newer blocks. Whether they count is documented nowhere: here they do."""


def walk(value: object, *, into_tables: bool = True) -> Iterator[Json]:
    """Every object inside *value*, itself first."""
    if isinstance(value, dict):
        yield value
        if into_tables or value.get("type") not in _TABLES:
            for inner in value.values():
                yield from walk(inner, into_tables=into_tables)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, into_tables=into_tables)


def text_sum(blocks: list[Json]) -> int:
    """Characters of all block text, without table cells."""
    return sum(len(text) for found in walk(blocks, into_tables=False) for text in _texts(found))


def _texts(found: Json) -> Iterator[str]:
    if found.get("type") in _TEXTS and isinstance(found.get("text"), str):
        yield found["text"]
    yield from (found[name] for name in _NAMES if isinstance(found.get(name), str))


def _cells(blocks: list[Json], kind: str) -> int:
    tables = [block for block in walk(blocks) if block.get("type") == kind]
    return sum(len(cell["text"]) for cell in walk([t.get("rows") for t in tables]) if isinstance(cell.get("text"), str))


def _unique(blocks: list[Json], base: str, problems: Problems) -> None:
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        found = block.get("block_id")
        if found in seen:
            problems.add(f"{base}/{index}/block_id", f"block_id already exists: {found}")
        if isinstance(found, str):
            seen.add(found)
        actions = [inner["action_id"] for inner in walk(block) if isinstance(inner.get("action_id"), str)]
        for action in sorted({one for one in actions if actions.count(one) > 1}):
            problems.add(f"{base}/{index}", f"action_id already exists: {action}")


def _count(blocks: list[Json], kinds: tuple[str, ...]) -> int:
    return sum(block.get("type") in kinds for block in walk(blocks))


def _nested(blocks: list[Json]) -> int:
    """Blocks with those inside layouts, which count towards the limit too."""
    layouts = [block for block in blocks if block.get("type") == "layout"]
    inner = (found for one in layouts for found in walk(one.get("rows")) if found.get("type") in SURFACES["message"])
    return len(blocks) + sum(1 for _ in inner)


def _check(blocks: object, surface: Surface, most: int, base: str) -> Problems:
    problems = Problems()
    listing(variant(SURFACES[surface]), most, 0)(blocks, base, problems)
    if isinstance(blocks, list) and all(isinstance(block, dict) for block in blocks):
        _unique(blocks, base, problems)
        if _nested(blocks) > most >= len(blocks):
            problems.add(base, f"no more than {most} items allowed")
    return problems


def _message_problems(blocks: list[Json], problems: Problems) -> None:
    if _count(blocks, ("data_visualization",)) > limits.CHARTS:
        problems.add("/blocks", f"no more than {limits.CHARTS} data_visualization blocks allowed")
    if _count(blocks, ("plan",)) and any(block.get("type") == "task_card" for block in blocks):
        problems.add("/blocks", "plan and task_card cannot be used together")
    sums: tuple[tuple[str, int, Callable[[], int]], ...] = (
        ("markdown", limits.MARKDOWN_SUM, lambda: _markdown(blocks)),
        ("data_table", limits.DATA_TABLE_CELLS, lambda: _cells(blocks, "data_table")),
        ("table", limits.TABLE_CELLS, lambda: _cells(blocks, "table")),
    )
    for kind, most, measure in sums:
        if measure() > most:
            problems.add("/blocks", f"{kind} blocks must be less than {most + 1} characters together")


def _markdown(blocks: list[Json]) -> int:
    return sum(len(str(block.get("text"))) for block in blocks if block.get("type") == "markdown")


def _unready(blocks: list[Json], usable: Callable[[Json], bool], problems: Problems) -> None:
    for index, block in enumerate(blocks):
        if any("slack_file" in found and not usable(found["slack_file"]) for found in walk(block)):
            problems.add(f"/blocks/{index}/slack_file", "invalid slack file")


def _unknown(blocks: list[Json], refused: AbstractSet[str], problems: Problems) -> None:
    """An older workspace: it has never heard of the block types *refused*."""
    for index, block in enumerate(blocks):
        for kind in sorted({str(found.get("type")) for found in walk(block)} & refused):
            problems.add(f"/blocks/{index}/type", f"unsupported type: {kind}")


def check_message(
    blocks: object, usable: Callable[[Json], bool], refused: AbstractSet[str] = frozenset()
) -> list[Json]:
    """The blocks of a message, or SlackError: invalid_blocks, invalid_attachments, msg_blocks_too_long.

    *usable* says whether a slack_file object may be shown yet.
    """
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    problems = _check(blocks, "message", limits.MESSAGE_BLOCKS, "/blocks")
    if not problems.found:
        _unknown(blocks, refused, problems)
    if not problems.found:
        _message_problems(blocks, problems)
        _unready(blocks, usable, problems)
    if problems.found:
        raise SlackError("invalid_blocks", problems.found)
    if _count(blocks, _TABLES) > limits.TABLES:
        raise SlackError("invalid_attachments", ["only_one_table_allowed [json-pointer:/blocks]"])
    if text_sum(blocks) > limits.MESSAGE_TEXT_SUM:
        raise SlackError("msg_blocks_too_long")
    return blocks


def _view_rules(value: Json, pointer: str, problems: Problems) -> None:
    blocks = value.get("blocks")
    inputs = isinstance(blocks, list) and any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
    if inputs and "submit" not in value:
        problems.add(pointer, "missing required field: submit")


_ALWAYS: Final = {
    "blocks": need(anything),
    "private_metadata": may(string(limits.PRIVATE_METADATA, 0)),
    "callback_id": may(ident),
    "external_id": may(string(limits.ID, 0)),
}
_view: Final = variant(
    {
        "home": shape(_ALWAYS),
        "modal": shape(
            _ALWAYS
            | {
                "title": need(plain(limits.VIEW_TITLE)),
                "submit": may(plain(limits.VIEW_TITLE)),
                "close": may(plain(limits.VIEW_TITLE)),
                "clear_on_close": may(boolean),
                "notify_on_close": may(boolean),
                "submit_disabled": may(boolean),
            },
            _view_rules,
        ),
    }
)


def check_view(view: object, surface: Surface) -> Json:
    """The view, or SlackError: invalid_arguments (with pointers) or view_too_large."""
    if not isinstance(view, dict) or view.get("type") != surface:
        raise SlackError("invalid_arguments", [f"must be a {surface} view [json-pointer:/view]"])
    problems = Problems()
    _view(view, "/view", problems)
    problems.found += _check(view.get("blocks", []), surface, limits.VIEW_BLOCKS, "/view/blocks").found
    if problems.found:
        raise SlackError("invalid_arguments", problems.found)
    if len(json.dumps(view).encode()) > limits.VIEW_BYTES:
        raise SlackError("view_too_large")
    return view
