"""Cards as duties draw them of every recorded Alertmanager notification, in both languages, for Slack."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.words.languages import Languages
from bot.domain.alerts import fold
from bot.domain.messages import Collapsed, Message, Progress, StepMark, Table, Tone
from bot.domain.phrases import Code, Link, Quantity, phrase, verbatim
from bot.platforms.slack.render import forms
from bot.platforms.slack.richer import RICH
from bot.ports.metrics import Series
from bot.ports.webhooks import Delivery
from bot.simulator.slack.rules import check_message
from handlers.cards.alert import draw
from handlers.cards.changes import Change
from handlers.cards.trend import placed, trend
from handlers.webhooks import alertmanager
from tests.platforms.slack_readable import readable
from tests.platforms.slack_setup import Clock

ROOT = Path(__file__).parents[2]
EXPECTED = Path(__file__).parent / "expected" / "slack" / "alertmanager"
FIXTURES = ROOT / "tests" / "fixtures" / "alertmanager"
CASES = sorted(path.name for path in FIXTURES.iterdir())
NOW = datetime(2026, 11, 24, 0, 15, tzinfo=UTC)
BEFORE = {
    "partial-resolve": ("firing-group",),
    "full-resolve": ("firing-group", "partial-resolve"),
    "silenced-then-resolved": ("silenced-then-resolved",),
}
"""What was told before, where a notification alone shows nothing; its first is taken to fire."""
LOCALES = ("en", "ru")
languages = Languages(ROOT / "handlers" / "locales", Clock(NOW))


class Rising:
    """Metrics that rise within the hour."""

    async def span(self, promql, start, end, step):
        count = int((end - start) / step) + 1
        return (Series({}, tuple((start + n * step, 0.01 + max(0, n - 18) * 0.0123) for n in range(count))),)


def body(case, status=""):
    raw = json.loads((FIXTURES / case / "body.json").read_bytes())
    for alert in raw["alerts"]:
        alert["status"] = status or alert["status"]
    return json.dumps(raw).encode()


def heard(case, status=""):
    (told,) = alertmanager.parse(Delivery({}, body(case, status), NOW)).notifications
    return told


def group(case):
    found = None
    story = BEFORE.get(case, ())
    for at, before in enumerate(story):
        found = fold(found, heard(before, "" if at else "firing"), NOW - timedelta(minutes=4 - at), "a-7k2f")
    return fold(found, heard(case), NOW, "a-7k2f")


def message(case):
    """The card with its trend; the first one also says what changed."""
    found = group(case)
    said = phrase("release {version} of {service}", version="1.8.0", service="checkout")
    release = Change(NOW - timedelta(minutes=25), said)
    drawn = draw(found, (release,) if case == "firing-single" else ())
    graph = asyncio.run(trend(Rising(), found, NOW))
    return placed(drawn, graph, NOW) if graph else drawn


def operation():
    """An operation under way, with all that newer blocks show better."""
    steps = (
        (StepMark.DONE, phrase("Check the image"), phrase("{n} layers", n=12)),
        (
            StepMark.RUNNING,
            phrase("Roll out in {cluster}", cluster=Code("nyc2")),
            phrase("{n} of {total}", n=3, total=8),
        ),
        (
            StepMark.FAILED,
            phrase("Tell"),
            phrase("no answer from {it}", it=Link("the forge", "https://github.example/x")),
        ),
        (StepMark.SKIPPED, phrase("Celebrate"), None),
        (StepMark.PENDING, phrase("Verify"), None),
    )
    pods = Table(
        (phrase("Pod"), phrase("Restarts"), phrase("Since"), phrase("Why")),
        (
            (verbatim("api-x2kq"), phrase("{n}", n=12), phrase("{at}", at=NOW), verbatim("")),
            (
                verbatim("api-7d9f8c-9zlc4"),
                phrase("{n}", n=Quantity(3.5, "%")),
                phrase("{at}", at=NOW),
                verbatim("*a* <@U1>"),
            ),
        ),
    )
    folded = Collapsed(phrase("Labels"), (verbatim("app=api"), verbatim("tier=web")))
    literal = Collapsed(phrase("More"), (verbatim("a_b *bold*"), phrase("{l}", l=Link("x", "https://x.example"))))
    return Message(phrase("Restart {service}", service="api"), Tone.WORKING, (Progress(steps), pods, folded, literal))


def page(drawn, locale):
    """Both forms as one readable file; each is first shown to the strict validator."""
    both = forms(drawn, languages.words(locale, "Europe/Moscow"), RICH)
    parts = []
    for name, form in (("classic", both.classic), ("rich", both.rich)):
        if form is not None:
            check_message(form.blocks, lambda _: True)
            parts.append(f"=== {name}\n{readable(form)}")
    return "\n".join(parts)


def pages():
    """Every expected file: its name, and what it should hold."""
    for locale in LOCALES:
        for case in CASES:
            yield EXPECTED / f"{case}.{locale}.txt", lambda case=case, locale=locale: page(message(case), locale)
        yield EXPECTED.parent / f"newer.{locale}.txt", lambda locale=locale: page(operation(), locale)
