"""Commands that only look: what a person reads, with everything well and with everything away."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.failover import Sight
from bot.domain.messages import Tone
from bot.domain.oncall import Shift
from bot.domain.operations import State
from bot.domain.phrases import phrase
from bot.domain.releases import Deployment, Fate
from tests.handlers.department import API, WEB, WEB_SFO3, Check, Department, alert, read
from tests.handlers.fakes import NOON, digest

DAY30, M5, H1, H6, D3 = "2592000s", "300s", "3600s", "21600s", "259200s"
NAMES = ("api", "web", "anna", "boris", "promote", "nyc2")


def counts(department: Department, prefix: str, total: float, bad: float, hour_bad: float | None = None) -> None:
    """The same share in each window, except the last hour."""
    for window in (DAY30, M5, H1, H6, D3, "86400s"):
        department.metrics.answers[f"{prefix}total[{window}]"] = total
        department.metrics.answers[f"{prefix}bad[{window}]"] = bad
    if hour_bad is not None:
        department.metrics.answers[f"{prefix}bad[{H1}]"] = hour_bad


async def test_help(department: Department, reads_as: Check) -> None:
    reads_as("commands/help", await department.say("anna", "help"))
    reads_as("commands/help-viewer", await department.say("vera", "help"))
    reads_as("commands/help-promote", await department.say("anna", "help promote"))


async def test_help_in_other_words(department: Department) -> None:
    everything = await department.say("anna", "help")
    for words in ("помощь", "/help", "?", "/start", "", "HELP"):
        assert await department.say("anna", words) == everything
    assert await department.say("anna", "help выкатить") == await department.say("anna", "help /promote")


async def test_every_command_explains_itself(department: Department) -> None:
    for line in (await department.say("anna", "help")).splitlines():
        if line.startswith("- "):
            name = line.removeprefix("- ").split()[0].strip(":")
            assert name in await department.say("anna", f"help {name}")


async def test_help_on_what_there_is_not(department: Department) -> None:
    assert "restart" in await department.say("anna", "help restrat", ok=False)
    assert "help" in await department.say("anna", "help xyzzy", ok=False)


async def test_a_typo_gets_the_nearest_command(department: Department, reads_as: Check) -> None:
    reads_as("commands/typo", await department.say("anna", "promot api 1.8.0", ok=False))
    assert "help" in await department.say("anna", "xyzzy", ok=False)


@pytest.mark.parametrize("words", ["help", "whoami", "help promote", ""])
async def test_an_outsider_gets_an_id_and_no_name(department: Department, words: str) -> None:
    reply = await department.reply("U0MALLORY", words, platform="slack")
    said = read(reply.message)
    assert "slack:U0MALLORY" in said
    assert not [name for name in NAMES if name in said]


@pytest.mark.parametrize("words", ["status", "slo api", "alerts", "promote api 1.8.0", "xyzzy", "op op-41c9", "audit"])
async def test_an_outsider_learns_nothing_else(department: Department, words: str) -> None:
    reply = await department.reply("6666", words, platform="telegram")
    said = read(reply.message)
    assert not reply.ok
    assert "telegram:6666" in said
    assert not [name for name in NAMES if name in said]


async def test_whoami(department: Department, reads_as: Check) -> None:
    reads_as("commands/whoami", await department.say("anna", "whoami"))
    reads_as("commands/whoami-viewer", await department.say("vera", "кто"))


async def test_nothing_fires(department: Department) -> None:
    reply = await department.reply("anna", "alerts")
    assert reply.message.tone is Tone.OK
    assert "Nothing is firing" in read(reply.message)


async def test_alerts(department: Department, reads_as: Check) -> None:
    await department.fires(alert("a", severity="warning", service="web"), key="1", ident="a-2222")
    await department.fires(alert("b"), alert("c", region="sfo3"), key="2", ident="a-3333")
    await department.fires(alert("d", severity="info", service="worker"), key="3", ident="a-4444")
    reads_as("commands/alerts", await department.say("vera", "alerts"))
    assert "a-2222" not in await department.say("vera", "alerts critical")
    only = await department.say("vera", "alerts WEB warning")
    assert "a-2222" in only
    assert "a-3333" not in only
    assert "Nothing that fires matches web critical" in await department.say("vera", "alerts web critical")


async def test_a_filter_that_fits_nothing_does_not_read_as_peace(department: Department) -> None:
    assert "Nothing is firing" in await department.say("anna", "alerts apii")
    await department.fires(alert("a"))
    said = await department.say("anna", "alerts apii")
    assert "Nothing that fires matches apii" in said
    assert "1 other alert group fires; alerts shows it." in said
    assert "Nothing is firing" not in said


async def test_more_alerts_than_fit_are_counted(department: Department) -> None:
    for at in range(23):
        await department.fires(alert(f"f{at}"), key=str(at), ident=f"a-{at:04}")
    said = await department.say("vera", "alerts")
    assert "23 alert groups are firing" in said
    assert "3 more are not shown." in said


async def test_one_alert(department: Department, reads_as: Check) -> None:
    secret = {"db_password": "all of hunter2", "note": "token=hunter2"}
    await department.fires(alert("a", **secret), alert("b", pod="api-1"))
    said = await department.say("vera", "alert 7K2F")
    reads_as("commands/alert", said)
    assert "hunter2" not in said
    assert said == await department.say("vera", "alert a-7k2f")
    assert "There is no alert a-9999" in await department.say("vera", "alert 9999", ok=False)
    assert "alert <id>" in await department.say("vera", "alert", ok=False)


async def test_status(department: Department, reads_as: Check) -> None:
    counts(department, "", 1_000_000, 500)
    counts(department, "web_", 1_000, 0)
    await department.reported()
    await department.proposed("anna", "promote api 1.8.0")
    await department.fires(alert("a"), alert("b"))
    department.trouble["slack:C0INC"] = phrase("it does not answer")
    said = await department.say("vera", "status")
    reads_as(
        "commands/status", said.replace((await department.store.read(lambda tx: tx.live_operations()))[0].id, "op-0000")
    )
    assert "web" not in (await department.say("vera", "status api")).partition("slack:")[0]


async def test_status_names_what_came_to_production_last(department: Department) -> None:
    assert "Last release" not in await department.say("vera", "status")
    for version, minutes, fate in (("1.7.2", 90, Fate.GOOD), ("1.8.0", 5, Fate.BAD), ("1.9.0", 1, Fate.WAITING)):
        at = NOON - timedelta(minutes=minutes)
        row = Deployment("api", "production", version, digest("api", version), fate, at, since=at)
        await department.store.write(lambda tx, row=row: tx.save_deployment(row))
    for words in ("status", "status api"):
        assert "api 1.8.0 in production: bad, 2026-03-01 11:55:00 UTC" in await department.say("vera", words)
    assert "Last release" not in await department.say("vera", "status web")


async def test_status_is_green_only_for_what_is_known_to_be_well(department: Department) -> None:
    counts(department, "", 1_000_000, 0)
    counts(department, "web_", 1_000, 0)
    assert (await department.reply("vera", "status")).message.tone is Tone.WARNING, "no Watchdog was ever heard"
    await department.store.write(lambda tx: tx.set_timer("watchdog", "dog", NOON + timedelta(minutes=9)))
    assert (await department.reply("vera", "status")).message.tone is Tone.WARNING, "no witness was ever asked"
    await department.looks()
    assert (await department.reply("vera", "status")).message.tone is Tone.OK
    made = await department.proposed("anna", "restart api")
    assert (await department.reply("vera", "status")).message.tone is Tone.OK
    stuck = made.moved(State.APPROVED).moved(State.RUNNING).moved(State.PAUSED)
    await department.store.write(lambda tx: tx.save_operation(stuck))
    assert (await department.reply("vera", "status")).message.tone is Tone.WARNING, "half-done, and waits for a person"
    assert (await department.reply("vera", "status web")).message.tone is Tone.OK
    await department.store.write(lambda tx: tx.save_operation(stuck.moved(State.FAILED)))
    department.cluster.away.add("sfo3")
    reply = await department.reply("vera", "status")
    assert "sfo3 unknown" in read(reply.message)
    assert reply.message.tone is Tone.WARNING
    department.cluster.away.clear()
    department.metrics.answers.clear()
    department.clock.at += timedelta(minutes=2)  # what is known serves for a minute
    reply = await department.reply("vera", "status")
    assert "unknown" in read(reply.message)
    assert reply.message.tone is Tone.WARNING


async def test_status_of_a_service_there_is_not(department: Department) -> None:
    assert "Did you mean api?" in await department.say("vera", "status apii", ok=False)


async def test_pods(department: Department, reads_as: Check) -> None:
    running = department.cluster.found[WEB]
    pending = replace(
        running[1], phase="Pending", ready=False, node="", trouble=phrase("no node has room for it"), restarts=3
    )
    department.cluster.found[WEB] = (running[0], pending)
    department.cluster.away.add("sfo3")
    reads_as("commands/pods", await department.say("vera", "pods web"))


async def test_pods_are_green_only_when_all_are_known_and_ready(department: Department) -> None:
    async def tone(words: str) -> Tone:
        return (await department.reply("vera", words)).message.tone

    assert await tone("pods web") is Tone.OK
    department.cluster.found[WEB_SFO3] = ()
    assert await tone("pods web") is Tone.OK, "scaled to nothing in one cluster"
    department.cluster.found[WEB] = ()
    assert await tone("pods web") is Tone.WARNING, "no pod at all is not well"
    department.cluster.found[WEB] = department.cluster.found[API]
    department.cluster.away.add("sfo3")
    assert await tone("pods web") is Tone.WARNING


async def test_pods_that_may_not_be_seen_say_why_and_the_others_answer(department: Department) -> None:
    del department.cluster.rollouts[WEB_SFO3]
    said = await department.say("vera", "pods web")
    assert "There is no web in sfo3" in said
    assert "2 of 2 pods ready" in said


async def test_pods_of_one_environment(department: Department) -> None:
    assert "1 of 1 pods ready" in await department.say("vera", "pods api staging")
    assert "has no environment moon" in await department.say("vera", "pods api moon", ok=False)
    assert "pods <service>" in await department.say("vera", "pods", ok=False)


async def test_releases(department: Department, reads_as: Check) -> None:
    assert "No release has been reported yet" in await department.say("vera", "releases")
    await department.reported("1.7.2", stage="released")
    department.clock.at += timedelta(minutes=1)
    await department.reported("1.8.0")
    department.clock.at += timedelta(minutes=1)
    await department.reported("1.8.1", stage="failed", digest="")
    reads_as("commands/releases", await department.say("vera", "releases api"))
    reads_as("commands/releases-all", await department.say("vera", "releases"))


async def test_releases_while_the_cluster_is_away(department: Department) -> None:
    department.cluster.away.add("nyc2")
    said = await department.say("vera", "releases api")
    assert "staging     unknown  –       unknown" in said
    assert "production  unknown  –       unknown" in said


async def test_failover_status(department: Department, reads_as: Check) -> None:
    reads_as("commands/failover-status", await department.say("vera", "failover status"))
    assert await department.say("vera", "failover") == await department.say("vera", "переключить статус")


async def test_failover_status_when_all_is_lost(department: Department, reads_as: Check) -> None:
    department.database.away = department.traffic.away = True
    department.witnesses.sights = {"prometheus": Sight.LOST, "outside": Sight.LOST, "kubernetes": Sight.UNKNOWN}
    reply = await department.reply("vera", "failover status")
    reads_as("commands/failover-status-lost", read(reply.message))
    assert reply.message.tone is Tone.CRITICAL


async def test_an_unknown_lag_is_said(department: Department) -> None:
    department.database.becomes(lag=None)
    department.traffic.to = ""
    said = await department.say("vera", "failover status")
    assert "unknown" in said
    assert "to none of our regions" in said


@pytest.mark.parametrize("part", ["estate", "witnesses"])
async def test_failover_without_its_parts_says_so(department: Department, part: str) -> None:
    department.without = frozenset({part})
    assert "[failover]" in await department.say("anna", "failover status", ok=False)
    assert "[failover]" in await department.say("anna", "drill", ok=False)


async def test_no_operation_yet(department: Department) -> None:
    assert "No operation yet" in await department.say("vera", "ops")
    assert "There is no operation op-9999" in await department.say("vera", "op 9999", ok=False)


async def test_audit(department: Department) -> None:
    assert "Nothing in the audit trail matches" in await department.say("vera", "audit")
    await department.fires(alert("a"))
    await department.say("anna", "ack a-7k2f")
    said = await department.say("vera", "журнал ack")
    assert "anna (console)" in said
    assert "a-7k2f" in said
    assert "Entry 1" in said
    assert NOON.strftime("%H:%M") in said
    assert "Nothing" in await department.say("vera", "audit promote")


async def test_the_new_digest_is_known_by_its_version(department: Department) -> None:
    await department.reported("1.7.2")
    assert digest("api", "1.7.2")[7:19] in await department.say("vera", "releases api")
    assert "production  1.7.2" in await department.say("vera", "releases api")


# --- on call ---


class Week:
    """A roster: anna all week, then chen."""

    def shifts(self, start: datetime, end: datetime) -> tuple[Shift, ...]:
        turns = (
            Shift("anna", NOON - timedelta(days=2), NOON + timedelta(days=5)),
            Shift("chen", NOON + timedelta(days=5), NOON + timedelta(days=12)),
        )
        return tuple(turn for turn in turns if turn.starts < end and turn.ends > start)


async def test_who_goes_on_when_somebody_who_took_over_is_through(department: Department) -> None:
    department.rules = replace(department.rules, roster=Week, staffed=True)
    said = (await department.say("vera", "oncall")).splitlines()
    assert [line.split()[-1] for line in said if line.startswith("From")] == ["chen"]
    await department.say("boris", "oncall take 2h")
    said = (await department.say("vera", "oncall")).splitlines()
    assert said[0].startswith("• boris on call until")
    assert [line.split()[-1] for line in said if line.startswith("From")] == ["anna", "chen"]


async def test_whom_nobody_else_follows(department: Department) -> None:
    """Without a rotation and levels a page ends with the person who is paged."""
    said = await department.say("anna", "page boris the database is on fire")
    assert "Nobody else is told" in said
    assert "anna calls boris" in await department.say("vera", "alerts")
    ident = said.split("(")[1].split(")")[0]
    assert await department.store.read(lambda tx: tx.timer("escalate", ident)) is None
    card = await department.say("vera", f"alert {ident}")
    assert card.startswith("✖ anna calls boris\n\nthe database is on fire")
