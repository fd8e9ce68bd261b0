"""The runbooks: complete in both languages, and what they tell people to type is something that exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.deploy.monitoring import RUNBOOKS, alerts, generated, of_logs
from tests.docs import DOCS

PAGES = sorted(
    path for path in RUNBOOKS.rglob("*.md") if path.stem != "README" and not path.stem.startswith("failover")
)
HEADS = {
    "runbooks": [
        "What it means", "How bad it is", "First three minutes", "Likely causes", "It is over when", "Escalate",
    ],
    "ru": [
        "Что это значит", "Насколько это плохо", "Первые три минуты", "Вероятные причины", "Кончилось, когда",
        "Кого звать",
    ],
}  # fmt: skip
PROMISED = {"rightsize", "размер"}
"""Commands of interface.md, section 4, and ruling 18, that may not be built yet."""
PROGRAMS = {"kubectl", "curl", "amtool", "pult"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_a_page_has_its_parts_in_order(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADS[page.parent.name]
    assert not re.search(r"^## .+\n\n(?:##|\Z)", text, re.MULTILINE), "a part is empty"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_what_a_page_says_to_type_exists(page: Path) -> None:
    typed = [code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", page.read_text())]
    commands = {code.split()[0] for code in typed if " " in code and not code.startswith(("Notify", "[", "/"))}
    assert commands - _words() - PROMISED - PROGRAMS == set()


def _words() -> set[str]:
    """Every word that a command answers to."""
    page = (DOCS / "commands.md").read_text()
    also = {word for line in re.findall(r"^Also: (.+)$", page, re.MULTILINE) for word in re.findall(r"`([^`]+)`", line)}
    return also | set(re.findall(r"^## (\w+)$", page, re.MULTILINE))


@pytest.mark.parametrize("name", sorted({alert.name for alert in [*alerts(), *of_logs(), *generated()]}))
def test_both_languages_name_the_same_pages(name: str) -> None:
    """A reader of one language is led to the same other pages."""
    english, russian = ((folder / f"{name}.md").read_text() for folder in (RUNBOOKS, RUNBOOKS / "ru"))
    assert set(re.findall(r"\]\((\w+\.md)\)", english)) == set(re.findall(r"\]\((\w+\.md)\)", russian))
