"""docs/troubleshooting.md has an entry for each line of the doctor's that is not well."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.department import Department
from tests.pult_fixtures import Make, department, fresh, make, store_url

__all__ = ["department", "fresh", "make", "store_url"]

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/troubleshooting.md").read_text()
RAISED = ("bot/adapters/sql/opening.py", "bot/adapters/sql/migrate.py", "bot/compose/moving.py")
"""Whose every error is a line of the doctor's."""
SHORT = 8
"""Letters that a fragment between two values must have to say something."""


def _plain(text: str) -> str:
    return re.sub(r"[\s`.;:,→]+", " ", text).strip().lower()


KNOWN = _plain(PAGE)


def _texts(node: ast.AST) -> Iterator[str]:
    """The constant parts of every text under *node*."""
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield from re.split(r"\{[^}]*\}", each.value)


def _findings() -> Iterator[str]:
    """Of each finding that is not ok, and what ``_examinations``, ``_wishes`` and their like assign and yield."""
    tree = ast.parse((ROOT / "bot/cli/check.py").read_text())
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        body = function.body[1:] if ast.get_docstring(function) else function.body
        for node in (each for statement in body for each in ast.walk(statement)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                if getattr(node.args[1], "value", "") != "ok":
                    yield from (text for argument in node.args[2:] for text in _texts(argument))
            elif isinstance(node, ast.Yield | ast.Assign) and node.value is not None and not _finds(node.value):
                yield from _texts(node.value)


def _finds(node: ast.AST) -> bool:
    return any(getattr(each, "id", "") == "Finding" for each in ast.walk(node))


def _mends() -> Iterator[str]:
    for path in ("bot/compose/moving.py", "bot/compose/parts.py", "bot/cli/check.py"):
        for text in re.findall(r'"(see [^"]+|[^"]*\bbind [^"]+|invite [^"]+)"', (ROOT / path).read_text()):
            yield from re.split(r"\{[^}]*\}", text)


def _raised() -> Iterator[str]:
    for path in RAISED:
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                yield from _texts(node.exc.args[0])
    doctor = ast.parse((ROOT / "bot/adapters/postgres_ha/doctor.py").read_text())
    for node in (each for each in ast.walk(doctor) if isinstance(each, ast.FunctionDef)):
        yield from (text for text in _texts(node) if re.match(r"(it|the server) can't", text))
    for path in (*ROOT.glob("bot/adapters/*/*.py"), *ROOT.glob("bot/platforms/*/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.AsyncFunctionDef) and node.name == "check":
                for each in (part for part in ast.walk(node) if isinstance(part, ast.Raise)):
                    if isinstance(each.exc, ast.Call) and each.exc.args:
                        yield from _texts(each.exc.args[0])


FRAGMENTS = sorted({_plain(text) for text in (*_findings(), *_mends(), *_raised())})


def test_the_collection_finds_what_there_is() -> None:
    for known in ("nobody watches pult itself", "bind pult-drain in deploy/ or leave it so", "it can't promote"):
        assert known in FRAGMENTS
    assert len(FRAGMENTS) > 40


@pytest.mark.parametrize("fragment", [each for each in FRAGMENTS if sum(map(str.isalpha, each)) >= SHORT])
def test_it_has_an_entry(fragment: str) -> None:
    assert fragment in KNOWN


async def test_a_real_doctor_of_a_sick_department_says_nothing_else(make: Make, department: Department) -> None:
    """Each line's mend, as it is printed, is on the page."""
    pult = make(loki__url="http://127.0.0.1:1", server__replicas=2, webhooks__alertmanager=None)
    await department.fault("error", "prometheus")
    pult.configure(people=[{"name": "anna", "slack": "U0ANNA", "token": "t", "roles": ["sre"]}], oncall=None)
    status, out, err = await pult.run("check")
    assert status == 1, out + err
    bad = [line for line in out.splitlines() if not line.startswith("ok")]
    assert len(bad) >= 5, out + err
    mends = [re.sub(r"\[\w+\]: address", "[name]: address", line.partition(" → ")[2]) for line in bad]
    assert [mend for mend in mends if _plain(mend) not in KNOWN] == []
