"""A program that is the floor: aiohttp and uvloop, one SQLite group commit, one answer; with ``--slack`` one post.

Nothing in it can be left out by anything that answers only after the event is on the disk.
"""

from __future__ import annotations

import argparse
import asyncio
import queue
import sqlite3
import threading
import time
from hmac import compare_digest
from pathlib import Path
from uuid import uuid4

import orjson
import uvloop
from aiohttp import ClientSession, web

from tests.bench.sender import TOKEN

Job = tuple[tuple[str, int, bytes], asyncio.Future[None]]
MOST_AT_ONCE = 256


class Commits(threading.Thread):
    """One thread: whatever was queued while the last commit was under way goes into the next."""

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(daemon=True)
        self._path, self._loop = path, loop
        self._queue: queue.SimpleQueue[Job] = queue.SimpleQueue()

    def put(self, row: tuple[str, int, bytes]) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._loop.create_future()
        self._queue.put((row, future))
        return future

    def run(self) -> None:
        database = sqlite3.connect(self._path, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4000"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("CREATE TABLE events (id TEXT PRIMARY KEY, at INTEGER, body BLOB) WITHOUT ROWID")
        while True:
            jobs = [self._queue.get()]
            while not self._queue.empty() and len(jobs) < MOST_AT_ONCE:
                jobs.append(self._queue.get())
            database.execute("BEGIN IMMEDIATE")
            for row, _ in jobs:
                database.execute("INSERT INTO events VALUES (?, ?, ?)", row)
            database.execute("COMMIT")
            self._loop.call_soon_threadsafe(_settle, jobs)


def _settle(jobs: list[Job]) -> None:
    for _, future in jobs:
        if not future.done():
            future.set_result(None)


class Floor:
    """The handler. *slack*: where to post each event, empty for nowhere."""

    def __init__(self, commits: Commits, slack: str, session: ClientSession) -> None:
        self._commits, self._slack, self._session = commits, slack, session
        self._posts: set[asyncio.Task[None]] = set()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not compare_digest(request.headers.get("Authorization", ""), f"Bearer {TOKEN}"):
            return web.Response(status=401)
        told, ident = orjson.loads(body), uuid4().hex
        await self._commits.put((ident, time.time_ns(), body))
        if self._slack:
            post = asyncio.create_task(self._post(told["alerts"][0]["labels"]["service"]))
            self._posts.add(post)
            post.add_done_callback(self._posts.discard)
        return web.json_response({"status": "accepted", "event": ident})

    async def _post(self, text: str) -> None:
        said = {"channel": "C0OPS", "text": text}
        async with self._session.post(f"{self._slack}chat.postMessage", json=said) as answer:
            await answer.read()


async def _main(given: argparse.Namespace) -> None:
    commits = Commits(given.store, asyncio.get_running_loop())
    commits.start()
    async with ClientSession() as session:
        app = web.Application()
        app.add_routes([web.post("/webhooks/alertmanager", Floor(commits, given.slack, session).handle)])
        runner = web.AppRunner(app, access_log=None, handle_signals=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("--slack", default="")
    uvloop.run(_main(parser.parse_args()))


if __name__ == "__main__":
    main()
