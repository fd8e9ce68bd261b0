"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import BY_HAND, DOCS, commands_page, failover_page, policy_page

ROOT = Path(__file__).parents[1]
PAGES = (*sorted(ROOT.glob("README*.md")), *sorted(DOCS.glob("**/*.md")))


def test_commands_page_is_what_make_docs_writes() -> None:
    assert (DOCS / "commands.md").read_text() == commands_page(), "run `make docs`"


def test_policy_page_is_what_make_docs_writes() -> None:
    assert (DOCS / "error-budget-policy.md").read_text() == policy_page(), "run `make docs`"


@pytest.mark.parametrize("locale", BY_HAND)
def test_the_failover_by_hand_is_what_make_docs_writes(locale: str) -> None:
    assert (DOCS / "runbooks" / BY_HAND[locale]).read_text() == failover_page(locale), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_readme_names_only_targets_that_make_has() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE)) <= targets
