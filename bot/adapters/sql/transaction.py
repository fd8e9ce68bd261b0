"""A transaction with every table, and the statements it runs."""

from __future__ import annotations

from sqlalchemy import Dialect, delete

from bot.adapters.sql.card_statements import CardStatements
from bot.adapters.sql.cards import Cards
from bot.adapters.sql.chronicle import Chronicle, ChronicleStatements
from bot.adapters.sql.deployments import Deployments, DeploymentStatements
from bot.adapters.sql.facts import Facts, FactStatements
from bot.adapters.sql.leases import Leases, LeaseStatements
from bot.adapters.sql.schema import metadata
from bot.adapters.sql.statements import Connection, Speech
from bot.adapters.sql.timetable import Timetable, TimetableStatements
from bot.adapters.sql.work import Work, WorkStatements


class Statements:
    """Every statement, compiled for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        speech = Speech(dialect)
        self.facts = FactStatements(speech)
        self.cards = CardStatements(speech)
        self.work = WorkStatements(speech)
        self.timetable = TimetableStatements(speech)
        self.chronicle = ChronicleStatements(speech)
        self.deployments = DeploymentStatements(speech)
        self.leases = LeaseStatements(speech)


class SqlTx(Facts, Cards, Work, Timetable, Chronicle, Deployments, Leases):
    """The ``Tx`` port."""

    def __init__(self, connection: Connection, statements: Statements) -> None:
        super().__init__(connection)
        self._facts, self._cards, self._work = statements.facts, statements.cards, statements.work
        self._timetable, self._chronicle = statements.timetable, statements.chronicle
        self._deployments, self._leases = statements.deployments, statements.leases

    def empty(self) -> None:
        """Forget everything."""
        for table in metadata.sorted_tables:
            self._connection.execute(str(delete(table)), ())
