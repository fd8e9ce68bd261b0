"""What the pages tell people to type and to write works: every `toml` and `sh` block, in either language."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from bot.__main__ import main
from config.loader import EXAMPLE, parse
from tests.deploy.built import built, tool
from tests.deploy.pipeline import program
from tests.docs_blocks import Block, blocks
from tests.pult_process import toml

ROOT = Path(__file__).parents[1]
PAGES = (*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("**/*.md")))
EVERY = [block for page in PAGES for block in blocks(page)]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
ENDS = {"|", ">", ">>", "&", "&&", ";", "||"}


def _of(*languages: str) -> list[Any]:
    return [pytest.param(block, id=str(block)) for block in EVERY if block.language in languages]


@pytest.mark.parametrize("block", _of("toml"))
def test_a_configuration_block_loads_beside_everything_else(block: Block) -> None:
    whole = joined(tomllib.loads(EXAMPLE.read_text()), tomllib.loads(block.text))
    for person in whole["people"]:  # sealed secrets are all alike, and these may not be
        person["token"] = f"token of {person['name']}"
    text = "\n".join(f"{key} = {toml(value)}" for key, value in whole.items())
    assert parse(text, EXAMPLE, {}, sealed=True)


@pytest.mark.parametrize("block", _of("sh", "bash"))
def test_a_command_exists_and_takes_what_it_is_given(block: Block) -> None:
    for words in _commands(block.text):
        if words[0] == "make":
            assert set(words[1:]) <= TARGETS, words
        elif Path(words[0]).name == "pult":
            _parse(words[1:])
        elif words[0] == "tell_pult.py":
            program("tell_pult")._arguments(words[1:])  # exits 2 on what it does not know
        elif "-k" in words:
            assert built(ROOT / words[words.index("-k") + 1]), words


@pytest.mark.parametrize("block", [each for each in _of("sh") if "<<'YAML'" in each.values[0].text])
def test_what_is_applied_from_a_page_is_valid(block: Block, tmp_path: Path) -> None:
    """Strictly, by Kubernetes' own schema."""
    objects = re.findall(r"<<'YAML'\n(.*?)^YAML$", block.text, re.MULTILINE | re.DOTALL)
    assert len(objects) == block.text.count("<<'YAML'")
    path = tmp_path / "page.yaml"
    path.write_text("---\n".join(objects))
    done = subprocess.run([tool("kubernetes-validate"), "--strict", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_what_cannot_be_typed_is_found() -> None:
    for wrong in ("pult chekc", "pult check --sendtest", "FOO=1 .venv/bin/pult db downgrade", "pult ask"):
        ((*words,),) = _commands(wrong)
        with pytest.raises(click.ClickException):
            _parse(words[1:])


@pytest.mark.parametrize("page", [page for page in PAGES if page.name.endswith(".ru.md")], ids=lambda page: page.name)
def test_the_russian_page_has_the_blocks_of_the_english_one(page: Path) -> None:
    english = page.with_name(page.name.replace(".ru.md", ".md"))
    ours, theirs = ([(each.language, each.text) for each in blocks(path)] for path in (page, english))
    assert ours == theirs


def test_a_page_in_one_language_leads_to_the_other() -> None:
    pairs = [(page, page.with_name(page.name.replace(".ru.md", ".md"))) for page in PAGES if ".ru." in page.name]
    pairs = [pair for pair in pairs if pair[0].parent in {ROOT, ROOT / "docs"}]  # others are as pult wrote them
    assert pairs
    for russian, english in pairs:
        assert f"]({english.name})" in russian.read_text()
        assert f"]({russian.name})" in english.read_text()


def _commands(text: str) -> Iterator[list[str]]:
    """Each command of a script that begins a line, in words, without variables before it and what comes after."""
    for line in text.replace("\\\n", " ").splitlines():
        if not re.match(r"(\w+=\S+ )*(\S*/)?(pult|make|tell_pult\.py|kubectl) ", f"{line} "):
            continue
        words = shlex.split(re.sub(r"\$\([^)]*\)", "value", line), comments=True)
        while "=" in words[0]:
            words.pop(0)
        yield words[: next((at for at, word in enumerate(words) if word in ENDS), len(words))]


def _parse(words: list[str]) -> None:
    """ClickException: there is no such command, or it takes no such thing."""
    context = main.make_context("pult", list(words))
    while isinstance(context.command, click.Group):
        rest = [*context._protected_args, *context.args]
        _, found, rest = context.command.resolve_command(context, rest)
        assert found is not None
        context = found.make_context(found.name, rest, parent=context)


def joined(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables become one; tables of a list that bear a name replace their namesakes, others the whole list."""
    whole = dict(below)
    for key, value in above.items():
        old = whole.get(key)
        if isinstance(old, list) and isinstance(value, dict):  # [services.x] after the last of [[services]]
            whole[key] = [*old[:-1], joined(old[-1], value)]
        elif isinstance(old, dict) and isinstance(value, dict) and not {"env", "file"} & {*value}:
            whole[key] = joined(old, value)
        elif isinstance(old, list) and all(isinstance(each, dict) and "name" in each for each in value):
            named = {each["name"] for each in value}
            whole[key] = [*value, *(each for each in old if each["name"] not in named)]
        else:
            whole[key] = value
    return whole
