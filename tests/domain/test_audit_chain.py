"""The audit chain: whatever is done to it afterwards is seen."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.audit import GENESIS, BrokenChainError, Deed, Entry, seal, verify
from tests.domain.builders import NOON, SECOND

texts = st.text(max_size=20)
deeds = st.builds(
    Deed,
    st.timedeltas(timedelta(), timedelta(days=99)).map(lambda late: NOON + late),
    texts,
    texts,
    texts,
    texts,
    texts,
)
DEED = Deed(NOON, "anna", "slack", "promote", "api", "proposed", "why")
CHANGES = {
    "at": NOON + SECOND,
    "person": "boris",
    "platform": "telegram",
    "action": "restart",
    "target": "web",
    "result": "refused",
    "detail": "",
}


def chain(made: list[Deed]) -> list[Entry]:
    entries: list[Entry] = []
    for deed in made:
        entries.append(seal(len(entries) + 1, deed, entries[-1].hash if entries else GENESIS))
    return entries


def five() -> list[Entry]:
    return chain([replace(DEED, target=f"t{number}") for number in range(5)])


def broken(entries: list[Entry], head: str = "") -> BrokenChainError:
    with pytest.raises(BrokenChainError) as raised:
        verify(entries, head)
    return raised.value


@given(st.lists(deeds, max_size=6))
def test_an_untouched_chain_holds(made: list[Deed]) -> None:
    entries = chain(made)
    assert verify(entries) == (entries[-1].hash if entries else GENESIS)
    assert all(verify(entries, entry.hash) for entry in entries), "a head noted down at any time is in it"


def test_no_entry_at_all() -> None:
    assert verify([]) == GENESIS
    assert verify([], GENESIS) == GENESIS
    assert broken([], five()[0].hash).number == 1


@pytest.mark.parametrize("field", [field.name for field in fields(Deed)])
def test_an_altered_field_is_seen(field: str) -> None:
    entries = five()
    entries[2] = replace(entries[2], deed=replace(entries[2].deed, **{field: CHANGES[field]}))
    assert broken(entries).number == 3


@pytest.mark.parametrize(("at", "number"), [(0, 1), (1, 2), (3, 4)])
def test_a_removed_entry_is_seen(at: int, number: int) -> None:
    entries = five()
    del entries[at]
    assert broken(entries).number == number


def test_renumbering_does_not_hide_a_removal() -> None:
    entries = five()
    del entries[1]
    renumbered = [replace(entry, number=at) for at, entry in enumerate(entries, 1)]
    assert broken(renumbered).number == 2


@given(st.permutations(range(5)))
def test_any_other_order_is_seen(order: list[int]) -> None:
    assume(order != sorted(order))
    entries = five()
    error = broken([entries[at] for at in order])
    assert error.number == next(at for at, was in enumerate(order) if at != was) + 1


def test_a_doubled_and_an_inserted_entry_are_seen() -> None:
    entries = five()
    assert broken([*entries[:2], entries[1], *entries[2:]]).number == 3
    forged = seal(3, DEED, entries[1].hash)
    assert broken([*entries[:2], forged, *entries[2:]]).number == 4


def test_an_altered_entry_sealed_anew_is_seen_at_the_next() -> None:
    entries = five()
    entries[2] = seal(3, replace(entries[2].deed, person="mallory"), entries[1].hash)
    assert broken(entries).number == 4


def test_only_a_noted_head_shows_that_the_end_was_cut_or_all_was_rewritten() -> None:
    entries = five()
    head = entries[-1].hash
    assert verify(entries[:3]) == entries[2].hash, "by itself a shorter chain holds"
    assert broken(entries[:3], head).number == 4
    rewritten = chain([replace(entry.deed, person="mallory") for entry in entries])
    assert verify(rewritten) != head
    assert broken(rewritten, head).number == 6


@given(deeds, deeds)
def test_no_two_deeds_have_one_hash(one: Deed, other: Deed) -> None:
    assert (seal(1, one, GENESIS).hash == seal(1, other, GENESIS).hash) == (one == other)


def test_words_do_not_run_into_each_other() -> None:
    one, other = replace(DEED, person="ab", platform="c"), replace(DEED, person="a", platform="bc")
    assert seal(1, one, GENESIS).hash != seal(1, other, GENESIS).hash
