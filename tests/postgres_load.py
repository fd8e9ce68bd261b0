"""Writers on both servers of a real PostgreSQL pair, and what became of the rows that each accepted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from tests.postgres_pair import Node, Pair

EVERYBODY = ("app", "app", "app", "postgres")
"""The application, and a superuser who overrules whatever a session can overrule."""


@dataclass
class Attempt:
    """One write that was accepted: asked and acknowledged, in seconds of the monotonic clock."""

    writer: str
    n: int
    asked: float
    acknowledged: float


@dataclass
class Writer:
    """Writes numbered rows to one server for as long as it is let, and comes again when it is thrown out."""

    node: Node
    name: str
    user: str = "app"
    accepted: list[Attempt] = field(default_factory=list)
    pause: float = 0.002

    def run(self, stop: threading.Event) -> None:
        n = 0
        while not stop.is_set():
            try:
                with psycopg.connect(self.node.url(self.user), autocommit=True) as connection:
                    connection.execute("SET default_transaction_read_only = off")
                    while not stop.is_set():
                        n += 1
                        asked = time.monotonic()
                        connection.execute("INSERT INTO rows (writer, n) VALUES (%s, %s)", (self.name, n))
                        self.accepted.append(Attempt(self.name, n, asked, time.monotonic()))
                        time.sleep(self.pause)
            except psycopg.Error:
                time.sleep(0.01)


@dataclass
class Load:
    """Writers on both servers all the time."""

    pair: Pair
    writers: list[Writer]

    def accepted(self, node: Node) -> list[Attempt]:
        return sorted((a for w in self.writers if w.node is node for a in w.accepted), key=lambda a: a.acknowledged)

    def kept(self, node: Node, by: Node) -> set[tuple[str, int]]:
        """Rows that the writers on *by* were told are written, as *node* has them."""
        names = {w.name for w in self.writers if w.node is by}
        return {(w, n) for w, n in node.sql("SELECT writer, n FROM rows", database="app") if w in names}

    async def exceeds(self, node: Node, count: int) -> bool:
        """Whether more than *count* rows were accepted by *node*."""
        return len(self.accepted(node)) > count

    def lost(self, node: Node, by: Node) -> list[Attempt]:
        """Accepted by *by*, and not there on *node*."""
        kept = self.kept(node, by)
        return [each for each in self.accepted(by) if (each.writer, each.n) not in kept]


@contextmanager
def loaded(pair: Pair, users: tuple[str, ...] = ("app", "app", "app")) -> Iterator[Load]:
    """A writer for each of *users* on each server."""
    made = [
        Writer(node, f"{node.name}-{number}", user)
        for node in pair.nodes for number, user in enumerate(users)
    ]  # fmt: skip
    stop = threading.Event()
    threads = [threading.Thread(target=each.run, args=(stop,), daemon=True) for each in made]
    for thread in threads:
        thread.start()
    try:
        yield Load(pair, made)
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
