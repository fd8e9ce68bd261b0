"""YAML as a person wrote it: what its values are, and where in the text each stands.

The parser only finds places; text is changed by splicing, so whatever is not meant to change can't.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bot.domain.errors import UserError

if TYPE_CHECKING:
    import yaml

    Node: TypeAlias = yaml.Node

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
DEEPEST: Final = 100
"""Levels of nesting: ours; a manifest has about a dozen."""
_NULL = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True)
class Edit:
    """``text`` in place of what stands from ``start`` to ``end``, in characters."""

    start: int
    end: int
    text: str


def edited(text: str, edits: Iterable[Edit]) -> str:
    """*text* with all *edits*, which do not overlap."""
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def newline(text: str) -> str:
    """How the lines of *text* end."""
    return "\r\n" if "\r\n" in text else "\n"


@dataclass(frozen=True)
class Scalar:
    """One value. ``value`` is "" for null. ``shared``: other places of the file are aliases of it."""

    source: str
    node: yaml.ScalarNode
    offset: int
    shared: bool

    @property
    def value(self) -> str:
        """Its text."""
        return "" if not self.node.style and self.node.value in _NULL else str(self.node.value)

    def replaced(self, new: str, old: str | None = None) -> Edit:
        """*new* in place of its whole text, or of *old*, the end of it; the quotes stay.

        UserError: it is written with escapes or over several lines.
        """
        start, end = self._span()
        if not self.node.value:
            gap = "" if self.node.style else " "
            at = end - len(self.node.style or "")
            return Edit(at, at, gap + new)
        at = self.source.rfind(self.node.value if old is None else old, start, end)
        if at < 0:
            raise UserError(
                "The deployment file writes {value} in a way that pult can't change.", value=self.node.value[:80]
            )
        return Edit(at, at + len(self.node.value if old is None else old), new)

    def _span(self) -> tuple[int, int]:
        return self.node.start_mark.index + self.offset, self.node.end_mark.index + self.offset


@dataclass(frozen=True)
class Mapping:
    """One mapping: its keys and values as ``keys[name]`` and ``values[name]``; of a name written twice the last."""

    source: str
    node: yaml.MappingNode
    offset: int
    shared: bool
    keys: dict[str, Scalar]
    values: dict[str, Value]

    def text(self, name: str) -> str:
        """The text of a scalar value, else ""."""
        found = self.scalar(name)
        return found.value if found else ""

    def scalar(self, name: str) -> Scalar | None:
        """The value *name*, if it is a scalar."""
        found = self.values.get(name)
        return found if isinstance(found, Scalar) else None

    def added(self, name: str, value: str) -> Edit | None:
        """One more key before the first one, in the mapping's own style; None when it is empty."""
        if not self.node.value:
            return None
        first = self.node.value[0][0].start_mark
        between = ", " if self.node.flow_style else newline(self.source) + " " * first.column
        at = first.index + self.offset
        return Edit(at, at, f"{name}: {value}{between}")


@dataclass(frozen=True)
class Items:
    """One list."""

    node: yaml.SequenceNode
    offset: int
    shared: bool
    values: tuple[Value, ...]


Value: TypeAlias = Scalar | Mapping | Items


def documents(text: str) -> tuple[Value, ...]:
    """Every document of *text*. UserError: it is no YAML, and in which line."""
    import yaml  # noqa: PLC0415 - after intake

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML was built with it
    offset = len(_BOM) if text.startswith(_BOM) else 0  # the parsers disagree whether it counts
    try:
        _shallow(yaml.parse(text[offset:], Loader=loader))
        nodes = [node for node in yaml.compose_all(text[offset:], Loader=loader) if node is not None]
        reader = _Reader(text, offset, _aliased(nodes))
        return tuple(reader.value(node, shared=False) for node in nodes)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        if mark is None:
            raise UserError("The deployment file is no YAML that pult can read.") from error
        raise UserError(
            "The deployment file is no YAML that pult can read: line {line}.", line=mark.line + 1
        ) from error


def _shallow(events: Iterable[yaml.Event]) -> None:
    """ValueError: values are nested so deep that the parser's composer, which is recursive, would end the process."""
    import yaml  # noqa: PLC0415

    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError("nested too deep")


def walked(value: Value, key: str, skipped: frozenset[str]) -> Iterator[tuple[str, Value]]:
    """*value* and all values in it, each with the key that it (or its list) stands under; not what *skipped* name."""
    pending = [(key, value)]
    while pending:
        key, value = pending.pop()
        yield key, value
        match value:
            case Mapping():
                inner = [(name, each) for name, each in value.values.items() if name not in skipped]
                pending += reversed(inner)
            case Items():
                pending += [(key, each) for each in reversed(value.values)]
            case Scalar():
                pass


def _children(node: Node) -> Iterator[Node]:
    for child in node.value if not isinstance(node.value, str) else ():
        yield from child if isinstance(child, tuple) else (child,)


def _aliased(roots: list[Node]) -> frozenset[int]:
    """Ids of the nodes that stand in more than one place; each is looked into once, whatever refers to it."""
    seen: Counter[int] = Counter()
    pending = list(roots)
    while pending:
        node = pending.pop()
        seen[id(node)] += 1
        if seen[id(node)] == 1:
            pending += _children(node)
    return frozenset(each for each, count in seen.items() if count > 1)


class _Reader:
    """Turns the parser's nodes into values; a node that stands in several places is read at the first only."""

    def __init__(self, text: str, offset: int, aliased: frozenset[int]) -> None:
        self._text, self._offset, self._aliased = text, offset, aliased
        self._read: set[int] = set()

    def value(self, node: Node, *, shared: bool) -> Value:
        import yaml  # noqa: PLC0415

        shared = shared or id(node) in self._aliased
        match node:
            case yaml.ScalarNode():
                return Scalar(self._text, node, self._offset, shared)
            case yaml.MappingNode():
                return self._mapping(node, shared=shared)
            case yaml.SequenceNode():
                values = tuple(self.value(child, shared=shared) for child in self._once(node))
                return Items(node, self._offset, shared, values)
            case _:
                raise ValueError("an unknown kind of node")

    def _mapping(self, node: yaml.MappingNode, *, shared: bool) -> Mapping:
        keys: dict[str, Scalar] = {}
        values: dict[str, Value] = {}
        for key, value in self._once(node):
            name = self.value(key, shared=shared)
            if isinstance(name, Scalar):
                keys[name.value], values[name.value] = name, self.value(value, shared=shared)
        return Mapping(self._text, node, self._offset, shared, keys, values)

    def _once(self, node: Node) -> list[Any]:  # of nodes, or of pairs of nodes
        if id(node) in self._read:
            return []
        self._read.add(id(node))
        return list(node.value)
