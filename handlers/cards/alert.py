"""The card of an alert group: severity at a glance, what, since when, how many, where to read on, what to press."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bot.domain.alerts import GRAFANA, SEVERITIES, Alert, Group, Status
from bot.domain.messages import (
    Aside,
    Block,
    Button,
    Collapsed,
    Demand,
    Facts,
    Lines,
    Message,
    Paragraph,
    Style,
    Tone,
)
from bot.domain.phrases import Code, Link, Phrase, Strong, counted, in_line, phrase, verbatim
from bot.domain.redact import MASK, secret_name
from bot.domain.services import Catalogue
from bot.domain.texts import web
from bot.ports.presenters import Presenter
from bot.ports.store import Tx
from handlers.cards import changes, own, suspects
from handlers.cards.changes import Change
from handlers.cards.suspects import Suspect

TONES = {"critical": Tone.CRITICAL, "warning": Tone.WARNING, "info": Tone.INFO, "none": Tone.MUTED}
SEVERITY_WORDS = {
    "critical": phrase("critical"),
    "warning": phrase("warning"),
    "info": phrase("information"),
    "none": phrase("no severity"),
}
SHOWN_ALERTS = 10
SHOWN_LABELS = 4
QUIET_LABELS = frozenset({"alertname", "prometheus", "job"})
"""Shown of no alert, however they differ."""
PLACES = {"region": phrase("Region"), "namespace": phrase("Namespace")}
LINKS = (
    ("runbook_url", phrase("Runbook")),
    ("runbook", phrase("Runbook")),
    ("dashboard", phrase("Dashboard")),
    ("dashboard_url", phrase("Dashboard")),
    ("panel_url", phrase("Panel")),
    ("image_url", phrase("Picture")),
    ("application_url", phrase("Application")),
)


@dataclass(frozen=True)
class Seen:
    """A group with what else its card shows: changes of its service shortly before it fired, until now.

    ``versions``: of the service's releases, by the digests of their images. ``suspect``: what came before it fired.
    """

    group: Group
    changes: tuple[Change, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    suspect: Suspect | None = None


Enrich = Callable[[Seen, Message], Awaitable[Message]]


def presenter(services: Catalogue, enrich: Enrich | None = None) -> Presenter:
    """Alert cards; *enrich* adds what other systems know, where they answer in time."""

    def load(tx: Tx, ident: str) -> Seen | None:
        return seen(tx, services, ident)

    return Presenter(load, lambda state: draw(state.group, state.changes, state.suspect), enrich)


def seen(tx: Tx, services: Catalogue, ident: str) -> Seen | None:
    """The group, with what changed around it."""
    group = tx.group(ident)
    if group is None:
        return None
    versions, suspected = changes.versions(tx, group.service), suspects.suspect(tx, services, group)
    return Seen(group, changes.around(tx, group), versions, suspected)


def draw(group: Group, changed: tuple[Change, ...] = (), suspect: Suspect | None = None) -> Message:
    """The whole card, from the group, the changes and the suspect among them alone."""
    shown = group.firing or tuple(group.alerts.values())
    whole = "\n".join(_plain(alert) for alert in group.alerts.values()) if len(shown) > SHOWN_ALERTS else ""
    blocks = tuple(_blocks(group, shown, changed, suspect))
    return Message(title(group), tone(group), blocks, _buttons(group, suspect), whole, demand(group))


def tone(group: Group) -> Tone:
    """Colour: green once it is measured to be over, calm once it is silenced; who holds it stands in the title."""
    if group.status is Status.RESOLVED:
        return Tone.MUTED if group.unmeasured else Tone.OK
    return Tone.MUTED if group.silenced else TONES[group.severity]


def demand(group: Group) -> Demand:
    """Whether somebody still has to take it."""
    if group.status is Status.RESOLVED:
        return Demand.OVER
    return Demand.HELD if group.ack or group.silenced else Demand.TAKE


def named(group: Group) -> Phrase:
    """What it is, and of which service; of a person who is called, by whom."""
    if own.called(group):
        return phrase("{person} calls {whom}", person=group.common("from"), whom=group.common("to"))
    name = phrase("{rule} (can't be evaluated)", rule=group.name) if group.blind else group.name
    if not group.service:
        return phrase("{name}", name=name)
    return phrase("{name} · {service}", name=name, service=group.service)


def title(group: Group) -> Phrase:
    """Its name, and the one thing to know about its state."""
    if group.status is Status.RESOLVED and group.unmeasured:
        return phrase("Ended: {what}", what=named(group))
    if group.status is Status.RESOLVED:
        return phrase("Resolved: {what}", what=named(group))
    if group.silenced:
        return phrase("Silenced: {what}", what=named(group))
    if group.ack:
        return phrase("{what} · held by {person}", what=named(group), person=group.ack.person)
    return named(group)


def _blocks(
    group: Group, shown: tuple[Alert, ...], changed: tuple[Change, ...], suspect: Suspect | None
) -> Iterable[Block]:
    yield from _sentences(group, shown)
    yield Facts(tuple(_facts(group)))
    if len(shown) > 1:
        quiet = QUIET_LABELS | {name for name in shown[0].labels if group.common(name)}
        yield Lines(tuple(_line(alert, quiet) for alert in shown[:SHOWN_ALERTS]), max(0, len(shown) - SHOWN_ALERTS))
    if group.truncated:
        yield Paragraph(
            counted(
                "{n} more alert was cut off by the sender.",
                "{n} more alerts were cut off by the sender.",
                group.truncated,
            )
        )
    if suspect:
        yield Paragraph(suspects.sentence(suspect))
    if changed:
        yield Paragraph(phrase("Changed shortly before, newest first:"))
        yield Lines(tuple(map(changes.line, changed[: changes.SHOWN])))
    if len(shown) == 1 and not own.called(group) and (labels := tuple(_labels(shown[0]))):
        yield Collapsed(phrase("Labels"), labels)
    if links := tuple(_links(shown)):
        yield Paragraph(in_line(links, " · "))
    yield Aside(_footer(group))


def _sentences(group: Group, shown: tuple[Alert, ...]) -> Iterable[Block]:
    if said := own.said(group):
        yield Paragraph(said)
    elif summary := _summary(shown):
        yield Paragraph(verbatim(summary))
    if group.unmeasured:
        reason = Code(group.unmeasured)
        yield Paragraph(phrase("This was not measured ({reason}): whether it is well is unknown.", reason=reason))


def _facts(group: Group) -> Iterable[tuple[Phrase, Phrase]]:
    yield phrase("Severity"), phrase("{level}", level=Strong(SEVERITY_WORDS[group.severity]))
    yield phrase("Since"), phrase("{at}", at=group.since)
    if group.closed_at:
        yield phrase("Lasted"), phrase("{length}", length=group.lasted(group.closed_at))
    firing, total = len(group.firing), len(group.alerts)
    if total > 1:
        yield phrase("Firing"), phrase("{firing} of {total}", firing=firing, total=total)
    for label, title in PLACES.items():
        if value := group.common(label):
            yield title, verbatim(value)
    yield from own.facts(group)
    if total == 1 and (values := next(iter(group.alerts.values())).annotations.get("values")):
        yield phrase("Values"), verbatim(values)
    if group.ack and group.status is Status.FIRING:
        yield phrase("Held by"), phrase("{person} since {at}", person=group.ack.person, at=group.ack.at)
    if group.silenced and group.status is Status.FIRING:
        silence = group.silenced.silence
        yield phrase("Silenced"), phrase("until {at} by {person}", at=silence.ends_at, person=silence.person)


def _summary(alerts: tuple[Alert, ...]) -> str:
    for name in ("summary", "description", "message"):
        texts = {alert.annotations.get(name, "").strip() for alert in alerts}
        if len(texts) == 1 and (only := texts.pop()):
            return only
    return alerts[0].annotations.get("description", "").strip() if alerts else ""


def _line(alert: Alert, quiet: frozenset[str]) -> Phrase:
    """What tells *alert* from the others: labels that all share, or that its summary names, would only push it out."""
    said = alert.annotations.get("summary", "")
    own = [(n, v) for n, v in sorted(alert.labels.items()) if n not in quiet and not _mentions(said, v)]
    labels = ", ".join(f"{name}={MASK if secret_name(name) else value}" for name, value in own[:SHOWN_LABELS])
    if said and labels:
        return phrase("{labels}: {summary}", labels=labels, summary=said)
    return verbatim(said or labels or "–")


def _mentions(said: str, value: str) -> bool:
    return bool(value) and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", said) is not None


def _labels(alert: Alert) -> Iterable[Phrase]:
    """Those that nothing else on the card says."""
    for name, value in sorted(alert.labels.items()):
        if name not in QUIET_LABELS and name not in {"severity", "service", *PLACES}:
            yield phrase("{name}: {value}", name=name, value=Code(MASK if secret_name(name) else value))


def by_severity(counts: Mapping[str, int]) -> Phrase:
    """How many there are of each severity, the worst first."""
    levels = (level for level in SEVERITIES if counts.get(level))
    return in_line(phrase("{level}: {n}", level=SEVERITY_WORDS[level], n=counts[level]) for level in levels)


def _links(alerts: tuple[Alert, ...]) -> Iterable[Link]:
    seen: set[str] = set()
    for annotation, title in LINKS:
        for alert in alerts:
            url = alert.annotations.get(annotation, "")
            if web(url) and url not in seen and len(seen) < 4:
                seen.add(url)
                yield Link(title, url)
    if alerts and web(alerts[0].url):
        yield Link(phrase("Rule") if "/alerting/" in alerts[0].url else phrase("Query"), alerts[0].url)


def _footer(group: Group) -> Phrase:
    if group.previous:
        return phrase("{id} · fired before as {previous}", id=Code(group.id), previous=Code(group.previous))
    return phrase("{id}", id=Code(group.id))


def _buttons(group: Group, suspect: Suspect | None) -> tuple[Button, ...]:
    details = Button(phrase("Details"), f"alert {group.id}")
    if group.status is Status.RESOLVED:
        return (details,)
    ack = Button(phrase("Ack"), f"ack {group.id}", style=Style.PRIMARY)
    back = suspects.button(suspect) if suspect else ()
    return (*(() if group.ack else (ack,)), *back, _silence(group), details, *own.buttons(group))


def _silence(group: Group) -> Button:
    """Its end where it is silenced. Grafana's are silenced in Grafana: no Alertmanager of ours has a say in them."""
    if group.silenced:
        return Button(phrase("End silence"), f"unsilence {group.id}")
    url = group.firing[0].annotations.get("silence_url", "") if group.source == GRAFANA else ""
    if web(url):
        return Button(phrase("Silence in Grafana"), url=url)
    return Button(phrase("Silence 1 h"), f"silence {group.id} 1h")


def _plain(alert: Alert) -> str:
    labels = " ".join(f"{k}={MASK if secret_name(k) else v}" for k, v in sorted(alert.labels.items()))
    state = "firing" if alert.firing else "resolved"
    return f"{state}\t{alert.starts_at.isoformat()}\t{labels}\t{alert.annotations.get('summary', '')}"
