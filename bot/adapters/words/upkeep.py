"""Keeps catalogues in step with the source: ``python -m bot.adapters.words`` (``make catalogue``)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from bot.adapters.words.collect import Collected, Text, collect, fields

ROOT = Path(__file__).parents[3]
SIMULATOR = "bot/simulator"  # the world outside: it speaks as other systems do
LOCALES = ROOT / "handlers" / "locales"
_WIDTH = 110


def source() -> Collected:
    """Every text of pult's own."""
    return collect(ROOT, ("bot", "handlers"), without=SIMULATOR)


def catalogues() -> dict[str, Path]:
    """Every catalogue's file, by its locale."""
    return {path.parent.parent.name: path for path in sorted(LOCALES.glob("*/LC_MESSAGES/pult.po"))}


def read(path: Path, locale: str) -> Catalog:
    """The catalogue at *path*; an empty one when there is no such file yet."""
    if not path.exists():
        return Catalog(locale=locale)
    with path.open("rb") as source:
        return read_po(source, locale=locale, abort_invalid=True)


def faults(catalogue: Catalog, found: Collected) -> Iterator[str]:
    """What keeps *catalogue* from being complete, one sentence each."""
    for text, entry in found.texts.items():
        message = catalogue.get(text)
        if message is None:
            yield f"missing: {text!r}"
        elif message.fuzzy or not _strings(message.string) or not all(_strings(message.string)):
            yield f"untranslated: {text!r}"
        elif isinstance(message.id, str) != (entry.plural is None) or (entry.plural and message.id[1] != entry.plural):
            yield f"another plural than in the source: {text!r}"
        else:
            yield from _fields(text, entry, _strings(message.string))
    for message in catalogue:
        text = message.id if isinstance(message.id, str) else message.id[0]
        if text and text not in found.texts:
            yield f"obsolete: {text!r}"
    yield from (f"obsolete: {text!r}" for text in catalogue.obsolete)


def _fields(text: str, entry: Text, strings: tuple[str, ...]) -> Iterator[str]:
    for string in strings:
        if fields(string) != fields(entry.plural or text):
            yield f"other fields than {text!r}: {string!r}"


def _strings(string: object) -> tuple[str, ...]:
    match string:
        case str():
            return (string,)
        case tuple() | list():
            return tuple(string)
        case _:
            return ()


def updated(old: Catalog, found: Collected) -> bytes:
    """The file of *old* with exactly the texts that were *found*; translations are kept, new ones are empty."""
    fresh = Catalog(locale=old.locale)
    for text, entry in sorted(found.texts.items()):
        known = old.get(text)
        same = known is not None and isinstance(known.id, str) == (entry.plural is None)
        string = known.string if known and same else ("",) * fresh.num_plurals if entry.plural else ""
        places = [(place, 0) for place in sorted(entry.places)]
        fresh.add((text, entry.plural) if entry.plural else text, string, locations=places)
    body = BytesIO()
    write_po(body, fresh, width=_WIDTH, omit_header=True, include_lineno=False)
    return _header(fresh) + body.getvalue()


def _header(catalogue: Catalog) -> bytes:
    """Without dates and names, so that a catalogue changes only when a text does."""
    lines = (
        f"Language: {catalogue.locale_identifier}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        f"Plural-Forms: {catalogue.plural_forms}",
    )
    return "".join(('msgid ""\nmsgstr ""\n', *(f'"{line}\\n"\n' for line in lines), "\n")).encode()


def main() -> int:
    """Rewrite every catalogue; say what is left to do. 1 when something is."""
    found = source()
    left = list(found.problems)
    for locale, path in catalogues().items():
        old = read(path, locale)
        dropped = (message for message in old if message.id and _text(message.id) not in found.texts)
        left.extend(f"{locale}: dropped {message.id!r}, which was {message.string!r}" for message in dropped)
        path.write_bytes(updated(old, found))
        left.extend(f"{locale}: {fault}" for fault in faults(read(path, locale), found))
    sys.stdout.write("".join(f"{line}\n" for line in left) or f"{len(found.texts)} texts, all translated\n")
    return 1 if left else 0


def _text(ident: object) -> str:
    return ident if isinstance(ident, str) else str(ident[0]) if isinstance(ident, tuple | list) else ""
