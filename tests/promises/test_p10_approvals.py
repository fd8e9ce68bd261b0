"""Promise 10: no change without its approvals; every press that may not count is refused visibly and audited."""

import json

from bot.simulator.kubernetes.kinds import DEPLOYMENT
from tests.department import INCIDENTS, OPS, OPS_TG, Department, shown, until
from tests.promises.releases import released
from tests.promises.stores import BOTH
from tests.pult_fixtures import Make
from tests.pult_process import Pult

TWO = {"promote": {"approvals": 2, "four_eyes": True}}


@BOTH
async def test_one_person_counts_once_whatever_they_press_and_where(make: Make, department: Department) -> None:
    pult = make(policy=TWO)
    await pult.start()
    await released(pult, "api", "1.8.0")
    ident = await pult.proposed("anna", "promote api 1.8.0")
    await _refused(pult, "anna", ident, "proposed")
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    await _refused(pult, "boris", ident, "already approved", "одобрили")
    await department.slack_shows("1 of 2", OPS)
    await department.slack("press", user="U0BORIS", channel=OPS, button="Approve")
    await department.telegram_shows("1 of 2", OPS_TG)
    await department.telegram("press", user=1002, chat=OPS_TG, button="Approve")
    await department.telegram("press", user=1002, chat=OPS_TG, button="Confirm: Approve")
    await until("Slack does not refuse", lambda: department.slack_seen("U0BORIS"))
    await until("four refusals are not audited", lambda: _refusals(pult, 4))
    assert await pult.state(ident) == "waiting for approval"
    assert department.patches("api") == 0
    assert (await pult.ask("chen", f"approve {ident}"))["ok"]
    await pult.becomes(ident, "succeeded")
    await _refused(pult, "chen", ident, "not waiting")
    assert department.patches("api") == 1


async def test_forged_and_stale_presses_are_refused(pult: Pult, department: Department) -> None:
    await released(pult, "api", "1.8.0")
    await released(pult, "bots", "3.2.1")
    one = await pult.proposed("anna", "promote api 1.8.0")
    other = await pult.proposed("anna", "promote bots 3.2.1")
    card = await department.slack_shows("Promote bots", OPS)
    [value] = [each["value"] for each in card["buttons"] if each["text"] == "Approve"]
    seen = value.split()[2]
    forged = (f"approve {one} {seen}", f"approve {one} 00000000", f"approve {one} x", f"approve op-2222 {seen}")
    for text in forged:
        action = {"action_id": "pult:0", "value": text}
        await department.slack("press", user="U0CHEN", forge=action, channel=OPS, ts=card["ts"])
        copy = await department.telegram_shows("Promote bots", OPS_TG)
        await department.telegram("press", user=1003, forge=text, chat=OPS_TG, message_id=copy["message_id"])
    await until("not all are refused on Slack", lambda: _told(department, len(forged)))
    await until("not all are refused on Telegram", lambda: _pressed(department, len(forged)))
    assert await pult.state(one) == await pult.state(other) == "waiting for approval"
    assert department.patches("api") == department.patches("bots") == 0
    await until("the refusals are not audited", lambda: _refusals(pult, 2 * len(forged)))


async def test_a_press_on_a_message_that_is_gone_or_another_kind_of_value_does_nothing(
    pult: Pult, department: Department
) -> None:
    ident = await pult.proposed("anna", "restart worker")
    card = await department.slack_shows("Restart worker", OPS)
    values: tuple[object, ...] = ("", "approve", f"approve {ident} \n{ident}", "x" * 1999, f"help; approve {ident}")
    for value in values:
        action = {"action_id": "pult:0", "value": value}
        await department.slack("press", user="U0CHEN", forge=action, channel=OPS, ts=card["ts"])
    assert (await pult.ask("anna", "status"))["ok"]
    assert await pult.state(ident) == "waiting for approval"
    assert department.patches("worker") == 0


async def test_a_late_approval_is_refused_and_the_plan_expires_everywhere(make: Make, department: Department) -> None:
    pult = make(policy={"restart": {"expires": "2s"}})
    await pult.start()
    ident = await pult.proposed("anna", "restart worker")
    copy = await department.slack_shows("Restart worker", OPS)
    await department.slack_shows("expired", OPS)
    await department.telegram_shows("expired", OPS_TG)
    await _refused(pult, "anna", ident, "expired")
    assert (await department.slack_shows("expired", OPS))["ts"] == copy["ts"]
    await department.slack("press", user="U0ANNA", forge=_value(copy), channel=OPS, ts=copy["ts"])
    await until("Slack does not refuse", lambda: department.slack_seen("U0ANNA"))
    await until("the late press is not audited", lambda: _refusals(pult, 2))
    assert department.patches("worker") == 0


async def test_a_world_that_moved_on_voids_the_approval(pult: Pult, department: Department) -> None:
    await released(pult, "api", "1.8.0")
    ident = await pult.proposed("anna", "promote api 1.8.0")
    _somebody_else_patches(department)
    assert (await pult.ask("boris", f"approve {ident}"))["ok"]
    assert "Nothing was changed" in await pult.becomes(ident, "failed")
    assert department.patches("api") == 0


async def test_a_rejection_ends_it_and_a_second_plan_for_the_same_target_waits(
    pult: Pult, department: Department
) -> None:
    ident = await pult.proposed("anna", "restart worker")
    second = await pult.ask("chen", "restart worker")
    assert not second["ok"]
    assert ident in second["text"]
    assert (await pult.ask("anna", f"reject {ident} not now"))["ok"]
    await department.slack_shows("rejected", OPS)
    assert "not now" in shown(await department.slack_shows("rejected", OPS))
    await _refused(pult, "chen", ident, "not waiting")
    assert (await pult.ask("chen", "restart worker"))["ok"]


async def test_nothing_but_reads_happens_by_words_alone(pult: Pult, department: Department) -> None:
    """Proposing changes nothing: not the cluster, not git, not the cloud."""
    await released(pult, "api", "1.8.0")
    for words in ("promote api 1.8.0", "restart worker", "failover nyc2 to sfo3"):
        assert (await pult.ask("anna", words))["ok"], words
    assert {call.verb for region in ("nyc2", "sfo3") for call in department.cluster(region).calls} <= {
        "get", "list", "watch", "create",
    }  # fmt: skip
    assert {method for method, _ in department.cloud.calls} == {"GET"}
    assert not await department.slack_messages(INCIDENTS)


async def _refused(pult: Pult, person: str, ident: str, *reasons: str) -> None:
    answer = await pult.ask(person, f"approve {ident}", locale="en")
    assert not answer["ok"]
    assert any(reason in answer["text"] for reason in reasons), answer["text"]


async def _refusals(pult: Pult, count: int) -> bool:
    found = [entry for entry in await pult.audited() if entry["result"] in {"refused", "denied"}]
    return len(found) >= count


async def _told(department: Department, count: int) -> bool:
    return len(await department.slack_seen("U0CHEN")) >= count


async def _pressed(department: Department, count: int) -> bool:
    presses = await department.telegram_presses(1003)
    said = [press for press in presses if press["answer"] and press["answer"].get("text")]
    return len(said) + len(await department.telegram_messages(1003, "did not work")) >= count


def _value(card: dict) -> dict[str, str]:
    revisions = json.dumps(card["revisions"])
    at = revisions.index("approve op-")
    return {"action_id": "pult:0", "value": revisions[at : revisions.index('"', at)]}


def _somebody_else_patches(department: Department) -> None:
    """kubectl set env, by hand."""
    changed = json.loads(json.dumps(department.deployment("api")))
    changed["spec"]["template"]["metadata"].setdefault("annotations", {})["by"] = "hand"
    changed["metadata"]["generation"] += 1
    department.cluster("nyc2").store.put(DEPLOYMENT, changed)
