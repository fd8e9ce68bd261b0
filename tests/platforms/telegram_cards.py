"""Cards as duties draw them, to see what becomes of them in Telegram."""

from datetime import UTC, datetime, timedelta

from bot.domain.messages import (
    Aside,
    Button,
    Collapsed,
    Confirm,
    Facts,
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
from bot.domain.phrases import Code, Link, Quantity, Strong, phrase, verbatim

AT = datetime(2026, 11, 24, 3, 5, 10, tzinfo=UTC)


def alert():
    return Message(
        phrase("{name} · {service}", name="HighErrorRate", service="api"),
        Tone.CRITICAL,
        (
            Paragraph(verbatim("8 % of requests fail in nyc2")),
            Facts(
                (
                    (phrase("Severity"), phrase("{level}", level=Strong(phrase("critical")))),
                    (phrase("Since"), phrase("{at}", at=AT)),
                    (phrase("Value now"), phrase("{value}", value=Quantity(0.0812, digits=4))),
                    (phrase("Region"), verbatim("nyc2")),
                )
            ),
            Paragraph(
                phrase(
                    "{a} · {b}",
                    a=Link(phrase("Runbook"), "https://wiki.example/api?a=1&b=2"),
                    b=Link(phrase("Query"), "https://prometheus.example/graph"),
                )
            ),
            Aside(phrase("{id}", id=Code("a-7k2f"))),
        ),
        (
            Button(phrase("Ack"), "ack a-7k2f", style=Style.PRIMARY),
            Button(phrase("Silence 1 h"), "silence a-7k2f 1h"),
            Button(phrase("Details"), "alert a-7k2f"),
        ),
    )


def storm():
    lines = tuple(
        phrase("{labels}: {summary}", labels=f"instance=node-{n:03}, zone=a", summary=f"Node {n} has no disk space")
        for n in range(120)
    )
    return Message(
        phrase("{name}", name="DiskFull"),
        Tone.WARNING,
        (
            Facts(((phrase("Firing"), phrase("{firing} of {total}", firing=300, total=320)),)),
            Lines(lines, 180),
            Aside(phrase("{id} · fired before as {previous}", id=Code("a-9k2f"), previous=Code("a-3b3c"))),
        ),
        (Button(phrase("Details"), "alert a-9k2f"),),
        "\n".join(f"node-{n}" for n in range(300)),
    )


def waiting():
    return Message(
        phrase("{title}: {state}", title=phrase("Promote api 1.8.0 to production"), state=phrase("waiting")),
        Tone.WARNING,
        (
            Facts(
                (
                    (phrase("Service"), phrase("{service}", service=Strong("api"))),
                    (phrase("Proposed by"), verbatim("anna")),
                    (phrase("Approvals"), phrase("{count} of {needed}", count=0, needed=1)),
                )
            ),
            Progress(
                (
                    (StepMark.PENDING, phrase("Write the digest of {version}", version="1.8.0"), None),
                    (StepMark.PENDING, phrase("Wait until every replica is available"), None),
                )
            ),
            Table(
                (phrase("Evidence"), phrase("Says")),
                (
                    (phrase("Tests"), verbatim("412 passed, none failed, 3 skipped in 2 min")),
                    (phrase("Trivy"), verbatim("no critical findings; two high ones are fixed")),
                ),
            ),
            Lines((phrase("4 replicas in {region} restart one by one", region="nyc2"),)),
            Paragraph(phrase("To undo: {step}.", step=phrase("put back 1.7.2"))),
            Aside(phrase("{id} · plan {hash}", id=Code("op-41c9"), hash=Code("12ab34cd"))),
        ),
        (
            Button(
                phrase("Approve"),
                "approve op-41c9 12ab34cd",
                style=Style.PRIMARY,
                confirm=Confirm(phrase("Approve?"), phrase("It starts at once when nobody else has to approve.")),
            ),
            Button(phrase("Reject"), "reject op-41c9 12ab34cd", style=Style.DANGER),
        ),
    )


def paused():
    return Message(
        phrase("Restart worker: paused"),
        Tone.CRITICAL,
        (
            Paragraph(phrase("Pod {pod} does not start: {why}.", pod=Code("worker-5c9"), why="image can't be pulled")),
            Progress(
                (
                    (StepMark.DONE, phrase("Check budgets"), phrase("{said} ({t})", said="ok", t=timedelta(seconds=2))),
                    (StepMark.FAILED, phrase("Restart 2 pods"), phrase("1 of 2")),
                    (StepMark.RUNNING, phrase("Look again"), None),
                    (StepMark.SKIPPED, phrase("Drain"), None),
                    (StepMark.PENDING, phrase("Verify"), None),
                )
            ),
        ),
        (
            Button(phrase("Retry"), "resume op-1 retry", style=Style.PRIMARY),
            Button(phrase("Skip"), "resume op-1 skip"),
            Button(phrase("Undo"), "resume op-1 undo", style=Style.DANGER),
            Button(phrase("Abort"), "resume op-1 abort", style=Style.DANGER),
            Button(phrase("Console"), url="https://pult.example/#op-1"),
            Button(phrase("Here"), url="http://localhost:8080/#op-1"),
        ),
    )


def pods():
    rows = tuple(
        tuple(map(verbatim, (f"api-7d9f8c-{n}x2kq", state, str(n * 7), age)))
        for n, (state, age) in enumerate(
            (("running", "3 d"), ("killed for using more memory than its limit", "12 min"))
        )
    )
    return Message(
        phrase("Pods of {service}", service="api"),
        Tone.INFO,
        (
            Table((phrase("Pod"), phrase("State"), phrase("Restarts"), phrase("Age")), rows),
            Collapsed(phrase("Labels"), (verbatim("app=api"), verbatim("tier=web"))),
            Preformatted("panic: <nil> & nothing\n\tat main.go:12\npassword=hunter2"),
            Aside(phrase("Read {at}", at=AT)),
        ),
    )


def hostile():
    evil = "</b><a href='https://evil.example'>x</a> @admin /promote evil.com https://evil.com 10.0.0.1 #x\u202eabc"
    return Message(
        verbatim(evil),
        Tone.MUTED,
        (
            Paragraph(verbatim(evil + "\nsecond & last")),
            Facts(((verbatim(evil), verbatim("a\nb")),)),
            Lines((phrase("/{a}", a="promote"), phrase("{a}.{b}", a="evil", b="com"), phrase("@{a}", a=Strong("all")))),
            Preformatted("</pre>@admin"),
            Aside(phrase("{a}", a=Link("click", "javascript:alert(1)"))),
            Paragraph(phrase("{a}", a=Link('"><b>', 'https://evil.example/"><b>'))),
        ),
        (Button(verbatim("<b>\n"), "ack <b>"),),
    )


CARDS = {make.__name__: make for make in (alert, storm, waiting, paused, pods, hostile)}
