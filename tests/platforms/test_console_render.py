"""The tree the page draws, and the text a terminal shows."""

from datetime import UTC, datetime, timedelta
from math import nan
from typing import Any

import orjson
import pytest

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
from bot.domain.phrases import Code, English, Link, Strong, phrase, verbatim
from bot.domain.redact import MASK
from bot.platforms.console import limits
from bot.platforms.console.plain import plain
from bot.platforms.console.render import render

AT = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
TOKEN = "xoxb-1234567890-abcdefGHIJ"


class Shouting(English):
    """A second language, to see which one was used."""

    locale = "xx"

    def translate(self, text: str) -> str:
        return text.upper() if "{" not in text else text


WHOLE = Message(
    phrase("{name} · {service}", name="HighErrorRate", service="api"),
    Tone.CRITICAL,
    (
        Paragraph(phrase("See {link}.", link=Link("the runbook", "https://runbooks.example/api"))),
        Facts(((phrase("Severity"), phrase("{x}", x=Strong("critical"))), (phrase("Since"), phrase("{at}", at=AT)))),
        Lines((verbatim("pod a"), verbatim("pod b")), more=3),
        Table((phrase("Id"), phrase("What")), ((phrase("{id}", id=Code("op-41c9")), verbatim("Restart api")),)),
        Preformatted("exit 1\n  at line 2"),
        Progress(
            (
                (StepMark.DONE, phrase("Fence nyc2"), phrase("done in 2 s")),
                (StepMark.RUNNING, phrase("Promote sfo3"), None),
                (StepMark.PENDING, phrase("Move traffic"), None),
            )
        ),
        Collapsed(phrase("Labels"), (verbatim("region=nyc2"),)),
        Aside(phrase("{id}", id=Code("a-7k2f"))),
    ),
    (
        Button(phrase("Ack"), "ack a-7k2f", style=Style.PRIMARY),
        Button(
            phrase("Undo"), "resume op-41c9 undo", style=Style.DANGER, confirm=Confirm(phrase("Undo?"), phrase("Now."))
        ),
        Button(phrase("Graph"), url="https://grafana.example/d/1"),
    ),
    whole="everything",
)


def text(value: str) -> dict[str, str]:
    return {"kind": "text", "text": value}


def test_every_block_becomes_a_branch() -> None:
    tree = render(WHOLE, English())
    assert tree["title"] == [text("HighErrorRate"), text(" · "), text("api")]
    assert (tree["tone"], tree["whole"], tree["clipped"]) == ("critical", "everything", False)
    blocks = {block["kind"]: block for block in tree["blocks"]}
    link = {"kind": "link", "text": "the runbook", "url": "https://runbooks.example/api"}
    assert blocks["paragraph"]["runs"] == [text("See "), link, text(".")]
    moment = {"kind": "moment", "text": "2026-03-04 12:00:00 UTC", "at": "2026-03-04T12:00:00+00:00"}
    assert blocks["facts"]["pairs"][1] == {"label": [text("Since")], "value": [moment]}
    assert blocks["lines"] == {"kind": "lines", "items": [[text("pod a")], [text("pod b")]], "more": 3}
    assert blocks["table"]["rows"] == [[[{"kind": "code", "text": "op-41c9"}], [text("Restart api")]]]
    assert blocks["preformatted"]["text"] == "exit 1\n  at line 2"
    assert [step["mark"] for step in blocks["progress"]["steps"]] == ["done", "running", "pending"]
    assert blocks["progress"]["steps"][0]["said"] == [text("done in 2 s")]
    assert blocks["collapsed"]["title"] == [text("Labels")]
    assert blocks["aside"]["runs"] == [{"kind": "code", "text": "a-7k2f"}]


def test_buttons_carry_command_address_and_what_to_confirm() -> None:
    ack, undo, graph = render(WHOLE, English())["buttons"]
    assert (ack["command"], ack["style"], ack["confirm"]) == ("ack a-7k2f", "primary", None)
    assert undo["confirm"] == {"title": [text("Undo?")], "text": [text("Now.")]}
    assert (graph["command"], graph["url"]) == ("", "https://grafana.example/d/1")


def test_the_tree_is_json() -> None:
    assert orjson.loads(orjson.dumps(render(WHOLE, English())))["tone"] == "critical"


def test_it_speaks_the_readers_language_but_leaves_outside_text_alone() -> None:
    message = Message(phrase("Runbook"), blocks=(Paragraph(verbatim("pod a")),))
    tree = render(message, Shouting())
    assert tree["title"] == [text("RUNBOOK")]
    assert tree["blocks"][0]["runs"] == [text("pod a")]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "", "//evil.example"])
def test_only_web_addresses_become_links(url: str) -> None:
    message = Message(phrase("{l}", l=Link("go", url)), buttons=(Button(phrase("Go"), url=url),))
    tree = render(message, English())
    assert tree["title"] == [text("go")]
    assert tree["buttons"] == []


def test_secrets_are_masked_in_every_branch() -> None:
    message = Message(
        verbatim(TOKEN),
        blocks=(Preformatted(f"token {TOKEN}"), Paragraph(phrase("{l}", l=Link("x", f"https://x.example/?t={TOKEN}")))),
        buttons=(Button(phrase("Go"), f"ack {TOKEN}"), Button(phrase("Go"), url="https://u:s3cr3t@x.example/")),
        whole=TOKEN,
    )
    drawn = orjson.dumps(render(message, English())).decode() + plain(message, English())
    assert TOKEN not in drawn
    assert "s3cr3t" not in drawn
    assert MASK in drawn


def test_a_control_character_inside_a_secret_does_not_save_it() -> None:
    message = Message(verbatim("pass\x00word=hunter2hunter2"))
    assert "hunter2" not in str(render(message, English())) + plain(message, English())


def test_no_escape_sequence_reaches_a_terminal() -> None:
    message = Message(verbatim("\x1b[2J\x1b]0;gone\x07"), blocks=(Preformatted("a\x1b[31mred\x9b0m\u202egnp"),))
    shown = plain(message, English())
    assert not [mark for mark in shown if mark in "\x1b\x07\x9b\u202e"]


def test_an_absurd_card_is_cut_and_says_so() -> None:
    lines = tuple(verbatim(f"{number} " + "x" * 500) for number in range(2_000))
    tree = render(Message(phrase("Big"), blocks=(Lines(lines), Preformatted("y" * 300_000))), English())
    assert tree["clipped"]
    assert len(orjson.dumps(tree)) <= limits.CARD
    (shown,) = tree["blocks"]
    assert len(shown["items"]) + shown["more"] == 2_000


def test_plain_is_readable() -> None:
    assert plain(WHOLE, English()) == (
        "✖ HighErrorRate · api\n\n"
        "See the runbook (https://runbooks.example/api).\n\n"
        "Severity  critical\n"
        "Since     2026-03-04 12:00:00 UTC\n\n"
        "- pod a\n"
        "- pod b\n"
        "  … and 3 more\n\n"
        "Id       What\n"
        "───────  ───────────\n"
        "op-41c9  Restart api\n\n"
        "  exit 1\n"
        "    at line 2\n\n"
        "✔ Fence nyc2: done in 2 s\n"
        "▶ Promote sfo3\n"
        "· Move traffic\n\n"
        "Labels\n"
        "  - region=nyc2\n\n"
        "a-7k2f\n\n"
        "→ Ack: ack a-7k2f\n"
        "→ Undo: resume op-41c9 undo\n"
        "→ Graph: https://grafana.example/d/1\n\n"
        "everything"
    )


def test_columns_are_measured_as_a_terminal_does() -> None:
    rows = ((verbatim("高い"), verbatim("x")), (verbatim("e\u0301"), verbatim("y")), (verbatim("a\nb"), verbatim("z")))
    shown = plain(Message(phrase("T"), blocks=(Table((phrase("N"), phrase("V")), rows),)), English())
    assert shown.splitlines()[2:] == ["N     V", "────  ─", "高い  x", "e\u0301     y", "a b   z"]


def test_whole_is_added_only_when_something_was_left_out() -> None:
    message = Message(phrase("Notes"), blocks=(Preformatted("short"),), whole="short and long")
    assert "and long" not in plain(message, English())


def graph(*curves: Curve, **more: Any) -> Graph:
    return Graph(phrase("Error rate"), curves, **{"unit": "%", **more})


def curve(*values: float, name: str = "api") -> Curve:
    return Curve(verbatim(name), tuple((AT + timedelta(minutes=at), value) for at, value in enumerate(values)))


def block(given: Graph) -> dict[str, Any]:
    (drawn,) = render(Message(phrase("T"), blocks=(given,)), English())["blocks"]
    assert orjson.loads(orjson.dumps(drawn))
    return dict(drawn)


def test_a_graph_travels_as_data_and_in_words() -> None:
    marks = ((AT, phrase("release {v}", v="1.8.0")),)
    drawn = block(graph(curve(0.5, nan, 7.25), limit=5.0, marks=marks))
    drawn = orjson.loads(orjson.dumps(drawn).decode().replace("\N{NO-BREAK SPACE}", " "))
    assert drawn["kind"] == "graph"
    assert drawn["title"] == [text("Error rate")]
    assert drawn["curves"] == [
        {
            "name": "api",
            "now": "7.25 %",
            "figures": "now 7.25 %, lowest 0.50 %, highest 7.25 %",
            "points": [
                ["2026-03-04T12:00:00+00:00", 0.5],
                ["2026-03-04T12:01:00+00:00", None],
                ["2026-03-04T12:02:00+00:00", 7.25],
            ],
        }
    ]
    assert drawn["trend"] == "▁·█ now 7.25 %, highest 7.25 %"
    assert (drawn["unit"], drawn["limit"]) == (["", " %"], {"value": 5.0, "text": "limit 5 %"})
    assert (drawn["marks"], drawn["more"]) == ([["2026-03-04T12:00:00+00:00", "release 1.8.0"]], 0)
    assert block(graph(curve(1.0), unit="$"))["unit"] == ["$", ""]


def test_a_graph_is_thinned_to_what_a_page_can_show() -> None:
    spiky = [float(at == 7_777) * 50 for at in range(10_000)]
    drawn = block(graph(*(curve(*spiky, name=f"c{at}") for at in range(9))))
    assert (len(drawn["curves"]), drawn["more"]) == (limits.CURVES, 3)
    for each in drawn["curves"]:
        assert len(each["points"]) <= limits.POINTS * 1.5 + 2
        assert max(value for _, value in each["points"]) == 50
    assert len(orjson.dumps(drawn)) <= limits.CARD


def test_a_graph_that_weighs_too_much_is_said_in_words() -> None:
    heavy = tuple(graph(*(curve(*map(float, range(2_000)), name=f"c{n}") for n in range(6))) for _ in range(4))
    tree = render(Message(phrase("T"), blocks=heavy), English())
    kinds = [each["kind"] for each in tree["blocks"]]
    assert kinds[0] == "graph"
    assert kinds[-1] == "facts"
    assert len(orjson.dumps(tree)) <= limits.CARD


def test_a_graph_keeps_secrets_and_controls_to_itself() -> None:
    evil = verbatim(f"{TOKEN}\x1b[31m\nx")
    given = Graph(evil, (Curve(evil, curve(1.0, 2.0).points),), marks=((AT, evil),))
    shown = orjson.dumps(block(given)).decode() + plain(Message(phrase("T"), blocks=(given,)), English())
    assert TOKEN not in shown
    assert not {"\x1b", "\\u001b"} & set(shown)


def test_a_terminal_shows_bars_figures_and_both_ends() -> None:
    given = graph(curve(1, 2, 8, 4, 4, 4), limit=5.0, marks=((AT + timedelta(minutes=2), phrase("fired")),))
    assert plain(Message(phrase("T"), blocks=(given,)), English()).replace("\N{NO-BREAK SPACE}", " ").splitlines()[
        2:
    ] == [
        "Error rate",
        "  ▁▂█▄▄▄  now 4 %, lowest 1 %, highest 8 %",
        "  12:00 12:05  limit 5 %",
        "  12:02  fired",
    ]


def test_a_terminal_aligns_several_curves() -> None:
    given = graph(curve(*[1.0] * 60, name="nyc2"), curve(*[2.0] * 60, name="a name that is longer than its column"))
    told = plain(Message(phrase("T"), blocks=(given,)), English()).replace("\N{NO-BREAK SPACE}", " ").splitlines()[2:]
    assert told == [
        "Error rate",
        f"  nyc2                      {'▁' * 48}  now 1 %",
        f"  a name that is longer t…  {'▁' * 48}  now 2 %",
        f"                            12:00{' ' * 38}12:59",
    ]


@pytest.mark.parametrize("given", [graph(curve(nan)), graph()])
def test_a_terminal_says_when_nothing_is_known(given: Graph) -> None:
    assert plain(Message(phrase("T"), blocks=(given,)), English()).splitlines()[2:] == ["Error rate", "  no data"]
