"""What the simulated Alertmanager tells, when, and how often."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from bot.simulator.alertmanager import Manager, Timing
from bot.simulator.alertmanager.alerts import fingerprint
from bot.simulator.alertmanager.dispatch import Group
from bot.simulator.alertmanager.matchers import Matcher
from bot.simulator.alertmanager.silences import Silence
from bot.simulator.settings import Target
from bot.simulator.webhooks import Outbound
from bot.simulator.world import World
from tests.simulator.world_parts import HandClock, Receiver

LABELS = {"alertname": "ApiErrorRateHigh", "service": "api", "region": "nyc2"}
TIMING = Timing(wait=0, interval=0.01, repeat=3600, retry=0.001, minimum=0.5)


@pytest.fixture
def manager(world: World, http: aiohttp.ClientSession, receiver: Receiver) -> Manager:
    return Manager(world, Outbound(world, http, Target(receiver.url)), TIMING)


def told(receiver: Receiver) -> list[Any]:
    return [json.loads(one.body) for one in receiver.got]


async def flush(manager: Manager) -> None:
    for group in list(manager.dispatcher.groups.values()):
        await manager.dispatcher.flush(group)


def fire(manager: Manager, *, resolve: bool = False, text: str = "bad", **labels: str) -> None:
    manager.by_hand(LABELS | labels, {"summary": text}, resolve=resolve)


def silence(manager: Manager, clock: HandClock, seconds: float) -> None:
    now = clock.now()
    clock.move(seconds=seconds)
    ends = clock.now()
    clock.at = now
    manager.silences.put(Silence("", (Matcher("service", "api", regex=False, equal=True),), now, ends, now, "a", "b"))


async def test_the_body_is_alertmanagers_to_the_byte(manager: Manager, receiver: Receiver) -> None:
    fire(manager, text='<b>Кириллица & "quotes"</b>')
    await flush(manager)
    [one] = receiver.got
    assert one.path == "/webhooks/alertmanager"
    assert one.headers["User-Agent"] == "Alertmanager/0.25.0"
    assert one.headers["Content-Type"] == "application/json"
    assert one.headers["Authorization"] == "Bearer sim-alertmanager-token"
    assert one.body.decode() == (
        '{"receiver":"pult","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"ApiErrorRateHigh",'
        '"region":"nyc2","service":"api"},"annotations":{"summary":"\\u003cb\\u003eКириллица \\u0026 '
        '\\"quotes\\"\\u003c/b\\u003e"},"startsAt":"2026-11-24T14:00:00Z","endsAt":"0001-01-01T00:00:00Z",'
        '"generatorURL":"","fingerprint":"' + fingerprint(LABELS) + '"}],"groupLabels":{"alertname":"ApiErrorRateHigh",'
        '"service":"api"},"commonLabels":{"alertname":"ApiErrorRateHigh","region":"nyc2","service":"api"},'
        '"commonAnnotations":{"summary":"\\u003cb\\u003eКириллица \\u0026 \\"quotes\\"\\u003c/b\\u003e"},'
        '"externalURL":"https://alerts.dept.example","version":"4",'
        '"groupKey":"{}:{alertname=\\"ApiErrorRateHigh\\", service=\\"api\\"}","truncatedAlerts":0}\n'
    )


async def test_one_group_is_told_once_until_something_changes(
    manager: Manager, receiver: Receiver, clock: HandClock
) -> None:
    fire(manager)
    await flush(manager)
    fire(manager, text="worse")
    await flush(manager)
    assert len(receiver.got) == 1
    fire(manager, region="sfo3")
    await flush(manager)
    second = told(receiver)[1]
    assert [alert["labels"]["region"] for alert in second["alerts"]] == ["nyc2", "sfo3"]
    assert second["commonLabels"] == {"alertname": "ApiErrorRateHigh", "service": "api"}
    assert second["commonAnnotations"] == {}
    clock.move(seconds=3599)
    await flush(manager)
    assert len(receiver.got) == 2
    clock.move(seconds=1)
    await flush(manager)
    assert told(receiver)[2] == second


async def test_a_part_resolves_then_the_rest(manager: Manager, receiver: Receiver, clock: HandClock) -> None:
    fire(manager)
    fire(manager, region="sfo3")
    await flush(manager)
    clock.move(seconds=90)
    fire(manager, resolve=True, region="sfo3")
    await flush(manager)
    partly = told(receiver)[1]
    assert partly["status"] == "firing"
    assert [(one["status"], one["endsAt"]) for one in partly["alerts"]] == [
        ("firing", "0001-01-01T00:00:00Z"),
        ("resolved", "2026-11-24T14:01:30Z"),
    ]
    clock.move(seconds=0.25)
    fire(manager, resolve=True)
    await flush(manager)
    wholly = told(receiver)[2]
    assert wholly["status"] == "resolved"
    assert [(one["labels"]["region"], one["startsAt"], one["endsAt"]) for one in wholly["alerts"]] == [
        ("nyc2", "2026-11-24T14:00:00Z", "2026-11-24T14:01:30.25Z")
    ]
    await flush(manager)
    assert len(receiver.got) == 3


async def test_a_new_incident_has_the_old_fingerprint_and_a_new_start(
    manager: Manager, receiver: Receiver, clock: HandClock
) -> None:
    for resolve in (False, True, False):
        fire(manager, resolve=resolve)
        await flush(manager)
        clock.move(minutes=1)
    first, _, third = (body["alerts"][0] for body in told(receiver))
    assert first["fingerprint"] == third["fingerprint"]
    assert (first["startsAt"], third["startsAt"]) == ("2026-11-24T14:00:00Z", "2026-11-24T14:02:00Z")


async def test_an_alert_never_told_of_resolves_in_silence(manager: Manager, receiver: Receiver) -> None:
    fire(manager)
    fire(manager, resolve=True)
    await flush(manager)
    assert receiver.got == []


async def test_5xx_is_sent_again_with_the_same_bytes(manager: Manager, receiver: Receiver) -> None:
    receiver.answers = [500, 503, 200]
    fire(manager)
    await flush(manager)
    assert len(receiver.got) == 3
    assert len({one.body for one in receiver.got}) == 1


@pytest.mark.parametrize("status", [400, 429])
async def test_4xx_waits_for_the_next_interval(manager: Manager, receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    fire(manager)
    await flush(manager)
    assert len(receiver.got) == 1
    await flush(manager)
    assert len(receiver.got) == 2
    await flush(manager)
    assert len(receiver.got) == 2


async def test_a_resolve_the_receiver_missed_is_told_later(manager: Manager, receiver: Receiver) -> None:
    fire(manager)
    await flush(manager)
    receiver.answers = [429]
    fire(manager, resolve=True)
    await flush(manager)
    await flush(manager)
    assert [body["status"] for body in told(receiver)] == ["firing", "resolved", "resolved"]


async def test_a_dead_receiver_gets_the_alert_when_it_is_back(
    world: World, http: aiohttp.ClientSession, receiver: Receiver
) -> None:
    # A time-out of nothing: the first attempt finds nobody, and there is no second one.
    impatient = Timing(wait=0, interval=0, minimum=0.05, retry=10)
    outbound = Outbound(world, http, Target("http://127.0.0.1:9"))
    manager = Manager(world, outbound, impatient)
    fire(manager)
    await flush(manager)
    outbound.target = Target(receiver.url)
    await flush(manager)
    assert [body["status"] for body in told(receiver)] == ["firing"]


async def test_without_a_target_nothing_is_sent(world: World, http: aiohttp.ClientSession) -> None:
    manager = Manager(world, Outbound(world, http, Target()), TIMING)
    fire(manager)
    await flush(manager)
    assert len(manager.dispatcher.groups) == 1


async def test_silenced_from_the_start_then_told_with_the_old_start(
    manager: Manager, receiver: Receiver, clock: HandClock
) -> None:
    silence(manager, clock, 60)
    fire(manager)
    await flush(manager)
    assert receiver.got == []
    clock.move(seconds=60)
    await flush(manager)
    assert [one["startsAt"] for one in told(receiver)[0]["alerts"]] == ["2026-11-24T14:00:00Z"]


async def test_resolved_under_a_silence_is_told_only_if_told_again(
    manager: Manager, receiver: Receiver, clock: HandClock
) -> None:
    fire(manager)
    await flush(manager)
    silence(manager, clock, 60)
    clock.move(seconds=1)
    fire(manager, resolve=True)
    [resolved] = [alert for group in manager.dispatcher.groups.values() for alert in group.alerts.values()]
    await flush(manager)
    clock.move(seconds=60)
    await flush(manager)
    assert len(receiver.got) == 1
    manager.receive([resolved])
    await flush(manager)
    assert [body["status"] for body in told(receiver)] == ["firing", "resolved"]


async def test_the_watchdog_has_a_route_of_its_own(manager: Manager, receiver: Receiver, clock: HandClock) -> None:
    manager.by_hand({"alertname": "Watchdog", "severity": "none"}, {}, resolve=False)
    for seconds in (0, 59, 1):
        clock.move(seconds=seconds)
        await flush(manager)
    assert len(receiver.got) == 2
    assert told(receiver)[0]["groupKey"] == '{}/{alertname="Watchdog"}:{alertname="Watchdog"}'
    assert told(receiver)[0]["groupLabels"] == {"alertname": "Watchdog"}


async def test_running_groups_come_and_go(manager: Manager, receiver: Receiver) -> None:
    running = asyncio.create_task(manager.dispatcher.run())
    async with asyncio.timeout(20):
        fire(manager)
        await receiver.until(lambda one: b'"status":"firing"' in one.body)
        fire(manager, resolve=True)
        await receiver.until(lambda one: b'"status":"resolved"' in one.body)
        while manager.dispatcher.groups:
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()


def test_labels_are_quoted_in_the_group_key(manager: Manager) -> None:
    manager.by_hand({"alertname": 'a"b\\c'}, {}, resolve=False)
    [group] = manager.dispatcher.groups.values()
    assert isinstance(group, Group)
    assert group.key == r'{}:{alertname="a\"b\\c"}'
