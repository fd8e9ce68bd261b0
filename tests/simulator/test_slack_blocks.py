"""Slack's own refusals, block by block: one case per rule of the limits table."""

import pytest

from bot.simulator.slack.errors import SlackError
from bot.simulator.slack.rules import check_message, check_view, text_sum

PLAIN = {"type": "plain_text", "text": "hi"}
MRKDWN = {"type": "mrkdwn", "text": "hi"}
TABLE = {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]}
TASK = {"task_id": "s1", "title": "Merge", "status": "complete"}


def section(text="hi", **more):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id="go", text="Go", **more):
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": text}, **more}


def actions(*elements, **more):
    return {"type": "actions", "elements": list(elements), **more}


def cell(text="x"):
    return {"type": "raw_text", "text": text}


def data_table(rows=2, columns=1, text="x", **more):
    return {"type": "data_table", "caption": "Pods", "rows": [[cell(text)] * columns for _ in range(rows)], **more}


def chart(categories=("a", "b"), names=("left",), **more):
    data = [{"label": name, "value": 1} for name in categories]
    series = [{"name": name, "data": data} for name in names]
    line = {"type": "line", "series": series, "axis_config": {"categories": list(categories)}}
    return {"type": "data_visualization", "title": "Budget", "chart": line, **more}


def pie(**segment):
    chart_ = {"type": "pie", "segments": [{"label": "a", "value": 1, **segment}]}
    return {"type": "data_visualization", "title": "t", "chart": chart_}


def refusal(blocks):
    with pytest.raises(SlackError) as caught:
        check_message(blocks, lambda _file: False)
    return caught.value


GOOD = {
    "section": [section("x" * 3000, accessory=button())],
    "fields": [{"type": "section", "fields": [MRKDWN] * 10}],
    "header": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 150}}],
    "actions": [actions(*(button(f"b{n}") for n in range(25)))],
    "fifty": [section()] * 50,
    "context": [{"type": "context", "elements": [MRKDWN] * 10}],
    "markdown": [{"type": "markdown", "text": "x" * 12_000}],
    "divider": [{"type": "divider"}],
    "image": [{"type": "image", "image_url": "https://dept.example/a.png", "alt_text": "graph"}],
    "plan": [{"type": "plan", "block_id": "op-42", "title": "Promote", "tasks": [TASK]}],
    "task_card": [{"type": "task_card", **TASK}],
    "data_table": [data_table(201, 20)],
    "action_cell": [
        data_table() | {"rows": [[cell()], [{"type": "action_cell", "element": button(), "fallback": cell()}]]}
    ],
    "table": [TABLE],
    "charts": [chart(), chart()],
    "pie": [pie()],
    "same action_id in two blocks": [actions(button()), actions(button())],
    "select": [actions({"type": "static_select", "action_id": "s", "options": [{"text": PLAIN, "value": "v"}]})],
    "rich_text": [
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "<!channel>"}]}],
        }
    ],
    "container": [{"type": "container", "title": PLAIN, "child_blocks": [section()], "is_collapsible": True}],
    "layout": [{"type": "layout", "label": "Facts", "rows": [[section()]], "fallback": [section()]}],
    "card": [{"type": "card", "title": PLAIN, "actions": [button()]}],
}

BAD = {
    "section text": ([section("x" * 3001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    "empty text": ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "header": (
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    "header in mrkdwn": (
        [{"type": "header", "text": MRKDWN}],
        "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]",
    ),
    "51 blocks": ([section()] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    "26 buttons": (
        [actions(*(button(f"b{n}") for n in range(26)))],
        "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "no buttons": ([actions()], "no less than 1 items allowed [json-pointer:/blocks/0/elements]"),
    "11 in context": (
        [{"type": "context", "elements": [MRKDWN] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    "button text": (
        [actions(button(text="x" * 76))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    "button value": (
        [actions(button(value="x" * 2001))],
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    "button style": (
        [actions(button(style="green"))],
        "must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]",
    ),
    "unknown property": (
        [actions(button(disabled=True))],
        "invalid additional property: disabled [json-pointer:/blocks/0/elements/0]",
    ),
    "unknown block": ([{"type": "nope"}], "unsupported type: nope [json-pointer:/blocks/0/type]"),
    "missing field": ([{"type": "header"}], "missing required field: text [json-pointer:/blocks/0]"),
    "duplicate block_id": (
        [section(block_id="a"), section(block_id="a")],
        "block_id already exists: a [json-pointer:/blocks/1/block_id]",
    ),
    "duplicate action_id": ([actions(button(), button())], "action_id already exists: go [json-pointer:/blocks/0]"),
    "block_id": (
        [section(block_id="x" * 256)],
        "must be less than 256 characters [json-pointer:/blocks/0/block_id]",
    ),
    "alert in a message": (
        [{"type": "alert", "text": MRKDWN}],
        "unsupported type: alert [json-pointer:/blocks/0/type]",
    ),
    "completed": (
        [{"type": "plan", "title": "t", "tasks": [TASK | {"status": "completed"}]}],
        "must be one of: pending, in_progress, complete, error [json-pointer:/blocks/0/tasks/0/status]",
    ),
    "task twice": (
        [{"type": "plan", "title": "t", "tasks": [TASK, TASK]}],
        "task_id already exists: s1 [json-pointer:/blocks/0/tasks/1/task_id]",
    ),
    "task with type": (
        [{"type": "plan", "title": "t", "tasks": [{"type": "task_card", **TASK}]}],
        "invalid additional property: type [json-pointer:/blocks/0/tasks/0]",
    ),
    "pending outside a plan": (
        [{"type": "task_card", **TASK, "status": "pending"}],
        "must be one of: in_progress, complete, error [json-pointer:/blocks/0/status]",
    ),
    "plan and task_card": (
        [{"type": "plan", "title": "t", "tasks": []}, {"type": "task_card", **TASK}],
        "plan and task_card cannot be used together [json-pointer:/blocks]",
    ),
    "202 rows": ([data_table(202)], "no more than 201 items allowed [json-pointer:/blocks/0/rows]"),
    "header only": ([data_table(1)], "no less than 2 items allowed [json-pointer:/blocks/0/rows]"),
    "21 columns": ([data_table(2, 21)], "no more than 20 items allowed [json-pointer:/blocks/0/rows/0]"),
    "empty cell": (
        [data_table() | {"rows": [[cell()], [cell("")]]}],
        "must be more than 0 characters [json-pointer:/blocks/0/rows/1/0/text]",
    ),
    "uneven": (
        [data_table() | {"rows": [[cell()], [cell(), cell()]]}],
        "all rows must have the same number of cells [json-pointer:/blocks/0/rows/1]",
    ),
    "cells sum": (
        [data_table(201, 20, "x" * 5)],
        "data_table blocks must be less than 20001 characters together [json-pointer:/blocks]",
    ),
    "101 rows": (
        [TABLE | {"rows": [[cell()]] * 101}],
        "no more than 100 items allowed [json-pointer:/blocks/0/rows]",
    ),
    "table sum": (
        [TABLE | {"rows": [[cell("x" * 10_001)]]}],
        "table blocks must be less than 10001 characters together [json-pointer:/blocks]",
    ),
    "button in table": (
        [TABLE | {"rows": [[{"type": "action_cell", "element": button(), "fallback": cell()}]]}],
        "unsupported type: action_cell [json-pointer:/blocks/0/rows/0/0/type]",
    ),
    "three charts": (
        [chart()] * 3,
        "no more than 2 data_visualization blocks allowed [json-pointer:/blocks]",
    ),
    "point missing": (
        [chart() | {"chart": chart()["chart"] | {"axis_config": {"categories": ["a", "b", "c"]}}}],
        "must have exactly one point per category [json-pointer:/blocks/0/chart/series/0/data]",
    ),
    "series twice": (
        [chart(names=("a", "a"))],
        "series names must be unique [json-pointer:/blocks/0/chart/series]",
    ),
    "13 series": (
        [chart(names=tuple(f"n{n}" for n in range(13)))],
        "no more than 12 items allowed [json-pointer:/blocks/0/chart/series]",
    ),
    "empty segment": ([pie(value=0)], "must be a number above 0 [json-pointer:/blocks/0/chart/segments/0/value]"),
    "markdown sum": (
        [{"type": "markdown", "text": "x" * 6_001}, {"type": "markdown", "text": "x" * 6_000}],
        "markdown blocks must be less than 12001 characters together [json-pointer:/blocks]",
    ),
    "11 children": (
        [{"type": "container", "title": PLAIN, "child_blocks": [section()] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/child_blocks]",
    ),
    "chart in a container": (
        [{"type": "container", "title": PLAIN, "child_blocks": [chart()]}],
        "unsupported type: data_visualization [json-pointer:/blocks/0/child_blocks/0/type]",
    ),
    "layout children count": (
        [section()] * 49 + [{"type": "layout", "label": "Facts", "rows": [[section(), section()]]}],
        "no more than 50 items allowed [json-pointer:/blocks]",
    ),
    "file not processed": (
        [{"type": "image", "slack_file": {"id": "F1"}, "alt_text": "graph"}],
        "invalid slack file [json-pointer:/blocks/0/slack_file]",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_slack_takes(name):
    assert check_message(GOOD[name], lambda _file: False) == GOOD[name]


@pytest.mark.parametrize("name", BAD)
def test_slack_refuses_and_points_at_it(name):
    blocks, sentence = BAD[name]
    refused = refusal(blocks)
    assert refused.error == "invalid_blocks"
    assert sentence in refused.problems
    assert refused.body()["response_metadata"] == {"messages": [f"[ERROR] {one}" for one in refused.problems]}


def test_the_sum_over_all_blocks_is_limited_though_each_is_legal():
    assert text_sum([section("x" * 3000)] * 4) == 12_000
    assert refusal([section("x" * 3000)] * 4 + [section("y")]).error == "msg_blocks_too_long"


def test_table_cells_do_not_count_towards_the_sum():
    assert text_sum([data_table(101, 1, "x" * 150)]) == len("Pods")
    check_message([data_table(101, 1, "x" * 150), section("x" * 3000)], lambda _file: True)


@pytest.mark.parametrize("second", [TABLE, data_table()], ids=["table", "data_table"])
def test_a_second_table_is_refused_by_its_own_name(second):
    refused = refusal([TABLE, second])
    assert (refused.error, refused.problems) == (
        "invalid_attachments",
        ("only_one_table_allowed [json-pointer:/blocks]",),
    )


def test_names_in_the_newer_blocks_count_towards_the_sum():
    assert text_sum([chart()]) == len("Budget" + "left" + "a" + "b")


def test_an_older_workspace_has_never_heard_of_some_blocks():
    with pytest.raises(SlackError) as caught:
        check_message([section(), chart()], lambda _: True, {"data_visualization"})
    assert caught.value.error == "invalid_blocks"
    assert caught.value.problems == ("unsupported type: data_visualization [json-pointer:/blocks/1/type]",)
    assert check_message([section()], lambda _: True, {"data_visualization"})


@pytest.mark.parametrize("blocks", ["text", {"type": "section"}, 7])
def test_blocks_must_be_a_list(blocks):
    assert refusal(blocks).error == "invalid_blocks_format"


MODAL = {"type": "modal", "title": PLAIN, "blocks": []}
INPUT = {"type": "input", "label": PLAIN, "element": {"type": "plain_text_input", "action_id": "why"}}


@pytest.mark.parametrize(
    ("view", "surface", "sentence"),
    [
        (
            MODAL | {"title": {"type": "plain_text", "text": "x" * 25}},
            "modal",
            "must be less than 25 characters [json-pointer:/view/title/text]",
        ),
        (MODAL | {"blocks": [INPUT]}, "modal", "missing required field: submit [json-pointer:/view]"),
        (MODAL | {"blocks": [TABLE]}, "modal", "unsupported type: table [json-pointer:/view/blocks/0/type]"),
        (
            MODAL | {"private_metadata": "x" * 3001},
            "modal",
            "must be less than 3001 characters [json-pointer:/view/private_metadata]",
        ),
        (
            {"type": "home", "blocks": [{"type": "plan", "title": "t", "tasks": []}]},
            "home",
            "unsupported type: plan [json-pointer:/view/blocks/0/type]",
        ),
        (
            {"type": "home", "blocks": [section()] * 101},
            "home",
            "no more than 100 items allowed [json-pointer:/view/blocks]",
        ),
    ],
)
def test_views_have_their_own_limits(view, surface, sentence):
    with pytest.raises(SlackError) as caught:
        check_view(view, surface)
    assert caught.value.error == "invalid_arguments"
    assert sentence in caught.value.problems


def test_an_alert_block_and_a_hundred_blocks_may_stand_in_a_modal():
    view = MODAL | {"blocks": [{"type": "alert", "text": MRKDWN, "level": "error"}, *[section()] * 99]}
    assert check_view(view, "modal") == view


def test_a_view_over_250_kilobytes_is_too_large():
    blocks = [section("x" * 3000)] * 90
    with pytest.raises(SlackError, match="view_too_large"):
        check_view({"type": "home", "blocks": blocks}, "home")
