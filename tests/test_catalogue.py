"""Every text people read exists in every language. `make catalogue` brings the files in step with the source."""

from __future__ import annotations

from functools import cache

import pytest

from bot.adapters.words.collect import Collected
from bot.adapters.words.upkeep import catalogues, faults, read, source, updated


@cache
def found() -> Collected:
    return source()


def test_every_text_can_be_translated() -> None:
    assert found().problems == []


def test_russian_is_there() -> None:
    assert "ru" in catalogues()


@pytest.mark.parametrize("locale", catalogues())
def test_every_text_is_translated(locale: str) -> None:
    assert list(faults(read(catalogues()[locale], locale), found())) == []


@pytest.mark.parametrize("locale", catalogues())
def test_the_file_is_as_make_catalogue_writes_it(locale: str) -> None:
    path = catalogues()[locale]
    assert path.read_bytes() == updated(read(path, locale), found())
