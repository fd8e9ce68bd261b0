"""Deployments, on every store."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.domain.releases import Fate
from bot.ports.store import Store
from tests.contracts.samples import MINUTE, NASTY, NOON, deployment, release


async def test_a_deployment_comes_back_equal_and_its_row_follows_its_fate(store: Store) -> None:
    begun = deployment()
    await store.write(lambda tx: tx.save_deployment(begun))
    assert await store.read(lambda tx: tx.deployments("api")) == (begun,)
    good = replace(begun, fate=Fate.GOOD, at=NOON + MINUTE, since=NOON + MINUTE, commit="1e5f37c0de")
    await store.write(lambda tx: tx.save_deployment(good))
    assert await store.read(lambda tx: tx.deployments("api")) == (good,)
    assert await store.read(lambda tx: tx.deployments_of("api", "1.8.0")) == (good,)


async def test_each_operation_has_a_row_in_each_environment(store: Store) -> None:
    made = [
        deployment(),
        replace(deployment(), environment="production-sfo3"),
        replace(deployment(), operation="op-again"),
        replace(deployment(), service="web"),
    ]
    await store.write(lambda tx: [tx.save_deployment(each) for each in made])
    assert await store.read(lambda tx: len(tx.deployments("api"))) == 3
    assert await store.read(lambda tx: tx.deployments("web")) == (made[3],)


async def test_what_was_only_heard_of_has_a_row_for_each_version_and_environment(store: Store) -> None:
    heard = replace(deployment(), operation="")
    others = [replace(heard, version="1.9.0"), replace(heard, environment="staging"), deployment()]
    await store.write(lambda tx: [tx.save_deployment(each) for each in (heard, *others)])
    again = replace(heard, fate=Fate.BAD, at=NOON + MINUTE)
    await store.write(lambda tx: tx.save_deployment(again))
    found = await store.read(lambda tx: tx.deployments("api"))
    assert found[0] == again
    assert set(found[1:]) == set(others)


async def test_the_latest_change_first_of_one_environment_or_of_all(store: Store) -> None:
    where = ("staging", "production", "production", "staging", "production")
    made = [deployment(f"1.{n}", place, NOON + n * MINUTE) for n, place in enumerate(where)]
    await store.write(lambda tx: [tx.save_deployment(each) for each in made])
    await store.write(lambda tx: tx.save_deployment(replace(made[1], at=NOON + 9 * MINUTE)))

    async def found(environment: str = "", limit: int = 20) -> list[str]:
        rows = await store.read(lambda tx: tx.deployments("api", environment, limit))
        return [row.version for row in rows]

    assert await found() == ["1.1", "1.4", "1.3", "1.2", "1.0"]
    assert await found("production") == ["1.1", "1.4", "1.2"]
    assert await found("production", limit=1) == ["1.1"]
    assert await found(limit=2) == ["1.1", "1.4"]
    assert await found("test") == []
    assert await store.read(lambda tx: tx.deployments("web")) == ()


async def test_everywhere_a_version_went_in_the_order_it_was_sent_there(store: Store) -> None:
    went = [deployment(environment=place, at=NOON + n * MINUTE) for n, place in enumerate(("staging", "nyc2", "sfo3"))]
    for each in reversed(went):  # written in another order than they are of
        await store.write(lambda tx, each=each: tx.save_deployment(each))
    back = replace(went[0], fate=Fate.BACK, at=NOON + timedelta(hours=1))
    await store.write(lambda tx: (tx.save_deployment(back), tx.save_deployment(deployment("1.9.0"))))
    assert await store.read(lambda tx: tx.deployments_of("api", "1.8.0")) == (back, *went[1:])
    assert await store.read(lambda tx: tx.deployments_of("api", "0")) == ()


async def test_a_deployment_is_written_with_the_rest_of_its_transaction_or_not_at_all(store: Store) -> None:
    def work(tx):
        tx.save_release(release())
        tx.save_deployment(deployment())
        assert tx.deployments("api") == (deployment(),)
        raise KeyError("too late")

    with pytest.raises(KeyError):
        await store.write(work)
    assert await store.read(lambda tx: (tx.deployments("api"), tx.releases("api"))) == ((), ())


async def test_the_nastiest_names_are_stored_and_found_and_the_longest_told_apart(store: Store) -> None:
    odd = replace(deployment(NASTY, NASTY), operation="")
    await store.write(lambda tx: tx.save_deployment(odd))
    assert await store.read(lambda tx: tx.deployments("api", NASTY)) == (odd,)
    assert await store.read(lambda tx: tx.deployments_of("api", NASTY)) == (odd,)
    long = [replace(odd, version="v" * 9_000 + end, environment="e" * 9_000 + end) for end in "12"]
    await store.write(lambda tx: [tx.save_deployment(each) for each in long])
    for each in long:
        assert await store.read(lambda tx, each=each: tx.deployments("api", each.environment)) == (each,)
        assert await store.read(lambda tx, each=each: tx.deployments_of("api", each.version)) == (each,)


async def test_a_part_that_ends_where_another_begins_makes_no_two_rows_one(store: Store) -> None:
    heard = replace(deployment(), operation="")
    made = [
        replace(heard, environment="a\nversion b", version="c"),
        replace(heard, environment="a", version="b\nversion c"),
    ]
    await store.write(lambda tx: [tx.save_deployment(each) for each in made])
    assert await store.read(lambda tx: len(tx.deployments("api"))) == 2
