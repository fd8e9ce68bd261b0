"""What is PostgreSQL's own: several stores on one database, lost connections, failed servers."""

import asyncio
import re
from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

from bot.adapters.sql import SqlStore, open_store
from bot.adapters.sql.database import Trouble
from bot.adapters.sql.opening import database_at
from bot.adapters.sql.postgres import judge
from bot.adapters.sql.statements import Prepared
from bot.domain.audit import verify
from bot.domain.errors import NotReadyError, UnavailableError
from bot.domain.leases import CHANGED
from tests.contracts.samples import NOON, OPS, deed, event, group, wish
from tests.postgres import Server

pytestmark = pytest.mark.postgres


async def test_two_stores_write_one_chain_and_lose_no_bump(postgres_url: str) -> None:
    async def burst(store: SqlStore, name: str) -> None:
        for number in range(40):

            def work(tx, number=number):
                tx.append(deed(f"{name}{number}"))
                tx.bump("alert:a-7k2f", NOON)
                return tx.put_event(event(f"{name}{number}", key=f"same{number}"))

            taken.append(await store.write(work))

    taken: list[bool] = []
    async with open_store(postgres_url) as one, open_store(postgres_url) as two:
        await one.write(lambda tx: tx.show(wish(), NOON))
        async with asyncio.TaskGroup() as tasks:
            for index, store in enumerate((one, two, one, two)):
                tasks.create_task(burst(store, f"s{index}-"))
        entries = await two.read(lambda tx: tuple(tx.entries()))
        (card,) = await two.read(lambda tx: tx.cards_of("alert:a-7k2f"))
    assert len({entry.deed.target for entry in entries}) == len(entries) == 160
    verify(entries)
    assert card.wanted == 161
    assert taken.count(True) == 40


async def test_connections_lost_between_transactions_are_not_noticed(
    postgres_server: Server, postgres_url: str
) -> None:
    async with open_store(postgres_url) as store:
        for _ in range(2):
            await store.write(lambda tx: tx.save_group(group()))
            assert await store.read(lambda tx: tx.group("a-7k2f")) == group()
            postgres_server.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pult'"
            )


async def test_a_connection_lost_in_the_middle_is_run_again_once(postgres_server: Server, postgres_url: str) -> None:
    runs: list[int] = []

    def cut(tx):
        tx.append(deed())
        runs.append(1)
        if len(runs) == 1:
            postgres_server.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pult'"
            )
        return tx.append(deed()).number

    async with open_store(postgres_url) as store:
        assert await store.write(cut) == 2
        assert len(await store.read(lambda tx: tuple(tx.entries()))) == 2
    assert len(runs) == 2


async def test_while_the_server_is_down_the_store_is_away(postgres_server: Server, postgres_url: str) -> None:
    async with open_store(postgres_url) as store:
        await store.write(lambda tx: tx.put_event(event("e1", key="k")))
        postgres_server.stop()
        try:
            for attempt in (store.ping, lambda: store.read(lambda tx: tx.busy())):
                with pytest.raises(UnavailableError):
                    await attempt()
        finally:
            postgres_server.start()
        await store.ping()
        assert not await store.write(lambda tx: tx.put_event(event("e2", key="k")))


async def test_of_several_hosts_the_one_that_takes_writes_is_used(postgres_server: Server, postgres_url: str) -> None:
    url = f"postgresql://pult@127.0.0.1:1,127.0.0.1:{postgres_server.port}/pult"
    async with open_store(url) as store:
        await store.ping()


async def test_a_store_without_its_schema_names_the_remedy(postgres_server: Server) -> None:
    with pytest.raises(NotReadyError, match="pult db upgrade"):
        async with open_store(postgres_server.create("empty")):
            pass


async def test_a_server_that_is_not_there_is_named_without_its_password() -> None:
    with pytest.raises(NotReadyError, match=r"can't be opened.*refused") as caught:
        async with open_store("postgresql://pult:hunter2@127.0.0.1:1/pult"):
            pass
    assert "hunter2" not in str(caught.value)


async def test_due_goes_by_its_index_among_many_cards(postgres_server: Server, postgres_url: str) -> None:
    async with open_store(postgres_url) as store:
        await store.write(lambda tx: [tx.show(wish(f"alert:{n}"), NOON) for n in range(3000)])
    postgres_server.sql("UPDATE cards SET shown = 1 WHERE subject <> 'alert:7'", "pult")
    postgres_server.sql("ANALYZE cards", "pult")
    statement = database_at(postgres_url).statements.cards.due
    with psycopg.connect(postgres_url) as connection:
        values = statement.pick({"destination": OPS, "now": 0})
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {statement.sql}", values))
    assert "cards_due" in plan
    assert "Seq Scan on cards " not in plan


@pytest.mark.parametrize(
    ("state", "trouble"),
    [
        ("40001", Trouble.CONFLICT),
        ("40P01", Trouble.CONFLICT),
        ("23505", Trouble.CLASH),
        ("57P01", Trouble.LOST),
        ("08006", Trouble.LOST),
        ("53100", Trouble.AWAY),
        ("25006", Trouble.LOST),
        ("57014", Trouble.AWAY),
        ("42P01", None),
        ("22003", None),
    ],
)
def test_sqlstates_are_judged(state: str, trouble: Trouble | None) -> None:
    assert judge(psycopg.errors.lookup(state)()) is trouble


def test_errors_without_a_sqlstate_are_judged() -> None:
    assert judge(psycopg.OperationalError("the connection is closed")) is Trouble.LOST
    assert judge(psycopg.ProgrammingError()) is None
    assert judge(ValueError()) is None


FILL = (
    """INSERT INTO groups SELECT 'a-' || n, 'k' || n, 1, n, CASE WHEN n < 19900 THEN n + 1 END, '{}', 'HighErrors',
       'api', NULL, 0, 'words' FROM generate_series(1, 20000) n""",
    """INSERT INTO cards SELECT 'alert:a-' || n, 'slack:C0' || d, '{}', 3, 2, CASE WHEN n % 500 = 0 THEN 1 ELSE 2 END,
       '[]', 0, '', n, n, NULL, 0, '' FROM generate_series(1, 20000) n, generate_series(1, 2) d""",
    """INSERT INTO cards SELECT 'reply:' || n, 'slack:U0' || n % 9, '{}', 3, 1, 1, '[]', 0, '', n, n, NULL, 0, ''
       FROM generate_series(1, 20000) n""",
    "INSERT INTO messages SELECT 'reply:' || n, '{}' FROM generate_series(1, 20000) n",
    "INSERT INTO events SELECT n, 'e' || n, 'alertmanager', '', '' FROM generate_series(1, 20000) n",
    "INSERT INTO requests SELECT 'r' || n, n, n, '{}' FROM generate_series(1, 20000) n",
    "INSERT INTO timers SELECT 'ack', 'a-' || n, n FROM generate_series(1, 20000) n",
    "INSERT INTO storms SELECT 'st-' || n, 'slack:C01', n, '{}' FROM generate_series(1, 2000) n",
    """INSERT INTO gathered SELECT 'st-' || n / 10, 'a-' || n, 'n', 's', 'warning', 0, 0, ''
       FROM generate_series(1, 20000) n""",
    "ANALYZE",
)
GIVEN = {
    "before": 100, "limit": 100, "destination": "slack:C01", "since": 19_990, "until": 20_000, "now": 9, "id": "a-7",
    "kind": "ack", "ident": "a-7", "storm": "st-7", "group_id": "a-7",
}  # fmt: skip
ASKED = {
    "chronicle": (
        "new_alerts", "past", "past_group", "records", "storm", "open_storm", "gathered", "forgetting",
    ),
    "timetable": ("ripe_timers", "timer"),
    "facts": ("latest_group", "open_groups", "recent_groups"),
}  # fmt: skip
LARGE = "groups|cards|messages|events|requests|timers|gathered"
"""Storms are few: one or two a month."""


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_nothing_reads_a_large_table_from_end_to_end(postgres_url: str, mode: str) -> None:
    """Neither with the values at hand nor, as the driver's prepared statements come to be planned, without them."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for statement in (*FILL, f"SET plan_cache_mode = {mode}"):
            connection.execute(statement)
        plans = {name: _plan(connection, made) for name, made in _asked(postgres_url)}
    slow = {name: plan for name, plan in plans.items() if re.search(rf"Seq Scan on ({LARGE})\b", plan)}
    assert slow == {}, "\n\n".join(map(str, slow.items()))
    assert re.search("Limit.*Index.* Scan using cards_recent", plans["new_alerts"], re.DOTALL), "it stops at the limit"
    assert "timers_ripe" in plans["ripe_timers"]


def _asked(url: str) -> Iterator[tuple[str, Prepared]]:
    for owner, names in ASKED.items():
        for name in names:
            made = getattr(getattr(database_at(url).statements, owner), name)
            if isinstance(made, Prepared):
                yield name, made
            else:
                yield from ((f"{name}[{at}]", each) for at, each in enumerate(made(100)))


def _plan(connection: psycopg.Connection, made: Prepared) -> str:
    values = made.pick({"key": "k7", **GIVEN})
    numbers = count(1)
    connection.execute(f"PREPARE asked AS {re.sub('%s', lambda _: f'${next(numbers)}', made.sql)}")
    literals = ", ".join(str(value) if isinstance(value, int) else f"'{value}'" for value in values)
    rows = connection.execute(f"EXPLAIN EXECUTE asked({literals})" if values else "EXPLAIN EXECUTE asked").fetchall()
    connection.execute("DEALLOCATE asked")
    return "\n".join(line for (line,) in rows)


async def test_whoever_listens_anew_is_told_that_it_may_have_missed_something(
    postgres_server: Server, postgres_url: str
) -> None:
    """What is told while a connection is lost comes to nobody, and nobody asks for it later."""
    heard: asyncio.Queue[frozenset[str]] = asyncio.Queue()
    async with open_store(postgres_url) as one, open_store(postgres_url) as two:
        two.on_commit(heard.put_nowait)
        for _ in range(2):
            listening = asyncio.create_task(two.listen())
            async with asyncio.timeout(10):
                assert await heard.get() == {CHANGED}
                await one.write(lambda tx: tx.show(wish(), NOON))
                assert await heard.get() == {wish().place.lane}
            postgres_server.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pult'"
            )
            with pytest.raises(UnavailableError):
                await listening
