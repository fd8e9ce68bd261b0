"""Events, alert groups and releases, on every store."""

from dataclasses import replace

import pytest

from bot.ports.store import Store
from tests.contracts.samples import MINUTE, NASTY, NOON, alert, event, group, release


async def test_an_event_of_a_known_key_is_refused_once_and_for_all(store: Store) -> None:
    assert await store.write(lambda tx: tx.put_event(event("e1", key="delivery-1")))
    assert not await store.write(lambda tx: tx.put_event(event("e2", key="delivery-1")))
    assert await store.write(lambda tx: tx.put_event(event("e3", key="delivery-1", source="github")))


async def test_events_without_a_key_are_all_taken(store: Store) -> None:
    assert await store.write(lambda tx: [tx.put_event(event(name)) for name in ("e1", "e2")]) == [True, True]


async def test_a_duplicate_leaves_the_rest_of_its_transaction_standing(store: Store) -> None:
    await store.write(lambda tx: tx.put_event(event("e1", key="k")))

    def work(tx):
        tx.save_group(group())
        return tx.put_event(event("e2", key="k")), tx.group("a-7k2f")

    assert await store.write(work) == (False, group())
    assert await store.read(lambda tx: tx.group("a-7k2f")) == group()


async def test_long_keys_are_told_apart_and_found_again(store: Store) -> None:
    one, two = "k" * 9_000 + "1", "k" * 9_000 + "2"
    assert await store.write(lambda tx: tx.put_event(event("e1", key=one)))
    assert await store.write(lambda tx: tx.put_event(event("e2", key=two)))
    assert not await store.write(lambda tx: tx.put_event(event("e3", key=one)))
    await store.write(lambda tx: [tx.save_group(group("a-1", key=one)), tx.save_group(group("a-2", key=two))])
    found = await store.read(lambda tx: [tx.latest_group(key) for key in (one, two)])
    assert found == [group("a-1", key=one), group("a-2", key=two)]


async def test_a_saved_group_comes_back_equal_and_can_change(store: Store) -> None:
    first = group()
    await store.write(lambda tx: tx.save_group(first))
    assert await store.read(lambda tx: tx.group(first.id)) == first
    many = {f"fp{n}": alert(f"fp{n}", instance=f"i{n}") for n in range(300)}
    later = replace(first, alerts=many, closed_at=NOON + MINUTE, seen={"fp1": NOON})
    await store.write(lambda tx: tx.save_group(later))
    assert await store.read(lambda tx: (tx.group(first.id), tx.latest_group(first.key))) == (later, later)


async def test_no_group_is_none(store: Store) -> None:
    assert (
        await store.read(lambda tx: (tx.group("a-0000"), tx.latest_group("?"), tx.release("api", "0"))) == (None,) * 3
    )


async def test_the_latest_group_of_a_key_is_its_last_episode(store: Store) -> None:
    episodes = [group(f"a-{n}", opened=NOON - n * MINUTE, episode=n) for n in (3, 1, 2)]
    await store.write(lambda tx: [tx.save_group(each) for each in episodes])
    latest = await store.read(lambda tx: tx.latest_group("am:{}"))
    assert latest is not None
    assert latest.id == "a-3"


async def test_open_and_recent_groups_are_in_order_of_opening(store: Store) -> None:
    made = [group(f"a-{n}", key=f"k{n}", opened=NOON + n * MINUTE) for n in (2, 0, 3, 1)]
    made[0] = replace(made[0], closed_at=NOON + 9 * MINUTE)
    await store.write(lambda tx: [tx.save_group(each) for each in made])
    opened, recent = await store.read(lambda tx: (tx.open_groups(), tx.recent_groups(3)))
    assert [each.id for each in opened] == ["a-0", "a-1", "a-3"]
    assert [each.id for each in recent] == ["a-3", "a-2", "a-1"]


async def test_two_groups_cannot_be_the_same_episode(store: Store) -> None:
    await store.write(lambda tx: tx.save_group(group("a-1")))
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.write(lambda tx: tx.save_group(group("a-2")))
    assert await store.read(lambda tx: tx.group("a-2")) is None


async def test_releases_are_kept_per_service_and_version_the_latest_first(store: Store) -> None:
    told = [release("1.7.2"), release("1.8.0", at=NOON + MINUTE), release("2.0", "web", NOON + 2 * MINUTE)]
    await store.write(lambda tx: [tx.save_release(each) for each in told])
    newer = replace(told[0], stage="released", at=NOON + 3 * MINUTE)
    await store.write(lambda tx: tx.save_release(newer))
    assert await store.read(lambda tx: tx.release("api", "1.7.2")) == newer
    assert await store.read(lambda tx: tx.releases("api")) == (newer, told[1])
    assert await store.read(lambda tx: tx.releases(limit=2)) == (newer, told[2])


async def test_the_nastiest_text_is_stored_and_found(store: Store) -> None:
    odd = replace(group(key=NASTY), labels={NASTY: NASTY})
    await store.write(lambda tx: (tx.put_event(event(key=NASTY)), tx.save_group(odd)))
    await store.write(lambda tx: tx.save_release(release(NASTY, NASTY)))
    assert await store.read(lambda tx: tx.latest_group(NASTY)) == odd
    assert await store.read(lambda tx: tx.release(NASTY, NASTY)) == release(NASTY, NASTY)
    assert not await store.write(lambda tx: tx.put_event(event("e2", key=NASTY)))
