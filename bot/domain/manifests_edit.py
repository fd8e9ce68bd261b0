"""Setting, adding and dropping values in YAML that a person wrote; everything else stays as it is.

Each change is found anew in the text as it is by then, so that one never shifts the next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from typing import TYPE_CHECKING, Final, TypeAlias

from bot.domain.errors import UserError
from bot.domain.manifests_yaml import Edit, Items, Mapping, Scalar, Value, edited, newline
from bot.domain.phrases import Code

if TYPE_CHECKING:
    from bot.domain.manifests_yaml import Node

Tree: TypeAlias = "str | int | bool | AnyMapping[str, Tree] | Sequence[Tree] | None"
Find: TypeAlias = Callable[[str], Mapping]
"""Finds, in a text, the mapping that paths begin at."""
STEP: Final = 2
_PLAIN = re.compile(r"[A-Za-z][\w./-]*|\d+m|\d+Mi")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def put(text: str, find: Find, path: tuple[str, ...], value: Tree) -> str:
    """*text* with *value* at *path*. UserError: an anchor shares the place, or it is written in an unusual way."""
    holder, rest = _reached(find(text), path)
    name, tree = rest[0], _nested(rest[1:], value)
    stands = holder.values.get(name)
    _mine(holder, stands, name)
    if stands is None:
        return edited(text, [_appended(holder, name, tree)])
    if isinstance(stands, Scalar) and not isinstance(tree, AnyMapping) and stands.value:
        return edited(text, [stands.replaced(_inside(stands, tree))])
    return edited(text, [_over(holder, name, stands, tree)])


def drop(text: str, find: Find, path: tuple[str, ...]) -> str:
    """*text* without *path*, and without a table that this would leave empty."""
    holder, rest = _reached(find(text), path)
    if len(rest) > 1 or rest[0] not in holder.values:
        return text
    if len(holder.values) == 1 and len(path) > 1:
        return drop(text, find, path[:-1])
    _mine(holder, holder.values[rest[0]], rest[0])
    return edited(text, [_removed(text, holder, rest[0])])


def listed(text: str, find: Find, key: str, item: Tree) -> str:
    """*text* with *item* as the last of the list *key*."""
    holder = find(text)
    stands = holder.values.get(key)
    _mine(holder, stands, key)
    if not isinstance(stands, Items) or not stands.values:
        return put(text, find, (key,), [item])
    node, offset = stands.node, stands.offset
    if node.flow_style:
        at = node.end_mark.index + offset - 1
        return edited(text, [Edit(at, at, f", {flow(item)}")])
    lines = newline(text).join("".join(" " * node.start_mark.column + line) for line in block([item]))
    return edited(text, [_below(text, _end(node) + offset, lines)])


def block(tree: Tree) -> Iterator[str]:
    """*tree* as lines of YAML in block style."""
    match tree:
        case AnyMapping() if tree:
            for name, value in tree.items():
                yield from _entry(f"{flow(name)}:", value)
        case list() | tuple() if tree:
            for item in tree:
                first, *more = block(item)
                yield f"- {first}"
                yield from (f"  {line}" for line in more)
        case _:
            yield flow(tree)


def document(tree: Tree) -> str:
    """*tree* as a file of its own."""
    return "".join(f"{line}\n" for line in block(tree))


def flow(tree: Tree) -> str:
    """*tree* on one line; a text that YAML would read as something else stands in quotes."""
    match tree:
        case bool() | int() | None:
            return json.dumps(tree)
        case str():
            plain = _PLAIN.fullmatch(tree) and tree.lower() not in _WORDS
            return tree if plain else json.dumps(tree, ensure_ascii=False)
        case AnyMapping():
            return "{" + ", ".join(f"{flow(name)}: {flow(value)}" for name, value in tree.items()) + "}"
        case _:
            return "[" + ", ".join(map(flow, tree)) + "]"


def _entry(head: str, value: Tree) -> Iterator[str]:
    nested = isinstance(value, AnyMapping | list | tuple) and len(value) > 0
    if not nested:
        yield f"{head} {flow(value)}"
        return
    yield head
    yield from (" " * STEP + line for line in block(value))


def _nested(path: tuple[str, ...], value: Tree) -> Tree:
    for name in reversed(path):
        value = {name: value}
    return value


def _reached(holder: Mapping, path: tuple[str, ...]) -> tuple[Mapping, tuple[str, ...]]:
    """The innermost table on the way that is there and not empty, and what is left of the way."""
    for at, name in enumerate(path[:-1]):
        inner = holder.values.get(name)
        if not isinstance(inner, Mapping) or not inner.values:
            return holder, path[at:]
        holder = inner
    return holder, path[-1:]


def _mine(holder: Mapping, stands: Value | None, name: str) -> None:
    if holder.shared or (stands is not None and stands.shared):
        raise UserError(
            "The deployment file has {key} behind a YAML anchor that other values share. Write it out there.",
            key=Code(name),
        )
    if "<<" in holder.values and stands is None:
        raise UserError("The deployment file merges {key} in from elsewhere. Write it out there.", key=Code(name))


def _inside(stands: Scalar, tree: Tree) -> str:
    """*tree* as it stands in the quotes that are there, where they can hold it."""
    bare = isinstance(tree, str) and stands.node.style in {"'", '"'} and not set("'\"\\\n") & set(tree)
    return str(tree) if bare else flow(tree)


def _over(holder: Mapping, name: str, stands: Value, tree: Tree) -> Edit:
    """*tree* in place of what is empty or of another shape."""
    if isinstance(stands, Scalar) and not stands.value and not stands.node.value:
        at = holder.keys[name].node.end_mark.index + holder.offset
        at = holder.source.index(":", at) + 1
        return Edit(at, at, f" {flow(tree)}")
    node = stands.node
    if isinstance(stands, Scalar) or stands.node.flow_style:
        return Edit(node.start_mark.index + holder.offset, node.end_mark.index + holder.offset, flow(tree))
    raise UserError("The deployment file writes {value} in a way that pult can't change.", value=name)


def _appended(holder: Mapping, name: str, tree: Tree) -> Edit:
    node, source = holder.node, holder.source
    if node.flow_style or not node.value:
        at = node.end_mark.index + holder.offset - 1
        return Edit(at, at, f"{', ' if node.value else ''}{flow(name)}: {flow(tree)}")
    indent = " " * node.value[0][0].start_mark.column
    lines = newline(source).join(indent + line for line in _entry(f"{flow(name)}:", tree))
    return _below(source, _end(node) + holder.offset, lines)


def _removed(text: str, holder: Mapping, name: str) -> Edit:
    pairs = [(key, value) for key, value in holder.node.value]
    at = next(index for index, (key, _) in enumerate(pairs) if key.value == name)
    start, end = pairs[at][0].start_mark.index, _last(*pairs[at])
    if holder.node.flow_style:
        if at + 1 < len(pairs):
            end = pairs[at + 1][0].start_mark.index
        elif at:
            start = _last(*pairs[at - 1])
        return Edit(start + holder.offset, end + holder.offset, "")
    if at == 0 and len(pairs) > 1 and text[: start + holder.offset].rpartition("\n")[2].strip():
        return Edit(start + holder.offset, pairs[1][0].start_mark.index + holder.offset, "")  # behind a dash
    begin = text.rfind("\n", 0, start + holder.offset) + 1
    stop = text.find("\n", end + holder.offset)
    return Edit(begin, len(text) if stop < 0 else stop + 1, "")


def _below(source: str, at: int, lines: str) -> Edit:
    """*lines* under the line in which *at* is."""
    at = len(source[:at].rstrip()) if at and source[at - 1] in "\r\n" else at
    stop = source.find("\n", at)
    if stop < 0:
        return Edit(len(source), len(source), newline(source) + lines)
    stop -= source[stop - 1] == "\r"
    return Edit(stop, stop, newline(source) + lines)


def _end(node: Node) -> int:
    """Where the last thing in *node* ends; the parser ends a block only where the next token begins."""
    if isinstance(node.value, str) or getattr(node, "flow_style", False) or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _last(*last) if isinstance(last, tuple) else _end(last)


def _last(key: Node, value: Node) -> int:
    """Where a pair ends; an alias is written beside its key, and its value elsewhere."""
    end = int(key.end_mark.index)
    return max(end, _end(value)) if value.start_mark.index >= end else end
