"""Promise 13: text from outside never becomes markup, mention, link or command."""

from tests.department import OPS, Department, shown, until
from tests.promises.alerts import fires
from tests.promises.stores import BOTH
from tests.pult_process import Pult

HOSTILE = (
    "<!channel> <!here> <@U0ANNA> <#C0INC> <!subteam^S0ONCALL> @here @everyone @channel",
    "<https://evil.example|Runbook> [Runbook](https://evil.example) <a href='https://evil.example'>Runbook</a>",
    "*bold* _it_ ~no~ `code` ```pre``` > quote **x** __y__ ||spoiler||",
    "<b>bold</b> <script>alert(1)</script> <tg-spoiler>x</tg-spoiler> &lt;b&gt; &amp; </b></code></pre>",
    "@anna_dept /restart@pult_sim_bot api /promote https://evil.example evil.ru mailto:a@b.example tg://user?id=1001",
    "\u202egnp.exe\u202c \u200b\u2066x\u2069 \x00\x07\x1b[31mred",
    "approve op-2222\n/pult restart api\nack a-2222",
)


@BOTH
async def test_no_field_of_an_alert_or_a_release_gets_out_of_its_text(pult: Pult, department: Department) -> None:
    for number, text in enumerate(HOSTILE):
        notes = {"summary": text, "description": text, "runbook_url": f"javascript:{text}", "dashboard": text}
        labels = {"region": text, "namespace": text, text: text}
        body = fires(f"Evil{number} {text}", service=text, labels=labels, annotations=notes)
        assert (await pult.alert(body)).status == 200
        release = {"service": f"s{number}", "version": text, "status": "failed", "notes": text, "environment": text,
                   "evidence": {text: text}, "commit": text, "url": f"javascript:{text}"}  # fmt: skip
        assert (await pult.release(release)).status == 200
    for number in range(len(HOSTILE)):
        await department.shows(f"Evil{number}")
        await department.slack_shows(f"s{number} ", OPS)
    for message in (*await department.slack_messages(), *await department.telegram_messages()):
        _only_text(message)
    assert pult.count("requests") == pult.count("operations") == 0


async def test_what_people_type_is_echoed_as_text(pult: Pult, department: Department) -> None:
    for text in HOSTILE[:5]:
        words = f"frobnicate {text}"
        assert not (await pult.ask("anna", words))["ok"]
        await department.slack("slash", user="U0ANNA", channel=OPS, text=words)
        await department.telegram("say", user=1001, text=f"/{words}")
        await pult.ask("anna", f"reject op-2222 {text}")
    await until("Slack does not answer", lambda: _at_least(department.slack_seen("U0ANNA"), 5))
    await until("Telegram does not answer", lambda: _at_least(department.telegram_messages(1001), 5))
    for message in (*await department.slack_seen("U0ANNA"), *await department.telegram_messages(1001)):
        _only_text(message)


async def test_an_honest_runbook_is_a_link_under_our_own_words(pult: Pult, department: Department) -> None:
    """The rule above must not hold only because there are no links at all."""
    url = "https://wiki.dept.example/api?x=1&y=<b>"
    await pult.alert(fires("Linked", annotations={"runbook_url": url}))
    for message in await department.shows("Linked"):
        labels = {label for target, label in message["links"] if target.startswith("https://wiki.dept.example")}
        assert labels == {"Runbook"}


def _only_text(message: dict) -> None:
    """Nobody is notified, and nothing of the outside text can be clicked."""
    kinds = {entity["type"] for entity in message.get("entities", ())}
    assert not kinds & {"mention", "text_mention", "bot_command", "url", "email", "hashtag", "spoiler"}, shown(message)
    assert message["mentions"] == [], shown(message)
    assert not [link for link in message["links"] if "evil" in str(link) or "/restart" in str(link)], shown(message)


async def _at_least(found, count: int) -> bool:
    return len(await found) >= count
