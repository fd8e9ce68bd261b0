"""What somebody who types ``slo …`` wants to know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.durations import parse_duration
from bot.domain.errors import UserError
from bot.domain.phrases import Code
from bot.domain.services import Catalogue
from bot.domain.slo import Slo

HOW, BY = ("how", "как"), ("by", "по")


@dataclass(frozen=True)
class Asked:
    """The SLOs, over the window asked for; ``label``: told apart by it; ``how``: with the queries."""

    slos: tuple[Slo, ...]
    words: tuple[str, ...]
    how: bool = False
    label: str = ""


def asked(args: tuple[str, ...], slos: tuple[Slo, ...], services: Catalogue) -> Asked:
    """Words in any order: services, names of SLOs, one window, ``--how``, ``--by LABEL``. UserError for others."""
    rest, how, label = _options(args)
    window, names = _window(rest)
    titles = {slo.name.casefold() for slo in slos}
    wanted = {name.casefold() for name in names if name.casefold() in titles and services.find(name) is None}
    owners = {services.named(name).name for name in names if name.casefold() not in wanted}
    chosen = tuple(
        slo
        for slo in slos
        if (not owners or slo.service in owners) and (not wanted or slo.name.casefold() in wanted)
    )  # fmt: skip
    if window:
        chosen = tuple(replace(slo, window=window) for slo in chosen)
    return Asked(chosen, tuple(rest), how, label)


def _options(args: tuple[str, ...]) -> tuple[list[str], bool, str]:
    rest, how, label, words = [], False, "", iter(args)
    for word in words:
        bare = word.lstrip("-").casefold()
        if not word.startswith("-"):
            rest.append(word)
        elif bare in HOW:
            how = True
        elif bare in BY:
            label = next(words, "region")
        else:
            raise UserError("{word} is no option of slo: it has {how} and {by}.",
                            word=Code(word), how=Code("--how"), by=Code("--by region"))  # fmt: skip
    if label and not label.isidentifier():
        raise UserError("{label} is no name of a label.", label=Code(label))
    return rest, how, label


def _window(words: list[str]) -> tuple[timedelta | None, list[str]]:
    window, names = None, []
    for word in words:
        try:
            window = parse_duration(word)
        except ValueError:
            names.append(word)
    if window is not None and window < timedelta(minutes=1):
        raise UserError("A window of less than a minute holds nothing to count.")
    return window, names
