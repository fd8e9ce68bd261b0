"""Promise 10: what holds a plan is overridden by name, with a reason, by whoever may; so is going on alone."""

import asyncio

import pytest

from bot.simulator.kubernetes import images
from tests.department import OPS, OPS_TG, Department, until
from tests.promises.releases import released
from tests.promises.stores import BOTH
from tests.pult_fixtures import Make
from tests.pult_process import Pult

LEADS = {"promote": {"approvals": 1, "four_eyes": True, "override": ["lead"], "break_glass": "lead"}}
ALL_WEEK = [
    {"weekly": "Mon 00:00 - Sun 23:59", "why": "the year's end"},
    {"weekly": "Sun 23:00 - Mon 01:00", "why": "the year's end"},
]
PRODUCTION = {"when": {"environments": ["production"]}, "approvals": 2, "why": "it is production"}


@BOTH
async def test_forged_overrides_are_refused_and_the_right_one_counts(make: Make, department: Department) -> None:
    pult = make(policy=LEADS)
    await pult.start()
    await released(pult, "api", "1.8.0")
    assert (await pult.ask("boris", "freeze api 2h the database is being moved"))["ok"]
    await department.slack_shows("api is frozen until", OPS)
    ident = await pult.proposed("anna", "promote api 1.8.0")
    card = await department.slack_shows("Held by", OPS)
    assert "Approve" not in [button["text"] for button in card["buttons"]]
    seen = card["buttons"][0]["value"].split()[2]
    copy = await department.telegram_shows("Held by", OPS_TG)
    for flags in ("", " --override freeze me", " --break-glass me"):
        value = f"approve {ident} {seen}{flags}"
        await department.slack(
            "press", user="U0CHEN", forge={"action_id": "pult:0", "value": value}, channel=OPS, ts=card["ts"]
        )
        await department.telegram("press", user=1003, forge=value, chat=OPS_TG, message_id=copy["message_id"])
    await until("the forged presses are not audited", lambda: _refusals(pult, 6))
    for person, words, why in (
        ("anna", "--override freeze it must go out", "takes the role lead"),
        ("boris", "--override freeze it must go out", "takes the role lead"),
        ("vera", "--override freeze it must go out", "takes the role lead"),
        ("chen", "", "is held by freeze"),
        ("chen", "--override freeze", "Say why"),
        ("chen", "--override all it must go out", "not held by all"),
        ("chen", "00000000 --override freeze it must go out", "another plan"),
        ("boris", "--break-glass it must go out", "Only the role lead"),
        ("chen", "--break-glass it must go out", "is held by freeze"),
    ):
        answer = await pult.ask(person, f"approve {ident} {words}", locale="en")
        assert not answer["ok"], words
        assert why in answer["text"], answer["text"]
    assert await pult.state(ident) == "waiting for approval"
    assert department.patches("api") == 0
    assert (await pult.ask("chen", f"approve {ident} --override freeze the outage needs it"))["ok"]
    assert "chen overrode freeze: the outage needs it" in await pult.becomes(ident, "succeeded")
    entries = await pult.audited()
    assert [(e["person"], e["result"], e["detail"]) for e in entries if e["action"] == "override"] == [
        ("chen", "freeze", "the outage needs it")
    ]
    assert sum(entry["result"] == "refused" for entry in entries) >= 15


async def test_the_proposer_overrides_nothing_alone_but_may_break_the_glass(make: Make, department: Department) -> None:
    pult = make(policy=LEADS, freezes=ALL_WEEK)
    await pult.start()
    await released(pult, "api", "1.8.0")
    ident = await pult.proposed("chen", "promote api 1.8.0")
    alone = f"approve {ident} --break-glass --override freeze nobody is awake and it burns"
    own = await pult.ask("chen", f"approve {ident} --override freeze it must go out", locale="en")
    assert not own["ok"]
    assert "somebody else" in own["text"]
    assert department.patches("api") == 0
    assert (await pult.ask("chen", alone))["ok"]
    for user in ("U0ANNA", "U0BORIS"):
        await department.slack_shows("nobody is awake and it burns", f"D{user[1:]}")
    await pult.becomes(ident, "succeeded")
    deeds = [(e["action"], e["result"]) for e in await pult.audited() if e["person"] == "chen"]
    assert deeds[-3:] == [("override", "freeze"), ("break-glass", "approved"), ("approve", "approved")]


@pytest.mark.parametrize("more", [[], [PRODUCTION]], ids=["one", "two"])
async def test_the_policy_asks_for_more_people_where_it_says_so(
    make: Make, department: Department, more: list[dict[str, object]]
) -> None:
    pult = make(policy={"promote": {"more": more}})
    await pult.start()
    await released(pult, "api", "1.8.0")
    ident = await pult.proposed("anna", "promote api 1.8.0 to production")
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    if more:
        assert await pult.state(ident) == "waiting for approval"
        assert (await pult.ask("chen", f"approve {ident}"))["ok"]
    await pult.becomes(ident, "succeeded")
    assert department.patches("api") == 1


async def test_another_digest_voids_the_plan_that_waits(pult: Pult, department: Department) -> None:
    await released(pult, "api", "1.8.0")
    ident = await pult.proposed("anna", "promote api 1.8.0")
    body = {"service": "api", "version": "1.8.0", "status": "ready", "digest": images.digest("api", "1.8.0-rebuilt")}
    assert (await pult.release(body)).status == 200
    assert "was reported with the digest" in await pult.becomes(ident, "cancelled")
    answer = await pult.ask("boris", f"approve {ident}", locale="en")
    assert "not waiting" in answer["text"]
    assert department.patches("api") == 0


@pytest.mark.timeout(120)
@pytest.mark.parametrize("choice", ["abort", "retry"])
async def test_the_next_for_a_target_waits_its_turn_and_meets_the_world_as_it_then_is(
    pult: Pult, department: Department, choice: str
) -> None:
    first = await pult.proposed("anna", "restart worker")
    department.cluster("nyc2").deny("patch", "deployments")
    assert (await pult.ask("anna", f"approve {first}"))["ok"]
    await pult.becomes(first, "paused")
    department.cluster("nyc2").denials.clear()
    second = await pult.proposed("chen", "restart worker")
    await department.slack_shows(f"when {first} is over", OPS)
    assert (await pult.ask("chen", f"approve {second}"))["ok"]
    assert not (await pult.ask("boris", "restart worker"))["ok"], "one is next, not two"
    await pult.restart()
    await asyncio.sleep(6)  # longer than a sweep
    assert await pult.state(second) == "approved"
    assert department.patches("worker") == 1, "the one that was denied"
    assert (await pult.ask("anna", f"resume {first} {choice}"))["ok"]
    if choice == "abort":
        await pult.becomes(first, "failed")
        await pult.becomes(second, "succeeded")
    else:
        await pult.becomes(first, "succeeded")
        assert "Nothing was changed" in await pult.becomes(second, "failed")
    assert department.patches("worker") == 2


async def _refusals(pult: Pult, count: int) -> bool:
    return len([entry for entry in await pult.audited() if entry["result"] in {"refused", "denied"}]) >= count
