"""Cards: what is due, in which order, and what showing, failing, losing and burying do to it, on every store."""

from dataclasses import replace
from datetime import datetime

from bot.domain.cards import Card, Place, Priority, Ref, Wish
from bot.domain.messages import Message
from bot.domain.phrases import Quantity, phrase
from bot.ports.store import Store
from tests.contracts.samples import INC, MINUTE, NASTY, NOON, OPS, SECOND, wish

REF = Ref("C0OPS", "1700.1", "text", {"thread": "1700.0"})


async def show(store: Store, *wishes: Wish, at: datetime = NOON) -> None:
    await store.write(lambda tx: [tx.show(each, at) for each in wishes])


async def due(store: Store, where: str = OPS, at: datetime = NOON) -> Card | None:
    return await store.read(lambda tx: tx.due(where, at))


async def the_card(store: Store, subject: str = "alert:a-7k2f") -> Card:
    (card,) = await store.read(lambda tx: tx.cards_of(subject))
    return card


async def test_what_one_person_sees_waits_in_a_lane_of_its_own(store: Store) -> None:
    """A busy channel must not hold up an answer that does not spend its budget."""
    await show(store, Wish("reply:1", Place(OPS, private_to="U0ANNA")))
    assert await due(store) is None
    card = await store.read(lambda tx: tx.due("slack:U0ANNA", NOON))
    assert card is not None
    assert card.place == Place(OPS, private_to="U0ANNA")


async def test_a_reply_waits_for_what_it_answers_and_not_for_what_was_given_up(store: Store) -> None:
    await show(store, Wish("alert:a-7k2f", Place(OPS), not_before=NOON + MINUTE))
    await show(store, Wish("news:a-7k2f/1", Place(OPS), Priority.PAGE, "alert:a-7k2f"), at=NOON)
    assert await due(store) is None
    card = await due(store, at=NOON + MINUTE)
    assert card is not None
    assert card.subject == "alert:a-7k2f"
    await store.write(lambda tx: tx.bury(card, "refused"))
    assert (await due(store)).subject == "news:a-7k2f/1"


async def test_a_new_card_may_have_to_wait(store: Store) -> None:
    await show(store, Wish("alert:a-7k2f", Place(OPS), not_before=NOON + MINUTE))
    assert await due(store) is None
    assert await store.read(lambda tx: tx.next_try(OPS)) == NOON + MINUTE
    await store.write(lambda tx: tx.bump("alert:a-7k2f", NOON))
    assert await due(store) is None
    assert await store.read(lambda tx: tx.due(OPS, NOON + MINUTE)) is not None


async def test_a_new_card_is_due_until_it_is_shown(store: Store) -> None:
    place = Place(OPS, "th", "re", "", "press", "ru", "Europe/Berlin")
    await show(store, Wish("alert:a-7k2f", place, Priority.PAGE, "op:op-1"))
    card = await due(store)
    assert card == Card("alert:a-7k2f", place, Priority.PAGE, 1, 0, None, 0, NOON, NOON, None, "op:op-1", None)
    await store.write(lambda tx: tx.shown(card, REF, NOON + SECOND))
    assert await due(store) is None
    assert await the_card(store) == replace(card, shown=1, ref=REF)


async def test_showing_again_bumps_and_keeps_the_first_place(store: Store) -> None:
    await show(store, wish())
    first = await due(store)
    await store.write(lambda tx: tx.shown(first, REF, NOON))
    again = Wish("alert:a-7k2f", Place(OPS, thread="elsewhere"), Priority.PAGE)
    await show(store, again, at=NOON + MINUTE)
    expected = replace(first, priority=Priority.PAGE, wanted=2, shown=1, ref=REF, changed_at=NOON + MINUTE)
    assert await due(store) == expected
    await show(store, wish(urgency=Priority.NORMAL), at=NOON + MINUTE)
    assert await due(store) == replace(expected, wanted=3)


async def test_a_bump_touches_every_card_of_the_subject(store: Store) -> None:
    await show(store, wish(), wish(where=INC), wish("alert:a-other"))
    await store.write(lambda tx: tx.bump("alert:a-7k2f", NOON))
    cards = await store.read(lambda tx: tx.cards_of("alert:a-7k2f"))
    assert [(card.place.destination, card.wanted) for card in cards] == [(OPS, 2), (INC, 2)]
    assert (await the_card(store, "alert:a-other")).wanted == 1


async def test_a_lagging_card_says_since_when(store: Store) -> None:
    await show(store, wish())
    await store.write(lambda tx: tx.bump("alert:a-7k2f", NOON + MINUTE))
    assert (await the_card(store)).changed_at == NOON
    card = await the_card(store)
    await store.write(lambda tx: tx.shown(card, REF, NOON + MINUTE))
    await store.write(lambda tx: tx.bump("alert:a-7k2f", NOON + 2 * MINUTE))
    assert (await the_card(store)).changed_at == NOON + 2 * MINUTE


async def test_what_moved_on_while_it_was_shown_stays_due(store: Store) -> None:
    await show(store, wish())
    seen = await due(store)
    await store.write(lambda tx: tx.bump("alert:a-7k2f", NOON + SECOND))
    await store.write(lambda tx: tx.shown(seen, REF, NOON + MINUTE))
    left = await due(store, at=NOON + MINUTE)
    assert left == replace(seen, wanted=2, shown=1, ref=REF, changed_at=NOON + MINUTE)


async def test_a_message_found_again_is_shown_at_no_revision(store: Store) -> None:
    await show(store, wish())
    card = await due(store)
    await store.write(lambda tx: tx.shown(replace(card, wanted=0), REF, NOON + MINUTE))
    assert await due(store) == replace(card, ref=REF)


async def test_the_most_urgent_is_due_first_then_the_longest_waiting(store: Store) -> None:
    await show(store, wish("alert:late"), at=NOON + MINUTE)
    await show(store, wish("alert:early"), wish("reply:r", urgency=Priority.ANSWER))
    await show(store, wish("alert:page", urgency=Priority.PAGE), at=NOON + 2 * MINUTE)
    await show(store, wish("alert:elsewhere", INC, Priority.PAGE))
    order = []
    while card := await due(store, at=NOON + 3 * MINUTE):
        order.append(card.subject)
        await store.write(lambda tx, card=card: tx.shown(card, REF, NOON + 3 * MINUTE))
    assert order == ["alert:page", "reply:r", "alert:early", "alert:late"]


async def test_a_postponed_card_waits_and_counts_its_attempts(store: Store) -> None:
    await show(store, wish(), wish("alert:other"), at=NOON)
    card = await due(store)
    assert await store.read(lambda tx: tx.next_try(OPS)) is None
    for until in (NOON + MINUTE, NOON + 2 * MINUTE):
        await store.write(lambda tx, until=until: tx.postpone(card, until, f"429 {NASTY}"))
    assert (await due(store)).subject == "alert:other"
    assert await store.read(lambda tx: (tx.next_try(OPS), tx.next_try(INC))) == (NOON + 2 * MINUTE, None)
    held = replace(card, attempts=2, not_before=NOON + 2 * MINUTE)
    assert await due(store, at=NOON + 2 * MINUTE) == held
    await store.write(lambda tx: tx.bump(card.subject, NOON + MINUTE))
    assert (await the_card(store)).not_before == NOON + 2 * MINUTE  # a change does not lift the wait
    await store.write(lambda tx: tx.shown(replace(held, wanted=2), REF, NOON + 2 * MINUTE))
    assert await the_card(store) == replace(card, wanted=2, shown=2, ref=REF)
    assert await store.read(lambda tx: tx.next_try(OPS)) is None


async def test_a_lost_reference_is_posted_anew(store: Store) -> None:
    await show(store, wish())
    card = await due(store)
    await store.write(lambda tx: tx.shown(card, REF, NOON))
    await store.write(lambda tx: tx.lose(card))
    assert await due(store) == card


async def test_a_buried_card_rests_until_something_changes(store: Store) -> None:
    await show(store, wish(), wish("alert:shown-again"))
    for _ in range(2):
        card = await due(store)
        await store.write(lambda tx, card=card: tx.postpone(card, NOON + MINUTE, "refused"))
        await store.write(lambda tx, card=card: tx.bury(card, "channel is archived"))
    assert await due(store, at=NOON + 9 * MINUTE) is None
    assert await store.read(lambda tx: (tx.busy(), tx.backlog(), tx.unposted(OPS), tx.next_try(OPS))) == (
        frozenset(),
        {},
        (),
        None,
    )
    await store.write(lambda tx: tx.bump("alert:a-7k2f", NOON + 9 * MINUTE))
    await show(store, wish("alert:shown-again"), at=NOON + 9 * MINUTE)
    for subject in ("alert:a-7k2f", "alert:shown-again"):
        risen = await the_card(store, subject)
        assert (risen.wanted, risen.attempts, risen.not_before, risen.changed_at) == (2, 0, None, NOON + 9 * MINUTE)
    assert (await due(store, at=NOON + 9 * MINUTE)).subject == "alert:a-7k2f"


async def test_a_card_knows_the_message_it_is_threaded_under(store: Store) -> None:
    await show(store, wish("op:op-1"), wish("op:op-1", INC))
    parent = await due(store)
    reply = wish("notice:n1", urgency=Priority.PAGE, parent="op:op-1")
    await show(store, reply, replace(reply, place=Place(INC)))
    assert (await due(store)).parent_ref is None
    await store.write(lambda tx: tx.shown(parent, REF, NOON))
    assert (await due(store)).parent_ref == REF
    assert (await due(store, INC)).parent_ref is None


async def test_busy_and_backlog_count_what_is_due(store: Store) -> None:
    await show(store, wish("alert:1"), wish("alert:1", INC))
    await show(store, wish("alert:2"), at=NOON + MINUTE)
    held = await due(store, INC)
    await store.write(lambda tx: tx.postpone(held, NOON + MINUTE, "429"))
    assert await store.read(lambda tx: tx.busy()) == {OPS, INC}
    assert await store.read(lambda tx: dict(tx.backlog())) == {OPS: (2, NOON), INC: (1, NOON)}
    first = await due(store)
    await store.write(lambda tx: tx.shown(first, REF, NOON))
    assert await store.read(lambda tx: dict(tx.backlog())) == {OPS: (1, NOON + MINUTE), INC: (1, NOON)}


async def test_unposted_are_those_never_posted(store: Store) -> None:
    await show(store, wish("alert:posted"))
    posted = await due(store)
    await store.write(lambda tx: tx.shown(posted, REF, NOON))
    await store.write(lambda tx: tx.bump("alert:posted", NOON))
    await show(store, wish("alert:new"), wish("alert:page", urgency=Priority.PAGE), wish("alert:far", INC))
    unposted = await store.read(lambda tx: tx.unposted(OPS))
    assert [card.subject for card in unposted] == ["alert:page", "alert:new"]


async def test_latest_cards_are_the_last_created(store: Store) -> None:
    for number in (1, 3, 2):
        await show(store, wish(f"alert:{number}"), at=NOON + number * MINUTE)
    await show(store, wish("alert:far", INC), at=NOON + 9 * MINUTE)
    await store.write(lambda tx: tx.bump("alert:1", NOON + 9 * MINUTE))
    latest = await store.read(lambda tx: tx.latest_cards(OPS, 2))
    assert [card.subject for card in latest] == ["alert:3", "alert:2"]


async def test_messages_are_kept_and_replaced(store: Store) -> None:
    assert await store.read(lambda tx: tx.message("reply:r1")) is None
    for text in ("first", NASTY):
        said = Message(phrase("{text}: {n}", text=text, n=Quantity(float("inf"), "%"), at=NOON, held=MINUTE))
        await store.write(lambda tx, said=said: tx.put_message("reply:r1", said))
        assert await store.read(lambda tx: tx.message("reply:r1")) == said
