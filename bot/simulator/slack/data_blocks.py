"""The newer blocks: tables, charts, plans, containers, cards."""

from typing import Final

from bot.simulator.slack import limits
from bot.simulator.slack.objects import button, ident, image, plain, text
from bot.simulator.slack.rich import rich_text
from bot.simulator.slack.schema import (
    Check,
    Field,
    Json,
    Problems,
    anything,
    at_least_one_of,
    boolean,
    choice,
    integer,
    listing,
    may,
    need,
    number,
    shape,
    string,
    variant,
)

_BLOCK_ID: Final[dict[str, Field]] = {"block_id": may(ident)}
_LONG: Final = limits.DATA_TABLE_CELLS

_raw_text: Final = shape({"text": need(string(_LONG))})
_raw_number: Final = shape({"value": need(number), "text": need(string(_LONG))})

HEADER_CELLS: Final[dict[str, Check]] = {"raw_text": _raw_text, "raw_number": _raw_number}
CELLS: Final[dict[str, Check]] = HEADER_CELLS | {"rich_text": rich_text}
ACTION_CELLS: Final[dict[str, Check]] = CELLS | {
    "action_cell": shape({"element": need(variant({"button": button})), "fallback": need(variant(HEADER_CELLS))})
}


def _even_rows(value: Json, pointer: str, problems: Problems) -> None:
    rows = value.get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        return
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            problems.add(f"{pointer}/rows/{index}", "all rows must have the same number of cells")


def _data_table_rules(value: Json, pointer: str, problems: Problems) -> None:
    _even_rows(value, pointer, problems)
    rows = value.get("rows")
    if isinstance(rows, list) and rows and isinstance(rows[0], list):
        listing(variant(HEADER_CELLS), limits.TABLE_COLUMNS)(rows[0], f"{pointer}/rows/0", problems)


def _chart_rules(value: Json, pointer: str, problems: Problems) -> None:
    axis = value.get("axis_config")
    categories = axis.get("categories") if isinstance(axis, dict) else None
    series = value.get("series")
    if not isinstance(categories, list) or not isinstance(series, list):
        return
    if len({str(category) for category in categories}) != len(categories):
        problems.add(f"{pointer}/axis_config/categories", "categories must be unique")
    lines = [one for one in series if isinstance(one, dict)]
    names = [line.get("name") for line in lines]
    if len({str(name) for name in names}) != len(names):
        problems.add(f"{pointer}/series", "series names must be unique")
    for index, line in enumerate(lines):
        points = line.get("data") if isinstance(line.get("data"), list) else []
        labels = [point.get("label") for point in points or [] if isinstance(point, dict)]
        if sorted(map(str, labels)) != sorted(map(str, categories)):
            problems.add(f"{pointer}/series/{index}/data", "must have exactly one point per category")


def _positive(value: object, pointer: str, problems: Problems) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        problems.add(pointer, "must be a number above 0")


_label: Final = string(limits.CHART_LABEL)
_axis: Final = shape(
    {
        "categories": need(listing(_label, limits.CHART_POINTS)),
        "x_label": may(string(limits.CHART_AXIS)),
        "y_label": may(string(limits.CHART_AXIS)),
    }
)
_point: Final = shape({"label": need(_label), "value": need(number)})
_line: Final = shape({"name": need(_label), "data": need(listing(_point, limits.CHART_POINTS))})
_xy: Final = shape({"series": need(listing(_line, limits.CHART_SERIES)), "axis_config": need(_axis)}, _chart_rules)
_segment: Final = shape({"label": need(_label), "value": need(_positive)})
_pie: Final = shape({"segments": need(listing(_segment, limits.CHART_SERIES))})

data_visualization: Final = shape(
    {
        **_BLOCK_ID,
        "title": need(string(limits.CHART_TITLE)),
        "chart": need(variant({"pie": _pie, "line": _xy, "bar": _xy, "area": _xy})),
    }
)

data_table: Final = shape(
    {
        **_BLOCK_ID,
        "caption": need(string(limits.SECTION_TEXT)),
        "rows": need(
            listing(
                listing(variant(ACTION_CELLS), limits.TABLE_COLUMNS),
                limits.DATA_TABLE_ROWS[1],
                limits.DATA_TABLE_ROWS[0],
            )
        ),
        "page_size": may(integer(1, limits.PAGE_SIZE)),
        "row_header_column_index": may(integer(0, limits.TABLE_COLUMNS - 1)),
    },
    _data_table_rules,
)

_column: Final = shape({"align": may(choice("left", "center", "right")), "is_wrapped": may(boolean)})

table: Final = shape(
    {
        **_BLOCK_ID,
        "rows": need(listing(listing(variant(CELLS), limits.TABLE_COLUMNS), limits.TABLE_ROWS)),
        "column_settings": may(listing(_column, limits.TABLE_COLUMNS, 0)),
    },
    _even_rows,
)

_source: Final = variant({"url": shape({"url": need(string(limits.URL)), "text": need(string(limits.URL))})})
_task: Final[dict[str, Field]] = {
    "task_id": need(ident),
    "title": need(string(limits.SECTION_TEXT)),
    "details": may(variant({"rich_text": rich_text})),
    "output": may(variant({"rich_text": rich_text})),
    "sources": may(listing(_source, limits.OPTIONS, 0)),
    "icon": may(anything),
    "hide_title": may(boolean),
}


def _no_type(value: Json, pointer: str, problems: Problems) -> None:
    if "type" in value:
        problems.add(pointer, "invalid additional property: type")


def _task_ids(value: Json, pointer: str, problems: Problems) -> None:
    tasks = value.get("tasks")
    seen: set[str] = set()
    for index, task in enumerate(tasks if isinstance(tasks, list) else []):
        found = str(task.get("task_id")) if isinstance(task, dict) else ""
        if found in seen:
            problems.add(f"{pointer}/tasks/{index}/task_id", f"task_id already exists: {found}")
        seen.add(found)


_plan_task: Final = shape(_task | {"status": need(choice("pending", "in_progress", "complete", "error"))}, _no_type)
plan: Final = shape(
    {
        **_BLOCK_ID,
        "title": need(string(limits.SECTION_TEXT)),
        "tasks": may(listing(_plan_task, limits.PLAN_TASKS, 0)),
    },
    _task_ids,
)
task_card: Final = shape(_BLOCK_ID | _task | {"status": need(choice("in_progress", "complete", "error"))})

card: Final = shape(
    {
        **_BLOCK_ID,
        "hero_image": may(variant({"image": image})),
        "icon": may(variant({"image": image})),
        "slack_icon": may(anything),
        "title": may(text(limits.CARD_TITLE)),
        "subtitle": may(text(limits.CARD_TITLE)),
        "body": may(text(limits.CARD_BODY)),
        "subtext": may(text(limits.CARD_BODY)),
        "actions": may(listing(variant({"button": button}), limits.CARD_BUTTONS)),
    },
    at_least_one_of("hero_image", "title", "actions", "body"),
)
carousel: Final = shape({**_BLOCK_ID, "elements": need(listing(variant({"card": card}), limits.CAROUSEL_CARDS))})

alert: Final = shape(
    {
        **_BLOCK_ID,
        "text": need(text(limits.ALERT_TEXT)),
        "level": may(choice("default", "info", "warning", "error", "success")),
    }
)


def container(children: Check) -> Check:
    """*children* checks one child block."""
    return shape(
        {
            **_BLOCK_ID,
            "title": may(plain(limits.CONTAINER_TITLE)),
            "rich_text_title": may(variant({"rich_text": rich_text})),
            "subtitle": may(text(limits.CONTAINER_TITLE)),
            "child_blocks": need(listing(children, limits.CONTAINER_CHILDREN)),
            "width": may(choice("narrow", "standard", "wide", "full")),
            "icon": may(variant({"image": image})),
            "is_collapsible": may(boolean),
            "default_collapsed": may(boolean),
            "has_header_divider": may(boolean),
        },
        _container_rules,
    )


def _container_rules(value: Json, pointer: str, problems: Problems) -> None:
    at_least_one_of("title", "rich_text_title")(value, pointer, problems)
    if value.get("is_collapsible") and value.get("has_header_divider"):
        problems.add(pointer, "has_header_divider cannot be used with is_collapsible")
    if value.get("default_collapsed") and not value.get("is_collapsible"):
        problems.add(pointer, "default_collapsed requires is_collapsible")


def layout(fallback: Check) -> Check:
    """*fallback* checks one block for older clients. What a row may hold is published nowhere we could read."""
    return shape(
        {
            **_BLOCK_ID,
            "label": need(string(limits.LAYOUT_LABEL)),
            "rows": need(listing(anything, limits.LAYOUT_ROWS)),
            "grid_lines": may(choice("none", "rows", "outer")),
            "is_label_visible": may(boolean),
            "fallback": may(listing(fallback, limits.MESSAGE_BLOCKS)),
        }
    )
