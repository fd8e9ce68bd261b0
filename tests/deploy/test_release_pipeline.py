"""Pult's own way from a commit to a version: its number and its notes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


class History:
    """A repository with pult's own rules for versions, and commits to try them on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copy(ROOT / "cliff.toml", folder)
        (folder / "pyproject.toml").write_text('[project]\nname = "pult"\nversion = "0.0.0"\n')
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "test")
        self.git("config", "user.email", "test@dept.example")
        self.git("add", ".")

    def git(self, *words: str) -> str:
        return subprocess.run(["git", *words], cwd=self.folder, check=True, capture_output=True, text=True).stdout

    def commits(self, *messages: str) -> None:
        for message in messages:
            self.git("commit", "--quiet", "--allow-empty", "--message", message)

    def next(self) -> str:
        """What deploy/pipeline/version.sh says, once it has made the commit and the tag."""
        environment = {**os.environ, "GIT_CLIFF": str(BIN / "git-cliff")}
        script = [str(ROOT / "deploy/pipeline/version.sh")]
        done = subprocess.run(script, cwd=self.folder, env=environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()


@pytest.fixture
def history(tmp_path: Path) -> History:
    found = History(tmp_path)
    found.commits("feat(alerts): cards", "docs: the first page")
    assert found.next() == "v0.1.0"
    return found


@pytest.mark.parametrize(
    ("messages", "version"),
    [
        (("fix(store): a lost row",), "v0.1.1"),
        (("perf: faster",), "v0.1.1"),
        (("fix: one", "feat: two"), "v0.2.0"),
        (("feat!: another wire format",), "v0.2.0"),  # before 1.0 a break is a minor one
        (("fix: one\n\nBREAKING CHANGE: the key is renamed",), "v0.2.0"),
    ],
)
def test_the_next_version_follows_from_the_commits(history: History, messages: tuple[str, ...], version: str) -> None:
    history.commits(*messages)
    assert history.next() == version
    assert f'version = "{version[1:]}"' in (history.folder / "pyproject.toml").read_text()
    assert history.git("describe", "--tags").strip() == version
    assert history.git("status", "--porcelain") == ""


def test_after_the_first_stable_version_a_break_is_a_major_one(history: History) -> None:
    history.git("tag", "v1.0.0")
    history.commits("feat!: another wire format")
    assert history.next() == "v2.0.0"


def test_nothing_to_release_makes_nothing(history: History) -> None:
    history.commits("docs: a word", "test: a case", "Not conventional at all")
    head = history.git("rev-parse", "HEAD")
    assert history.next() == "nothing to release since v0.1.0"
    assert history.git("rev-parse", "HEAD") == head


def test_notes_are_grouped_and_the_tag_carries_its_own(history: History) -> None:
    history.commits(
        "fix: a leak", "feat(slo): budgets", "chore: tidy", "feat!: new keys\n\nBREAKING CHANGE: rename them"
    )
    history.next()
    notes = history.git("for-each-ref", "refs/tags/v0.2.0", "--format=%(contents:body)")
    assert notes.index("### Added") < notes.index("### Fixed")
    assert "- **slo:** Budgets" in notes
    assert "- **Breaking:** New keys (rename them)" in notes
    assert "tidy" not in notes
    assert "Cards" not in notes  # those of the version before
    changelog = (history.folder / "CHANGELOG.md").read_text()
    assert changelog.index("## 0.2.0") < changelog.index("## 0.1.0") < changelog.index("**alerts:** Cards")
