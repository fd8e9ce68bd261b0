"""Proofs: what speaks for and against a promotion, a row each with its mark. What nobody knows is never good."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.phrases import Phrase, phrase
from bot.domain.plans import Hold


class Mark(StrEnum):
    """What a row says at a glance; NOTE only tells."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    NOTE = "note"


GLYPHS = {Mark.GOOD: "✓", Mark.BAD: "✗", Mark.UNKNOWN: "?", Mark.NOTE: "·"}
"""Told apart by their form, in black and white and in a fixed-width face."""
CHECKED = ("ci", "trivy", "e2e", "soak", "incident")
"""Names that a policy may require."""
HOLDING = frozenset({*CHECKED, "tests"} - {"incident"})
"""Names of rows that hold a promotion when they are bad; what policy thinks of budgets and freezes it says itself.

An open incident is shown and holds only where policy requires that there is none: what mends it is a release, too."""

_COUNTED = re.compile(
    r"(?P<n>\d+)\s*(?:(?:of|/)\s*(?P<all>\d+)\s*)?(?:tests?\s+|checks?\s+)?"
    r"(?P<word>passed|failed|failures?|errors?|broken)\b"
)
_NAMED = re.compile(r"\b(passed|failed|failures?|errors?|broken)\s*[:=]\s*(\d+)(?:\s*/\s*(\d+))?")
"""The same the other way round, as machines write it."""
_NONE = re.compile(r"\b(?:no|without|zero)\s+(?:known\s+|new\s+)?(?:failures?|errors?|problems?|findings?)\b")
_DOUBT = re.compile(r"\b(?:no|not|never|none|nothing|cannot|zero|0|almost|partly|partially|un\w+)\b|n['’]t\b|%")
"""Whatever is said to be good beside one of these is not known to be."""
_BAD = re.compile(r"\b(fail\w*|errors?|broken|red|false|timed[ _-]?out|cancelled)\b")
_GOOD = re.compile(r"\b(pass\w*|ok|success\w*|green|true|yes|clean)\b")


@dataclass(frozen=True)
class Proof:
    """One row: ``name`` is what policy and holds call it, ``what`` people; ``said`` is what was found."""

    name: str
    what: Phrase
    mark: Mark
    said: Phrase

    @property
    def row(self) -> tuple[Phrase, Phrase]:
        """As a plan keeps it: the mark stands before what is said."""
        return self.what, Phrase("{mark} {said}", {"mark": GLYPHS[self.mark], "said": self.said})


def judged(said: str) -> Mark:
    """What a pipeline's own words come to: ``412 passed, 0 failed`` is good, ``3 failed`` is bad, others unknown.

    Nothing that was run is not good, nor is a part of what was to be run.
    """
    text = _NAMED.sub(_turned, _NONE.sub("ok", said.casefold()))
    counts = [(int(each["n"]), each["all"], each["word"]) for each in _COUNTED.finditer(text)]
    words = _COUNTED.sub(" ", text)
    if any(number for number, _, word in counts if word != "passed") or _BAD.search(words):
        return Mark.BAD
    passed = [(number, whole) for number, whole, word in counts if word == "passed"]
    if _DOUBT.search(words) or any(not number or (whole and number < int(whole)) for number, whole in passed):
        return Mark.UNKNOWN
    return Mark.GOOD if counts or _GOOD.search(words) else Mark.UNKNOWN


def _turned(named: re.Match[str]) -> str:
    """``passed: 3/4`` as ``3/4 passed``."""
    word, number, whole = named.groups()
    return f" {number}/{whole} {word} " if whole else f" {number} {word} "


def holds(proofs: Iterable[Proof], required: Iterable[str]) -> tuple[Hold, ...]:
    """Why a plan must wait: what is bad, and what is *required* and not known to be good.

    Tests that the pipeline told stand for CI where the forge has no checks.
    """
    found = {proof.name: proof for proof in proofs}
    wanted = set(required)
    if "tests" in found and found["tests"].mark is Mark.GOOD and _mark(found, "ci") is not Mark.BAD:
        wanted.discard("ci")
    held = []
    for name in dict.fromkeys((*found, *sorted(wanted))):
        proof = found.get(name)
        if proof is None:
            held.append(Hold(name, phrase("{name} is required, and nobody told it.", name=name)))
        elif proof.mark is Mark.BAD and name in HOLDING | wanted:
            held.append(Hold(name, Phrase("{said}.", {"said": proof.said})))
        elif proof.mark is not Mark.GOOD and name in wanted:
            held.append(
                Hold(name, phrase("{what} is required: {said}.", what=proof.what, said=proof.said)),
            )
    return tuple(held)


def _mark(found: dict[str, Proof], name: str) -> Mark:
    return found[name].mark if name in found else Mark.UNKNOWN
