"""``pult slo rules``: the rule file for Prometheus, from the configured SLOs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import yaml

from bot.adapters.clock import SystemClock
from bot.adapters.words import Languages
from bot.compose.core import LOCALES
from bot.domain.durations import write_duration
from bot.domain.errors import NotReadyError
from bot.domain.phrases import Phrase, pieces
from bot.domain.slorules import Group, Rule, countable, groups
from config.department import department
from config.settings import Settings

ENGLISH = "en"
HEAD = "# Written by `pult slo rules` from [[slos]] of pult.toml: change it there, then write this file anew.\n"


def rules(settings: Settings, scrape: timedelta, locale: str = ENGLISH) -> str:
    """YAML that Prometheus loads; it takes a sample every *scrape*. NotReadyError: no SLO is configured.

    *locale* is the language of what the alerts say, and of the runbooks they lead to.
    """
    slos = department(settings).slos
    if not slos:
        raise NotReadyError("no SLO is configured, so there are no rules to write: add a table [[slos]]")
    others = (f"{slo.service}/{slo.name}" for slo in slos if not countable(slo))
    left_out = "".join(f"# {name} is left out: it reads what other rules record already.\n" for name in others)
    return HEAD + left_out + written(groups(slos, runbooks(settings, locale), scrape, speaking(locale)))


def runbooks(settings: Settings, locale: str) -> str:
    """Where docs/runbooks are read in that language, "" where nobody said. Each language but English has its folder."""
    address = settings.chat.runbooks.rstrip("/")
    return f"{address}/{locale}" if address and locale != ENGLISH else address


def speaking(locale: str) -> Callable[[Phrase], str]:
    """Sentences in that language; no reader's zone is known."""
    words = Languages(LOCALES, SystemClock()).words(locale, "UTC")
    return lambda text: "".join(piece.text for piece in pieces(text, words))


def written(found: Iterable[Group]) -> str:
    """*found* as a rule file."""
    whole = {"groups": [_group(group) for group in found]}
    return yaml.dump(whole, Dumper=_Readable, sort_keys=False, allow_unicode=True, width=10_000)


def _group(group: Group) -> dict[str, Any]:
    interval = {"interval": write_duration(group.interval)} if group.interval else {}
    return {"name": group.name, **interval, "rules": [_rule(rule) for rule in group.rules]}


def _rule(rule: Rule) -> dict[str, Any]:
    kind = "alert" if rule.alert else "record"
    hold = {"for": write_duration(rule.hold)} if rule.hold else {}
    told = {"annotations": dict(rule.annotations)} if rule.annotations else {}
    return {kind: rule.name, "expr": rule.expr, **hold, "labels": dict(rule.labels), **told}


class _Readable(yaml.SafeDumper):
    """Indents lists, and writes text of several lines as such: people review this file."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's own
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)
