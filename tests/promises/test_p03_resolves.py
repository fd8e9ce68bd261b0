"""Promise 3: a resolve that comes late, twice, out of order or from elsewhere edits the right message."""

from datetime import timedelta

from tests.department import INCIDENTS, INCIDENTS_TG, Department
from tests.promises.alerts import START, alert, fires, notification, resolves
from tests.promises.stores import BOTH
from tests.pult_process import Pult


@BOTH
async def test_a_resolve_after_a_restart_edits_the_messages_that_stand(pult: Pult, department: Department) -> None:
    await pult.alert(fires("First"))
    await pult.alert(fires("Second"))
    before = [await department.shows(name) for name in ("First", "Second")]
    await pult.settles()
    await pult.restart()
    await pult.alert(resolves("First"))
    slack, telegram = await department.shows("Resolved: First")
    assert (slack["ts"], telegram["message_id"]) == (before[0][0]["ts"], before[0][1]["message_id"])
    assert all("Resolved" not in message["text"] for message in await department.slack_messages(INCIDENTS, "Second"))
    assert len(await department.slack_messages(INCIDENTS, "First")) == 1
    assert len(await department.telegram_messages(INCIDENTS_TG, "First")) == 1


@BOTH
async def test_late_repeated_and_second_hand_words_change_nothing(pult: Pult, department: Department) -> None:
    await pult.alert(fires("Disk"))
    await department.shows("Disk")
    assert (await pult.alert(resolves("Disk"))).body["status"] == "accepted"
    await department.shows("Resolved: Disk")
    for late in (
        resolves("Disk"),
        fires("Disk"),
        {**resolves("Disk"), "externalURL": "http://am-2:9093"},
        {**fires("Disk"), "externalURL": "http://am-2:9093"},
    ):
        assert (await pult.alert(late)).body["status"] == "duplicate"
    await pult.alert(fires("Next"))
    await department.shows("Next")
    for message in await department.cards("Disk"):
        assert "Resolved: Disk" in message["text"]
        assert len(message["revisions"]) == 2


@BOTH
async def test_one_of_two_resolved_leaves_the_message_firing(pult: Pult, department: Department) -> None:
    one, two = {"labels": {"pod": "api-1"}}, {"labels": {"pod": "api-2"}}
    await pult.alert(notification(alert("Pods", **one), alert("Pods", **two)))
    first, _ = await department.shows("Pods")
    await pult.alert(notification(alert("Pods", **one, resolved=True), alert("Pods", **two)))
    await department.shows("1 of 2")
    await pult.alert(notification(alert("Pods", **two, resolved=True)))
    slack, _ = await department.shows("Resolved: Pods")
    assert slack["ts"] == first["ts"]


@BOTH
async def test_a_new_incident_after_the_resolve_is_a_new_message(pult: Pult, department: Department) -> None:
    await pult.alert(fires("Again"))
    first, _ = await department.shows("Again")
    await pult.alert(resolves("Again"))
    await department.shows("Resolved: Again")
    await pult.alert(fires("Again", starts=START + timedelta(minutes=30)))
    second, _ = await department.shows("fired before as")
    assert second["ts"] != first["ts"]
    assert "Resolved: Again" in (await department.slack_messages(INCIDENTS, "Again"))[0]["text"]
