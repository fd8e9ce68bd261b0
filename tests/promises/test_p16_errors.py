"""Promise 16: a person sees one sentence with what to do; the log has the cause under the same reference."""

import re

import pytest

from tests.department import OPS, Department, until
from tests.promises.stores import ALSO_TWO, TWO
from tests.pult_process import Pult

WRONG = (
    "restart", "restart nothing", "pods api nowhere", "promote api", "promote api 0.0.1", "slo nothing",
    "alert a-2222", "op op-2222", "silence a-2222 soon", "resume op-2222 later", "statsu", "cancel op-2222",
    "failover sfo3 to nyc2", "help nothing", "x" * 3000, "\x00", "approve", "reject op-2222", "\U0001f525" * 90,
)  # fmt: skip
REF = re.compile(r"quote ([0-9a-f]{8})", re.IGNORECASE)


@pytest.mark.parametrize(
    ("store_url", "fault"),
    [("sqlite", "drop"), ("sqlite", "error"), pytest.param("replicas", "error", marks=TWO.marks)],
    indirect=["store_url"],
)
async def test_a_dependency_that_fails_is_a_sentence_and_a_logged_cause(
    pult: Pult, department: Department, fault: str
) -> None:
    await department.fault(fault, "kubernetes")
    answer = await pult.ask("anna", "restart api")
    assert not answer["ok"]
    _is_a_sentence(answer["text"])
    assert "nyc2" in answer["text"], "which one of them"
    [line] = [line for line in pult.logged() if line.get("ref") == _ref(answer["text"])]
    assert "nyc2" in line["error"]
    await department.slack("slash", user="U0ANNA", channel=OPS, text="restart api")
    [told] = await until("Slack is not told", lambda: department.slack_seen("U0ANNA"))
    assert _ref(told["text"]) in {line.get("ref") for line in pult.logged()}


@ALSO_TWO
async def test_what_a_person_got_wrong_is_said_in_one_sentence(pult: Pult) -> None:
    for words in WRONG:
        answer = await pult.ask("anna", words)
        assert not answer["ok"], words
        _is_a_sentence(answer["text"])
    assert not [line for line in pult.logged() if line["level"] in {"error", "critical"}]


def _is_a_sentence(text: str) -> None:
    head, _, sentence = text.strip().partition("\n\n")
    assert "did not work" in head
    assert sentence.rstrip().endswith((".", "?")) or sentence.startswith("Write it like this: "), sentence
    assert "\n" not in sentence.strip()
    assert not re.search(r"Traceback|Error\b|Exception|None\b|0x[0-9a-f]+|File \"", text), text


def _ref(text: str) -> str:
    found = REF.search(text)
    assert found, text
    return found[1]
