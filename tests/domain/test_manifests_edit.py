"""Changing YAML as people write it: what is meant to change does, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import UserError
from bot.domain.manifests_edit import Tree, document, drop, listed, put
from bot.domain.manifests_yaml import Mapping, documents


def top(text: str) -> Mapping:
    found = documents(text)[0]
    assert isinstance(found, Mapping)
    return found


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ("a: 1 # why\nb: 2\n", "a", "7m", "a: 7m # why\nb: 2\n"),
        ("a: 1\n", "a", "7", 'a: "7"\n'),
        ('a: "1"\n', "a", "7m", 'a: "7m"\n'),
        ("a: 1\n", "b", "7m", "a: 1\nb: 7m\n"),
        ("a: 1", "b", "7m", "a: 1\nb: 7m"),
        ("a: 1 # why\n\n# end\n", "b", "7m", "a: 1 # why\nb: 7m\n\n# end\n"),
        ("a:\n    b: 1\n    c: 2\nd: 3\n", "a.e", "x", "a:\n    b: 1\n    c: 2\n    e: x\nd: 3\n"),
        ("a: {b: 1}\n", "a.c", "x", "a: {b: 1, c: x}\n"),
        ("a: {}\nb: 1\n", "a.c.d", "x", "a: {c: {d: x}}\nb: 1\n"),
        ("a:\nb: 1\n", "a.c", "x", "a: {c: x}\nb: 1\n"),
        ("a: 1\n", "b.c.d", "x", "a: 1\nb:\n  c:\n    d: x\n"),
        ("a:\n- b\n- c\n", "d", "x", "a:\n- b\n- c\nd: x\n"),
        ("a: |\n  one\n  two\n", "d", "x", "a: |\n  one\n  two\nd: x\n"),
        ("a: &x 1\nb: *x\n", "d", "x", "a: &x 1\nb: *x\nd: x\n"),
        ("a: 1\r\nb: 2\r\n", "c.d", "x", "a: 1\r\nb: 2\r\nc:\r\n  d: x\r\n"),
        ("\N{ZERO WIDTH NO-BREAK SPACE}a: 1\n", "b", "x", "\N{ZERO WIDTH NO-BREAK SPACE}a: 1\nb: x\n"),
    ],
)
def test_put(before: str, path: str, value: str, after: str) -> None:
    assert put(before, top, tuple(path.split(".")), value) == after


@pytest.mark.parametrize(
    ("before", "path", "after"),
    [
        ("a: 1\nb: 2 # gone\nc: 3\n", "b", "a: 1\nc: 3\n"),
        ("a:\n  b: 1\nc: 3\n", "a.b", "c: 3\n"),
        ("a:\n  b: 1\n  d: 2\n", "a.b", "a:\n  d: 2\n"),
        ("a: {b: 1, c: 2}\n", "a.b", "a: {c: 2}\n"),
        ("a: {b: 1, c: 2}\n", "a.c", "a: {b: 1}\n"),
        ("a: 1\nb:\n  - x\n  - y\n", "b", "a: 1\n"),
        ("a: 1\n", "b.c", "a: 1\n"),
    ],
)
def test_drop(before: str, path: str, after: str) -> None:
    assert drop(before, top, tuple(path.split("."))) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a:\n- x\nb: 1\n", "a:\n- x\n- y.yaml\nb: 1\n"),
        ("a:\n    - x # why\n", "a:\n    - x # why\n    - y.yaml\n"),
        ("a: [x]\n", "a: [x, y.yaml]\n"),
        ("a: []\n", "a: [y.yaml]\n"),
        ("b: 1\n", "b: 1\na:\n  - y.yaml\n"),
    ],
)
def test_listed(before: str, after: str) -> None:
    assert listed(before, top, "a", "y.yaml") == after


@pytest.mark.parametrize("text", ["base: &x {cpu: 1}\na: *x\n", "base: &x {cpu: 1}\na:\n  <<: *x\n"])
def test_what_an_anchor_shares_is_left_alone(text: str) -> None:
    with pytest.raises(UserError, match=r"anchor|merges"):
        put(text, top, ("a", "cpu"), "2")


_KEYS = st.sampled_from(["cpu", "memory", "name", "on", "1", "a b", "limits"])
_VALUES = st.one_of(
    st.sampled_from(["100m", "x", "true", "1", "", "a: b", "# c", "ünï", "1e3"]), st.integers(), st.none()
)
_TREES = st.recursive(
    _VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4), max_leaves=12
)
_TABLES = st.dictionaries(_KEYS, _TREES, min_size=1, max_size=4)


@given(_TABLES)
def test_what_is_written_reads_back(tree: dict[str, Tree]) -> None:
    assert yaml.safe_load(document(tree)) == tree


@given(_TABLES, st.booleans(), st.lists(_KEYS, min_size=1, max_size=3), st.sampled_from(["35m", "true", "a: b"]))
def test_one_value_changes_and_no_other(tree: dict[str, Any], flowing: bool, path: list[str], value: str) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flowing, sort_keys=False, allow_unicode=True)
    wanted = copy.deepcopy(tree)
    holder: Any = wanted
    for name in path[:-1]:
        if not holder.get(name):
            holder[name] = {}
        holder = holder[name]
        if not isinstance(holder, dict):
            return
    holder[path[-1]] = value
    try:
        changed = put(text, top, tuple(path), value)
    except UserError:
        return
    assert yaml.safe_load(changed) == wanted


@given(_TABLES, st.booleans(), st.lists(_KEYS, min_size=1, max_size=2))
def test_one_value_goes_and_no_other(tree: dict[str, Any], flowing: bool, path: list[str]) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flowing, sort_keys=False, allow_unicode=True)
    wanted = copy.deepcopy(tree)
    holder = wanted if len(path) == 1 else wanted.get(path[0])
    if isinstance(holder, dict) and path[-1] in holder:
        del holder[path[-1]]
        if len(path) == 2 and not holder:
            del wanted[path[0]]
    assert (yaml.safe_load(drop(text, top, tuple(path))) or {}) == wanted
