"""Changelogs from commits, release notes from Markdown: what they say, and that nothing of them becomes markup."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.changelog import LONGEST, Changelog, blocks, changelog
from bot.domain.messages import Aside, Lines, Paragraph
from bot.domain.notes import plain_lines
from bot.domain.phrases import English, Phrase, pieces

HOME = "https://github.com/dept/api"


@dataclass(frozen=True)
class Made:
    """A commit as the forge tells it."""

    sha: str
    message: str


def log(*messages: str) -> Changelog:
    return changelog(Made(f"{n:040x}", message) for n, message in enumerate(messages, 0xABCDEF0))


def shown(changes: Changelog, room: int = 12) -> str:
    """As a terminal would show it."""
    lines: list[str] = []
    for block in blocks(changes, HOME, room):
        match block:
            case Paragraph(text) | Aside(text):
                lines.append(text.plain())
            case Lines(items, more):
                lines += [f"- {item.plain()}" for item in items] + ([f"+ {more}"] if more else [])
    return "\n".join(lines)


def links(changes: Changelog) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for block in blocks(changes, HOME):
        items = block.items if isinstance(block, Lines) else ()
        drawn = [piece for item in items for piece in pieces(item, English())]
        found += [(piece.text, piece.url) for piece in drawn if piece.kind == "link"]
    return found


def test_changes_are_grouped_breaking_first() -> None:
    changes = log(
        "fix(db): close idle connections (#12)",
        "feat: cursor pagination",
        "chore: bump deps",
        "perf(api): answer from the cache",
        "feat(api)!: drop v1",
        "docs: how to page",
        "fix: typo\n\nBREAKING CHANGE: the field is called name now",
        "something else entirely",
    )
    assert shown(changes) == "\n".join(
        (
            "Breaking changes",
            "- api: drop v1 (0000000)",
            "- the field is called name now (0000000)",
            "New",
            "- cursor pagination (0000000)",
            "Mended",
            "- db: close idle connections (#12) (0000000)",
            "Faster",
            "- api: answer from the cache (0000000)",
            "3 other changes",
        )
    )


@pytest.mark.parametrize(
    "message",
    [
        "Merge pull request #7 from dept/x\n\nfeat: not me twice", "Merge branch 'main' into x",
        "Merge remote-tracking branch 'origin/main'", "Merge tag 'v1'",
    ],
)  # fmt: skip
def test_merges_say_nothing(message: str) -> None:
    assert not log(message)


def test_references_lead_to_the_repository() -> None:
    (sha, url), *rest = reversed(links(log("fix: no leak (#12), as in #3; not a#4 or &#5;")))
    assert (sha, url) == ("0000000", f"{HOME}/commit/{0xABCDEF0:040x}")
    assert rest == [("#3", f"{HOME}/issues/3"), ("#12", f"{HOME}/issues/12")]


def test_without_a_page_there_are_no_links() -> None:
    (_, lines) = blocks(log("fix: no leak (#12)"))
    assert isinstance(lines, Lines)
    assert {piece.kind for item in lines.items for piece in pieces(item, English())} == {"text", "code"}


SHA = f"{0xABCDEF0:040x}"
REVERT = f'Revert "feat: cursor pagination"\n\nThis reverts commit {SHA}.'


def test_a_revert_cancels_what_it_reverts() -> None:
    assert not log("feat: cursor pagination", REVERT)
    assert not log("feat: cursor pagination", f"revert: feat: cursor pagination\n\nThis reverts commit {SHA[:9]}.")
    assert not log("feat: cursor pagination", "revert: feat: cursor pagination")
    assert shown(log("feat: cursor pagination", "fix: x", REVERT)) == "Mended\n- x (0000000)"


def test_a_revert_of_a_revert_brings_it_back() -> None:
    again = f'Revert "Revert "feat: cursor pagination""\n\nThis reverts commit {0xABCDEF0 + 1:040x}.'
    assert shown(log("feat: cursor pagination", REVERT, again)) == "New\n- cursor pagination (0000000)"


def test_what_was_shipped_before_and_is_taken_back_is_said() -> None:
    assert shown(log(f'Revert "feat: old"\n\nThis reverts commit {"9" * 40}.')) == "Taken back\n- feat: old (0000000)"


def test_a_long_one_is_shortened_by_whole_entries() -> None:
    changes = log(*[f"feat: f{n}" for n in range(20)], *[f"fix: x{n}" for n in range(5)])
    assert shown(changes, 6).splitlines()[-3:] == ["- f5 (0000000)", "+ 14", "Mended: 5 more"]
    (entry,) = log("feat: " + "word " * 100).entries
    assert len(entry.text) <= LONGEST
    assert entry.text.endswith("word…")
    assert len(log("feat: " + "x" * 500).entries[0].text) <= LONGEST


TEXT = st.text(max_size=80)
MESSAGES = st.lists(
    st.one_of(TEXT, st.builds("{}: {}".format, st.sampled_from(["feat", "fix", "perf!", "chore"]), TEXT)), max_size=12
)


@given(MESSAGES)
def test_every_commit_is_an_entry_or_counted(messages: list[str]) -> None:
    """Unless it is a merge, or one takes another back."""
    changes = log(*messages)
    assert len(changes.entries) + changes.other <= len(messages)
    if not any("revert" in each.lower() or each.startswith("Merge") for each in messages):
        assert len(changes.entries) + changes.other == len(messages)


@given(MESSAGES, st.integers(0, 15))
def test_what_is_shown_and_what_is_counted_is_all(messages: list[str], room: int) -> None:
    changes = log(*messages)
    lines = [block for block in blocks(changes, HOME, room) if isinstance(block, Lines)]
    assert sum(len(block.items) for block in lines) == min(room, len(changes.entries))


@given(MESSAGES)
def test_outside_text_is_never_part_of_a_phrase(messages: list[str]) -> None:
    """Promise 13: it travels as a value only, so that no brace or mark of it means anything."""
    for block in blocks(log(*messages), HOME):
        items = block.items if isinstance(block, Lines) else (block.text,)  # type: ignore[union-attr]
        for text in (text for item in items for text in templates(item)):
            assert text in OURS, text


OURS = {
    "{text}", "{title}", "{scope}: {text}", "{text} ({commit})", "{before}{link}{after}", "{title}: {n} more",
    "{n} other change", "Breaking changes", "New", "Mended", "Faster", "Taken back",
}  # fmt: skip


def templates(sentence: Phrase) -> list[str]:
    inner = [value for value in sentence.values.values() if isinstance(value, Phrase)]
    return [sentence.text, *(text for each in inner for text in templates(each))]


NOTES = """<!-- Release notes generated using configuration in .github/release.yml at main -->

## What's Changed
* feat: **cursor** pagination by @anna in https://github.com/dept/api/pull/12
* Fix `--token` in [the docs](https://evil.example "title") ![img](https://x.example/y.png)
  - nested _kept_
1. first
> quoted

---
| a | b |
|---|---|
- [x] done
```
raw <b>text</b>
```
<details><summary>More</summary>snake_case_name 2 * 3 * 4</details>

**Full Changelog**: https://github.com/dept/api/compare/v1...v2
"""


def test_markdown_reads_as_text() -> None:
    assert plain_lines(NOTES) == (
        "What's Changed",
        "feat: cursor pagination by @anna in https://github.com/dept/api/pull/12",
        "Fix --token in the docs img",
        "– nested _kept_",
        "first",
        "quoted",
        "| a | b |",
        "done",
        "raw <b>text</b>",
        "Moresnake_case_name 2 * 3 * 4",
    )


@given(st.text(alphabet=st.sampled_from("ab *_`~[]()<>#!-|\n\\:/.@{}1"), max_size=200))
def test_any_markdown_is_read_into_whole_lines(markdown: str) -> None:
    lines = plain_lines(markdown)
    assert all(line and line == line.strip() and "\n" not in line for line in lines)
    letters = [each for each in markdown if each in "ab"]
    assert len([each for line in lines for each in line if each in "ab"]) <= len(letters)


def test_notes_without_end_cost_little() -> None:
    for evil in ("[" * 100_000, "<" * 100_000, "*" * 100_000, "<!--" * 30_000, "a](" * 30_000, "- " * 50_000):
        plain_lines(evil)
