"""The collector and the catalogues' upkeep, on a small source of their own."""

from __future__ import annotations

from pathlib import Path

from bot.adapters.words.collect import Collected, collect
from bot.adapters.words.upkeep import faults, read, updated

SOURCE = """
phrase("Restart {service}", service=service)
domain.phrases.phrase("Qualified")
counted("{n} pod", "{n} pods", count)
counted("{n} pod of {who}", "{n} pods of {who}", count, who=who)
raise UserError("No such {name}.", name=name)
raise DeniedError("Denied") from None
phrase("one" if yes else "two" if no else "three")
phrase("joined " "text")
phrase("{value}", value=value)
phrase("{a} · {b}", a=a, b=b)
Quantity(3, "req")
Quantity(3, unit="x")
Quantity(3)
noted("min")
words.translate("today {time}")
text.translate(table)
Phrase(text, values)
Phrase("carried", {})
"""


def collected(tmp_path: Path, source: str) -> Collected:
    folder = tmp_path / "bot"
    folder.mkdir(exist_ok=True)
    (folder / "duty.py").write_text(source, encoding="utf-8")
    return collect(tmp_path, ["bot"])


def catalogue(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "pult.po"
    path.write_text('msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n' + text, encoding="utf-8")
    return path


def test_every_text_is_found(tmp_path: Path) -> None:
    found = collected(tmp_path, SOURCE)
    assert found.problems == []
    assert {text: entry.plural for text, entry in found.texts.items()} == {
        "Restart {service}": None,
        "Qualified": None,
        "{n} pod": "{n} pods",
        "{n} pod of {who}": "{n} pods of {who}",
        "No such {name}.": None,
        "Denied": None,
        "one": None,
        "two": None,
        "three": None,
        "joined text": None,
        "req": None,
        "min": None,
        "today {time}": None,
        "carried": None,
    }
    assert found.texts["one"].places == {"bot/duty.py"}


def test_what_cannot_be_translated_is_told(tmp_path: Path) -> None:
    source = (
        'phrase(text)\nphrase(f"a {b}")\nUserError(late)\nphrase("to {place}")\ncounted("{n} a", "{n} b of {c}", 1)\n'
    )
    assert collected(tmp_path, source).problems == [
        "bot/duty.py:1: phrase() needs its text in quotes, to be translated",
        "bot/duty.py:2: phrase() needs its text in quotes, to be translated",
        "bot/duty.py:3: UserError() needs its text in quotes, to be translated",
        "bot/duty.py:4: no value for {place} in 'to {place}'",
        "bot/duty.py:5: no value for {c} in '{n} a{n} b of {c}'",
    ]
    assert collected(tmp_path, 'phrase("to {place}", **values)').problems == []
    assert len(collected(tmp_path, 'phrase("a {n}", n=1)\ncounted("a {n}", "as {n}", 1)').problems) == 1


def test_faults(tmp_path: Path) -> None:
    found = collected(
        tmp_path,
        'phrase("good {a}", a=1)\nphrase("empty")\nphrase("guess")\nphrase("new")\nphrase("lost {a}", a=1)\n'
        'counted("{n} pod", "{n} pods", 1)\ncounted("{n} box", "{n} boxes", 1)',
    )
    path = catalogue(
        tmp_path,
        'msgid "good {a}"\nmsgstr "хорошо {a}"\n\n'
        'msgid "empty"\nmsgstr ""\n\n'
        '#, fuzzy\nmsgid "guess"\nmsgstr "догадка"\n\n'
        'msgid "lost {a}"\nmsgstr "потеряно {b}"\n\n'
        'msgid "{n} pod"\nmsgstr "{n} под"\n\n'
        'msgid "{n} box"\nmsgid_plural "{n} boxes"\n'
        'msgstr[0] "{n} ящик"\nmsgstr[1] "ящика"\nmsgstr[2] "{n} ящиков"\n\n'
        'msgid "old"\nmsgstr "старое"\n\n#~ msgid "older"\n#~ msgstr "древнее"\n',
    )
    assert list(faults(read(path, "ru"), found)) == [
        "untranslated: 'empty'",
        "untranslated: 'guess'",
        "missing: 'new'",
        "other fields than 'lost {a}': 'потеряно {b}'",
        "another plural than in the source: '{n} pod'",
        "other fields than '{n} box': 'ящика'",
        "obsolete: 'old'",
        "obsolete: 'older'",
    ]


def test_an_update_keeps_adds_and_drops(tmp_path: Path) -> None:
    found = collected(tmp_path, 'phrase("kept")\nphrase("new")\ncounted("{n} pod", "{n} pods", 1)')
    path = catalogue(tmp_path, 'msgid "kept"\nmsgstr "оставлено"\n\nmsgid "old"\nmsgstr "старое"\n')
    path.write_bytes(updated(read(path, "ru"), found))
    text = path.read_text(encoding="utf-8")
    assert 'msgid "kept"\nmsgstr "оставлено"' in text
    assert "#: bot/duty.py\n" in text
    assert "old" not in text
    assert "Date" not in text
    assert list(faults(read(path, "ru"), found)) == ["untranslated: 'new'", "untranslated: '{n} pod'"]
    assert updated(read(path, "ru"), found) == path.read_bytes(), "nothing changes a second time"


def test_a_new_language_starts_empty(tmp_path: Path) -> None:
    found = collected(tmp_path, 'phrase("new")')
    assert list(faults(read(tmp_path / "none.po", "ru"), found)) == ["missing: 'new'"]
