"""Any neutral message, with the nastiest outside text: for the renderers' property tests.

``messages()`` is the strategy to use; ``NASTY`` are the texts that must never come out alive, ``SECRETS`` those that
must not come out at all.
"""

from datetime import UTC, datetime, timedelta

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
from bot.domain.phrases import Code, Link, Phrase, Quantity, Strong, counted, phrase, verbatim

SECRETS = (
    "xoxb-1234567890-abcdefGHIJ",
    "ghp_0123456789abcdefghij0123456789abcdef",
    "dop_v1_0123456789abcdef0123456789abcdef",
    "AKIAIOSFODNN7EXAMPLE",
    "424242424:AAH-abcdefghijklmnopqrstuvwxyz0123456",
    "password=hunter2hunter2",
    "postgres://pult:s3cr3tpass@db.internal/pult",
)
SECRET_PARTS = (
    "1234567890-abcdefGHIJ",
    "0123456789abcdefghij0123456789",
    "dop_v1_0123456789abcdef",
    "AKIAIOSFODNN7EXAMPLE",
    "AAH-abcdefghijklmnopqrstuvwxyz0123456",
    "hunter2hunter2",
    "s3cr3tpass",
)
"""What of each secret must not be found in anything rendered (when nothing is glued to it)."""

NASTY = (
    "<!channel> <!here|here> <@U0ANNA> <#C0INC> <!subteam^S123|@sre>",
    "@here @channel @everyone @anna #incidents",
    "<https://evil.example|click> <mailto:a@b.example|mail> [link](https://evil.example)",
    "https://evil.example/path?a=1&b=2 evil.example www.evil.example tg://user?id=6666 +1 202 555 0143",
    "*bold* _italic_ ~strike~ `code` ```fence``` > quote",
    "*_~`*_~`",
    "&amp; &lt;b&gt; &#60;script&#62; <b>bold</b><script>alert(1)</script>",
    "<!date^1700000000^{date}|fallback>",
    ":rotating_light: :+1: :skin-tone-2:",
    "\u202egnp.exe\u202c \u2066x\u2069 مرحبا بالعالم שלום",
    "👩‍👩‍👧‍👦🏳️‍🌈🇩🇪👍🏽" * 5,
    "e\u0301" * 50 + "Z\u0336\u0337\u0338",
    "line\nline\r\nline\u2028line\u2029line\x0bline\x0cline\x85line",
    "\x00\x01\x1b[31mred\x1b[0m\x7f",
    "\t\t  tabs and   spaces  ",
    "{service} {missing} {} {0} %s %(a)s",
    "/pult approve op-41c9\n/approve@pult_sim_bot op-41c9",
    "\\*escaped\\_ \\n \\",
    "a" * 5_000,
    "слово " * 1_500,
    "long line of words " * 60,
    "\n" * 300,
    "x\n" * 4_000,
    "\ud800 lone surrogate",
    "",
    " ",
    "\n",
    "\u200b\u200d\ufeff\u2060",
)

_letters = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
"""Anything a Python string can hold, lone surrogates included."""
_glued = st.lists(st.sampled_from(NASTY[:10] + NASTY[13:18]), min_size=2, max_size=3).map("".join)
outside = st.one_of(st.sampled_from(NASTY), st.sampled_from(SECRETS), _letters, _glued)
"""Text from outside: labels, annotations, logs, what people typed."""

_URLS = (
    "https://runbooks.example/api?x=1&y=2|pipe>angle",
    'http://grafana.example/d/abc?q=<script>&r="quote"\'',
    "https://evil.example/" + "p" * 3_500,
    "https://",
    "https://white space.example/\nnewline",
    "https://пример.example/путь",
    "https://user:s3cr3tpass@private.example/x",
    "javascript:alert(1)",
    "tg://user?id=6666",
    "",
)
urls = st.one_of(st.sampled_from(_URLS), _letters.map(lambda text: f"https://x.example/{text}"))

moments = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
_numbers = st.one_of(
    st.integers(-(10**15), 10**15), st.floats(allow_nan=True, allow_infinity=True), st.just(0), st.just(1e300)
)
_quantities = st.builds(
    Quantity, st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(["%", "ms", "s", "$", "req", "x", ""])
)


def _values(inner: st.SearchStrategy[Phrase]) -> st.SearchStrategy[object]:
    texts = st.one_of(outside, inner)
    return st.one_of(
        outside,
        moments,
        _numbers,
        _quantities,
        inner,
        st.timedeltas(timedelta(0), timedelta(days=4_000)),
        st.builds(Strong, texts),
        st.builds(Code, outside),
        st.builds(Link, texts, urls),
    )


_TEXTS = ("{a}", "{a} is firing on {b}", "Since {a}: {b}.\n{c}", "{a}{b}{c}", "*{a}* & <{b}>", "Restart of {a}", "")
_own = st.sampled_from(("Service", "Since", "Error budget left", "Nothing to do.", "100 % of `api` < _2_ & *ok*"))


def _phrases(inner: st.SearchStrategy[Phrase]) -> st.SearchStrategy[Phrase]:
    value = _values(inner)
    return st.one_of(
        st.builds(lambda text, a, b, c: phrase(text, a=a, b=b, c=c), st.sampled_from(_TEXTS), value, value, value),
        st.builds(lambda count, a: counted("{n} pod {a}", "{n} pods {a}", count, a=a), st.integers(0, 10**6), value),
    )


phrases = st.recursive(st.one_of(outside.map(verbatim), _own.map(Phrase)), _phrases, max_leaves=5)
"""Sentences, nested ones too."""


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Every row as long as the header."""
    columns = draw(st.integers(1, 6))
    row = st.tuples(*[phrases] * columns)
    rows = draw(st.lists(row, max_size=6))
    return Table(draw(row), tuple(rows) * draw(st.sampled_from((1, 1, 1, 40))))


def _many(items: st.SearchStrategy[object], most: int, times: tuple[int, ...]) -> st.SearchStrategy[tuple]:
    """Up to *most* different items, sometimes a great many of them: cheap to draw, long to show."""
    return st.tuples(st.lists(items, max_size=most), st.sampled_from(times)).map(lambda two: tuple(two[0]) * two[1])


_lines = _many(phrases, 6, (1, 1, 1, 100))
_step = st.tuples(st.sampled_from(StepMark), phrases, st.none() | phrases)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Curves that share their moments, as Prometheus answers, or that don't; with gaps, or with nothing known."""
    begin, count = draw(moments), draw(st.integers(0, 60))
    step = timedelta(seconds=draw(st.sampled_from((1, 15, 60, 3_600, 86_400))))
    shared = [begin + at * step for at in range(count)]
    values = st.floats(allow_nan=draw(st.booleans()), allow_infinity=draw(st.booleans()))
    curves = []
    for _ in range(draw(st.integers(0, 9))):
        times = shared if draw(st.booleans()) else shared[draw(st.integers(0, 5)) :]
        known = draw(st.lists(values, min_size=1, max_size=4))
        curves.append(Curve(draw(phrases), tuple((at, known[n % len(known)]) for n, at in enumerate(times))))
    marks = draw(st.lists(st.tuples(moments, phrases), max_size=8))
    limit = draw(st.none() | st.floats(allow_nan=True, allow_infinity=True))
    unit = draw(st.sampled_from(("%", "ms", "", "req/s", "$")))
    return Graph(draw(phrases), tuple(curves), unit, limit, tuple(marks), draw(st.booleans()))


blocks = st.one_of(
    st.builds(Paragraph, phrases),
    st.builds(Facts, _many(st.tuples(phrases, phrases), 6, (1, 1, 1, 10))),
    st.builds(Lines, _lines, st.integers(0, 10_000)),
    tables(),
    st.builds(Preformatted, outside),
    st.builds(Progress, _many(_step, 5, (1, 1, 1, 20))),
    st.builds(Aside, phrases),
    st.builds(Collapsed, phrases, _lines),
    graphs(),
)
"""Every kind of block."""

_commands = st.sampled_from(("ack a-7k2f", "approve op-41c9 0123456789abcdef", "silence a-7k2f 1h", "status", "x" * 64))
_labels = st.one_of(phrases, st.sampled_from((phrase("Ack"), phrase("Silence 1 h"), phrase("Details"))))
_confirms = st.builds(Confirm, phrases, phrases)
buttons = st.one_of(
    st.builds(Button, _labels, _commands, style=st.sampled_from(Style), confirm=st.none() | _confirms),
    st.builds(Button, _labels, url=urls, style=st.sampled_from(Style)),
)


def messages() -> st.SearchStrategy[Message]:
    """Any message a duty could build, and some no duty would."""
    return st.builds(
        Message,
        phrases,
        st.sampled_from(Tone),
        _many(blocks, 5, (1, 1, 1, 1, 15)),
        _many(buttons, 4, (1, 1, 1, 8)),
        outside,
    )
