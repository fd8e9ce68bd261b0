"""Leases, replicas and what a dead one left, on every store."""

from dataclasses import replace
from datetime import timedelta

from bot.domain.leases import Lease, Replica, Tenure
from bot.domain.phrases import Code, phrase
from bot.ports.store import Store
from tests.contracts.samples import MINUTE, NASTY, NOON, request

LONG, OVER = timedelta(minutes=1), timedelta(0)
ONE, TWO = Replica("b1", "pult-0"), Replica("b2", "pult-1")


async def test_a_lease_has_one_owner_and_a_new_epoch_each_time_it_changes_hands(store: Store) -> None:
    first = await store.write(lambda tx: tx.take("lane-00", "b1", LONG))
    assert await store.read(lambda tx: tx.holds(first))
    assert await store.read(lambda tx: tx.tenures()) == (Tenure("lane-00", "b1", 1, live=True),)
    second = await store.write(lambda tx: tx.take("lane-00", "b2", LONG))
    assert (first, second) == (Lease("lane-00", 1), Lease("lane-00", 2))
    assert await store.read(lambda tx: (tx.holds(first), tx.holds(second))) == (False, True)
    assert not await store.read(lambda tx: tx.holds(Lease("lane-01", 1)))


async def test_a_lease_that_ran_out_still_holds_until_somebody_takes_it(store: Store) -> None:
    lease = await store.write(lambda tx: tx.take("duties", "b1", OVER))
    assert await store.read(lambda tx: tx.tenures()) == (Tenure("duties", "b1", 1, live=False),)
    assert await store.read(lambda tx: tx.holds(lease))
    await store.write(lambda tx: tx.renew("b1", LONG))
    assert await store.read(lambda tx: tx.tenures()) == (Tenure("duties", "b1", 1, live=True),)


async def test_only_the_owner_gives_a_lease_up(store: Store) -> None:
    await store.write(lambda tx: tx.take("duties", "b1", LONG))
    await store.write(lambda tx: tx.give_up("duties", "b2"))
    assert await store.read(lambda tx: tx.tenures()) == (Tenure("duties", "b1", 1, live=True),)
    await store.write(lambda tx: tx.give_up("duties", "b1"))
    assert await store.read(lambda tx: tx.tenures()) == (Tenure("duties", "", 1, live=False),)


async def test_replicas_count_while_they_say_so(store: Store) -> None:
    troubled = replace(TWO, leaving=True, trouble={"slack:C0INC": phrase("{what}: mend it", what=Code(NASTY))})
    assert await store.write(lambda tx: [tx.enlist(each, LONG) for each in (TWO, ONE)]) == [True, True]
    assert not await store.write(lambda tx: tx.enlist(troubled, LONG))
    one, two = await store.read(lambda tx: tx.replicas())
    assert (one, two.boot, two.leaving) == (ONE, "b2", True)
    why = two.trouble["slack:C0INC"]
    assert why.text == "{what}: mend it", "a phrase, for each reader to read in their own language"
    assert "тест \U0001f525" in why.plain()
    await store.write(lambda tx: tx.enlist(TWO, OVER))
    assert await store.read(lambda tx: tx.replicas()) == (ONE,)


async def test_who_starts_takes_what_an_earlier_boot_of_its_name_and_the_dead_held(store: Store) -> None:
    dead = Replica("b3", "pult-2")
    for each, length in ((ONE, LONG), (TWO, LONG), (dead, OVER)):
        await store.write(lambda tx, each=each, length=length: tx.enlist(each, length))
        await store.write(lambda tx, boot=each.boot: tx.take(f"lease of {boot}", boot, LONG))
    again = Replica("b4", "pult-0")
    assert await store.write(lambda tx: tx.enlist(again, LONG))
    assert await store.read(lambda tx: tx.replicas()) == (again, TWO)
    owners = {each.name: each.owner for each in await store.read(lambda tx: tx.tenures())}
    assert owners == {"lease of b1": "", "lease of b2": "b2", "lease of b3": ""}


async def test_which_platforms_a_replica_does_not_reach_is_told_and_taken_back(store: Store) -> None:
    for told in (frozenset({"slack", "telegram"}), frozenset()):
        deaf = replace(ONE, unreached=told)
        await store.write(lambda tx, deaf=deaf: tx.enlist(deaf, LONG))
        assert await store.read(lambda tx: tx.replicas()) == (deaf,)


async def test_who_resigns_is_gone_and_holds_nothing(store: Store) -> None:
    await store.write(lambda tx: (tx.enlist(ONE, LONG), tx.take("duties", "b1", LONG)))
    heard: list[frozenset[str]] = []
    store.on_commit(heard.append)
    await store.write(lambda tx: tx.resign("b1"))
    assert await store.read(lambda tx: tx.replicas()) == ()
    assert await store.read(lambda tx: [each.owner for each in tx.tenures()]) == [""]
    assert heard == [frozenset({"leases:"})]


async def test_what_a_dead_replica_was_asked_becomes_the_takers_in_order(store: Store) -> None:
    asked = [request(f"slack:Ev{n}", NOON + n * MINUTE) for n in range(4)]
    await store.write(lambda tx: (tx.enlist(ONE, LONG), tx.enlist(TWO, LONG)))
    for one, owner in zip(asked, ("dead", "b2", "", "dead"), strict=True):
        assert await store.write(lambda tx, one=one, owner=owner: tx.put_request(one, owner))
    assert await store.write(lambda tx: tx.answered("slack:Ev3", NOON + 9 * MINUTE))
    assert not await store.write(lambda tx: tx.answered("slack:Ev3", NOON + 9 * MINUTE))
    assert await store.write(lambda tx: tx.take_over("b1")) == (asked[0], asked[2])
    assert await store.write(lambda tx: tx.take_over("b1")) == ()
    assert await store.read(lambda tx: [tx.asked_of(each.id) for each in asked]) == ["b1", "b2", "b1", "dead"]
    assert await store.read(lambda tx: tx.asked_of("never heard")) == ""
