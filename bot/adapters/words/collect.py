"""Finds every text to translate, by reading the source as a tree.

Texts are the first arguments of ``phrase``, ``counted`` (and its second), ``noted``, ``translate`` and of errors that
are shown to people, and the units of quantities. A text without a letter of its own needs no translation.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_FIELD = re.compile(r"\{(\w+)\}")
_SHOWN = {
    "phrase", "counted", "noted", "UserError", "DeniedError", "DriftError", "ConflictError", "BadVersionError",
    "StuckError",
}  # fmt: skip
_SIGNS = {"$", "x"}  # units that are drawn, not said
_LENIENT = {"Phrase", "translate"}  # called with a variable by those that carry texts on


@dataclass
class Text:
    """One text: its plural form (or None) and the files it stands in."""

    plural: str | None
    places: set[str] = field(default_factory=set)


@dataclass
class Collected:
    """``texts`` by their English; ``problems`` are calls that can't be collected, one sentence each."""

    texts: dict[str, Text] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def fields(text: str) -> frozenset[str]:
    """Names of the ``{fields}`` in *text*."""
    return frozenset(_FIELD.findall(text))


def collect(root: Path, folders: Iterable[str], without: str = "") -> Collected:
    """Every text in the Python files of *folders* under *root*, except those in the folder *without*."""
    found = Collected()
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            place = path.relative_to(root).as_posix()
            if without and place.startswith(f"{without}/"):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    _call(node, place, found)
    return found


def _call(node: ast.Call, place: str, found: Collected) -> None:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name == "Quantity":
        for unit in set(_literals(_argument(node, 1, "unit")) or ()) - _SIGNS:
            _add(unit, None, place, found)
    if name not in _SHOWN | _LENIENT:
        return
    texts = _literals(_argument(node, 0, "text"))
    plurals = (
        _literals(_argument(node, 1 if name == "counted" else 2, "plural")) if name in {"counted", "Phrase"} else None
    )
    if texts is None or (name == "counted" and plurals is None):
        if name in _SHOWN:
            found.problems.append(f"{place}:{node.lineno}: {name}() needs its text in quotes, to be translated")
        return
    for number, text in enumerate(texts):
        plural = plurals[min(number, len(plurals) - 1)] if plurals else None
        _add(text, plural, place, found)
        if name in _SHOWN:
            found.problems.extend(_without_value(node, name, text + (plural or ""), place))


def _without_value(node: ast.Call, name: str, text: str, place: str) -> Iterator[str]:
    given = {keyword.arg for keyword in node.keywords}
    if None not in given:  # None is **values
        for missing in sorted(fields(text) - given - ({"n"} if name == "counted" else set())):
            yield f"{place}:{node.lineno}: no value for {{{missing}}} in {text!r}"


def _add(text: str, plural: str | None, place: str, found: Collected) -> None:
    if not re.search(r"[^\W\d_]", _FIELD.sub("", text + (plural or ""))):
        return
    known = found.texts.setdefault(text, Text(plural))
    known.places.add(place)
    if known.plural != plural:
        found.problems.append(f"{place}: {text!r} stands with another plural elsewhere")


def _argument(node: ast.Call, position: int, name: str) -> ast.expr | None:
    if position < len(node.args):
        return node.args[position]
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def _literals(node: ast.expr | None) -> list[str] | None:
    """The texts *node* can be: one in quotes, or a choice between such. None: it is not known."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=body, orelse=orelse):
            one, other = _literals(body), _literals(orelse)
            return None if one is None or other is None else [*one, *other]
        case _:
            return None
