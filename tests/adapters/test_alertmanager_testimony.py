"""What the members believe: a real Alertmanager's word and the simulator's, recorded ones, and sick ones."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any

import aiohttp
import pytest

from bot.adapters.alertmanager import silencer as silencer_module
from bot.adapters.alertmanager.silencer import open_silencer
from bot.domain.errors import AmbiguousError, TemporaryError
from bot.domain.silences import Matching, Silence, equals, matching
from tests.adapters.alertmanagers import NOTHING, PATHS, Bench, later, member, recorded, settings, telling
from tests.real import Program, free_port

MATCHERS = (
    'service=~"api|web"', "service!=api", 'service!~"a.*"', 'service=""', 'service=~""', 'region="Москва-1"',
    'region=~"Мос.*"', 'path="C:\\\\a\\"b"', "service=~.*api", "service=~(?i)API", "nowhere!=x", "nowhere=~.+",
)  # fmt: skip
LABELS = (
    {"service": "api"}, {"service": "web"}, {"service": "apiweb"}, {"region": "Москва-1"}, {"path": 'C:\\a"b'},
    {"service": "API"}, {"service": "bots", "region": "Москва"},
)  # fmt: skip


async def test_a_matcher_mutes_here_what_it_mutes_there(bench: Bench) -> None:
    """Alertmanager's own verdict on each matcher and each alert, beside ours."""
    for number, labels in enumerate(LABELS):
        await bench.fire(alertname=f"Match{number}", suite="matchers", **labels)
    made = {}
    for written in MATCHERS:
        read = matching(written)
        assert read is not None
        both = (read, Matching("suite", "matchers"))
        made[await bench.silencer.silence(both, later(), "anna", written)] = both
    expected = {
        f"Match{number}": {
            ident
            for ident, both in made.items()
            if Silence(ident, both, "", "", later(), later()).mutes({"suite": "matchers", **labels})
        }
        for number, labels in enumerate(LABELS)
    }
    assert len({frozenset(ids) for ids in expected.values()}) > 3
    async with asyncio.timeout(5):
        while (found := {name: set((await bench.held(name)).silenced_by) for name in expected}) != expected:
            await asyncio.sleep(0.05)
    told = (await bench.silencer.testimonies())[0].silences
    told_matchers = {each.id: frozenset(each.matchers) for each in told if each.id in made}
    assert told_matchers == {ident: frozenset(both) for ident, both in made.items()}
    assert found == expected
    for ident in made:
        await bench.silencer.end(ident)


async def test_a_testimony_says_groups_receivers_and_since_when(bench: Bench) -> None:
    await bench.fire(alertname="Grouped", service="api")
    await bench.fire(alertname="Grouped", service="web")
    async with asyncio.timeout(5):
        while True:
            (told,) = await bench.silencer.testimonies()
            groups = [group for group in told.groups if group.labels.get("alertname") == "Grouped"]
            if sum(len(group.alerts) for group in groups) == 2:
                break
            await asyncio.sleep(0.02)
    assert told.member == bench.url
    assert all(group.receiver for group in groups)
    assert {each.alert.labels["service"] for group in groups for each in group.alerts} == {"api", "web"}
    assert not any(each.suppressed for group in groups for each in group.alerts)
    assert told.up_since is not None
    assert timedelta() <= datetime.now(UTC) - told.up_since < timedelta(minutes=10)


async def test_silences_that_are_over_are_told_but_not_listed(bench: Bench) -> None:
    matchers = matching('pod!~"web-.*"'), matching("region=Москва")
    ident = await bench.silencer.silence(matchers, later(), "Anna Иванова", "разбираюсь")
    (active,) = [each for each in await bench.silencer.silences() if each.id == ident]
    assert set(active.matchers) == set(matchers)
    assert (active.person, active.comment) == ("Anna Иванова", "разбираюсь")
    assert abs(active.ends_at - later()) < timedelta(minutes=1)
    await bench.silencer.end(ident)
    assert ident not in [each.id for each in await bench.silencer.silences()]
    (over,) = [each for each in (await bench.silencer.testimonies())[0].silences if each.id == ident]
    assert over.ends_at <= datetime.now(UTC) + timedelta(seconds=1)


async def test_an_inhibited_alert_says_by_whom(real: Program) -> None:
    async with open_silencer(settings(real.url)) as silencer, aiohttp.ClientSession() as http:
        bench = Bench(real.url, silencer, http)
        await bench.fire(alertname="Loud", service="inhibited")
        loud = await bench.held("Loud", service="inhibited")
        await bench.fire(alertname="Quiet", service="inhibited")
        async with asyncio.timeout(5):
            while not (quiet := await bench.held("Quiet", service="inhibited")).inhibited_by:
                await asyncio.sleep(0.05)
        assert quiet.inhibited_by == (loud.alert.fingerprint,)
        assert quiet.suppressed


# Several members, not all of them well.


async def test_each_member_that_answers_is_heard(bench: Bench) -> None:
    """One is down, one slow beyond its time, one empty (lying), one a proxy's login page."""
    await bench.fire(alertname="Heard", service="api")
    await bench.held("Heard")
    down = f"http://127.0.0.1:{free_port()}"
    page = dict.fromkeys(PATHS, b"<html>log in</html>")
    async with (
        telling(NOTHING, slowly=5) as slow,
        telling(NOTHING) as empty,
        telling(page) as proxy,
        open_silencer(settings(down, slow, bench.url, empty, proxy, timeout=timedelta(seconds=1))) as silencer,
    ):
        began = asyncio.get_running_loop().time()
        told = await silencer.testimonies()
        assert asyncio.get_running_loop().time() - began < 3
    assert [each.member for each in told] == [bench.url, empty]
    assert any(each.alert.labels["alertname"] == "Heard" for each in told[0].held())
    assert (told[1].groups, told[1].silences) == ((), ())
    assert told[1].up_since == datetime(2026, 3, 1, 12, tzinfo=UTC)


async def test_the_deadline_is_for_all_that_one_member_says() -> None:
    async with telling(NOTHING, slowly=0.4) as dawdling:
        async with open_silencer(settings(dawdling, timeout=timedelta(milliseconds=700))) as silencer:
            assert await silencer.testimonies() == ()
        async with open_silencer(settings(dawdling, timeout=timedelta(seconds=5))) as silencer:
            assert len(await silencer.testimonies()) == 1


async def test_a_member_that_never_stops_talking_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silencer_module, "MOST", 100_000)
    endless = {**NOTHING, "alerts/groups": b"[" + b" " * 200_000 + b"]"}
    async with telling(endless) as one, telling(NOTHING) as two, open_silencer(settings(one, two)) as silencer:
        assert [each.member for each in await silencer.testimonies()] == [two]


def an_alert(**changes: object) -> dict[str, Any]:
    """One alert as the newest version tells it."""
    state = {"state": "suppressed", "silencedBy": [], "inhibitedBy": [], "mutedBy": ["nights"]}
    times = {"endsAt": "2099-03-01T12:00:00Z", "updatedAt": "2026-03-01T12:00:00Z"}
    alert = {"fingerprint": "fp", "labels": {"alertname": "X"}, "startsAt": "2026-03-01T12:00:00.123456789Z", **times}
    return {**alert, "annotations": {}, "receivers": [{"name": "pult"}], "status": state, **changes}


def groups_of(*alerts: object, **changes: object) -> bytes:
    group = {
        "labels": {"alertname": "X"},
        "receiver": {"name": "pult", "labels": {}},
        "routeLabels": {},
        "alerts": alerts,
    }
    return json.dumps([{**group, **changes}]).encode()


async def test_what_newer_versions_say_more_is_read_or_passed_over() -> None:
    """0.28 mutes by time; 0.32 has silences with annotations, without matchers, and such as can't be told here."""
    times = {"startsAt": "2026-03-01T12:00:00.000Z", "endsAt": "2026-03-01T15:00:00+03:00", "updatedAt": "x"}
    plain = {"id": "s1", "status": {"state": "active"}, "matchers": [{"name": "a", "value": "b", "isRegex": False}],
             "annotations": {"ticket": "OPS-1"}, "createdBy": "anna", "comment": "", **times}  # fmt: skip
    sets = [{"matchers": plain["matchers"]}, {"matchers": []}]
    told = [plain, {**plain, "id": "s2", "matchers": None}, {**plain, "id": 3}, {"matcherSets": sets}, None, "s4"]
    said = {**NOTHING, "alerts/groups": groups_of(an_alert()), "silences": json.dumps(told).encode()}
    async with telling(said) as one, open_silencer(settings(one)) as silencer:
        (heard,) = await silencer.testimonies()
    (believed,) = heard.held()
    assert believed.muted_by == ("nights",)
    assert believed.suppressed
    assert believed.alert.starts_at == datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert heard.silences == (
        Silence("s1", (Matching("a", "b"),), "anna", "", at, at), Silence("s2", (), "anna", "", at, at),
    )  # fmt: skip
    assert not heard.silences[1].mutes({"a": "b"})


@pytest.mark.parametrize(
    "said",
    [
        {"alerts/groups": b"null"},
        {"alerts/groups": b'{"status":"error"}'},
        {"alerts/groups": b'"login"'},
        {"alerts/groups": b"[null]"},
        {"alerts/groups": b"[[]]"},
        {"alerts/groups": b""},
        {"alerts/groups": b"[1e999]"},
        {"alerts/groups": groups_of(receiver=None)},
        {"alerts/groups": groups_of(receiver={"name": 7})},
        {"alerts/groups": groups_of(alerts=None)},
        {"alerts/groups": groups_of(alerts={})},
        {"alerts/groups": groups_of(labels=["x"])},
        {"alerts/groups": groups_of(an_alert(fingerprint=None))},
        {"alerts/groups": groups_of(an_alert(labels={"a": 1}))},
        {"alerts/groups": groups_of(an_alert(startsAt="yesterday"))},
        {"alerts/groups": groups_of(an_alert(startsAt=None))},
        {"alerts/groups": groups_of(an_alert(startsAt="0001-01-01T00:00:00+14:00"))},
        {"alerts/groups": groups_of(an_alert(status={"silencedBy": 7}))},
        {"alerts/groups": b"\xff\xfe[]"},
        {"alerts/groups": b"[" * 100_000},
        {"silences": b'{"data":[]}'},
        {"silences": b"null"},
        {"status": b"[]"},
        {"status": b"{}"},
        {"status": b'{"uptime":"a while"}'},
        {"status": b'{"uptime":7}'},
    ],
    ids=lambda said: sha1(str(said).encode()).hexdigest()[:8],
)
async def test_a_member_that_talks_nonsense_is_left_out(said: dict[str, bytes]) -> None:
    """Whole: half a list would look like everything else having been resolved."""
    async with (
        telling({**NOTHING, **said}) as one,
        telling(NOTHING) as two,
        open_silencer(settings(one, two)) as silencer,
    ):
        assert [each.member for each in await silencer.testimonies()] == [two]


@pytest.mark.parametrize("status", [301, 401, 404, 429, 500, 503])
async def test_a_member_that_refuses_is_left_out(status: int) -> None:
    async with telling(NOTHING, status=status) as one, open_silencer(settings(one)) as silencer:
        assert await silencer.testimonies() == ()


async def test_a_member_that_does_not_say_since_when_is_heard() -> None:
    async with telling({**NOTHING, "status": b'{"uptime":null}'}) as one, open_silencer(settings(one)) as silencer:
        (told,) = await silencer.testimonies()
    assert told.up_since is None


@pytest.mark.parametrize("body", [b"null", b"[]", b'"ok"', b"7", b"{}"])
async def test_an_answer_of_another_shape_is_no_answer(body: bytes) -> None:
    async with member(200, body) as one, open_silencer(settings(one.url)) as silencer:
        with pytest.raises(AmbiguousError, match="told no id"):
            await silencer.silence(equals({"alertname": "X"}), later(), "anna", "x")
        with pytest.raises(TemporaryError, match="says no version"):
            await silencer.check()
        if body != b"[]":
            with pytest.raises(TemporaryError, match="no list"):
                await silencer.silences()


async def test_recorded_answers_make_a_testimony() -> None:
    said = {path: recorded(case)[1] for path, case in zip(PATHS, ("status", "groups", "silences"), strict=True)}
    async with telling(said) as url, open_silencer(settings(url)) as silencer:
        (told,) = await silencer.testimonies()
    groups = json.loads(said["alerts/groups"])
    assert [(group.receiver, dict(group.labels)) for group in told.groups] == [
        (item["receiver"]["name"], item["labels"]) for item in groups
    ]
    assert [each.alert.fingerprint for each in told.held()] == [
        alert["fingerprint"] for item in groups for alert in item["alerts"]
    ]
    assert all(each.alert.firing and each.alert.starts_at.utcoffset() == timedelta() for each in told.held())
    assert any("команда" in each.alert.labels.get("owner", "") for each in told.held())
    assert told.up_since == datetime.fromisoformat(json.loads(said["status"])["uptime"])
    regex, pending, expired = told.silences
    assert regex.matchers == (
        Matching("queue", r"orders\.[0-3]", regex=True),
        Matching("severity", "critical", equal=False),
    )
    assert (pending.comment, expired.matchers[0]) == ("pending: nightly window", Matching("alertname", "HighLatency"))
