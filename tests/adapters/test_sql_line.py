"""A connection that breaks: what is run again, and what never is."""

import sqlite3
from dataclasses import replace

import pytest

from bot.adapters.sql import database
from bot.adapters.sql.database import AwayError, Line, Trouble
from bot.adapters.sql.opening import database_at
from bot.domain.errors import UnavailableError


class Broken(sqlite3.Error):
    """A driver's error of one kind of trouble."""

    def __init__(self, trouble: Trouble | None) -> None:
        super().__init__(f"{trouble}\nSQL and values that nobody should see")
        self.trouble = trouble


class Script:
    """A connection that fails as told: per statement, one trouble for each time it is run."""

    def __init__(self, failures: dict[str, list[Trouble | None]]) -> None:
        self.failures, self.log = failures, []

    def connect(self) -> "Script":
        self.log.append("connect")
        return self

    def execute(self, sql: str, values: tuple) -> "Script":
        word = sql.split(maxsplit=1)[0]
        self.log.append(word)
        if self.failures.get(word):
            raise Broken(self.failures[word].pop(0))
        return self

    def close(self) -> None:
        self.log.append("close")


def line_of(script: Script, *, reading: bool = False, committed: bool = True) -> Line:
    real = database_at("sqlite:///unused.db")
    judge = lambda error: getattr(error, "trouble", None)  # noqa: E731
    faulty = replace(
        real, connect=script.connect, connect_reader=script.connect, judge=judge, committed=lambda _: committed
    )
    return Line(faulty, reading=reading)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PAUSE", 0.0)


def test_a_connection_is_kept() -> None:
    script = Script({})
    line = line_of(script)
    assert [line.run(lambda tx: 1), line.run(lambda tx: 2)] == [1, 2]
    assert script.log == ["connect", "BEGIN", "COMMIT", "BEGIN", "COMMIT"]


def test_a_conflict_is_run_again_on_the_same_connection() -> None:
    script = Script({"COMMIT": [Trouble.CONFLICT], "BEGIN": [Trouble.CONFLICT]})
    assert line_of(script).run(lambda tx: 1) == 1
    assert script.log == ["connect", "BEGIN", "ROLLBACK", "BEGIN", "COMMIT", "ROLLBACK", "BEGIN", "COMMIT"]


def test_a_lost_connection_is_replaced_and_the_work_run_again() -> None:
    script = Script({"BEGIN": [Trouble.LOST]})
    assert line_of(script).run(lambda tx: 1) == 1
    assert script.log == ["connect", "BEGIN", "close", "connect", "BEGIN", "COMMIT"]


def test_a_commit_that_may_have_happened_is_never_run_again() -> None:
    script, runs = Script({"COMMIT": [Trouble.LOST]}), []
    with pytest.raises(UnavailableError, match="unknown"):
        line_of(script).run(runs.append)
    assert len(runs) == 1
    assert script.log == ["connect", "BEGIN", "COMMIT", "close"]


def test_conflicts_without_end_are_given_up() -> None:
    script = Script({"COMMIT": [Trouble.CONFLICT] * 99})
    with pytest.raises(AwayError):
        line_of(script).run(lambda tx: 1)
    assert script.log.count("BEGIN") == database.TRIES


def test_a_clash_that_stays_is_the_callers_own() -> None:
    script = Script({"BEGIN": [Trouble.CLASH] * 99})
    with pytest.raises(Broken):
        line_of(script).run(lambda tx: 1)
    assert script.log.count("BEGIN") == database.TRIES


@pytest.mark.parametrize("word", ["BEGIN", "COMMIT"])
def test_trouble_is_told_in_one_line(word: str) -> None:
    with pytest.raises(AwayError) as caught:
        line_of(Script({word: [Trouble.AWAY]})).run(lambda tx: 1)
    assert str(caught.value) == "Trouble.AWAY"


def test_a_broken_transaction_is_not_called_committed() -> None:
    with pytest.raises(AwayError, match="before its commit"):
        line_of(Script({}), committed=False).run(lambda tx: 1)


def test_a_reader_ends_without_a_commit() -> None:
    script = Script({})
    assert line_of(script, reading=True).run(lambda tx: 1) == 1
    assert script.log == ["connect", "BEGIN", "ROLLBACK"]


def test_a_rollback_that_fails_drops_the_connection() -> None:
    script = Script({"ROLLBACK": [None]})
    line = line_of(script)

    def fails(tx):
        raise LookupError

    with pytest.raises(LookupError):
        line.run(fails)
    assert line.run(lambda tx: 1) == 1
    assert script.log == ["connect", "BEGIN", "ROLLBACK", "close", "connect", "BEGIN", "COMMIT"]
