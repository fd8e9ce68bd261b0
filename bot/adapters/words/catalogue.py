"""gettext catalogues: ``.po`` files are read as they are, so that none has to be compiled and kept in step."""

from __future__ import annotations

import gettext
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from bot.domain.errors import NotReadyError

Translations = gettext.NullTranslations
"""Answers a text it does not know with the text itself."""


def noted(text: str) -> str:
    """*text* itself; marks it for the collector where it is translated somewhere else."""
    return text


def read_catalogue(path: Path) -> Translations:
    """The translations in the ``.po`` file at *path*. Fuzzy and empty ones count as missing."""
    compiled = BytesIO()
    try:
        with path.open("rb") as source:
            write_mo(compiled, read_po(source, abort_invalid=True))
    except (PoFileError, OSError, UnicodeDecodeError, ValueError) as error:
        raise NotReadyError(f"the catalogue {path} can't be read: {error}") from error
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
