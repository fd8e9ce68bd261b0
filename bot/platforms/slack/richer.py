"""What newer Slack clients draw better than text: sortable tables, plans, folded lists.

Each gives its block, or nothing where it does not suit; the classic drawing then takes its place.
Shapes: docs.slack.dev/reference/block-kit/blocks (data-table, plan, container). Built as plain dicts: slack_sdk's
models of them are incomplete.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from math import isfinite
from typing import Final

from bot.domain.messages import Collapsed, Progress, StepMark, Table
from bot.domain.phrases import Phrase, Quantity, Words, phrase, pieces
from bot.platforms.slack import limits
from bot.platforms.slack.blocks import Json, Room, Runs, flat, markdown, mrkdwn, plain, seconds, section
from bot.platforms.slack.spoken import MARKS
from bot.platforms.slack.texts import address, cut, size

RICH: Final = frozenset({"data_visualization", "data_table", "plan", "container"})
"""Block types that a workspace may refuse; everything else is as old as Block Kit."""
STATUSES: Final = {
    StepMark.PENDING: "pending",
    StepMark.RUNNING: "in_progress",
    StepMark.DONE: "complete",
    StepMark.FAILED: "error",
    StepMark.SKIPPED: "complete",
}
"""A plan knows no skipped task: its title says it."""
_EMPTY = "–"
_UNSEEN = 30
"""Characters at least that a date in a cell takes."""


def data_table(table: Table, caption: str, words: Words, room: Room) -> tuple[list[Json], int]:
    """A table that sorts, filters and pages itself, and how many rows are not on it."""
    if not table.rows or len(table.header) > limits.TABLE_COLUMNS:
        return [], 0
    inner = room.within(limits.TABLE_TEXT)
    title = cut(caption, limits.TABLE_CAPTION) or _EMPTY
    head = [{"type": "raw_text", "text": _cut(flat(cell, words))} for cell in table.header]
    rows: list[list[Json]] = [head]
    left = inner.left - size(title) - _cost(head)
    for row in islice(table.rows, limits.TABLE_ROWS):
        cells = [_cell(cell, words) for cell in row]
        left -= _cost(cells)
        if left < 0:
            break
        rows.append(cells)
    if len(rows) == 1:
        return [], 0
    inner.spend(size(title) + sum(map(_cost, rows)))
    block = {"type": "data_table", "caption": title, "rows": rows, "page_size": limits.TABLE_PAGE}
    return [block], len(table.rows) - len(rows) + 1


def _cell(cell: Phrase, words: Words) -> Json:
    """A number stays one, so that its column sorts; links and moments need rich text, the rest is literal."""
    text, number = _cut(flat(cell, words)), _number(cell)
    if number is not None:
        return {"type": "raw_number", "value": number, "text": text}
    if any(
        seconds(piece) is not None or (piece.kind == "link" and address(piece.url)) for piece in pieces(cell, words)
    ):
        runs = Runs(words, Room(limits.TABLE_CELL)).add(cell, flat=True)
        if runs.shows():
            return {"type": "rich_text", "elements": [section(runs)]}
    return {"type": "raw_text", "text": text}


def _number(cell: Phrase) -> float | None:
    """What a cell that is nothing but one number counts."""
    if cell.count is not None or len(cell.values) != 1 or cell.text != f"{{{next(iter(cell.values))}}}":
        return None
    (value,) = cell.values.values()
    number = value.number if isinstance(value, Quantity) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number):
        return None
    return number


def _cut(text: str) -> str:
    """A cell must not be empty."""
    return cut(text, limits.TABLE_CELL).strip() or _EMPTY


def _cost(cells: Sequence[Json]) -> int:
    return sum(size(text) if text else _UNSEEN for cell in cells for text in _texts(cell))


def _texts(cell: Json) -> Iterator[str]:
    if cell["type"] != "rich_text":
        yield cell["text"]
        return
    for element in cell["elements"][0]["elements"]:
        yield element.get("text", "")


def plan(progress: Progress, words: Words, room: Room) -> list[Json]:
    """The steps of an operation as a plan. Its id stays the same, else clients fold it at every edit."""
    steps = progress.steps
    if not steps or len(steps) > limits.PLAN_TASKS:
        return []
    inner = Room(room.left)
    done = sum(mark in {StepMark.DONE, StepMark.SKIPPED} for mark, _, _ in steps)
    title = inner.take(flat(phrase("{done} of {total} steps", done=done, total=len(steps)), words))
    tasks = [_task(at, *step, words, inner) for at, step in enumerate(steps)]
    if inner.left_out or not inner.left or not all(task["title"] for task in tasks):
        return []
    room.spend(room.left - inner.left)
    return [{"type": "plan", "block_id": "plan", "title": title, "tasks": tasks}]


def _task(at: int, mark: StepMark, title: Phrase, said: Phrase | None, words: Words, room: Room) -> Json:
    name = flat(title, words)
    if mark is StepMark.SKIPPED:
        name = f"{MARKS[mark]} {name} – {flat(phrase('skipped'), words)}"
    if mark is StepMark.RUNNING and said is not None:
        name = f"{name} – {flat(said, words)}"
    task: Json = {"task_id": f"step-{at}", "title": room.take(cut(name, limits.TASK_TITLE)), "status": STATUSES[mark]}
    if said is not None and mark is not StepMark.RUNNING:
        runs = Runs(words, room).add(said, flat=True)
        if runs.shows():
            task["output"] = {"type": "rich_text", "elements": [section(runs)]}
    return task


def folded(collapsed: Collapsed, words: Words, room: Room) -> list[Json]:
    """Lines behind their title. In a section: Slack's validator was seen to refuse rich text in a container."""
    title = cut(flat(collapsed.title, words), limits.CONTAINER_TITLE)
    shown = [line for line in (markdown(item, words) for item in collapsed.items) if line != ""]
    literal = None in shown
    lines = [flat(item, words) for item in collapsed.items] if literal else [line for line in shown if line]
    text = "\n".join(f"• {line}" for line in lines if line)
    cost = size(title) + size(text)
    if not title or not text or size(text) > limits.SECTION_TEXT or cost > room.left:
        return []
    room.spend(cost)
    child = {"type": "section", "text": plain(text) if literal else mrkdwn(text), "expand": True}
    return [
        {
            "type": "container",
            "title": plain(title),
            "is_collapsible": True,
            "default_collapsed": True,
            "child_blocks": [child],
        }
    ]
