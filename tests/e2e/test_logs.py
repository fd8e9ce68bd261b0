"""Logs and events from a simulated department through pult's own process, to both strict chats and the console."""

from __future__ import annotations

import asyncio
import json

from tests.department import OPS, Department, Json, shown, until
from tests.pult_fixtures import Make
from tests.pult_process import Pult

PASSWORD = "simulated-password"
VERA = 1004


async def test_logs_from_loki_and_without_it(pult: Pult, department: Department) -> None:
    said = await pult.ask("vera", "logs api --since 5m")
    assert said["ok"], said
    assert "production (nyc2)" in said["text"]
    assert "level=info" in said["text"]
    await department.fault("drop", "loki")
    helped = await pult.ask("vera", "логи api --за 5m")
    assert helped["ok"], helped
    assert "Loki не отвечает" in helped["text"]
    assert "level=info" in helped["text"]
    await department.fault("region_down", "nyc2")
    away = await pult.ask("vera", "logs api", locale="en")
    assert away["ok"], "the other region is read"
    assert "nyc2 does not answer: what is logged there is not known" in away["text"]
    assert "sfo3/" in away["text"]


async def test_a_crash_in_both_chats(pult: Pult, department: Department) -> None:
    """The panic is marked, the password masked, the whole log attached, what happened told in words."""
    pod = department.simulation.world.clusters.crash("nyc2", "production", "api")  # type: ignore[union-attr]

    async def panics() -> Json | None:
        said = await pult.ask("vera", "logs api --previous", locale="en")
        return said if "panic: runtime error" in said["text"] else None

    said = await until("there is no panic", panics)
    assert "✖" in said["text"]
    happened = await pult.ask("vera", "events api", locale="en")
    assert "failed, and waits before the next try" in happened["text"]
    assert pod in happened["text"]
    await department.slack("slash", user="U0ANNA", channel=OPS, text="logs api --since 5m")
    await department.telegram("say", user=VERA, text="/logs api --since 5m")
    await until("Slack is not answered", lambda: answered(department))
    await until("Telegram is not answered", lambda: department.telegram_messages(VERA, "level="))
    await until("no file was attached", lambda: attached(department))
    assert all(file.count(b"level=") > 100 and PASSWORD.encode() not in file for file in department.uploads())
    everything = json.dumps([said, await department.slack_seen("U0ANNA"), await department.telegram_messages(VERA)])
    assert PASSWORD not in everything


async def answered(department: Department) -> bool:
    return "level=" in json.dumps(await department.slack_seen("U0ANNA"))


async def attached(department: Department) -> bool:
    return len(department.uploads()) == 2


async def test_newer_in_telegram(pult: Pult, department: Department) -> None:
    await department.telegram("say", user=VERA, text="/logs api --since 1m")
    (first,) = await until("Telegram is not answered", lambda: department.telegram_messages(VERA, "level="))
    old = lines(first)
    assert len(old) > 10
    await asyncio.sleep(5)  # Loki gets lines a little late, and pult waits for them
    await department.telegram("press", user=VERA, chat=VERA, button="Новее")

    async def second() -> Json | None:
        return next(iter((await department.telegram_messages(VERA, "новы"))[:1]), None)

    new = lines(await until("nothing newer came", second))
    assert new
    assert not set(old) & set(new)
    assert new[0].split()[0] >= old[-1].split()[0]


def lines(message: Json) -> list[str]:
    return [line.strip(" ✖") for line in shown(message).splitlines() if "level=" in line]


async def test_check_tells_of_loki(make: Make) -> None:
    code, said, _ = await make().run("check")
    assert "ok    loki: Loki 3" in said, said
    assert code in {0, 1}
