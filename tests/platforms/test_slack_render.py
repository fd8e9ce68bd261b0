"""What Slack is sent: readable examples, and everything that must hold for any message at all."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.messages import (
    Aside,
    Button,
    Collapsed,
    Confirm,
    Curve,
    Facts,
    Graph,
    Lines,
    Message,
    Paragraph,
    Preformatted,
    Progress,
    StepMark,
    Style,
    Table,
    Tone,
)
from bot.domain.phrases import Code, English, Link, Phrase, Quantity, Strong, phrase, verbatim
from bot.platforms.slack import limits
from bot.platforms.slack.render import forms, render
from bot.platforms.slack.richer import RICH
from bot.platforms.slack.texts import address, clean, cut, cut_lines, inert, size, tame
from bot.simulator.slack.mentions import links, mentions
from bot.simulator.slack.rules import check_message, text_sum, walk
from tests.strategies import NASTY, SECRET_PARTS, SECRETS, messages, outside

EXPECTED = Path(__file__).parent / "expected" / "slack"
AT = datetime(2026, 11, 24, 3, 12, 5, tzinfo=UTC)
WORDS = English()

ALERT = Message(
    phrase("{name} · {service}", name="HighErrorRate", service="api"),
    Tone.CRITICAL,
    (
        Paragraph(verbatim("More than 5 % of requests to api fail & users see <errors>.")),
        Facts(
            (
                (phrase("Severity"), phrase("{level}", level=Strong(phrase("critical")))),
                (phrase("Since"), phrase("{at}", at=AT)),
                (phrase("Region"), verbatim("nyc2")),
                (phrase("Value now"), phrase("{value}", value=Quantity(8.04, "%"))),
                (phrase("Held by"), phrase("{person} since {at}", person="anna", at=AT + timedelta(minutes=2))),
            )
        ),
        Lines((verbatim("pod=api-7f9c8: 12 restarts"), verbatim("pod=api-x2x2x: *not* bold, @here")), more=3),
        Paragraph(
            phrase(
                "{a} · {b}",
                a=Link(phrase("Runbook"), "https://runbooks.example/api?x=1&y=2"),
                b=Link("Evil", "javascript:alert(1)"),
            )
        ),
        Aside(phrase("{id} · fired before as {previous}", id=Code("a-7k2f"), previous=Code("a-3b3b"))),
    ),
    (
        Button(phrase("Ack"), "ack a-7k2f", style=Style.PRIMARY),
        Button(phrase("Silence 1 h"), "silence a-7k2f 1h"),
        Button(phrase("Dashboard"), url="https://grafana.example/d/api"),
    ),
    whole="everything\nat length",
)

OPERATION = Message(
    phrase("{title}: {state}", title="Promote api 1.8.0 to production", state=phrase("waiting for approval")),
    Tone.WARNING,
    (
        Facts(((phrase("Service"), verbatim("kube_api_*")), (phrase("Proposed by"), verbatim("anna")))),
        Progress(
            (
                (StepMark.DONE, phrase("Check the image"), phrase("sha256:12 ({took})", took=timedelta(seconds=2))),
                (StepMark.RUNNING, phrase("Roll out in {cluster}", cluster=Code("nyc2")), phrase("3 of 4 pods")),
                (StepMark.PENDING, phrase("Verify"), None),
                (StepMark.FAILED, phrase("Tell"), phrase("no answer")),
                (StepMark.SKIPPED, phrase("Celebrate"), None),
            )
        ),
        Table(
            (phrase("Evidence"), phrase("Says")),
            ((phrase("Tests"), verbatim("412 passed")), (phrase("Trivy"), verbatim("0 critical, 2 high"))),
        ),
        Collapsed(phrase("Blast radius"), (verbatim("4 pods"), verbatim("12 req/s"))),
        Aside(phrase("{id} · plan {hash}", id=Code("op-41c9"), hash=Code("0123abcd"))),
    ),
    (
        Button(
            phrase("Approve"), "approve op-41c9 0123abcd", style=Style.PRIMARY,
            confirm=Confirm(phrase("Approve?"), phrase("It starts at once.")),
        ),
        Button(phrase("Reject"), "reject op-41c9 0123abcd", style=Style.DANGER),
    ),
)  # fmt: skip

LOGS = Message(
    phrase("Logs of {service}", service="api"),
    Tone.INFO,
    (
        Paragraph(phrase("{n} lines since {at}.", n=120, at=AT)),
        Preformatted("\n".join(f"03:1{n % 10} GET /v1/items?token=abcdef123456 {n}" for n in range(120))),
        Table(
            tuple(verbatim(f"a rather long heading {n}") for n in range(4)),
            (tuple(verbatim(f"cell {n}") for n in range(4)),),
        ),
    ),
    whole="x",
)


def pretty(message):
    drawn = render(message, WORDS)
    return (
        f"{drawn.text}\n\n--- shortened: {drawn.shortened}\n{json.dumps(drawn.blocks, indent=1, ensure_ascii=False)}\n"
    )


@pytest.mark.parametrize(("name", "message"), [("alert", ALERT), ("operation", OPERATION), ("logs", LOGS)])
def test_the_card_looks_as_agreed(name, message):
    path = EXPECTED / f"{name}.txt"
    assert pretty(message) == path.read_text(encoding="utf-8")


def marked_up(blocks):
    return [found["text"] for found in walk(blocks) if found.get("type") == "mrkdwn"]


def own_links(message):
    """Addresses the message itself carries as links."""
    seen, waiting = set(), [message]
    while waiting:
        match waiting.pop():
            case Link(text, url):
                seen.add(address(url))
                waiting.append(text)
            case Button(label, url=url) as button:
                seen.add(address(url))
                waiting += [label, button.confirm]
            case tuple() as many:
                waiting += many
            case Phrase(values=values):
                waiting += values.values()
            case other if hasattr(other, "__dataclass_fields__"):
                waiting += vars(other).values()
    return seen


TOKENS = r"<!date\^\d+\^\{date_short_pretty\} \{time\}\|[^<>|]*>|<https?://[^<>|]+\|[^<>|]*>"


def cells(blocks):
    """Characters in tables: the simulator keeps a sum of their own for them, the renderer counts them in."""
    return sum(
        len(found["text"])
        for block in blocks
        if block["type"] == "data_table"
        for found in walk(block["rows"])
        if isinstance(found.get("text"), str)
    )


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(messages(), st.sets(st.sampled_from(sorted(RICH))))
def test_no_message_exceeds_a_limit_or_lets_outside_text_act(message, allowed):
    drawn = forms(message, WORDS, frozenset(allowed))
    assert drawn.rich is None or drawn.rich.rich <= allowed
    for form in filter(None, (drawn.rich, drawn.classic)):
        assert_harmless(message, form)


def assert_harmless(message, drawn):
    sent = json.dumps([drawn.text, drawn.blocks], ensure_ascii=False)
    sent.encode()
    check_message(drawn.blocks, lambda _: True)
    assert drawn.blocks[0]["type"] == "header"
    assert len(drawn.blocks) <= limits.BLOCKS
    assert text_sum(drawn.blocks) + cells(drawn.blocks) <= limits.BLOCKS_TEXT
    assert 0 < len(drawn.text.encode("utf-16-le")) // 2 <= limits.TEXT
    assert mentions(drawn.text, drawn.blocks, link_names=True) == []
    assert {url for url, _ in links(drawn.text, drawn.blocks)} <= own_links(message)
    rest = re.sub(TOKENS, "¤", drawn.text)
    assert not re.search(r"[<>*~`]|://|@\w|:[\w+'-]+:|(?m:^&gt;)", rest)
    assert not re.search(r"\b_\w|\w_\b|[^\w]_", rest)
    for text in marked_up(drawn.blocks):
        bare = re.sub(r"`[^`\n]+`|\*[^*\n]+\*", "", re.sub(TOKENS, "¤", text))
        assert not re.search(r"[<>*~`]|://|@|:[\w+'-]+:", bare)
    assert not [part for part in SECRET_PARTS if part in sent]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", sent.replace("\\n", ""))


@settings(max_examples=60, deadline=None)
@given(messages())
def test_the_first_buttons_say_what_the_card_means(message):
    elements = [e for block in render(message, WORDS).blocks if block["type"] == "actions" for e in block["elements"]]
    offered = [(e.get("value", ""), e.get("url", "")) for e in elements]
    usable = [(b.command, "" if b.command else address(b.url)) for b in message.buttons if b.command or address(b.url)]
    assert offered == usable[: len(offered)]
    assert len({e["action_id"] for e in elements}) == len(elements)
    assert offered or not usable


def test_the_small_print_stays_when_the_card_is_too_long():
    parts = [Preformatted("x" * 90)] * 2 + [Preformatted("y" * 2_900)] * 6
    drawn = render(Message(phrase("t"), blocks=(*parts, Aside(phrase("{id}", id=Code("op-41c9"))))), WORDS)
    assert drawn.shortened
    assert "`op-41c9`" in marked_up(drawn.blocks)
    assert drawn.blocks[-1] == {
        "type": "context",
        "elements": [{"type": "plain_text", "text": "… and 2 more", "emoji": False}],
    }


@pytest.mark.parametrize("whole", ["", "all of it"])
def test_what_the_sender_left_out_is_attached_when_there_is_a_whole(whole):
    drawn = render(Message(phrase("t"), blocks=(Lines((verbatim("a"),), more=490),), whole=whole), WORDS)
    assert drawn.shortened
    assert ("The attached file has all of it." in json.dumps(drawn.blocks)) == bool(whole)
    assert "… and 490 more" in json.dumps(drawn.blocks, ensure_ascii=False)


def test_a_short_message_is_not_shortened():
    assert not render(OPERATION, WORDS).shortened


def test_a_button_whose_command_holds_a_secret_is_not_offered():
    drawn = render(Message(phrase("t"), buttons=(Button(phrase("x"), "say token=abcdefgh"),)), WORDS)
    assert [block["type"] for block in drawn.blocks] == ["header"]
    assert "abcdefgh" not in drawn.text


@settings(deadline=None)
@given(outside, st.integers(1, 200))
def test_a_cut_text_fits_and_says_so(text, most):
    short = cut(text, most)
    assert size(short) <= most
    assert short == text or short.endswith("…")


@settings(deadline=None)
@given(outside, st.integers(1, 200), st.integers(1, 9))
def test_lines_are_cut_whole_and_counted(text, most, lines):
    kept, left_out = cut_lines(text, most, lines)
    assert size(kept) <= most
    assert kept.count("\n") + 1 + left_out == text.strip("\n").count("\n") + 1


@settings(deadline=None)
@given(outside)
def test_cleaning_twice_changes_nothing(text):
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize("text", ["api", "1.8.0", "kube_pod_name", "anna, boris", "4 of 5", "8.04 %", "R&D", "a < b"])
def test_plain_names_are_tame(text):
    assert tame(text)
    assert inert(text).replace("&amp;", "&").replace("&lt;", "<") == text


@pytest.mark.parametrize("text", [text for text in NASTY[:9] if text])
def test_nasty_texts_are_not_tame(text):
    assert not tame(text) or "&" in text


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://a.example/x?y=1&z=[2]", "https://a.example/x?y=1&z=[2]"),
        ('https://a.example/<b>|"c" d', "https://a.example/%3Cb%3E%7C%22c%22%20d"),
        ("https://a.example/%20", "https://a.example/%20"),
        ("https://пример.example/", ""),
        ("https://user:password@a.example/", ""),
        ("https://", ""),
        ("https://[", ""),
        ("https://a.example/" + "p" * 3_000, ""),
    ],
)
def test_an_address_slack_would_refuse_is_no_link(url, sent):
    assert address(url) == sent


@pytest.mark.parametrize("secret", SECRETS)
def test_secrets_are_masked_in_logs(secret):
    sent = json.dumps(render(Message(phrase("t"), blocks=(Preformatted(f"x {secret}\n"),)), WORDS).blocks)
    assert not [part for part in SECRET_PARTS if part in sent]


@pytest.mark.parametrize("ident", ["a`*b*`c", "*b*", ":fire:", "@here", "> q", "_i_", "https://evil.example"])
def test_what_slack_would_parse_is_never_put_into_mrkdwn(ident):
    for said in (phrase("{id} of api", id=Code(ident)), phrase("{text} of api", text=ident)):
        drawn = render(Message(phrase("t"), blocks=(Aside(said), Facts(((phrase("Id"), said),)))), WORDS)
        assert marked_up(drawn.blocks) == []
        assert json.dumps(drawn.blocks).count(ident) == 2


@pytest.mark.parametrize(
    ("first", "second"), [("x:fi", "re:"), (":", "https:"), ("https:", "//evil.example"), ("@", "here")]
)
def test_what_neighbours_put_together_is_inert_in_the_spoken_text(first, second):
    pair = phrase("{a}{b}", a=first, b=second)
    blocks = (
        Paragraph(pair),
        Facts(((verbatim(first), pair), (phrase("{a}:fire", a="x"), verbatim("y")))),
        Table((verbatim("x:fire"),), ((pair,),)),
        Progress(((StepMark.DONE, verbatim("x"), pair),)),
    )
    text = render(Message(phrase("t"), blocks=blocks), WORDS).text
    assert not re.search(r":[\w+'-]+:|://|@\w", text)


def test_an_emoji_code_put_together_by_neighbours_is_seen():
    said = phrase("{a}{b}", a=":fi", b="re:")
    assert marked_up(render(Message(phrase("t"), blocks=(Aside(said),)), WORDS).blocks) == []


# --- newer blocks ---


def graph(values, names=("api",), **more):
    """One point a minute; None is a gap."""
    points = tuple((AT + timedelta(minutes=n), float("nan") if v is None else v) for n, v in enumerate(values))
    return Graph(phrase("Errors"), tuple(Curve(verbatim(name), points) for name in names), "%", **more)


def rich_blocks(*parts):
    drawn = forms(Message(phrase("t"), blocks=parts), WORDS).rich
    return [] if drawn is None else drawn.blocks


def only(kind, *parts):
    (found,) = [block for block in rich_blocks(*parts) if block["type"] == kind]
    return found


def kinds(blocks):
    return [block["type"] for block in blocks]


def test_a_spike_is_not_lost_when_points_are_many():
    values = [1.0] * 100
    values[37] = 9.0
    (line,) = only("data_visualization", graph(values))["chart"]["series"]
    assert len(line["data"]) <= limits.CHART_POINTS
    assert [point["value"] for point in line["data"]].count(9.0) == 1
    assert line["data"][-1]["label"] == "now"


def test_a_limit_is_a_line_of_its_own():
    drawn = only("data_visualization", graph([1, 2, 3], names=("limit", "x" * 30, "x" * 31), limit=2.5))["chart"]
    names = [line["name"] for line in drawn["series"]]
    assert (names[0], names[-1]) == ("limit", "limit 2")
    assert len(set(names)) == 4
    assert [point["value"] for point in drawn["series"][-1]["data"]] == [2.5] * 3


def test_what_nobody_knows_is_not_drawn_over():
    for gap in ([1, None, 3, 4], [1, 2, 3, None]):
        assert rich_blocks(graph(gap)) == []
    missing = Graph(
        phrase("Errors"), (Curve(verbatim("api"), tuple((AT + timedelta(minutes=n), 1) for n in (0, 1, 9))),)
    )
    assert rich_blocks(missing) == []
    young = only("data_visualization", graph([None, None, 3, 4]))
    assert young["chart"]["axis_config"]["categories"] == ["-60 s", "now"]


@pytest.mark.parametrize("values", [[], [1.0], [None, None]])
def test_no_line_is_made_of_less_than_two_points(values):
    assert rich_blocks(graph(values)) == []
    classic = forms(Message(phrase("t"), blocks=(graph(values),)), WORDS).classic
    assert kinds(classic.blocks) == ["header", "rich_text"]


def test_of_many_curves_the_highest_are_drawn():
    curves = tuple(Curve(verbatim(f"pod-{n}"), ((AT, n), (AT + timedelta(minutes=1), n))) for n in range(9))
    drawn = forms(Message(phrase("t"), blocks=(Graph(phrase("Memory"), curves),), whole="all"), WORDS).rich
    (chart,) = [block["chart"] for block in drawn.blocks if block["type"] == "data_visualization"]
    assert [line["name"] for line in chart["series"]] == [f"pod-{n}" for n in range(3, 9)]
    assert drawn.shortened


def test_a_third_chart_and_a_second_table_go_the_classic_way():
    table = Table((phrase("Pod"),), ((verbatim("api-1"),),))
    found = kinds(rich_blocks(graph([1, 2]), graph([1, 2]), graph([1, 2]), table, table))
    assert found.count("data_visualization") == limits.CHARTS
    assert found.count("data_table") == 1
    assert found[-1] == "rich_text"


def test_numbers_in_a_table_stay_numbers():
    row = (
        phrase("{n}", n=12),
        phrase("{q}", q=Quantity(3.5, "%")),
        phrase("{n} pods", n=2),
        phrase("{n}", n=float("nan")),
    )
    table = only("data_table", Table((verbatim(""),) * 4, (row,)))
    assert [(cell["type"], cell.get("value")) for cell in table["rows"][1]] == [
        ("raw_number", 12), ("raw_number", 3.5), ("raw_text", None), ("raw_text", None),
    ]  # fmt: skip
    assert table["rows"][0][0] == {"type": "raw_text", "text": "–"}


def test_a_table_of_any_length_says_what_it_leaves_out():
    table = Table((phrase("Pod"),), tuple((verbatim(f"api-{n}"),) for n in range(500)))
    drawn = forms(Message(phrase("t"), blocks=(table,)), WORDS)
    rows = len(only("data_table", table)["rows"]) - 1
    assert rows == limits.TABLE_ROWS
    assert f"… and {500 - rows} more" in json.dumps(drawn.rich.blocks, ensure_ascii=False)
    assert drawn.rich.shortened


def test_a_plan_keeps_its_id_and_tells_each_steps_state():
    plan = only("plan", OPERATION.blocks[1])
    assert plan["block_id"] == "plan"
    assert [task["status"] for task in plan["tasks"]] == ["complete", "in_progress", "pending", "error", "complete"]
    assert len({task["task_id"] for task in plan["tasks"]}) == len(plan["tasks"])
    assert plan["tasks"][1]["title"] == "Roll out in nyc2 – 3 of 4 pods"
    assert plan["tasks"][4]["title"] == "⏭️ Celebrate – skipped"


def test_a_plan_of_too_many_steps_goes_the_classic_way():
    assert rich_blocks(Progress(((StepMark.PENDING, verbatim("x"), None),) * (limits.PLAN_TASKS + 1))) == []


def test_what_few_need_is_folded():
    folded = only("container", Collapsed(phrase("Labels"), (verbatim("app=api"), verbatim("*x*"))))
    assert folded["default_collapsed"]
    assert folded["child_blocks"][0]["text"] == {"type": "plain_text", "text": "• app=api\n• *x*", "emoji": False}


def test_both_forms_say_the_verdict_first_and_offer_the_same_buttons():
    drawn = forms(OPERATION, WORDS)
    for form in (drawn.rich, drawn.classic):
        assert form.blocks[0]["type"] == "header"
        assert form.blocks[-1] == drawn.classic.blocks[-1]
    assert drawn.rich.text == drawn.classic.text


def test_the_marks_of_a_graph_are_said_with_their_moment():
    marked = graph([1, 2], marks=((AT, phrase("release {v}", v="1.8.0")),))
    assert kinds(rich_blocks(marked)) == ["header", "context", "data_visualization", "context"]
    assert "release 1.8.0" in rich_blocks(marked)[-1]["elements"][0]["text"]
    assert "release 1.8.0" in forms(Message(phrase("t"), blocks=(marked,)), WORDS).classic.text
