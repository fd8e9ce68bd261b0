"""The changelog of a release, from the messages of its commits (conventionalcommits.org 1.0.0)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.domain.messages import Aside, Block, Lines, Paragraph
from bot.domain.phrases import Code, Link, Phrase, Strong, counted, phrase, verbatim

SHOWN = 12
"""Entries shown in all; the others are counted."""
LONGEST = 160
"""Characters of one entry's text."""
KINDS = {"feat": "features", "feature": "features", "fix": "fixes", "perf": "performance"}
TITLES = {
    "breaking": phrase("Breaking changes"),
    "features": phrase("New"),
    "fixes": phrase("Mended"),
    "performance": phrase("Faster"),
    "reverted": phrase("Taken back"),
}
"""In the order in which they are shown."""
_HEADER = re.compile(r"(?P<kind>[A-Za-z]{1,20})(?:\((?P<scope>[^()\n]{1,60})\))?(?P<bang>!?): *(?P<text>\S.*)")
_BREAKING = re.compile(r"(?m)^BREAKING[ -]CHANGE: *(?P<text>\S.*)")
_REVERTED = re.compile(r"This reverts commit ([0-9a-fA-F]{7,40})")
_REVERT = re.compile(r"""(?i)^(?:revert(?:\([^()]{0,60}\))?!?: *|revert +)["'“]?(?P<subject>.+?)["'”]?$""")
_MERGE = re.compile(r"Merge (?:branch|pull request|remote-tracking branch|tag|commit)\b")
_ISSUE = re.compile(r"(?<![\w&/])#(\d{1,9})\b")


class Committed(Protocol):
    """A commit: its whole message, and its name."""

    @property
    def sha(self) -> str: ...
    @property
    def message(self) -> str: ...


@dataclass(frozen=True)
class Entry:
    """One change as its author called it."""

    group: str
    text: str
    sha: str
    scope: str = ""


@dataclass(frozen=True)
class Changelog:
    """``entries`` in the order of TITLES, each group as it was committed. ``other``: changes of no such kind."""

    entries: tuple[Entry, ...] = ()
    other: int = 0

    def __bool__(self) -> bool:
        return bool(self.entries or self.other)


def changelog(commits: Iterable[Committed]) -> Changelog:
    """What *commits* change, the oldest of them first.

    What one of them takes back is as if neither had been; merges say nothing.
    """
    entries: list[Entry] = []
    other = 0
    for commit in _standing([each for each in commits if not _MERGE.match(each.message)]):
        entry = _entry(commit)
        if entry is None:
            other += 1
        else:
            entries.append(entry)
    order = list(TITLES)
    return Changelog(tuple(sorted(entries, key=lambda entry: order.index(entry.group))), other)


def blocks(changes: Changelog, home: str = "", shown: int = SHOWN) -> tuple[Block, ...]:
    """*changes* to read: *shown* whole entries at most, and how many there are besides.

    ``home``: the repository's page, where #12 and commits lead to; empty for no links.
    """
    found: list[Block] = []
    room = shown
    for group, title in TITLES.items():
        entries = [entry for entry in changes.entries if entry.group == group]
        if entries and room > 0:
            found.append(Paragraph(phrase("{title}", title=Strong(title))))
            lines = tuple(_line(entry, home) for entry in entries[:room])
            found.append(Lines(lines, len(entries) - len(lines)))
            room -= len(lines)
        elif entries:
            found.append(Aside(phrase("{title}: {n} more", title=title, n=len(entries))))
    if changes.other:
        found.append(Aside(counted("{n} other change", "{n} other changes", changes.other)))
    return tuple(found)


def _standing(commits: list[Committed]) -> Iterator[Committed]:
    """Those that no other takes back, and that take nothing back themselves. A revert of a revert brings it back."""
    gone: set[int] = set()
    for at in range(len(commits) - 1, -1, -1):
        if at in gone:
            continue
        target = _reverted(commits, at)
        if target is not None and target not in gone:
            gone |= {at, target}
    return (commit for at, commit in enumerate(commits) if at not in gone)


def _reverted(commits: list[Committed], at: int) -> int | None:
    """Which earlier commit the one *at* takes back, if it is among *commits*."""
    message = commits[at].message
    named = _REVERTED.search(message)
    for before in range(at - 1, -1, -1):
        if named and commits[before].sha.startswith(named[1].lower()):
            return before
    subject = _REVERT.match(_subject(message))
    if subject is None or named:
        return None
    earlier = (before for before in range(at - 1, -1, -1) if _subject(commits[before].message) == subject["subject"])
    return next(earlier, None)


def _entry(commit: Committed) -> Entry | None:
    subject = _subject(commit.message)
    if taken := _REVERT.match(subject):
        return Entry("reverted", _short(taken["subject"]), commit.sha)
    header = _HEADER.fullmatch(subject)
    if header is None:
        return None
    note = _BREAKING.search(commit.message)
    group = "breaking" if header["bang"] or note else KINDS.get(header["kind"].lower(), "")
    if not group:
        return None
    said = note["text"] if note else header["text"]
    return Entry(group, _short(said.strip()), commit.sha, (header["scope"] or "").strip())


def _subject(message: str) -> str:
    return message.partition("\n")[0].strip()


def _short(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    cut = text[: LONGEST - 1]
    return (cut.rpartition(" ")[0] or cut) + "…"


def _line(entry: Entry, home: str) -> Phrase:
    text = _linked(entry.text, home)
    said = phrase("{scope}: {text}", scope=Strong(entry.scope), text=text) if entry.scope else text
    short = entry.sha[:7]
    commit = Link(short, f"{home}/commit/{entry.sha}") if home else Code(short)
    return phrase("{text} ({commit})", text=said, commit=commit) if short else said


def _linked(text: str, home: str) -> Phrase:
    """*text* with its references to issues as links."""
    found = _ISSUE.search(text) if home else None
    if found is None:
        return verbatim(text)
    before, after = text[: found.start()], text[found.end() :]
    link = Link(found[0], f"{home}/issues/{found[1]}")
    return phrase("{before}{link}{after}", before=before, link=link, after=_linked(after, home))
