"""The log pipeline: its parts fit together, its labels are few, and no secret goes through it."""

from __future__ import annotations

import importlib.util
import io
import json
import re
from functools import cache
from typing import Any

import pytest

from bot.cli import logs
from bot.domain.redact import redact
from tests.deploy.monitoring import MONITORING
from tests.deploy.test_dashboards import LINES
from tests.real import missing

CONFIG = MONITORING / "logs" / "config.alloy"
DOTTED = re.compile(r'^(\s*)([a-z_]+(?:\.[a-z_]+)+)((?:\s+"\w+")?\s*\{)', re.MULTILINE)
CALL = re.compile(r"\bsys\.env\(")
EXPORTS = {
    "discovery.kubernetes": "targets",
    "discovery.relabel": "output",
    "local.file_match": "targets",
    "loki.process": "receiver",
    "loki.write": "receiver",
}
"""What another component may refer to (grafana.com/docs/alloy, reference of each)."""
STAGES = {
    "cri": set(), "drop": {"longer_than", "drop_counter_reason"}, "replace": {"expression", "replace"},
    "json": {"expressions"}, "template": {"source", "template"}, "labels": {"values"},
    "structured_metadata": {"values"}, "label_keep": {"values"},
}  # fmt: skip
"""Stages of loki.process that are used, and the arguments each of ours gives."""
Block = dict[str, Any]


@cache
def components() -> dict[tuple[str, str], Block]:
    """(kind, label) → body, read by a parser of HCL: Alloy's syntax but for the dots in names."""
    if importlib.util.find_spec("hcl2") is None:
        missing("python-hcl2 is not installed here")
    import hcl2  # noqa: PLC0415 - only where it is there

    text = CALL.sub("sys__env(", DOTTED.sub(lambda m: m[1] + m[2].replace(".", "__") + m[3], CONFIG.read_text()))
    whole = hcl2.load(io.StringIO(text))
    found = {}
    for kind, blocks in whole.items():
        for block in blocks if not kind.startswith("__") else ():
            for label, body in block.items():
                found[kind.replace("__", "."), label.strip('"')] = body
    return found


def stages() -> list[tuple[str, Block]]:
    """In the order in which they stand, which is the order in which they work."""
    body = components()["loki.process", "pods"]
    counted = {name: iter(blocks) for name, blocks in body.items() if name.startswith("stage__")}
    order = re.findall(r"^\s*stage\.(\w+)\s*\{", CONFIG.read_text(), re.MULTILINE)
    return [(name, {k: v for k, v in next(counted[f"stage__{name}"]).items() if k != "__is_block__"}) for name in order]


def text(value: str) -> str:
    """The value of a string, whose escapes are those of JSON here."""
    return str(json.loads(value))


def test_every_reference_leads_to_a_component_that_exports_it() -> None:
    there = {f"{kind}.{label}.{EXPORTS[kind]}" for kind, label in components() if kind in EXPORTS}
    named = set(re.findall(r"\b((?:discovery|local|loki)\.\w+\.\w+\.\w+)", CONFIG.read_text()))
    assert named == there, "nothing dangles, and nothing is left unread"


def test_stages_are_those_that_alloy_has_with_the_arguments_they_take() -> None:
    assert {name for name, _ in stages()} == STAGES.keys()
    for name, body in stages():
        assert body.keys() == STAGES[name]


def test_secrets_go_before_anything_is_read_from_a_line() -> None:
    order = [name for name, _ in stages()]
    last = len(order) - 1 - order[::-1].index("replace")
    assert order[0] == "cri"
    assert last < order.index("json")


def test_labels_are_few_and_those_that_queries_use() -> None:
    ((_, keep),) = (stage for stage in stages() if stage[0] == "label_keep")
    assert stages()[-1][0] == "label_keep", "whatever a stage before it adds is dropped"
    outside = {name.strip('"') for name in components()["loki.write", "loki"]["external_labels"]}
    assert {text(name) for name in keep["values"]} | outside == LINES


def test_a_level_is_one_of_seven_words() -> None:
    ((_, stage),) = (stage for stage in stages() if stage[0] == "template")
    words = set(re.findall(r"\}\}([a-z]+)\{\{", text(stage["template"])))
    assert words == {"fatal", "critical", "error", "warning", "info", "debug", "unknown"}


def test_pult_writes_the_fields_that_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    import logging  # noqa: PLC0415

    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        logs.configure(debug=False)
        logging.getLogger("bot.some").error("it broke")
        line = json.loads(capsys.readouterr().err.splitlines()[-1])
    finally:
        root.handlers[:], level = before[0], before[1]
        root.setLevel(level)
    ((_, stage),) = (stage for stage in stages() if stage[0] == "json")
    fields = {text(value) for value in stage["expressions"].values()}
    assert line["level"] == "error"
    assert line["logger"] == "bot.some"
    assert any(field.startswith("level ||") for field in fields)
    assert {"logger", "ref"} < fields, "ref: tests/promises/test_p16…"


# --- secrets ---


def piped(line: str) -> str:
    """*line* after the stages that mask: each replaces what its groups hold (RE2 and re read these alike)."""
    for name, stage in stages():
        if name == "replace":
            line = _masked(re.compile(text(stage["expression"])), line, text(stage["replace"]))
    return line


def _masked(pattern: re.Pattern[str], line: str, mask: str) -> str:
    found, at = "", 0
    for match in pattern.finditer(line):
        found, at = found + line[at : match.start(1)] + mask, match.end(1)
    return found + line[at:]


SECRETS = {
    "slack": ("xoxb-" + "1234567890-abcdefGHIJ", "Slack said no to {}"),
    "slack-app": ("xapp-" + "1-A0123-4567-abcdef", "token is {}"),
    "slack-hook": ("T00000000/B00000000/XXXXXXXXXXXXXXXX", "POST https://hooks.slack.com/services/{}"),
    "telegram": ("123456789:" + "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "GET https://api.telegram.org/bot{}/getMe"),
    "github": ("ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a", "pushed with {}"),
    "digitalocean": ("dop_v1_" + "a" * 64, "using {} for api"),
    "aws": ("AKIA" + "IOSFODNN7EXAMPLE", "key {}"),
    "jwt": ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N", "user {}"),
    "pem": ("MIIEpAIBAAKCAQEA75", "-----BEGIN RSA PRIVATE KEY-----{}"),
    "address": ("hunter2hunter2", "postgresql://pult:{}@db:25060/pult"),
    "bearer": ("abcdef0123456789", "Authorization: Bearer {}"),
    "json": ("s3cr3tvalue", '{{"level":"info","password":"{}","user":"ann"}}'),
    "json-in-json": ("s3cr3tvalue", '{{"event":"got {{\\"api_key\\": \\"{}\\"}}"}}'),
    "logfmt": ("s3cr3tvalue", "level=info db_password={} user=ann"),
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_does_not_leave_the_node(name: str) -> None:
    secret, line = SECRETS[name]
    assert secret in line.format(secret)
    assert secret not in piped(line.format(secret))
    assert secret not in redact(line.format(secret)), "pult itself knows it, too"


@pytest.mark.parametrize(
    "line",
    [
        '{"event":"delivered","level":"info","logger":"bot.engine.lane","timestamp":"2026-11-29T15:00:00Z"}',
        "GET /orders/123456789 200 12ms https://api.dept.example:443/orders",
        'level=info msg="token bucket is empty" rate=10',
        "image registry.digitalocean.com/dept/api@sha256:" + "0" * 64,
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert piped(line) == line


def test_json_stays_json() -> None:
    line = '{"level":"error","password":"s3cr3tvalue","event":"Authorization: Bearer abcdef0123456789"}'
    assert json.loads(piped(line)) == {"level": "error", "password": "***", "event": "Authorization: Bearer ***"}
